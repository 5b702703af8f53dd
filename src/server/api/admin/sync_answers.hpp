#pragma once

// What the sync routes answer where there is nothing to ask: sync is not enabled for the app, or it
// cannot run. Every route says it in the same words. Internal to api/admin.

#include <memory>

#include "server/api/admin/admin_api.hpp"

namespace tombolo::api::admin {

/// Flexible sync, running or paused: terminated sync has neither devices nor history.
bool has_sync(const server::App& app);

/// As it is deployed, for drafts do not sync; 404 SyncNotFound when it has no sync.
std::shared_ptr<const server::App> app_with_sync(const AdminCall& call);

/// 409 SyncNotRunning with the reason, where sync of the app cannot answer; others are thrown.
ApiError sync_error(const Error& error);

/// The value of what sync answered; sync_error() is thrown.
template <class T>
T from_sync(Result<T> result) {
    if (!result) {
        throw ApiException(sync_error(result.error()));
    }
    return *std::move(result);
}

/// "accepting_clients", "state" and, unless clients are accepted, "reason", of the deployed app.
/// `asked` is what SyncServices::progress said, {} where it was not asked. State is one of
/// not_enabled, paused, failed (terminate it), cannot_start (mend the configuration), starting
/// (the initial sync is under way), enabled.
boost::json::object sync_standing(const AdminCall& call, const server::App& app,
                                  const boost::json::object& asked);

} // namespace tombolo::api::admin
