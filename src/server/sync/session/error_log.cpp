#include "server/sync/session/error_log.hpp"

#include "server/app/app_log.hpp"

namespace tombolo::server::sync {

namespace {

/// Lines of one entry about refused writes.
constexpr std::size_t refused_shown_max = 20;

/// What follows from the error on the device.
std::string what_the_device_does(const protocol::ErrorBody& body) {
    using protocol::ErrorAction;
    switch (body.action) {
    case ErrorAction::transient:
        return "connects again";
    case ErrorAction::warning:
        return "goes on";
    case ErrorAction::client_reset:
    case ErrorAction::client_reset_no_recovery:
        return "resets its file";
    case ErrorAction::migrate_schema:
        return "moves to the other schema version";
    default:
        return body.try_again ? "tries again" : "stops syncing the file";
    }
}

AppLogEntry entry_of(const ConnectionSetup& setup, int code, std::string error) {
    AppLogEntry entry;
    entry.app = setup.app;
    entry.type = "SYNC_ERROR";
    entry.request_id = setup.id;
    entry.user_id = setup.user_id;
    if (setup.live != nullptr) {
        entry.remote_address = setup.live->address;
    }
    entry.status = 400;
    entry.error = std::move(error);
    const protocol::SyncErrorInfo* info = protocol::find_sync_error(code);
    entry.error_code = info == nullptr ? std::to_string(code) : std::string(info->status);
    return entry;
}

} // namespace

void log_session_error(const ConnectionSetup& setup, protocol::SessionIdent session,
                       std::uint64_t file, const SessionError& error) {
    const int code = static_cast<int>(error.code);
    const protocol::SyncErrorInfo* info = protocol::find_sync_error(code);
    const std::string meaning(info == nullptr ? std::string_view() : info->note);
    const std::string does = what_the_device_does(error.body);
    setup.log.info(error.ends_binding() ? "sync session ended by an error" : "sync error",
                   {{"app", setup.app_name},
                    {"connection", setup.id},
                    {"user", setup.user_id},
                    {"session", std::to_string(session.value)},
                    {"file", std::to_string(file)},
                    {"code", std::to_string(code)},
                    {"means", meaning},
                    {"device", does},
                    {"error", error.body.message}});
    // Coming back at once is no error to who runs the app.
    if (setup.app_log == nullptr || error.body.action == protocol::ErrorAction::transient) {
        return;
    }
    AppLogEntry entry = entry_of(setup, code, error.body.message);
    entry.messages.emplace_back(meaning + "; the device " + does);
    entry.details = {{"protocol_error_code", code}, {"client_file", file}};
    if (error.body.rejected) {
        for (const protocol::RejectedUpdate& each : error.body.rejected->updates) {
            if (entry.messages.size() > refused_shown_max) {
                entry.messages.emplace_back("and more");
                break;
            }
            entry.messages.emplace_back(each.class_name + ": " + each.reason);
        }
    }
    setup.app_log->add(std::move(entry));
}

void log_query_error(const ConnectionSetup& setup, std::uint64_t file,
                     const OutgoingQueryError& error) {
    setup.log.info("sync query refused", {{"app", setup.app_name},
                                          {"connection", setup.id},
                                          {"user", setup.user_id},
                                          {"file", std::to_string(file)},
                                          {"error", error.message}});
    if (setup.app_log == nullptr) {
        return;
    }
    const int code = static_cast<int>(protocol::SyncErrorCode::bad_query);
    AppLogEntry entry = entry_of(setup, code, error.message);
    entry.messages.emplace_back("the device keeps its subscriptions from before");
    entry.details = {{"protocol_error_code", code}, {"client_file", file}};
    setup.app_log->add(std::move(entry));
}

void log_taken_back(AppLog* app_log, const Log& log, const ObjectId& app,
                    const std::string& app_name, const TakenBack& said) {
    AppLogEntry entry;
    entry.app = app;
    entry.type = "SYNC_OTHER";
    entry.user_id = said.user;
    entry.status = 409;
    entry.error = "the database refused " + std::to_string(said.objects.size()) +
                  " objects of an upload; the device takes back what it wrote to them";
    entry.error_code = "TranslatorCorrectiveErasure";
    entry.details = {{"client_file", said.file}};
    for (const auto& [object, why] : said.objects) {
        if (entry.messages.size() == refused_shown_max) {
            entry.messages.emplace_back("and more");
            break;
        }
        entry.messages.emplace_back(to_text(object) + ": " + why);
    }
    log.warning(
        "sync: the database refused objects of an upload",
        {{"app", app_name},
         {"user", said.user},
         {"file", std::to_string(said.file)},
         {"objects", std::to_string(said.objects.size())},
         {"first", to_text(said.objects.begin()->first) + ": " + said.objects.begin()->second}});
    if (app_log != nullptr) {
        app_log->add(std::move(entry));
    }
}

} // namespace tombolo::server::sync
