#pragma once

// The route of sync connections.

#include "server/api/dispatcher.hpp"
#include "server/auth/context.hpp"

namespace tombolo::server::sync {
class SyncService;
}

namespace tombolo::api {

/// `service` must outlive the dispatcher.
void add_sync_routes(Dispatcher& dispatcher, auth::Context& context,
                     server::sync::SyncService& service);

} // namespace tombolo::api
