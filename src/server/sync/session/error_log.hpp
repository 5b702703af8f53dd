#pragma once

// Errors that a device is told, in words for people: the server's log for operators, the app's log
// for its administrators.

#include "server/sync/engine/engine.hpp"
#include "server/sync/session/connection.hpp"

namespace tombolo::server::sync {

/// `file` 0: not identified yet.
void log_session_error(const ConnectionSetup& setup, protocol::SessionIdent session,
                       std::uint64_t file, const SessionError& error);
/// What the indexes of collections refused of an upload: an entry of its own, with the code
/// TranslatorCorrectiveErasure. `app_log` may be null.
void log_taken_back(AppLog* app_log, const Log& log, const ObjectId& app,
                    const std::string& app_name, const TakenBack& said);
void log_query_error(const ConnectionSetup& setup, std::uint64_t file,
                     const OutgoingQueryError& error);

} // namespace tombolo::server::sync
