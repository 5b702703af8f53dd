#pragma once

// What a device is told whose schema the server's does not fit.

#include <string>
#include <string_view>

#include "server/sync/engine/model.hpp"

namespace tombolo::server::sync {

/// For error 225: what the client said, and how the server defines the classes that it names.
std::string schema_difference(const Model& model, std::string_view client_message);

} // namespace tombolo::server::sync
