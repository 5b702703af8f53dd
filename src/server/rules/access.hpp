#pragma once

// One user's access to one collection: its roles bound to the user's facts (device-sync-server.md
// 4.2, 4.3).
//
// The role of a document is the first whose apply_when holds on it; later roles are not tried.
//   read     document_filters.read or .write holds, then: `read` or `write` true gives all fields,
//            `read` false none; undefined asks each field by `fields`, else additional_fields.
//            _id is always there in a document of which any field is readable.
//   update   document_filters.write holds before and after, `write` true, or undefined and every
//            field that changed is writable
//   insert   document_filters.write after, all fields writable, `insert`
//   erase    document_filters.write before, all fields writable, `delete`
// Undefined document_filters, insert and delete are true, all else that is undefined is false. An
// expression that cannot be evaluated denies.
//
// Thread-safety: one thread at a time (functions' results and a buffer are kept).

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/projection.hpp"
#include "server/rules/rule_set.hpp"

namespace tombolo::rules {

/// What a user sees of a document.
struct Visible {
    enum class Kind : std::uint8_t { hidden, whole, fields };
    Kind kind = Kind::hidden;
    mql::BsonDocumentView document; ///< of `fields`; valid until the next read()
    /// The role that decided; empty when none applied.
    std::string_view role;
};

struct Verdict {
    bool allowed = false;
    std::string_view role; ///< empty when none applied
    std::string reason;    ///< of a denial, for the log: "document_filters.write", "field 'a.b'"
};

class CollectionAccess {
  public:
    static CollectionAccess bind(const AppRules& app, const store::CollectionName& collection,
                                 const Facts& facts);
    CollectionAccess(CollectionAccess&&) noexcept;
    CollectionAccess& operator=(CollectionAccess&&) noexcept;
    ~CollectionAccess();

    /// Whether any role is configured for the collection at all.
    bool has_rules() const noexcept;

    Visible read(mql::BsonDocumentView document) const;
    Verdict insert(mql::BsonDocumentView after) const;
    Verdict update(mql::BsonDocumentView before, mql::BsonDocumentView after) const;
    Verdict erase(mql::BsonDocumentView before) const;

    /// A MongoDB filter that every readable document matches, for planning; nothing when that
    /// cannot be told.
    std::optional<mql::BsonDocument> read_query() const;
    /// The queries of the filters that apply, all to be matched by the documents as stored.
    const std::vector<Predicate>& filter_queries() const noexcept;
    /// The projections of the filters that apply, one after the other.
    const std::vector<mql::Projection>& filter_projections() const noexcept;

    struct State;

  private:
    explicit CollectionAccess(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace tombolo::rules
