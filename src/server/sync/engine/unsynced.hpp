#pragma once

// Documents of synced collections that no device gets, and why (device-sync-server.md 2.6).
//
// Found by reading, not kept: the list is right at any time, whoever wrote the documents and
// whatever the schema was then, and costs nothing until somebody looks.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

struct UnsyncedDocument {
    std::string class_name;
    std::string database;
    std::string collection;
    mql::BsonDocument id; ///< {_id}
    std::string reason;
};

struct UnsyncedPage {
    std::vector<UnsyncedDocument> documents;
    std::uint64_t scanned = 0;
    /// Where to go on: class name, NUL, document key. Absent at the end.
    std::optional<std::string> next;
};

/// At most `count_max` of them, after looking at no more than `scanned_max` documents.
Result<UnsyncedPage> unsynced_documents(const SyncModel& model, const store::Store& store,
                                        std::string_view after, std::size_t count_max,
                                        std::size_t scanned_max);

} // namespace tombolo::server::sync
