#include "server/api/function_routes.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "core/bytes.hpp"
#include "server/app/app_log.hpp"
#include "server/auth/user_functions.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api {

namespace {

using functions::FailureKind;

// The service's own limit (client-http-api.md 6.3).
constexpr std::size_t call_bytes_max = std::size_t{18} * 1024 * 1024;
// Longer arguments are left out of the app's log.
constexpr std::size_t logged_arguments_bytes_max = std::size_t{4} * 1024;

struct CallBody {
    std::string name;
    std::string service;
    std::string arguments = "[]";
};

std::string text_member(std::string_view key, std::string_view raw) {
    const Result<boost::json::value> value = server::parse_json(raw);
    if (value && value->is_null()) {
        return {};
    }
    if (!value || !value->is_string()) {
        throw ApiException(bad_request("'" + std::string(key) + "' must be a string"));
    }
    return {value->get_string().data(), value->get_string().size()};
}

CallBody read_body(const std::string& body) {
    const auto members = server::json_members(body);
    if (!members) {
        throw ApiException(bad_request(members.error().what()));
    }
    CallBody out;
    for (const auto& [key, raw] : *members) {
        if (key == "name") {
            out.name = text_member(key, raw);
        } else if (key == "service") {
            out.service = text_member(key, raw);
        } else if (key == "arguments" && raw != "null") {
            out.arguments = std::string(raw);
        }
    }
    if (out.name.empty()) {
        throw ApiException(missing_parameter("'name' is required"));
    }
    return out;
}

http::Response run_function(const functions::Call& call, auth::Context& context) {
    const functions::Outcome outcome = context.functions->call(call);
    if (!outcome.ok()) {
        throw ApiException(to_api_error(*outcome.failure));
    }
    return http::Response::json(200, outcome.result);
}

http::Response call_function(Call& call, auth::Context& context, const ServiceAction& service) {
    const auto app = app_of(call, context);
    const auth::Caller caller = caller_of(call, context, *app);
    CallBody body = read_body(call.request.body);
    if (!body.service.empty()) {
        if (!service) {
            throw ApiException(
                not_found("ServiceNotFound", "service not found: '" + body.service + "'"));
        }
        return service(call, *app, caller, body.service, body.name, body.arguments);
    }
    if (context.functions == nullptr) {
        throw ApiException(
            not_found("FunctionNotFound", "function not found: '" + body.name + "'"));
    }
    const auth::User user = auth::Sessions(context).user(caller);
    functions::Call function = function_call(call, app);
    function.name = std::move(body.name);
    function.arguments = std::move(body.arguments);
    function.caller = auth::function_caller(context, *app, user);
    call.continue_on(Pool::functions, [&context, function = std::move(function)](Call&) {
        return run_function(function, context);
    });
    return {};
}

void record_call(auth::Context& context, const functions::CallRecord& record) {
    if (context.app_log == nullptr) {
        return;
    }
    const functions::Call& call = record.call;
    const functions::Outcome& outcome = record.outcome;
    server::AppLogEntry entry;
    entry.app = call.app->id;
    entry.type = call.origin == functions::Origin::endpoint ? "ENDPOINT" : "FUNCTION";
    entry.request_id = call.request_id;
    entry.user_id = call.caller.user_id;
    entry.remote_address = call.remote_address;
    entry.started_ms = outcome.started_unix_ms;
    entry.completed_ms = outcome.started_unix_ms + outcome.duration_ms;
    entry.status = 200;
    if (outcome.failure) {
        const ApiError error = to_api_error(*outcome.failure);
        entry.status = error.status;
        entry.error = outcome.failure->name.empty()
                          ? error.text
                          : outcome.failure->name + ": " + outcome.failure->message;
        entry.error_code = error.code;
    }
    for (const auto* messages : {&outcome.logs, &outcome.error_logs}) {
        for (const std::string& message : *messages) {
            entry.messages.emplace_back(message);
        }
    }
    boost::json::object function_call{{"name", call.name}};
    if (record.log_arguments && call.arguments.size() <= logged_arguments_bytes_max) {
        if (auto arguments = server::parse_json(call.arguments)) {
            function_call["arguments"] = *std::move(arguments);
        }
    }
    entry.details =
        boost::json::object{{"function_id", call.app->part_id("function", call.name).to_string()},
                            {"function_name", call.name},
                            {"function_call", std::move(function_call)}};
    context.app_log->add(std::move(entry));
}

} // namespace

ApiError to_api_error(const functions::Failure& failure) {
    switch (failure.kind) {
    case FailureKind::not_found:
        return not_found("FunctionNotFound", failure.message);
    case FailureKind::refused:
        return forbidden("NoMatchingRuleFound", failure.message);
    case FailureKind::bad_arguments:
        return {400, "InvalidParameter", failure.message};
    case FailureKind::syntax:
        return {400, "FunctionSyntaxError", failure.message};
    case FailureKind::time_limit:
        return {400, "ExecutionTimeLimitExceeded", failure.message};
    case FailureKind::thrown:
    case FailureKind::memory_limit:
    case FailureKind::output_limit:
    case FailureKind::crashed:
        return {400, "FunctionExecutionError", failure.message};
    case FailureKind::busy:
        return too_busy(429, failure.message);
    case FailureKind::unavailable:
        break;
    }
    return {503, "FunctionsUnavailable", failure.message};
}

std::string request_ejson(const http::Request& request) {
    boost::json::object headers;
    for (const auto& [name, value] : request.headers.all()) {
        std::string lower = name;
        std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        static constexpr std::array<std::string_view, 3> secret = {"authorization", "cookie",
                                                                   "proxy-authorization"};
        if (std::find(secret.begin(), secret.end(), lower) != secret.end() || !is_utf8(value)) {
            continue;
        }
        boost::json::value& values = headers[name];
        if (!values.is_array()) {
            values = boost::json::array();
        }
        values.get_array().emplace_back(value);
    }
    const auto header = [&](std::string_view name) {
        const std::string_view value = request.headers.find(name);
        return is_utf8(value) ? std::string(value) : std::string();
    };
    const bool has_token = request.query.find("baas_at") != std::string::npos;
    return boost::json::serialize(boost::json::object{
        {"httpMethod", http::method_name(request.method)},
        {"httpReferrer", header("referer")},
        {"httpUserAgent", header("user-agent")},
        {"rawQueryString", has_token || !is_utf8(request.query) ? std::string() : request.query},
        {"remoteIPAddress", request.remote_address},
        {"requestHeaders", std::move(headers)}});
}

functions::Call function_call(const Call& call, std::shared_ptr<const server::App> app) {
    functions::Call out;
    out.app = std::move(app);
    out.request = request_ejson(call.request);
    out.request_id = call.request.id;
    out.remote_address = call.request.remote_address;
    return out;
}

functions::Seams function_seams(
    auth::Context& context,
    std::function<Result<std::string>(const functions::ServiceRequest&)> service,
    std::function<bool(const functions::Call&, const boost::json::object&)> can_evaluate) {
    functions::Seams seams;
    seams.service = std::move(service);
    seams.can_evaluate = std::move(can_evaluate);
    seams.user = [&context](const server::App& app,
                            const std::string& id) -> std::optional<functions::Caller> {
        const auto parsed = ObjectId::parse(id);
        const auto user = parsed ? auth::Sessions(context).find_user(app.id, *parsed)
                                 : std::optional<auth::User>();
        if (!user || user->disabled) {
            return std::nullopt;
        }
        return auth::function_caller(context, app, *user);
    };
    seams.record = [&context](const functions::CallRecord& record) {
        record_call(context, record);
    };
    return seams;
}

void add_function_routes(Dispatcher& dispatcher, auth::Context& context, ServiceAction service) {
    Route route;
    route.method = http::Method::post;
    route.pattern = std::string(client_app) + "/functions/call";
    route.body_bytes_max = call_bytes_max;
    route.run = [&context, service = std::move(service)](Call& call) {
        return call_function(call, context, service);
    };
    dispatcher.add(std::move(route));
}

} // namespace tombolo::api
