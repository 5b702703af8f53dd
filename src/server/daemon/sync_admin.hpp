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

} // namespace tombolo::server
