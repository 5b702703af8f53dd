#include "server/auth/user_functions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "server/api/api_error.hpp"
#include "server/auth/user_data.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::auth {

using api::ApiException;
using functions::FailureKind;
using functions::Outcome;

namespace {

// Names of identities are part of record keys.
constexpr std::size_t external_id_bytes_max = 512;

std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

Outcome run(Context& context, const std::string& name, std::string arguments,
            functions::Call& call) {
    call.name = name;
    call.arguments = std::move(arguments);
    call.caller = functions::Caller{true, {}, {}};
    call.origin = functions::Origin::provider;
    if (context.functions == nullptr) {
        Outcome outcome;
        outcome.failure = functions::Failure{
            FailureKind::unavailable, "user functions are switched off on this server", {}, {}};
        return outcome;
    }
    return context.functions->call(call);
}

// What is the server's trouble, not the function's verdict.
void fail_if_not_run(const Outcome& outcome) {
    if (outcome.ok()) {
        return;
    }
    if (outcome.failure->kind == FailureKind::busy) {
        throw ApiException(api::too_busy(429, outcome.failure->message));
    }
    if (outcome.failure->kind == FailureKind::unavailable) {
        throw ApiException({503, "FunctionsUnavailable", outcome.failure->message});
    }
}

struct ExternalId {
    std::string id;
    std::string name;
};

// A string, or {id, name?}; an empty id for anything else.
ExternalId external_id(const std::string& result) {
    const Result<boost::json::value> value = server::parse_json(result);
    ExternalId out;
    if (value && value->is_string()) {
        out.id = std::string(value->get_string().data(), value->get_string().size());
    } else if (value && value->is_object()) {
        out.id = server::string_or(value->get_object(), "id");
        out.name = server::string_or(value->get_object(), "name");
    }
    return out;
}

} // namespace

std::string user_ejson(const Context& context, const server::App& app, const User& user,
                       bool with_custom_data) {
    boost::json::array identities;
    for (const Identity& identity : user.identities) {
        identities.push_back(boost::json::object{{"id", identity.id},
                                                 {"provider_type", identity.provider_type},
                                                 {"provider_id", identity.provider_id},
                                                 {"data", identity.data}});
    }
    const std::string custom_data =
        with_custom_data ? custom_user_data(context, app, user.id) : std::string();
    return R"({"id": )" + quoted(user.id.to_string()) + R"(, "type": )" + quoted(user.type) +
           R"(, "data": )" + boost::json::serialize(user.merged_data()) + R"(, "custom_data": )" +
           (custom_data.empty() ? std::string("{}") : custom_data) + R"(, "identities": )" +
           boost::json::serialize(identities) + "}";
}

functions::Caller function_caller(const Context& context, const server::App& app, const User& user,
                                  bool with_custom_data) {
    return functions::Caller{false, user.id.to_string(),
                             user_ejson(context, app, user, with_custom_data)};
}

VerifiedIdentity check_custom_function(Context& context, const server::ProviderConfig& provider,
                                       const std::string& payload, functions::Call call,
                                       bool linking) {
    const Outcome outcome = run(context, provider.auth_function_name, "[" + payload + "]", call);
    fail_if_not_run(outcome);
    const auto refuse = [&](const std::string& text) {
        throw ApiException({linking ? 400 : 401, "AuthError", text});
    };
    if (!outcome.ok()) {
        refuse(outcome.failure->message);
    }
    const ExternalId found = external_id(outcome.result);
    if (found.id.empty() || found.id.size() > external_id_bytes_max) {
        refuse("the authentication function must return the user's id as a string of 1 to 512 "
               "bytes, or {id, name}");
    }
    VerifiedIdentity identity;
    identity.provider_type = provider.type;
    identity.key = found.id;
    identity.identity_id = found.id;
    if (!found.name.empty()) {
        identity.data["name"] = found.name;
    }
    return identity;
}

Verdict ask_verdict(Context& context, const std::string& name, std::string arguments,
                    functions::Call call) {
    const Outcome outcome = run(context, name, std::move(arguments), call);
    fail_if_not_run(outcome);
    std::string status;
    if (outcome.ok()) {
        if (const auto result = server::parse_json_object(outcome.result)) {
            status = server::string_or(*result, "status");
        }
    }
    if (status == "success") {
        return Verdict::success;
    }
    if (status == "pending") {
        return Verdict::pending;
    }
    context.log.info("an e-mail user's function did not agree",
                     {{"app", call.app->client_app_id},
                      {"function", name},
                      {"request", call.request_id},
                      {"kind", outcome.ok() ? "status '" + status + "'"
                                            : std::string(failure_name(outcome.failure->kind))}});
    return Verdict::fail;
}

void run_user_creation_function(Context& context, const User& user, functions::Call call) {
    const std::string& name = call.app->config.custom_user_data.on_user_creation_function_name;
    const Outcome outcome =
        run(context, name, "[" + user_ejson(context, *call.app, user) + "]", call);
    fail_if_not_run(outcome);
    if (!outcome.ok()) {
        throw ApiException({400, "FunctionExecutionError", outcome.failure->message});
    }
}

} // namespace tombolo::auth
