#include "server/api/client_api.hpp"

#include <algorithm>

#include "server/auth/sessions.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api {

void add_client_routes(Dispatcher& dispatcher, auth::Context& context) {
    add_location_routes(dispatcher, context);
    add_login_routes(dispatcher, context);
    add_userpass_routes(dispatcher, context);
    add_session_routes(dispatcher, context);
    add_profile_routes(dispatcher, context);
    add_api_key_routes(dispatcher, context);
    add_push_routes(dispatcher, context);
    add_endpoint_routes(dispatcher, context);
}

namespace {

void check_address(const Call& call, const auth::Context& context, const server::App& app) {
    const std::string& address = call.request.remote_address;
    if (!context.apps.access_list(app.id)->admits(address)) {
        throw ApiException(
            forbidden("Forbidden", "the app's access list does not have this address: " + address));
    }
}

} // namespace

std::shared_ptr<const server::App> app_of(const Call& call, const auth::Context& context) {
    const std::string& id = call.parameter("app");
    auto app = context.apps.find(id);
    if (app == nullptr) {
        throw ApiException(
            not_found("AppNotFound", "cannot find app using Client App ID '" + id + "'"));
    }
    check_address(call, context, *app);
    return app;
}

auth::Caller caller_of(const Call& call, auth::Context& context, const server::App& app) {
    auth::Caller caller =
        auth::Sessions(context).caller(call.request.bearer_token(), auth::TokenKind::access);
    if (caller.app->id != app.id) {
        throw ApiException(forbidden("UserAppDomainMismatch", "the token belongs to another app"));
    }
    return caller;
}

auth::Caller caller_of(const Call& call, auth::Context& context, auth::TokenKind kind) {
    auth::Caller caller = auth::Sessions(context).caller(call.request.bearer_token(), kind);
    check_address(call, context, *caller.app);
    return caller;
}

boost::json::object body_of(const Call& call) {
    if (call.request.body.empty()) {
        return {};
    }
    Result<boost::json::object> body = server::parse_json_object(call.request.body);
    if (!body) {
        throw ApiException(
            bad_request(std::string("the body is not a JSON object: ") + body.error().what()));
    }
    return *std::move(body);
}

std::string required_string(const boost::json::object& body, std::string_view key) {
    const boost::json::value* value = body.if_contains(key);
    if (value == nullptr || value->is_null()) {
        throw ApiException(missing_parameter("'" + std::string(key) + "' is required"));
    }
    if (!value->is_string()) {
        throw ApiException(bad_request("'" + std::string(key) + "' must be a string"));
    }
    return {value->get_string().data(), value->get_string().size()};
}

void throttle(const Call& call, auth::Context& context) {
    if (!context.throttle.allow_request(call.request.remote_address, context.now_ms())) {
        if (context.alerts != nullptr) {
            context.alerts->raise(
                {{},
                 "",
                 server::alert_kind::rate_limit,
                 "an address made too many requests to sign in and was refused",
                 "see who with tombolo logs; requests_per_minute sets the limit"});
        }
        throw ApiException(too_busy(429, "too many requests from this address; try again later"));
    }
}

CorsDecision cors_decision(const auth::Context& context, std::string_view path,
                           std::string_view origin) {
    const std::string_view prefix =
        path.starts_with(endpoint_app) ? endpoint_app : std::string_view("/api/client/v2.0/app/");
    const auto listed = [&](const server::App& app) {
        const auto& origins = app.config.allowed_request_origins;
        return std::find(origins.begin(), origins.end(), origin) != origins.end();
    };
    if (path.starts_with(prefix)) {
        const std::string_view rest = path.substr(prefix.size());
        const auto app = context.apps.find(rest.substr(0, rest.find('/')));
        if (app == nullptr || app->config.allowed_request_origins.empty()) {
            return {CorsDecision::Kind::any};
        }
        return {listed(*app) ? CorsDecision::Kind::listed : CorsDecision::Kind::refused};
    }
    // User-scoped paths do not name the app: what any one app allows is good.
    bool any = false;
    for (const auto& app : context.apps.all()) {
        if (listed(*app)) {
            return {CorsDecision::Kind::listed};
        }
        any = any || app->config.allowed_request_origins.empty();
    }
    return {any ? CorsDecision::Kind::any : CorsDecision::Kind::refused};
}

} // namespace tombolo::api
