#include "server/api/admin/sync_answers.hpp"

#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using server::App;
using Mode = server::SyncConfig::Mode;

namespace {

constexpr const char* not_enabled = "sync is not enabled for this app";

json::object refusing(const char* state, std::string reason) {
    return {{"accepting_clients", false}, {"state", state}, {"reason", std::move(reason)}};
}

} // namespace

bool has_sync(const App& app) {
    return app.config.sync.mode == Mode::flexible && !app.config.sync.state.empty();
}

std::shared_ptr<const App> app_with_sync(const AdminCall& call) {
    auto app = call.apps().find(call.app().id);
    if (app == nullptr || !has_sync(*app)) {
        throw ApiException(not_found("SyncNotFound", not_enabled));
    }
    return app;
}

ApiError sync_error(const Error& error) {
    switch (error.code()) {
    case ErrorCode::unavailable:
    case ErrorCode::already_exists:
    case ErrorCode::invalid_schema:
    case ErrorCode::incompatible_schema:
        return conflict("SyncNotRunning",
                        std::string("sync of this app cannot answer: ") + error.what());
    default:
        throw error;
    }
}

json::object sync_standing(const AdminCall& call, const App& app, const json::object& asked) {
    const server::SyncConfig& sync = app.config.sync;
    if (sync.mode == Mode::none || sync.state.empty()) {
        return refusing("not_enabled", not_enabled);
    }
    if (call.context().sync.failure) {
        const json::object failure = call.context().sync.failure(app);
        if (!failure.empty()) {
            return refusing("failed", "sync has failed: " + server::string_or(failure, "message"));
        }
    }
    if (const std::string error = server::string_or(asked, "error"); !error.empty()) {
        return refusing("cannot_start", "sync cannot start: " + error);
    }
    if (!sync.enabled()) {
        return refusing("paused", "sync is paused");
    }
    if (!server::bool_or(asked, "accepting", asked.empty())) {
        return refusing("starting", "the initial sync is under way");
    }
    return {{"accepting_clients", true}, {"state", "enabled"}};
}

} // namespace tombolo::api::admin
