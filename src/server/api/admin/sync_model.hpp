#pragma once

// What clients add to a synced model in development mode, as part of the app's configuration
// (device-sync-server.md 2.3): schemas, relationships, queryable fields, data-ingest classes.

#include "core/result.hpp"
#include "server/app/app_repository.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::api::admin {

/// Adds what the configuration lacks and changes nothing that it says; a deployment when there is
/// something.
Result<void> store_sync_model(server::AppRepository& apps, const ObjectId& app,
                              const server::sync::SyncModel& model, std::int64_t now_unix_ms);

/// Pauses the app's sync as an administrator would. Nothing happens when it does not run.
Result<void> pause_sync(server::AppRepository& apps, const ObjectId& app, std::int64_t now_unix_ms);

} // namespace tombolo::api::admin
