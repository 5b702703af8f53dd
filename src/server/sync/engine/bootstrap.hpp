#pragma once

// D_c(s) of a point: what enters and leaves a view, or what a collapse brings, in batches
// (server-sync-algorithm.md 3, 7, 8).
//
// Reads documents as they were at s. No snapshot is held between batches: each batch reads a fresh
// one, and objects that were changed above s since (`touched`) are taken from their past. So a slow
// reader pins nothing, and the same point gives the same content at any time. Memory: one batch,
// and the names of objects changed meanwhile that the scan has not passed yet.
//
// Not thread-safe: a session's.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/sync/engine/history.hpp"
#include "server/sync/engine/stream.hpp"

namespace tombolo::server::sync {

class Bootstrap {
  public:
    struct Options {
        Number file = 0;
        Number point = 0;
        std::shared_ptr<const View> old_view; ///< null: the file holds nothing
        std::shared_ptr<const View> new_view;
        /// Nothing was sent strictly between this version and the point.
        std::optional<Number> hole_after;
        bool sends_schema = false; ///< for a new file
        std::size_t batch_bytes = 0;
        std::size_t batch_objects = 0; ///< new ones in one changeset; 0: no limit
        EngineBugs bugs;
    };

    explicit Bootstrap(Options options);

    struct Step {
        std::vector<std::byte> changeset; ///< may be empty in the last step only
        bool is_last = false;
    };

    /// The next batch. `history` and `snapshot` are of one moment, at or above the point.
    Result<Step> next(const SnapshotHistory& history, const store::Snapshot& snapshot);

  private:
    struct Position {
        std::size_t class_index = 0;
        std::string key; ///< of the last document looked at
    };

    Result<std::vector<std::byte>> produce(const SnapshotHistory& history,
                                           const store::Snapshot& snapshot);
    Result<void> note_touched(const HistorySource& history);
    Result<void> note_collapsed(const HistorySource& history);
    Result<void> fill(const SnapshotHistory& history, const store::Snapshot& snapshot,
                      changeset::ChangesetBuilder& out, std::size_t& bytes);
    Result<void> fill_class(const SnapshotHistory& history, const store::Snapshot& snapshot,
                            changeset::ChangesetBuilder& out, std::size_t& bytes);
    Result<void> add_touched(const HistorySource& history, const std::string& key,
                             const ObjectRef& object, changeset::ChangesetBuilder& out,
                             std::size_t& bytes);
    void add(const ObjectRef& object, Image image, bool is_collapsed,
             changeset::ChangesetBuilder& out, std::size_t& bytes) const;
    bool is_done() const noexcept { return position_.class_index >= classes_.size(); }

    Options options_;
    std::vector<std::string> classes_;
    Position position_;
    /// Per class: objects changed above the point, by document key, that the scan has not passed.
    std::map<std::string, std::map<std::string, ObjectRef>> touched_;
    Number touched_up_to_;
    /// Objects named strictly inside the hole.
    std::optional<std::set<ObjectRef>> collapsed_;
    std::optional<std::vector<std::byte>> ready_;
};

} // namespace tombolo::server::sync
