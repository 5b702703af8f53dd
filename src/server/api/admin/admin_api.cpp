#include "server/api/admin/admin_api.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/serialize.hpp>

#include "server/api/admin/openapi.hpp"
#include "server/api/admin/parts.hpp"
#include "server/rules/rule_check.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;

namespace {

http::Method method_of_read(http::Method method) {
    return method == http::Method::head ? http::Method::get : method;
}

} // namespace

ApiError edit_error(const Error& error) {
    switch (error.code()) {
    case ErrorCode::invalid_argument:
    case ErrorCode::bad_json:
    case ErrorCode::invalid_schema:
    case ErrorCode::incompatible_schema:
    case ErrorCode::limit_exceeded:
    case ErrorCode::merge_error:
        return bad_request(error.what());
    case ErrorCode::not_found:
        return not_found("AppNotFound", error.what());
    default:
        throw error;
    }
}

std::string AdminRoute::pattern() const {
    switch (scope) {
    case Scope::app:
    case Scope::private_app: {
        const std::string app = std::string(scope == Scope::app ? admin_base : private_base) +
                                "/groups/{group}/apps/{app}";
        return path.empty() ? app : app + "/" + path;
    }
    case Scope::group:
        return std::string(admin_base) + "/groups/{group}/" + path;
    case Scope::open:
    case Scope::digest:
    case Scope::refresh:
    case Scope::account:
        break;
    }
    return path.starts_with("/") ? path : std::string(admin_base) + "/" + path;
}

std::uint64_t AdminCall::query_number(std::string_view name, std::uint64_t fallback,
                                      std::uint64_t least, std::uint64_t most) const {
    const std::string text = query(name);
    if (text.empty()) {
        return fallback;
    }
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < least ||
        number > most) {
        throw ApiException(bad_request("'" + std::string(name) + "' is a number from " +
                                       std::to_string(least) + " to " + std::to_string(most)));
    }
    return number;
}

json::object AdminCall::body() const {
    const std::string& text = call_.request.body;
    const auto value = server::parse_json(text.empty() ? "{}" : text);
    if (!value) {
        throw ApiException(bad_request(std::string("the body: ") + value.error().what()));
    }
    if (value->is_null()) {
        return {};
    }
    if (!value->is_object()) {
        throw ApiException(bad_request("the body must be a JSON object"));
    }
    return value->get_object();
}

json::array AdminCall::body_array() const {
    const auto value = server::parse_json(call_.request.body);
    if (!value || !value->is_array()) {
        throw ApiException(bad_request("the body must be a JSON array"));
    }
    return value->get_array();
}

bool AdminCall::bypasses_sync() const {
    std::string given = query("bypass_service_change");
    std::transform(given.begin(), given.end(), given.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    static constexpr std::array known = {"syncschemaversionincrease", "syncprotocolversionincrease",
                                         "destructivesyncprotocolversionincrease"};
    return std::find(known.begin(), known.end(), std::string_view(given)) != known.end();
}

server::Author AdminCall::author() const {
    const std::string_view origin = call_.request.headers.find("x-baas-request-origin");
    return {admin_.id.to_string(),
            origin == "mongodb-baas-cli"  ? "CLI"
            : origin == "mongodb-baas-ui" ? "UI"
                                          : "API",
            context_.auth.now_ms()};
}

namespace {

bool is_rule_file(const std::string& path) {
    return path.starts_with("data_sources/") &&
           (path.ends_with("/rules.json") || path.ends_with("/default_rule.json") ||
            path.ends_with("/schema.json"));
}

// Rules that a change wrote must be understood; everything else is said by the edit itself.
Result<void> check_rules(const server::AppTree& before, const server::AppTree& after) {
    bool same = true;
    for (const auto& [path, text] : after) {
        const auto old = before.find(path);
        same = same && (!is_rule_file(path) || (old != before.end() && old->second == text));
    }
    if (same) {
        return {};
    }
    const auto parsed = server::parse_app(after);
    return parsed ? rules::check_changed_rules(parsed->config, before, after) : Result<void>();
}

} // namespace

void AdminCall::edit(const Change& change) {
    server::Author who = author();
    who.may_break_sync = bypasses_sync();
    const Result<server::DeployResult> edited = apps().edit(
        app_->id, who, [&](server::AppTree& tree, const server::App& app) -> Result<void> {
            change(tree, app);
            return check_rules(*app.tree, tree);
        });
    if (!edited) {
        throw ApiException(edit_error(edited.error()));
    }
    app_ = edited->app;
}

void RouteTable::add_to(Dispatcher& dispatcher, AdminContext& context) const {
    for (const AdminRoute& one : routes_) {
        Route route;
        route.method = one.method;
        route.pattern = one.pattern();
        route.pool = one.pool;
        route.body_bytes_max = one.body_bytes_max;
        route.run = [&context, &one](Call& call) { return run(one, context, call); };
        dispatcher.add(std::move(route));
    }
}

http::Response RouteTable::run(const AdminRoute& route, AdminContext& context, Call& call) {
    AdminCall admin_call(call, context);
    if (route.scope == Scope::open || route.scope == Scope::digest ||
        route.scope == Scope::refresh) {
        return route.run(admin_call);
    }
    admin_call.admin_ = context.accounts.caller(call.request.bearer_token());
    const bool in_group = route.scope != Scope::account;
    if (in_group) {
        const std::string& role = admin_call.admin_.role;
        const bool reads = method_of_read(route.method) == http::Method::get;
        const bool allowed = role == "GROUP_OWNER" || (role == "GROUP_READ_ONLY" && reads);
        if (!allowed || call.parameter("group") != group_id().to_string()) {
            throw ApiException(forbidden("Forbidden", "no permission in this project"));
        }
    }
    if (route.scope == Scope::app || route.scope == Scope::private_app) {
        const auto id = ObjectId::parse(call.parameter("app"));
        if (id) {
            admin_call.app_ = context.auth.apps.view(*id, admin_call.admin_.id.to_string());
        }
        if (admin_call.app_ == nullptr) {
            throw ApiException(not_found("AppNotFound", "app not found"));
        }
    }
    return route.run(admin_call);
}

const RouteTable& admin_routes() {
    static const RouteTable table = [] {
        RouteTable all;
        add_atlas_routes(all);
        add_auth_routes(all);
        add_app_routes(all);
        add_service_routes(all);
        add_command_routes(all);
        add_rule_routes(all);
        add_schema_routes(all);
        add_sync_routes(all);
        add_sync_inquiry_routes(all);
        add_model_routes(all);
        add_provider_routes(all);
        add_function_routes(all);
        add_dependency_routes(all);
        add_value_routes(all);
        add_user_routes(all);
        add_key_routes(all);
        add_draft_routes(all);
        add_import_routes(all);
        add_log_routes(all);
        add_alert_routes(all);
        add_metric_routes(all);
        add_security_routes(all);
        add_private_routes(all);
        add_stored_routes(all);
        add_data_routes(all);
        add_server_routes(all);
        add_openapi_route(all);
        return all;
    }();
    return table;
}

void add_admin_routes(Dispatcher& dispatcher, AdminContext& context) {
    admin_routes().add_to(dispatcher, context);
}

http::Response json_response(int status, const json::value& body) {
    return http::Response::json(status, json::serialize(body));
}

std::string required(const json::object& body, std::string_view key) {
    const json::value* value = body.if_contains(key);
    if (value == nullptr || value->is_null()) {
        throw ApiException(missing_parameter("'" + std::string(key) + "' is required"));
    }
    if (!value->is_string()) {
        throw ApiException(bad_request("'" + std::string(key) + "' must be a string"));
    }
    return {value->get_string().data(), value->get_string().size()};
}

void check_name(const std::string& name, std::string_view what) {
    const bool good =
        !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
        });
    if (!good) {
        throw ApiException(bad_request("the name of " + std::string(what) +
                                       " has 1 to 64 letters, digits, hyphens and underscores"));
    }
}

bool is_true(const json::object& body, std::string_view key, bool fallback) {
    const json::value* value = body.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return fallback;
    }
    if (!value->is_bool()) {
        throw ApiException(bad_request("'" + std::string(key) + "' must be true or false"));
    }
    return value->get_bool();
}

json::object read_file(const server::AppTree& tree, const std::string& path) {
    const auto found = tree.find(path);
    return found == tree.end() ? json::object() : server::parse_json_object(found->second).value();
}

json::array read_list(const server::AppTree& tree, const std::string& path) {
    const auto found = tree.find(path);
    if (found == tree.end()) {
        return {};
    }
    json::value value = server::parse_json(found->second).value();
    return value.is_array() ? std::move(value.get_array()) : json::array();
}

void write_file(server::AppTree& tree, const std::string& path, const json::value& value) {
    tree[path] = server::pretty_json(value);
}

namespace {

void write_ids(server::AppTree& tree, const json::object& ids) {
    if (ids.empty()) {
        tree.erase(std::string(server::kept_ids_file));
    } else {
        write_file(tree, std::string(server::kept_ids_file), ids);
    }
}

} // namespace

void claim_id(server::AppTree& tree, const server::App& app, const std::string& kind,
              const std::string& name) {
    json::object ids = read_file(tree, std::string(server::kept_ids_file));
    const std::string part = kind + "/" + name;
    const std::string id = app.part_id(kind, name).to_string();
    const bool taken = std::any_of(ids.begin(), ids.end(), [&](const auto& one) {
        return one.value().is_string() && one.value().get_string() == id && one.key() != part;
    });
    if (taken) {
        ids[part] = to_hex(as_bytes(server::random_bytes(12)));
        write_ids(tree, ids);
    }
}

void move_id(server::AppTree& tree, const server::App& app, const std::string& kind,
             const std::string& from, const std::string& to) {
    json::object ids = read_file(tree, std::string(server::kept_ids_file));
    ids.stable_erase(kind + "/" + from);
    ids[kind + "/" + to] = app.part_id(kind, from).to_string();
    write_ids(tree, ids);
}

} // namespace tombolo::api::admin
