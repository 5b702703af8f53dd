#pragma once

// An app's deployment as the sync engine takes it: classes, queryable fields, settings. Pure.

#include <string>
#include <vector>

#include <span>

#include "core/result.hpp"
#include "server/app/app_repository.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

struct AppModel {
    SyncModel model;
    std::int64_t client_max_offline_ms = 0;
    bool recovery_mode_disabled = false;
    /// Queryable fields that take no effect, and the like; for the log.
    std::vector<std::string> warnings;
};

/// `versions`: of the app; without them there is one version, 0. Errors: unsupported when the app
/// does not use flexible sync, invalid_schema with every problem of its schemas.
Result<AppModel> make_app_model(const AppConfig& config,
                                std::span<const SchemaVersion> versions = {});

} // namespace tombolo::server::sync
