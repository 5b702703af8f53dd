// Sign-in and linking: POST auth/providers/{provider}/login (client-http-api.md section 2).

#include <boost/json/serialize.hpp>

#include "server/api/client_api.hpp"
#include "server/api/function_routes.hpp"
#include "server/auth/api_keys.hpp"
#include "server/auth/custom_token.hpp"
#include "server/auth/sessions.hpp"
#include "server/auth/user_functions.hpp"
#include "server/auth/userpass.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::api {

namespace {

using auth::VerifiedIdentity;
using boost::json::object;

std::string anonymous_identity_id() {
    // 24 hex digits, a hyphen, 24 lower-case letters (client-http-api.md 0.5).
    std::string id = to_hex(as_bytes(server::random_bytes(12))) + "-";
    for (const char byte : server::random_bytes(24)) {
        id += static_cast<char>('a' + static_cast<unsigned char>(byte) % 26);
    }
    return id;
}

VerifiedIdentity check_custom_token(auth::Context& context, const server::App& app,
                                    const server::ProviderConfig& provider,
                                    const std::string& token, bool linking) {
    auth::CustomTokenKeys keys;
    keys.key_sets = &context.key_sets;
    for (const std::string& name : provider.custom_token.signing_key_secrets) {
        const Result<std::string> secret = context.apps.secret(app.id, name);
        if (!secret) {
            context.log.error("a signing key of custom JWT authentication is not defined",
                              {{"app", app.client_app_id}, {"secret", name}});
            continue;
        }
        keys.keys.push_back(*secret);
    }
    if (!provider.custom_token.inline_signing_key.empty()) {
        keys.keys.push_back(provider.custom_token.inline_signing_key);
    }
    const auto verified =
        auth::verify_custom_token(token, provider.custom_token, provider.metadata_fields,
                                  app.client_app_id, keys, context.now_ms() / 1000);
    if (!verified) {
        throw ApiException({linking ? 400 : 401, "AuthError", verified.error().message()});
    }
    VerifiedIdentity identity;
    identity.provider_type = provider.type;
    identity.key = verified->subject;
    identity.identity_id = verified->subject;
    identity.data = verified->data;
    return identity;
}

const server::ProviderConfig& enabled_provider(const server::App& app, const std::string& type) {
    const server::ProviderConfig* provider = app.provider(type);
    if (provider == nullptr) {
        throw ApiException(
            not_found("AuthProviderNotFound", "authentication via '" + type + "' is not enabled"));
    }
    return *provider;
}

// The body without what the client added, as the text that was sent.
std::string function_payload(const Call& call) {
    if (call.request.body.empty()) {
        return "{}";
    }
    const auto members = server::json_members(call.request.body);
    if (!members) {
        throw ApiException(bad_request(members.error().what()));
    }
    std::string payload = "{";
    for (const auto& [key, raw] : *members) {
        if (key != "options") {
            payload += (payload.size() > 1 ? ", " : "") +
                       boost::json::serialize(boost::json::string(key)) + ": ";
            payload += raw;
        }
    }
    return payload + "}";
}

} // namespace

VerifiedIdentity check_credentials(auth::Context& context, const Call& call,
                                   const std::shared_ptr<const server::App>& shared_app,
                                   const std::string& type, const object& body, bool linking) {
    const server::App& app = *shared_app;
    const server::ProviderConfig& provider = enabled_provider(app, type);
    if (type == "anon-user") {
        VerifiedIdentity identity;
        identity.provider_type = type;
        identity.identity_id = anonymous_identity_id();
        return identity;
    }
    if (type == "local-userpass") {
        return auth::Userpass(context, app)
            .check(required_string(body, "username"), required_string(body, "password"), linking);
    }
    if (type == "api-key") {
        return auth::ApiKeys(context).check(app, required_string(body, "key"), linking);
    }
    if (type == "custom-token") {
        return check_custom_token(context, app, provider, required_string(body, "token"), linking);
    }
    if (type == "custom-function") {
        return auth::check_custom_function(context, provider, function_payload(call),
                                           function_call(call, shared_app), linking);
    }
    // The OAuth providers take their place here.
    throw ApiException(not_found("AuthProviderNotFound", "authentication via '" + type +
                                                             "' is not available on this server"));
}

namespace {

http::Response answer(const auth::SignedIn& signed_in) {
    object body{{"access_token", signed_in.access_token},
                {"refresh_token", signed_in.refresh_token},
                {"user_id", signed_in.user.to_string()},
                {"device_id", signed_in.device_id}};
    if (signed_in.refresh_token.empty()) {
        body["refresh_token"] = nullptr;
    }
    return http::Response::json(200, boost::json::serialize(body));
}

http::Response sign_in(Call& call, auth::Context& context, const std::string& type) {
    throttle(call, context);
    const auto app = app_of(call, context);
    const object body = body_of(call);
    const std::string named = server::string_or(body, "provider", type);
    // A custom function's payload is the app's own.
    if (named != type && type != "custom-function") {
        throw ApiException(
            bad_request("the body names provider '" + named + "', the path '" + type + "'"));
    }
    const auth::Sessions sessions(context);
    if (call.request.query_value("link") == "true") {
        const auth::Caller caller = caller_of(call, context, *app);
        static_cast<void>(sessions.user(caller));
        return answer(
            sessions.link(caller, check_credentials(context, call, app, type, body, true)));
    }
    auth::VerifiedIdentity identity = check_credentials(context, call, app, type, body, false);
    const object& options = server::object_or_empty(body, "options");
    const boost::json::value* device = options.if_contains("device");
    object device_object =
        device != nullptr && device->is_object() ? device->get_object() : object();
    const bool has_device = device != nullptr && device->is_object();
    if (app->config.custom_user_data.on_user_creation_function_name.empty()) {
        return answer(
            sessions.sign_in(*app, std::move(identity), has_device ? &device_object : nullptr));
    }
    call.continue_on(Pool::functions, [&context, app, identity = std::move(identity), has_device,
                                       device_object = std::move(device_object)](Call& next) {
        return answer(auth::Sessions(context).sign_in(
            *app, identity, has_device ? &device_object : nullptr, [&](const auth::User& user) {
                auth::run_user_creation_function(context, user, function_call(next, app));
            }));
    });
    return {};
}

} // namespace

void add_login_routes(Dispatcher& dispatcher, auth::Context& context) {
    const auto add = [&](const std::string& provider, Pool pool) {
        Route route;
        route.method = http::Method::post;
        route.pattern = std::string(client_app) + "/auth/providers/" + provider + "/login";
        route.pool = pool;
        // Custom JWTs may be long (2.8); nothing else is.
        route.body_bytes_max = std::size_t{provider == "custom-token" ? 1100U : 64U} * 1024;
        const bool literal = provider.front() != '{';
        route.run = [&context, provider, literal](Call& call) {
            return sign_in(call, context, literal ? provider : call.parameter("provider"));
        };
        dispatcher.add(std::move(route));
    };
    add("local-userpass", Pool::password);
    add("custom-token", Pool::outbound); // may fetch a key set
    add("custom-function", Pool::functions);
    add("{provider}", Pool::store);
}

} // namespace tombolo::api
