// HTTPS endpoints of apps: a route of the app's own that runs one of its functions
// (admin-api-and-config.md R20, client-http-api.md 8.2).
//
// As whom it runs: as the function's settings say (system, a given user, a script's choice), else
// as the caller, by access token or by credentials in headers.

#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>

#include "core/bytes.hpp"
#include "core/ejson.hpp"
#include "mql/bson_value.hpp"
#include "server/api/client_api.hpp"
#include "server/api/function_routes.hpp"
#include "server/auth/user_functions.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::api {

namespace {

using boost::json::object;
using server::App;
using server::EndpointConfig;
using AppPointer = std::shared_ptr<const App>;

// The service's own limit of a call (client-http-api.md 6.3).
constexpr std::size_t body_bytes_max = std::size_t{18} * 1024 * 1024;

const EndpointConfig& endpoint_of(const Call& call, const App& app) {
    const std::string route = "/" + call.parameter("route");
    const std::string_view method = http::method_name(call.request.method);
    const EndpointConfig* any = nullptr;
    for (const EndpointConfig& one : app.config.endpoints) {
        if (one.disabled || one.route != route) {
            continue;
        }
        if (one.http_method == method) {
            return one;
        }
        any = one.http_method == "*" ? &one : any;
    }
    if (any == nullptr) {
        throw ApiException(
            not_found("IncomingWebhookNotFound",
                      "the app has no endpoint for " + std::string(method) + " " + route));
    }
    return *any;
}

// The secret that the request has to know.
void check_secret(const Call& call, const auth::Context& context, const App& app,
                  const EndpointConfig& endpoint) {
    const std::string& how = endpoint.validation_method;
    if (how.empty() || how == "NO_VALIDATION") {
        return;
    }
    const Result<std::string> secret = context.apps.secret(app.id, endpoint.secret_name);
    bool holds = false;
    if (!secret) {
        context.log.error("the secret of an endpoint is not defined",
                          {{"app", app.client_app_id},
                           {"route", endpoint.route},
                           {"secret", endpoint.secret_name}});
    } else if (how == "SECRET_AS_QUERY_PARAM") {
        holds = server::constant_time_equal(call.request.query_value("secret"), *secret);
    } else if (how == "VERIFY_PAYLOAD") {
        const std::string made = server::hmac_sha256(*secret, call.request.body);
        holds = server::constant_time_equal(call.request.headers.find("endpoint-signature"),
                                            "sha256=" + to_hex(as_bytes(made)));
    }
    if (!holds) {
        throw ApiException({401, "AuthError", "the request does not prove that it may call this"});
    }
}

struct Credentials {
    std::string provider;
    object body;
    Pool pool = Pool::store;
};

std::string header_of(const http::Request& request, std::string_view name) {
    return std::string(request.headers.find(name));
}

Credentials credentials_of(const http::Request& request) {
    const std::string email = header_of(request, "email");
    const std::string password = header_of(request, "password");
    if (!email.empty() && !password.empty()) {
        return {"local-userpass", {{"username", email}, {"password", password}}, Pool::password};
    }
    for (const char* name : {"apikey", "api-key"}) {
        if (const std::string key = header_of(request, name); !key.empty()) {
            return {"api-key", {{"key", key}}, Pool::store};
        }
    }
    if (const std::string token = header_of(request, "jwttokenstring"); !token.empty()) {
        return {"custom-token", {{"token", token}}, Pool::outbound};
    }
    if (!email.empty() || !password.empty()) {
        throw ApiException(missing_parameter(
            "must specify some form of authentication (either email+password, api-key, or jwt) in "
            "the request header or body"));
    }
    throw ApiException({400, "InvalidParameter", "no authentication methods were specified"});
}

// Whose the credentials are; who has not signed in yet becomes a user where the endpoint says so.
auth::User user_of(Call& call, auth::Context& context, const AppPointer& app,
                   const EndpointConfig& endpoint, const Credentials& credentials) {
    const auth::Sessions sessions(context);
    auth::VerifiedIdentity identity =
        check_credentials(context, call, app, credentials.provider, credentials.body, false);
    std::optional<auth::User> user = sessions.find_user(app->id, identity);
    const bool registered = identity.email_record.has_value();
    if (!user && (endpoint.create_user_on_auth || registered)) {
        user =
            sessions.find_user(app->id, sessions.sign_in(*app, std::move(identity), nullptr).user);
    }
    if (!user) {
        throw ApiException(invalid_session("invalid session: error finding user for endpoint"));
    }
    if (user->disabled) {
        throw ApiException({401, "UserDisabled", "the user is disabled"});
    }
    return *std::move(user);
}

std::string canonical_name(std::string name) {
    bool first = true;
    for (char& c : name) {
        const bool lower = c >= 'a' && c <= 'z';
        const bool upper = c >= 'A' && c <= 'Z';
        c = first && lower    ? static_cast<char>(c - 'a' + 'A')
            : !first && upper ? static_cast<char>(c - 'A' + 'a')
                              : c;
        first = c == '-';
    }
    return name;
}

object query_of(const std::string& query) {
    object out;
    std::size_t from = 0;
    while (from < query.size()) {
        const std::size_t end = std::min(query.find('&', from), query.size());
        const std::string_view pair = std::string_view(query).substr(from, end - from);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        std::string name;
        std::string value;
        if (http::percent_decode(pair.substr(0, equals), true, name) && !name.empty() &&
            http::percent_decode(pair.substr(std::min(equals + 1, pair.size())), true, value) &&
            is_utf8(name) && is_utf8(value)) {
            out.emplace(name, value); // the first of a name stays
        }
        from = end + 1;
    }
    return out;
}

// The function's one argument: {query, headers, body}. All headers, the caller's credentials too:
// they are the app's to see here.
std::string request_argument(const http::Request& request) {
    object headers;
    for (const auto& [name, value] : request.headers.all()) {
        if (!is_utf8(name) || !is_utf8(value)) {
            continue;
        }
        boost::json::value& values = headers[canonical_name(name)];
        if (!values.is_array()) {
            values = boost::json::array();
        }
        values.get_array().emplace_back(value);
    }
    object argument{{"query", query_of(request.query)}, {"headers", std::move(headers)}};
    if (!request.body.empty()) {
        argument["body"] = object{
            {"$binary", object{{"base64", to_base64(as_bytes(request.body))}, {"subType", "00"}}}};
    }
    return "[" + boost::json::serialize(argument) + "]";
}

std::string response_form(const http::Request& request, const EndpointConfig& endpoint) {
    const std::string_view accept = request.headers.find("accept");
    if (accept.find("application/ejson") != std::string_view::npos) {
        return "EJSON";
    }
    if (accept.find("application/json") != std::string_view::npos) {
        return "JSON";
    }
    return endpoint.return_type == "EJSON" ? "EJSON" : "JSON";
}

bool may_set(std::string_view name, std::string_view value) {
    static constexpr std::array<std::string_view, 5> ours = {
        "connection", "content-length", "transfer-encoding", "upgrade", "keep-alive"};
    const auto is_plain = [](unsigned char c) { return c > 0x20 && c < 0x7f && c != ':'; };
    const auto is_text = [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); };
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return !name.empty() && std::all_of(name.begin(), name.end(), is_plain) &&
           std::all_of(value.begin(), value.end(), is_text) &&
           std::find(ours.begin(), ours.end(), lower) == ours.end();
}

// What Call::response_form says of the result.
http::Response to_response(const std::string& result, const std::string& form) {
    const BsonBuffer bytes = ejson_to_bson(result).value();
    const auto answer = mql::BsonDocumentView::validate(bytes).value();
    http::Response response;
    std::int64_t status = 200;
    if (const mql::BsonView given = answer.find("status"); given.is_number()) {
        static_cast<void>(given.to_int64(status));
    }
    response.status = static_cast<int>(status);
    if (const mql::BsonView body = answer.find("body"); body.type() == mql::BsonType::binary) {
        response.body = std::string(as_text(body.as_binary().bytes));
        response.headers.set("Content-Type",
                             form == "EJSON" ? "application/ejson" : "application/json");
    }
    const mql::BsonView headers = answer.find("headers");
    if (!headers.is_array()) {
        return response;
    }
    bool is_typed = false;
    for (const mql::BsonElement& element : headers.as_document()) {
        if (!element.value.is_array()) {
            continue;
        }
        const mql::BsonView name = element.value.as_document().at(0);
        const mql::BsonView value = element.value.as_document().at(1);
        if (!name.is_string() || !value.is_string() ||
            !may_set(name.as_string(), value.as_string())) {
            continue;
        }
        const bool is_type = canonical_name(std::string(name.as_string())) == "Content-Type";
        if (is_type && !is_typed) {
            response.headers.set("Content-Type", std::string(value.as_string()));
        } else if (!is_type) {
            response.headers.add(std::string(name.as_string()), std::string(value.as_string()));
        }
        is_typed = is_typed || is_type;
    }
    return response;
}

http::Response run(const functions::Call& call, auth::Context& context, bool respond) {
    const functions::Outcome outcome = context.functions->call(call);
    if (!outcome.ok()) {
        throw ApiException(to_api_error(*outcome.failure));
    }
    return respond ? to_response(outcome.result, call.response_form) : http::Response::empty(204);
}

// On the pool that the credentials need, then on the functions' one.
http::Response call_endpoint(Call& call, auth::Context& context) {
    const AppPointer app = app_of(call, context);
    const EndpointConfig& endpoint = endpoint_of(call, *app);
    check_secret(call, context, *app, endpoint);
    const auto& functions = app->config.code.functions;
    const auto found = functions.find(endpoint.function_name);
    if (found == functions.end() || context.functions == nullptr) {
        throw ApiException(
            not_found("FunctionNotFound", "function not found: '" + endpoint.function_name + "'"));
    }
    functions::Call function = function_call(call, app);
    function.name = endpoint.function_name;
    function.origin = functions::Origin::endpoint;
    function.can_evaluate = endpoint.can_evaluate;
    function.response_form = response_form(call.request, endpoint);
    function.arguments = request_argument(call.request);
    const bool respond = endpoint.respond_result;
    const server::FunctionConfig& config = found->second;
    const bool needs_user = !config.run_as_system && config.run_as_user_id.empty() &&
                            config.run_as_user_id_script_source.empty();
    if (needs_user && call.request.bearer_token().empty()) {
        throttle(call, context);
        const Credentials credentials = credentials_of(call.request);
        call.continue_on(credentials.pool, [&context, app, &endpoint, credentials, respond,
                                            function = std::move(function)](Call& next) mutable {
            function.caller = auth::function_caller(
                context, *app, user_of(next, context, app, endpoint, credentials),
                endpoint.fetch_custom_user_data);
            next.continue_on(Pool::functions, [&context, respond, function](Call&) {
                return run(function, context, respond);
            });
            return http::Response();
        });
        return {};
    }
    if (needs_user) {
        const auth::User user = auth::Sessions(context).user(caller_of(call, context, *app));
        function.caller =
            auth::function_caller(context, *app, user, endpoint.fetch_custom_user_data);
    }
    call.continue_on(Pool::functions, [&context, respond, function = std::move(function)](Call&) {
        return run(function, context, respond);
    });
    return {};
}

} // namespace

void add_endpoint_routes(Dispatcher& dispatcher, auth::Context& context) {
    for (const http::Method method : {http::Method::get, http::Method::post, http::Method::put,
                                      http::Method::patch, http::Method::delete_}) {
        Route route;
        route.method = method;
        route.pattern = std::string(endpoint_app) + "{app}/endpoint/{route...}";
        route.body_bytes_max = body_bytes_max;
        route.run = [&context](Call& call) { return call_endpoint(call, context); };
        dispatcher.add(std::move(route));
    }
}

} // namespace tombolo::api
