#pragma once

// What the sync of an app has to remember of its life beside history (device-sync-server.md 6.1):
// that it failed, and when it was used last. Read and written by SyncService, of apps whose engine
// is not open too.
//
//   meta  "sync/" app hex "/failure"  SyncFailure: sync does not start until it is terminated
//   meta  "sync/" app hex "/active"   Unix ms of the last day on which a device was there

#include <cstdint>
#include <optional>
#include <string>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/store/store.hpp"

namespace tombolo::server::sync {

struct SyncFailure {
    std::int64_t time_ms = 0;
    std::string name;    ///< as logs and documents call it: "TranslatorFatalError - ..."
    std::string message; ///< what happened, and what to do
};

Result<std::optional<SyncFailure>> stored_failure(const store::Snapshot& snapshot,
                                                  const ObjectId& app);
Result<void> store_failure(store::Store& store, const ObjectId& app, const SyncFailure& failure);

/// Nothing: not known.
Result<std::optional<std::int64_t>> last_active(const store::Snapshot& snapshot,
                                                const ObjectId& app);
Result<void> store_active(store::Store& store, const ObjectId& app, std::int64_t unix_ms);
Result<void> forget_active(store::Store& store, const ObjectId& app);

/// Sync was terminated, or the app is gone.
Result<void> forget_life(store::Store& store, const ObjectId& app);

} // namespace tombolo::server::sync
