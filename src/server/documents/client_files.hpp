#pragma once

// The collection "clientfiles" of the database "__realm_sync" (or "__realm_sync_<app>"): the client
// files of an app's sync as documents, for functions that run as system. Test suites and scripts of
// published SDKs make a user's devices reset by deleting them there (admin-api-and-config.md,
//
//
//     {_id: <file ident>, ownerId: <user id>, lastSeen: <date>}
//
// find, findOne, count, deleteOne and deleteMany; everything else is refused. A deletion makes the
// file reset; it is no transaction, and the file is gone from here at once.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/documents/documents.hpp"

namespace tombolo::documents {

struct ClientFile {
    std::uint64_t ident = 0;
    std::string owner;
    std::int64_t last_seen_ms = 0;
};

/// Of the sync of an app. Null members: nothing syncs.
struct ClientFiles {
    /// Those that need not reset already.
    std::function<Result<std::vector<ClientFile>>(const server::App&)> list;
    std::function<Result<void>(const server::App&, std::uint64_t ident)> reset;
};

/// Nothing when the request is about another collection, or not the system's.
std::optional<Result<mql::BsonValue>> call_client_files(const ClientFiles& files,
                                                        const Request& request);

} // namespace tombolo::documents
