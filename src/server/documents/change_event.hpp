#pragma once

// Change events as documents, and their form on the wire (client-http-api.md 6.6, 7.3).

#include <optional>
#include <string>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "server/store/types.hpp"

namespace tombolo::documents {

/// A place in the change feed: a version and how many of its entries came before.
struct FeedPosition {
    store::Version version{};
    std::uint32_t entry = 0;

    /// {_data: hex}
    mql::BsonDocument token() const;
    /// invalid_argument when it is no token of ours.
    static Result<FeedPosition> parse(mql::BsonDocumentView token);
};

/// What one watcher sees of one change. Empty views: not there, or not seen.
struct SeenChange {
    FeedPosition position;
    std::int64_t committed_unix_ms = 0;
    store::Operation operation = store::Operation::insert;
    const store::CollectionName& name;
    mql::BsonView id;
    std::optional<mql::BsonDocumentView> before;
    std::optional<mql::BsonDocumentView> after;
};

/// Nothing when the watcher sees no change.
std::optional<mql::BsonDocument> change_event(const SeenChange& change);

/// "data: ...\n\n" in canonical Extended JSON.
Result<std::string> event_text(mql::BsonDocumentView event);
/// The last event of a stream that fails.
std::string error_event_text(std::string_view error_code, std::string_view error);

} // namespace tombolo::documents
