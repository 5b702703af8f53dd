#include "server/api/document_routes.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "core/bytes.hpp"
#include "core/ejson.hpp"
#include "server/app/app_log.hpp"
#include "server/auth/user_functions.hpp"
#include "server/documents/user_facts.hpp"

namespace tombolo::api {

namespace {

Result<mql::BsonDocument> read_document(std::string_view ejson) {
    TOMBOLO_TRY(BsonBuffer bytes, ejson_to_bson(ejson));
    return mql::BsonDocument::validate(std::move(bytes));
}

// An array of exactly one document.
Result<mql::BsonDocument> read_arguments(const std::string& text) {
    TOMBOLO_TRY(BsonBuffer bytes, ejson_array_to_bson(text));
    TOMBOLO_TRY(const auto array, mql::BsonDocument::validate(std::move(bytes)));
    const mql::BsonView first = array.view().at(0);
    if (!first.is_document() || array.view().count() != 1) {
        return Error(ErrorCode::invalid_argument, "'arguments' must hold exactly one document");
    }
    return mql::BsonDocument(first.as_document());
}

Result<std::string> to_ejson(mql::BsonView value) {
    mql::BsonWriter writer;
    writer.append({}, value);
    return wrapped_bson_to_ejson(std::move(writer).finish().bytes(), EjsonForm::canonical);
}

// %function: the app's function, called as the user whose rule it is.
rules::FunctionRunner rule_function(const auth::Context& context, functions::Call call) {
    call.origin = functions::Origin::rule;
    return [&context, call = std::move(call)](
               const std::string& name,
               const std::vector<mql::BsonValue>& arguments) -> Result<mql::BsonValue> {
        mql::BsonWriter writer(true);
        for (const mql::BsonValue& argument : arguments) {
            writer.append({}, argument.is_missing() ? mql::BsonView::null() : argument.view());
        }
        functions::Call one = call;
        one.name = name;
        TOMBOLO_TRY(one.arguments,
                    bson_array_to_ejson(std::move(writer).finish().bytes(), EjsonForm::canonical));
        const functions::Outcome outcome = context.functions->call(one);
        if (!outcome.ok()) {
            return Error(ErrorCode::unavailable, outcome.failure->message, name);
        }
        TOMBOLO_TRY(BsonBuffer bytes, ejson_to_wrapped_bson(outcome.result));
        TOMBOLO_TRY(const auto wrapped, mql::BsonDocument::validate(std::move(bytes)));
        return mql::BsonValue(wrapped.view().at(0));
    };
}

// Who calls a function's services: what the function was told of its user.
std::shared_ptr<rules::Facts> facts_of_function(auth::Context& context, const functions::Call& call,
                                                const functions::Caller& caller) {
    auto facts = std::make_shared<rules::Facts>();
    facts->user_id = caller.user_id;
    const auto read = [](const std::string& text) {
        auto document =
            text.empty() ? Result<mql::BsonDocument>(mql::BsonDocument()) : read_document(text);
        return document ? *std::move(document) : mql::BsonDocument();
    };
    facts->user = read(caller.user);
    const mql::BsonView custom_data = facts->user.view().find("custom_data");
    facts->custom_data = [data = custom_data.is_document()
                                     ? mql::BsonDocument(custom_data.as_document())
                                     : mql::BsonDocument()] { return data; };
    facts->request = read(call.request);
    if (context.functions != nullptr) {
        functions::Call function;
        function.app = call.app;
        function.caller = caller;
        function.request = call.request;
        function.request_id = call.request_id;
        function.remote_address = call.remote_address;
        function.depth = call.depth + 1;
        facts->function = rule_function(context, std::move(function));
    }
    return facts;
}

struct WatchCall {
    std::string service;
    std::string action;
    mql::BsonDocument arguments;
};

// The body of a call as base64 of either alphabet; a "+" that was not escaped came as a space.
WatchCall read_watch(std::string text) {
    std::replace(text.begin(), text.end(), ' ', '+');
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    const auto bytes = from_base64(text);
    if (!bytes || bytes->empty()) {
        throw ApiException(bad_request("'baas_request' must be base64 of a call"));
    }
    const std::string_view json(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    const auto call = read_document(json);
    if (!call) {
        throw ApiException(bad_request(std::string("'baas_request': ") + call.error().what()));
    }
    const auto name = [&](std::string_view key) {
        const mql::BsonView value = call->view().find(key);
        return std::string(value.is_string() ? value.as_string() : std::string_view());
    };
    const mql::BsonView arguments = call->view().find("arguments");
    const mql::BsonView first = arguments.is_array() ? arguments.as_document().at(0) : arguments;
    if (!first.is_document()) {
        throw ApiException({400, "InvalidParameter", "'arguments' must hold one document"});
    }
    return {name("service"), name("name"), mql::BsonDocument(first.as_document())};
}

void record(auth::Context& context, const Call& call, const server::App& app,
            const auth::Caller& caller, std::int64_t started_ms, const std::string& service,
            const std::string& action, mql::BsonDocumentView arguments, const ApiError* error) {
    if (context.app_log == nullptr) {
        return;
    }
    server::AppLogEntry entry;
    entry.app = app.id;
    entry.type = "SERVICE_FUNCTION";
    entry.request_id = call.request.id;
    entry.user_id = caller.claims.user.to_string();
    entry.remote_address = call.request.remote_address;
    entry.request_url = call.request.path;
    entry.request_method = http::method_name(call.request.method);
    entry.started_ms = started_ms;
    entry.completed_ms = context.now_ms();
    entry.status = error == nullptr ? 200 : error->status;
    if (error != nullptr) {
        entry.error = error->text;
        entry.error_code = error->code;
    }
    // Where, but not what: documents and filters are the users' own.
    const auto name = [&](std::string_view key) {
        const mql::BsonView value = arguments.find(key);
        return std::string(value.is_string() ? value.as_string() : std::string_view());
    };
    entry.details = {{"service_name", service},
                     {"service_action", action},
                     {"service_namespace", name("database") + "." + name("collection")}};
    context.app_log->add(std::move(entry));
}

} // namespace

ApiError document_error(const Error& error) {
    switch (error.code()) {
    case ErrorCode::service_not_found:
        return not_found("ServiceNotFound", error.message());
    case ErrorCode::action_not_found:
        return {400, "ServiceCommandNotFound", error.message()};
    case ErrorCode::access_denied:
        return forbidden("NoMatchingRuleFound", error.message());
    case ErrorCode::invalid_argument:
        return {400, "InvalidParameter", error.what()};
    case ErrorCode::invalid_document:
        // findOneAnd... says it in words that clients compare (R7-12).
        return {400, "SchemaValidationFailedWrite",
                error.message() == "insert not permitted"
                    ? error.message()
                    : std::string("schema validation failed: ") + error.what()};
    case ErrorCode::duplicate_key:
        return {400, "MongoDBError", std::string("Duplicate key error: ") + error.what()};
    case ErrorCode::mql_invalid:
    case ErrorCode::mql_unsupported:
    case ErrorCode::mql_failed:
    case ErrorCode::limit_exceeded:
    case ErrorCode::out_of_range:
    case ErrorCode::unsupported:
        return {400, "MongoDBError", error.what()};
    case ErrorCode::write_conflict:
        return too_busy(503, "too many writers change the same documents; try again");
    default:
        throw error; // ours: the dispatcher logs it
    }
}

std::shared_ptr<rules::Facts> facts_of(auth::Context& context, const Call& call,
                                       const server::App& app, const auth::User& user,
                                       const std::string& service, const std::string& action) {
    auto facts = documents::user_facts(context, app, user);
    facts->request = documents::request_facts(call.request, service, action);
    if (context.functions != nullptr) {
        functions::Call function = function_call(call, context.apps.find(app.id));
        function.caller = auth::function_caller(context, app, user);
        facts->function = rule_function(context, std::move(function));
    }
    return facts;
}

DataSources::DataSources(auth::Context& context)
    : context_(context), rules_(context.log),
      documents_(context.store, rules_, context.log, context.now_ms),
      watches_(context.store, rules_, context.log,
               [&context](const ObjectId& id) { return context.apps.find(id); }) {}

ServiceAction DataSources::action() {
    return [this](Call& call, const server::App& app, const auth::Caller& caller,
                  const std::string& service, const std::string& action,
                  const std::string& arguments) {
        return this->call(call, app, caller, service, action, arguments);
    };
}

http::Response DataSources::call(Call& call, const server::App& app, const auth::Caller& caller,
                                 const std::string& service, const std::string& action,
                                 const std::string& arguments) const {
    const std::int64_t started_ms = context_.now_ms();
    const auth::User user = auth::Sessions(context_).user(caller);
    Result<mql::BsonDocument> given = read_arguments(arguments);
    if (!given) {
        // An unknown service or action is told first.
        if (app.config.data_source(service) != nullptr &&
            documents::Documents::has_action(action)) {
            throw ApiException({400, "InvalidParameter", given.error().what()});
        }
        given = mql::BsonDocument();
    }
    const auto facts = facts_of(context_, call, app, user, service, action);
    const auto result = documents_.call({app, {facts, call.request.id}, service, action, *given});
    if (!result) {
        const ApiError error = document_error(result.error());
        record(context_, call, app, caller, started_ms, service, action, *given, &error);
        throw ApiException(error);
    }
    record(context_, call, app, caller, started_ms, service, action, *given, nullptr);
    return http::Response::json(200, to_ejson(*result).value());
}

std::function<Result<std::string>(const functions::ServiceRequest&)>
DataSources::function_services() {
    return [this](const functions::ServiceRequest& request) { return call(request); };
}

Result<std::string> DataSources::call(const functions::ServiceRequest& request) const {
    // A function gives the action's argument document itself.
    TOMBOLO_TRY(const mql::BsonDocument arguments, read_document(request.arguments));
    documents::Caller caller = documents::system_caller(request.call.request_id);
    if (!request.caller.is_system) {
        caller.facts = facts_of_function(context_, request.call, request.caller);
    }
    TOMBOLO_TRY(const mql::BsonValue result,
                documents_.call(
                    {request.app, std::move(caller), request.service, request.action, arguments}));
    return to_ejson(result);
}

std::function<bool(const functions::Call&, const boost::json::object&)>
DataSources::can_evaluate() {
    return [this](const functions::Call& call, const boost::json::object& spec) {
        const auto document = read_document(boost::json::serialize(spec));
        rules::Problems problems;
        if (!document) {
            return false;
        }
        const rules::Expression expression =
            rules::Expression::parse(document->view().as_value(), "can_evaluate", problems);
        if (!problems.empty()) {
            context_.log.warning("can_evaluate not understood, the call is refused",
                                 {{"app", call.app->client_app_id},
                                  {"function", call.name},
                                  {"path", problems[0].path},
                                  {"problem", problems[0].message}});
            return false;
        }
        const auto rules = rules_.rules(*call.app);
        const auto facts = facts_of_function(context_, call, call.caller);
        const mql::BsonDocument custom_data = facts->custom_data();
        const auto result =
            expression.bind({*facts, rules->values(), rules->environment(), custom_data}).test({});
        return result && *result;
    };
}

std::shared_ptr<const rules::Facts> DataSources::facts(const server::App& app,
                                                       const std::string& user_id) {
    const auto id = ObjectId::parse(user_id);
    const auto user =
        id ? auth::Sessions(context_).find_user(app.id, *id) : std::optional<auth::User>();
    if (!user || user->disabled) {
        return nullptr;
    }
    auto facts = documents::user_facts(context_, app, *user);
    if (context_.functions != nullptr) {
        functions::Call function;
        function.app = context_.apps.find(app.id);
        function.caller = auth::function_caller(context_, app, *user);
        facts->function = rule_function(context_, std::move(function));
    }
    return facts;
}

void DataSources::add_routes(Dispatcher& dispatcher) {
    Route route;
    route.method = http::Method::get;
    route.pattern = std::string(client_app) + "/functions/call";
    route.run = [this](Call& call) { return watch(call); };
    dispatcher.add(std::move(route));
}

http::Response DataSources::watch(Call& call) {
    const auto app = app_of(call, context_);
    const auth::Sessions sessions(context_);
    // realm-core cannot set headers on a stream: its token is in the query.
    const std::string_view bearer = call.request.bearer_token();
    const std::string token =
        bearer.empty() ? call.request.query_value("baas_at") : std::string(bearer);
    const auth::Caller caller = sessions.caller(token, auth::TokenKind::access);
    if (caller.app->id != app->id) {
        throw ApiException(forbidden("UserAppDomainMismatch", "the token belongs to another app"));
    }
    const auth::User user = sessions.user(caller);
    const WatchCall wanted = read_watch(call.request.query_value("baas_request"));
    if (wanted.action != "watch") {
        throw ApiException({400, "ServiceCommandNotFound",
                            "'" + wanted.action + "' is no stream; call it by POST"});
    }
    documents::WatchRequest request;
    request.app = app;
    request.caller = {facts_of(context_, call, *app, user, wanted.service, wanted.action),
                      call.request.id};
    request.data_source = wanted.service;
    request.arguments = wanted.arguments;
    request.still_allowed = [this, app_id = app->id, user_id = user.id] {
        const auto now = auth::Sessions(context_).find_user(app_id, user_id);
        return now && !now->disabled;
    };
    auto stream = watches_.open(std::move(request));
    if (!stream) {
        if (stream.error().code() == ErrorCode::unavailable) {
            throw ApiException(too_busy(503, stream.error().message()));
        }
        throw ApiException(document_error(stream.error()));
    }
    http::Response response;
    response.headers.set("Content-Type", "text/event-stream");
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("X-Accel-Buffering", "no"); // proxies would hold events back
    response.stream = *std::move(stream);
    return response;
}

} // namespace tombolo::api
