// Authentication providers (admin-api-and-config.md R10, section 5).

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
using server::object_or_empty;
using server::string_or;

namespace {

const std::string providers_file = "auth/providers.json";

// Functions are named in files and have ids besides in the API.
struct FunctionMembers {
    const char* name;
    const char* id;
};
constexpr std::array function_members = {
    FunctionMembers{"confirmationFunctionName", "confirmationFunctionId"},
    FunctionMembers{"resetFunctionName", "resetFunctionId"},
    FunctionMembers{"authFunctionName", "authFunctionId"}};

bool is_type(std::string_view type) {
    static constexpr std::array known = {"anon-user",       "local-userpass",  "api-key",
                                         "custom-token",    "custom-function", "oauth2-google",
                                         "oauth2-facebook", "oauth2-apple"};
    return std::find(known.begin(), known.end(), type) != known.end();
}

bool is_empty(const json::value& value) {
    return value.is_null() || (value.is_object() && value.get_object().empty());
}

json::object stored_provider(const AppTree& tree, const std::string& type) {
    const json::object all = read_file(tree, providers_file);
    const json::object& found = object_or_empty(all, type);
    if (!found.empty()) {
        return found;
    }
    return json::object{{"name", type}, {"type", type}, {"disabled", true}}; // api-key
}

json::object summary(const App& app, const std::string& type,
                     const server::ProviderConfig& provider) {
    return json::object{{"_id", app.provider_id(type).to_string()},
                        {"name", type},
                        {"type", type},
                        {"disabled", provider.disabled}};
}

// A provider as files hold it, from what a client sent.
void take_body(json::object& file, const App& app, const json::object& body) {
    for (const auto& [key, value] : body) {
        if (key == "_id" || key == "id" || key == "name" || key == "type") {
            continue;
        }
        if (key == "config" && value.is_object()) {
            json::object config = object_or_empty(file, "config");
            for (const auto& [name, setting] : value.get_object()) {
                config[name] = setting;
            }
            for (const FunctionMembers& member : function_members) {
                const std::string id = string_or(config, member.id);
                config.stable_erase(member.id);
                if (!id.empty() && string_or(config, member.name).empty()) {
                    config[member.name] = function_name(app, id);
                }
            }
            file["config"] = config;
        } else if (key == "metadata_fields" && value.is_array()) {
            json::array fields;
            for (const json::value& field : value.get_array()) {
                if (!is_empty(field)) {
                    fields.push_back(field);
                }
            }
            file["metadata_fields"] = fields;
        } else if (!is_empty(value)) {
            file[key] = value;
        }
    }
}

void put_provider(AppTree& tree, const std::string& type, const json::object& provider) {
    json::object all = read_file(tree, providers_file);
    all[type] = provider;
    write_file(tree, providers_file, all);
}

// The type of the provider in the path.
std::string provider_of(const AdminCall& call) {
    for (const auto& [type, provider] : call.app().config.providers) {
        if (call.app().provider_id(type).to_string() == call.parameter("provider")) {
            return type;
        }
    }
    throw ApiException(not_found("AuthProviderNotFound", "auth provider not found"));
}

http::Response list_providers(AdminCall& call) {
    json::array out;
    for (const auto& [type, provider] : call.app().config.providers) {
        out.push_back(summary(call.app(), type, provider));
    }
    return json_response(200, out);
}

http::Response create_provider(AdminCall& call) {
    const json::object body = call.body();
    const std::string type = required(body, "type");
    if (!is_type(type)) {
        throw ApiException(bad_request("there is no provider type '" + type + "'"));
    }
    check_secrets(call, object_or_empty(body, "secret_config"));
    call.edit([&](AppTree& tree, const App& app) {
        json::object by_mode = read_file(tree, std::string(by_development_mode_file));
        const bool exists = app.config.providers.contains(type) && !by_mode.contains(type);
        if (exists) {
            throw ApiException(conflict("AuthProviderAlreadyExists",
                                        "auth provider already exists: '" + type + "'"));
        }
        if (by_mode.stable_erase(type) != 0) {
            tree.erase(std::string(by_development_mode_file));
        }
        json::object file{{"name", type}, {"type", type}, {"disabled", false}};
        take_body(file, app, body);
        file["disabled"] = is_true(body, "disabled");
        put_provider(tree, type, file);
    });
    return json_response(201, summary(call.app(), type, call.app().config.providers.at(type)));
}

http::Response get_provider(AdminCall& call) {
    const App& app = call.app();
    const std::string type = provider_of(call);
    json::object out{{"_id", app.provider_id(type).to_string()}};
    for (const auto& [key, value] : stored_provider(*app.tree, type)) {
        out[key] = value;
    }
    json::object config = object_or_empty(out, "config");
    for (const FunctionMembers& member : function_members) {
        const std::string name = string_or(config, member.name);
        if (!name.empty()) {
            config[member.id] = function_id(app, name);
        }
    }
    if (config.contains("signingKey")) {
        config["signingKey"] = "****";
    }
    if (!config.empty()) {
        out["config"] = config;
    }
    return json_response(200, out);
}

void set_provider(AdminCall& call, const std::string& type, const json::object& body) {
    call.edit([&](AppTree& tree, const App& app) {
        json::object file = stored_provider(tree, type);
        json::object change = body;
        if (string_or(object_or_empty(change, "config"), "signingKey") == "****") {
            change["config"].get_object().stable_erase("signingKey"); // masked: unchanged
        }
        take_body(file, app, change);
        put_provider(tree, type, file);
        tree.erase(std::string(by_development_mode_file));
    });
}

http::Response update_provider(AdminCall& call) {
    const std::string type = provider_of(call);
    const json::object body = call.body();
    for (const char* key : {"name", "type"}) {
        if (string_or(body, key, type) != type) {
            throw ApiException(bad_request("a provider's name and type cannot change"));
        }
    }
    check_secrets(call, object_or_empty(body, "secret_config"));
    set_provider(call, type, body);
    return http::Response::empty(204);
}

http::Response delete_provider(AdminCall& call) {
    const std::string type = provider_of(call);
    if (type == "api-key") {
        throw ApiException(bad_request("the api-key provider cannot be deleted"));
    }
    if (!call.app().config.providers.at(type).disabled) {
        throw ApiException(bad_request("disable the provider before deleting it"));
    }
    call.edit([&](AppTree& tree, const App&) {
        json::object all = read_file(tree, providers_file);
        all.stable_erase(type);
        write_file(tree, providers_file, all);
    });
    return http::Response::empty(204);
}

http::Response switch_provider(AdminCall& call, bool disabled) {
    set_provider(call, provider_of(call), json::object{{"disabled", disabled}});
    return http::Response::empty(204);
}

} // namespace

void add_provider_routes(RouteTable& table) {
    const std::string base = "auth_providers";
    const std::string one = base + "/{provider}";
    table.add(Method::get, base, "Authentication providers", 200, list_providers);
    table.add(Method::post, base, "Add a provider", 201, create_provider);
    table.add(Method::get, one, "One provider", 200, get_provider);
    table.add(Method::patch, one, "Change a provider", 204, update_provider);
    table.add(Method::delete_, one, "Remove a provider", 204, delete_provider);
    table.add(Method::put, one + "/enable", "Turn a provider on", 204,
              [](AdminCall& call) { return switch_provider(call, false); });
    table.add(Method::put, one + "/disable", "Turn a provider off", 204,
              [](AdminCall& call) { return switch_provider(call, true); });
}

} // namespace tombolo::api::admin
