// Apps: list, create, describe, delete (admin-api-and-config.md R1).

#include <algorithm>
#include <array>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;

namespace {

constexpr const char* root_file = "root_config.json";

constexpr std::array locations = {"US-VA", "US-OR", "DE-FF", "IE", "AU", "IN-MB", "SG", "BR-SP"};
constexpr std::array environments = {"", "development", "testing", "qa", "production"};

template <std::size_t Size>
void check_one_of(const std::array<const char*, Size>& allowed, const std::string& value,
                  const std::string& key) {
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
        std::string text;
        for (const char* one : allowed) {
            text += (text.empty() ? "\"" : ", \"") + std::string(one) + "\"";
        }
        throw ApiException(bad_request("'" + key + "' must be one of " + text));
    }
}

std::string text_or(const json::object& body, std::string_view key, std::string_view fallback) {
    const json::value* value = body.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return std::string(fallback);
    }
    return required(body, key);
}

void check_app_name(const std::string& name) {
    const bool good =
        !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-' || c == '_';
        });
    if (!good) {
        throw ApiException(
            bad_request("an app's name has 1 to 32 letters, digits, hyphens and underscores"));
    }
}

// The files of a new app: an api-key provider that is off comes with every app, nothing else.
AppTree new_app(const json::object& body) {
    const std::string name = required(body, "name");
    check_app_name(name);
    const std::string location = text_or(body, "location", "US-VA");
    check_one_of(locations, location, "location");
    const std::string model = text_or(body, "deployment_model", "GLOBAL");
    check_one_of(std::array{"GLOBAL", "LOCAL"}, model, "deployment_model");
    const std::string environment = text_or(body, "environment", "");
    check_one_of(environments, environment, "environment");
    AppTree tree;
    write_file(tree, root_file,
               json::object{{"name", name},
                            {"location", location},
                            {"provider_region", text_or(body, "provider_region", "aws-us-east-1")},
                            {"deployment_model", model},
                            {"environment", environment}});
    write_file(tree, "auth/providers.json", json::object());
    const bool development =
        is_true(server::object_or_empty(body, "sync"), "development_mode_enabled");
    write_file(tree, "sync/config.json", json::object{{"development_mode_enabled", false}});
    if (development) {
        set_development_mode(tree, true);
    }
    if (const json::value* sources = body.if_contains("data_source")) {
        if (sources->is_object()) {
            put_service(tree, sources->get_object());
        } else if (sources->is_array()) {
            for (const json::value& one : sources->get_array()) {
                if (!one.is_object()) {
                    throw ApiException(bad_request("each 'data_source' must be an object"));
                }
                put_service(tree, one.get_object());
            }
        }
    }
    return tree;
}

http::Response list_apps(AdminCall& call) {
    const std::string product = call.query("product");
    json::array out;
    if (product.empty() || product == "standard") {
        for (const auto& app : call.apps().all()) {
            out.push_back(app_json(*app));
        }
    }
    return json_response(200, out);
}

http::Response create_app(AdminCall& call) {
    const AppTree tree = new_app(call.body());
    const auto app = call.apps().create(tree, call.context().auth.now_ms());
    if (!app) {
        if (app.error().code() == ErrorCode::invalid_argument) {
            throw ApiException(bad_request(app.error().what()));
        }
        throw app.error();
    }
    call.context().auth.log.info("app created",
                                 {{"app", (*app)->client_app_id}, {"admin", call.admin().name}});
    return json_response(201, app_json(**app));
}

http::Response delete_app(AdminCall& call) {
    const std::string id = call.app().client_app_id;
    if (!call.apps().remove(call.app().id)) {
        throw ApiException(not_found("AppNotFound", "app not found"));
    }
    call.context().auth.log.info("app deleted", {{"app", id}, {"admin", call.admin().name}});
    return http::Response::empty(204);
}

http::Response set_environment(AdminCall& call) {
    const std::string environment = text_or(call.body(), "environment", "");
    check_one_of(environments, environment, "environment");
    call.edit([&](AppTree& tree, const App&) {
        json::object root = read_file(tree, root_file);
        root["environment"] = environment;
        write_file(tree, root_file, root);
    });
    return json_response(200, app_json(call.app()));
}

json::array service_summaries(const App& app, bool data_sources) {
    json::array out;
    if (data_sources) {
        for (const server::DataSourceConfig& source : app.config.data_sources) {
            out.push_back(json::object{
                {"name", source.name}, {"type", source.type}, {"data_source", source.address}});
        }
    } else {
        for (const server::ServiceConfig& service : app.config.other_services) {
            out.push_back(json::object{
                {"name", service.name}, {"type", service.type}, {"webhooks", json::array()}});
        }
    }
    return out;
}

http::Response describe_app(AdminCall& call) {
    const App& app = call.app();
    const server::AppConfig& config = app.config;
    json::array endpoints;
    for (const server::EndpointConfig& one : config.endpoints) {
        endpoints.push_back(json::object{{"route", one.route},
                                         {"http_method", one.http_method},
                                         {"url", call.context().auth.public_url + "/app/" +
                                                     app.client_app_id + "/endpoint" + one.route}});
    }
    json::array providers;
    for (const auto& [type, provider] : config.providers) {
        providers.push_back(
            json::object{{"name", type}, {"type", type}, {"enabled", !provider.disabled}});
    }
    json::array values;
    for (const auto& [name, value] : config.code.values) {
        values.emplace_back(name);
    }
    json::array functions;
    for (const auto& [name, function] : config.code.functions) {
        functions.push_back(json::object{{"name", name}, {"path", name + ".js"}});
    }
    const server::CustomUserDataConfig& data = config.custom_user_data;
    return json_response(
        200, json::object{
                 {"client_app_id", app.client_app_id},
                 {"name", config.name},
                 {"realm_url", call.context().auth.public_url},
                 {"data_sources", service_summaries(app, true)},
                 {"http_endpoints", endpoints},
                 {"services", service_summaries(app, false)},
                 {"auth_providers", providers},
                 {"custom_user_data", json::object{{"enabled", data.enabled},
                                                   {"data_source", data.service_name},
                                                   {"database", data.database_name},
                                                   {"collection", data.collection_name},
                                                   {"user_id_field", data.user_id_field}}},
                 {"values", values},
                 {"hosting", json::object{{"enabled", false}, {"status", ""}, {"url", ""}}},
                 {"functions", functions},
                 {"sync",
                  json::object{{"state", config.sync.state},
                               {"data_source", config.sync.service_name},
                               {"database", config.sync.database_name},
                               {"development_mode_enabled", config.sync.development_mode_enabled}}},
                 {"graphql", json::object{{"url", ""}, {"custom_resolvers", json::array()}}},
                 {"environment", config.code.environment},
                 {"event_subscription", stored_summaries(app, "triggers/")},
                 {"log_forwarders", stored_summaries(app, "log_forwarders/")}});
}

http::Response provider_regions(AdminCall& /*call*/) {
    return json_response(
        200, json::array{json::object{{"id", "aws-us-east-1"}, {"name", "This server"}}});
}

} // namespace

json::object app_json(const App& app) {
    const json::object root = read_file(*app.tree, root_file);
    const std::string group = group_id().to_string();
    const std::int64_t modified = app.deployed_unix_ms / 1000;
    json::object out{
        {"_id", app.id.to_string()},
        {"client_app_id", app.client_app_id},
        {"name", app.config.name},
        {"location", app.config.location},
        {"provider_region", server::string_or(root, "provider_region", "aws-us-east-1")},
        {"deployment_model", app.config.deployment_model},
        {"domain_id", app.id.to_string()},
        {"group_id", group},
        {"last_used", modified},
        {"last_modified", modified},
        {"product", "standard"},
        {"environment", app.config.code.environment}};
    const std::string template_id = server::string_or(root, "template_id");
    if (!template_id.empty()) {
        out["template_id"] = template_id;
    }
    return out;
}

void add_app_routes(RouteTable& table) {
    table.add({Method::get, "apps", "Apps of the project", 200, list_apps, Scope::group});
    table.add({Method::post, "apps", "Create an app", 201, create_app, Scope::group});
    table.add(Method::get, "", "One app", 200,
              [](AdminCall& call) { return json_response(200, app_json(call.app())); });
    table.add(Method::delete_, "", "Delete an app; its documents stay", 204, delete_app);
    table.add(Method::get, "description", "What the app has, in short", 200, describe_app);
    table.add(Method::put, "environment", "Choose the app's environment", 200, set_environment);
    table.add({Method::get, "provider_regions", "Regions: this server", 200, provider_regions,
               Scope::account});
}

} // namespace tombolo::api::admin
