#include "server/sync/engine/session_error.hpp"

#include <utility>

namespace tombolo::server::sync {

SessionError session_error(protocol::SyncErrorCode code, std::string message) {
    if (code == protocol::SyncErrorCode::bad_client_file_ident) {
        message = "Bad client file identifier (IDENT): " + message;
    }
    return {code,
            protocol::make_json_error(code, protocol::SessionIdent{1}, std::move(message)).body};
}

std::string error_text(const SessionError& error) {
    return "error " + std::to_string(static_cast<int>(error.code)) + ": " + error.body.message;
}

} // namespace tombolo::server::sync
