#pragma once

// Where log forwarders deliver to: functions and collections of the app, as the system.

#include "server/app/log_forwarders.hpp"
#include "server/documents/documents.hpp"
#include "server/functions/functions.hpp"

namespace tombolo::api::admin {

/// The references must outlive the forwarders.
server::LogDelivery log_delivery(functions::Functions& functions,
                                 const documents::Documents& documents);

} // namespace tombolo::api::admin
