#pragma once

// Documents of one collection as one caller sees them, found by a plan in one snapshot.
//
//     Reader reader(view, filter);
//     while (true) { TOMBOLO_TRY(const bool more, reader.next()); if (!more) break; ... }
//
// What rules hide is not there; what they show of a document is what the filter is matched against,
// so that nobody finds out hidden values by asking for them.
//
// Thread-safety: one thread.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mql/filter.hpp"
#include "server/documents/documents.hpp"
#include "server/documents/planner.hpp"
#include "server/rules/access.hpp"

namespace tombolo::documents {

using Deadline = std::chrono::steady_clock::time_point;

/// A collection in a snapshot. `access` null: the system sees all.
struct CollectionView {
    const store::Store& store;
    const store::Snapshot& snapshot;
    std::optional<store::CollectionId> id; ///< nothing: it does not exist, so it is empty
    const rules::CollectionAccess* access = nullptr;
    Deadline deadline;
    std::int64_t now_ms = 0;
};

class Reader {
  public:
    /// `filter` null: everything. What is borrowed must outlive the reader.
    Reader(const CollectionView& view, const mql::Filter* filter);
    /// Looks at the document of that key only.
    Reader(const CollectionView& view, const mql::Filter* filter, std::string key);
    ~Reader();

    /// Moves to the next match.
    Result<bool> next();

    /// What the caller sees; valid until next().
    mql::BsonDocumentView shown() const noexcept;
    /// As it is stored; valid until next().
    mql::BsonDocumentView stored() const noexcept { return stored_; }
    bool is_whole() const noexcept { return whole_; }
    store::Version modified() const noexcept { return modified_; }
    const std::string& key() const noexcept { return key_; }
    const mql::MatchDetails& details() const noexcept { return details_; }

    const Plan& plan() const noexcept { return plan_; }
    /// Documents that rules kept from the caller so far.
    std::size_t hidden() const noexcept { return hidden_; }
    /// The roles that did, for the log: "member, (none)".
    std::string hidden_by() const;

  private:
    Result<void> start();
    Result<bool> next_candidate();
    Result<bool> next_of_keys();
    Result<bool> next_of_cursor();
    Result<bool> judge();

    const CollectionView& view_;
    const mql::Filter* filter_;
    Plan plan_;
    bool started_ = false;
    std::size_t position_ = 0; ///< in keys or ranges
    std::unique_ptr<store::DocumentCursor> cursor_;
    std::set<std::string, std::less<>> seen_; ///< keys, where an index may lead to one twice
    std::size_t looked_at_ = 0;
    std::size_t hidden_ = 0;
    std::set<std::string, std::less<>> hiding_roles_;

    std::optional<store::StoredDocument> held_; ///< of `keys`
    mql::BsonDocumentView stored_;
    mql::BsonDocumentView shown_; ///< unless whole_
    mql::BsonDocument projected_; ///< by filters of rules
    bool whole_ = true;
    std::string key_;
    store::Version modified_{};
    mql::MatchDetails details_;
};

} // namespace tombolo::documents
