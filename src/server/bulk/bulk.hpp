#pragma once

// Whole collections in and out: what the admin API's import and export routes do.
//
// A call takes or gives one bounded batch; a client sends and asks for one after the other, so
// neither side ever holds a collection in memory. Documents are written past rules and schemas, as
// an administrator's tools write them, through the Store like any other write: watches and sync see
// them.
//
// Pure but for the Store. Thread-safety: any thread; calls block on the store.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "mql/filter.hpp"
#include "server/store/store.hpp"

namespace tombolo::bulk {

/// Of one import request's body.
inline constexpr std::size_t import_bytes_max = std::size_t{32} * 1024 * 1024;
/// Of one export answer, unless a single document is longer.
inline constexpr std::size_t export_bytes_max = std::size_t{8} * 1024 * 1024;

enum class ImportMode : std::uint8_t {
    insert, ///< a document whose `_id` exists is refused, the others go in
    upsert, ///< replaces what has the same `_id`
    skip,   ///< leaves what has the same `_id` as it is
};

struct RefusedDocument {
    std::size_t index = 0; ///< in the request, from 0
    std::string message;
};

struct ImportReport {
    std::uint64_t written = 0;
    std::uint64_t skipped = 0; ///< of ImportMode::skip
    std::uint64_t refused = 0;
    /// The first of them.
    std::vector<RefusedDocument> problems;
};

/// BSON documents one after the other, each with an `_id`. Everything written is durable. Errors:
/// bad_bson when the body is no such sequence, invalid_argument when an `_id` is missing (nothing
/// was written then); what the Store says when it cannot write (some batches may be in: run again
/// with upsert or skip).
Result<ImportReport> import_documents(store::Store& store, const store::CollectionName& collection,
                                      ImportMode mode, ByteView body);

struct ExportPage {
    std::string documents; ///< BSON, one after the other
    std::uint64_t count = 0;
    /// The key to go on after; nothing at the end.
    std::optional<std::string> next;
};

/// Documents in `_id` order whose key is greater than `after`. At most `scanned_max` are looked at
/// for one page, so that a filter that matches little still answers soon. A collection that does
/// not exist is empty.
Result<ExportPage> export_documents(const store::Store& store,
                                    const store::CollectionName& collection,
                                    const mql::Filter& filter, std::string_view after,
                                    std::size_t bytes_max = export_bytes_max,
                                    std::size_t scanned_max = 100'000);

} // namespace tombolo::bulk
