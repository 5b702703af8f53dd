#pragma once

// The errors that end a binding, made from the table of sync error codes.

#include <string>

#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

/// With the action and flags that the table recommends.
SessionError session_error(protocol::SyncErrorCode code, std::string message);

} // namespace tombolo::server::sync
