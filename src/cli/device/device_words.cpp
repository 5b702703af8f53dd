#include "cli/device/device_words.hpp"

#include "core/primary_key.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

using client::ConnectionEnd;
using protocol::ErrorAction;
using protocol::SyncErrorCode;

namespace {

const char* const see_logs =
    "The server's side of it: tombolo logs list --type sync --errors, and tombolo sync status.";

// Of an answer that is the API's JSON: what it says.
std::string said_in(const std::string& body) {
    const auto parsed = server::parse_json_object(body);
    const std::string error = parsed ? server::string_or(*parsed, "error") : "";
    return error.empty() ? body : error;
}

std::string quoted(const std::string& text) {
    return text.empty() ? "" : " (" + text + ")";
}

} // namespace

Advice words_for(const ConnectionEnd& end, const std::string& server) {
    using Kind = ConnectionEnd::Kind;
    switch (end.kind) {
    case Kind::none:
        return {"the connection was given up", "", ExitCode::failure};
    case Kind::unreachable:
        if (end.code >= 500 && end.code < 600) {
            return {"the server does not sync now" + quoted(said_in(end.text)),
                    "It may be starting, or sync is paused or not enabled: tombolo sync status. "
                    "Local writes wait in the device's file."};
        }
        return {"no connection to " + server + quoted(end.text),
                "Local writes wait in the device's file. A device connects to the address that the "
                "server gives out as ws_hostname: behind a proxy or in a container set its "
                "public_url (docs/operating.md)."};
    case Kind::signed_out:
        return {"the server does not know this session any more" + quoted(said_in(end.text)),
                "The user was signed out, disabled or deleted. Sign in again with tombolo sync "
                "sign-in --again; local writes are kept.",
                ExitCode::refused};
    case Kind::forbidden:
        return {"the user may not sync" + quoted(said_in(end.text)),
                "See tombolo users list and the rules of the app.", ExitCode::refused};
    case Kind::refused:
        return {"the server refuses to sync" + quoted(said_in(end.text)) +
                    (end.code != 0 ? ", status " + std::to_string(end.code) : ""),
                "Is the app id right, and does the app sync? tombolo sync status tells."};
    case Kind::closed:
        return {"the server closed the connection with code " + std::to_string(end.code) +
                    quoted(end.text),
                see_logs};
    case Kind::broken:
        return {"the server has sent what a device cannot take" + quoted(end.text),
                "That is a mistake of the server; please report it. tombolo sync reset starts the "
                "device anew and keeps its local writes."};
    case Kind::failed_to_save:
        return {end.text, "Nothing was sent of what could not be kept. Is the disk full?"};
    }
    return {};
}

bool asks_for_reset(const protocol::JsonError& error) {
    return error.body.action == ErrorAction::client_reset ||
           error.body.action == ErrorAction::client_reset_no_recovery ||
           error.body.action == ErrorAction::delete_realm || error.body.should_client_reset;
}

Advice words_for(const protocol::JsonError& error) {
    const std::string said = error.body.message + " (error " + std::to_string(error.code) + ")";
    if (asks_for_reset(error)) {
        return {"the server asks this device to begin anew: " + said,
                "tombolo sync reset fetches everything again and repeats the local writes that the "
                "server does not have; with --discard it drops them."};
    }
    switch (static_cast<SyncErrorCode>(error.code)) {
    case SyncErrorCode::invalid_schema_change:
        return {"the server refuses a class or field that this device brings: " + said,
                "Deploy the schema (tombolo push), or let devices define classes (tombolo sync "
                "dev-mode on); then tombolo sync reset --discard."};
    case SyncErrorCode::permission_denied:
        return {"the user may not sync: " + said, "See the rules of the app.", ExitCode::refused};
    case SyncErrorCode::switch_to_flexible_sync:
    case SyncErrorCode::switch_to_partition_sync:
        return {"the app uses another kind of sync: " + said,
                "tombolo sync is a device of flexible sync only."};
    case SyncErrorCode::bad_schema_version:
        return {"the server does not know this schema version: " + said, see_logs};
    case SyncErrorCode::initial_sync_not_completed:
        return {"the server still imports its data: " + said,
                "tombolo sync progress --wait tells when it is done; then try again."};
    default:
        return {"the server says: " + said, see_logs};
    }
}

Advice words_for_query(const std::string& server_message) {
    return {"the server refuses the subscriptions: " + server_message,
            "Change the query with tombolo sync subscribe, or take it back with tombolo sync "
            "unsubscribe. Fields that may be queried: tombolo sync status. Until then the device "
            "keeps what it is subscribed to."};
}

std::vector<std::string> undone_writes(const protocol::JsonError& error) {
    std::vector<std::string> lines;
    if (error.body.rejected) {
        for (const protocol::RejectedUpdate& each : error.body.rejected->updates) {
            lines.push_back("the server undid the write to " + each.class_name + " " +
                            to_text(to_view(each.primary_key)) + ": " + each.reason);
        }
    }
    if (lines.empty()) {
        lines.push_back("the server undid a write: " + error.body.message);
    }
    return lines;
}

} // namespace tombolo::cli
