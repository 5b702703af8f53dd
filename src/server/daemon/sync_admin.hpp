#pragma once

// Sync as the Admin API shows it: what is between its routes and the sync service.

#include "server/api/admin/admin_api.hpp"
#include "server/documents/client_files.hpp"
#include "server/sync/session/service.hpp"

namespace tombolo::server {

/// Borrows the service.
api::admin::SyncServices sync_services(sync::SyncService& service);

/// The same for functions: client files as documents.
documents::ClientFiles client_files(sync::SyncService& service);

/// Why a user's devices have a document, or not: facts, and words for people.
boost::json::object explained(const sync::SyncService::Explanation& all, const std::string& user);

/// What operators ask when data is not where somebody expects it: conflicts, explanations.
void add_inquiries(api::admin::SyncServices& out, sync::SyncService& service);

} // namespace tombolo::server
