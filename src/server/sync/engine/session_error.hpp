#pragma once

// The errors that end a binding, made from the table of sync error codes.

#include <string>

#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

/// With the action and flags that the table recommends. What apps look for in the text of an error
/// (the words of the service before us) is put before the message.
SessionError session_error(protocol::SyncErrorCode code, std::string message);

/// "error 212: ...", for people.
std::string error_text(const SessionError& error);

} // namespace tombolo::server::sync
