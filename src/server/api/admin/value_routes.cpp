// Secrets, values, environment values and custom user data (admin-api-and-config.md R15, R16).

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

constexpr std::size_t secret_bytes_max = 4096;

std::string secret_id(const App& app, const std::string& name) {
    return app.part_id("secret", name).to_string();
}

// Secrets are no part of drafts, and their values appear in no answer.

http::Response list_secrets(AdminCall& call) {
    json::array out;
    for (const std::string& name : take(call.apps().secret_names(call.app().id))) {
        out.push_back(json::object{{"_id", secret_id(call.app(), name)}, {"name", name}});
    }
    return json_response(200, out);
}

void check_secret(const std::string& name, const std::string& value) {
    check_name(name, "a secret");
    if (name.front() == '-') {
        throw ApiException(bad_request("the name of a secret begins with a letter or digit"));
    }
    if (value.size() > secret_bytes_max) {
        throw ApiException(bad_request("the value of a secret has at most 4096 bytes"));
    }
}

std::string secret_of(const AdminCall& call) {
    for (const std::string& name : take(call.apps().secret_names(call.app().id))) {
        if (secret_id(call.app(), name) == call.parameter("secret")) {
            return name;
        }
    }
    throw ApiException(not_found("SecretNotFound", "secret not found"));
}

bool is_defined(AdminCall& call, const std::string& name) {
    const auto names = call.apps().secret_names(call.app().id).value();
    return std::find(names.begin(), names.end(), name) != names.end();
}

http::Response create_secret(AdminCall& call) {
    const json::object body = call.body();
    const std::string name = required(body, "name");
    const std::string value = required(body, "value");
    check_secret(name, value);
    if (is_defined(call, name)) {
        throw ApiException(
            conflict("SecretAlreadyExists", "a secret with name '" + name + "' already exists"));
    }
    call.apps().set_secret(call.app().id, name, value).value();
    return json_response(201, json::object{{"_id", secret_id(call.app(), name)}, {"name", name}});
}

http::Response update_secret(AdminCall& call) {
    const std::string old_name = secret_of(call);
    const json::object body = call.body();
    const std::string name = string_or(body, "name", old_name);
    std::string value = string_or(body, "value");
    if (value.empty()) { // only renamed
        value = call.apps().secret(call.app().id, old_name).value();
    }
    check_secret(name, value);
    if (name != old_name && is_defined(call, name)) {
        throw ApiException(
            conflict("SecretAlreadyExists", "a secret with name '" + name + "' already exists"));
    }
    call.apps().set_secret(call.app().id, name, value).value();
    if (name != old_name) {
        call.apps().remove_secret(call.app().id, old_name).value();
    }
    return http::Response::empty(204);
}

http::Response delete_secret(AdminCall& call) {
    call.apps().remove_secret(call.app().id, secret_of(call)).value();
    return http::Response::empty(204);
}

// Values.

std::string value_file(const std::string& name) {
    return "values/" + name + ".json";
}

std::string value_id(const App& app, const std::string& name) {
    return app.part_id("value", name).to_string();
}

json::object value_json(const App& app, const server::ValueConfig& value, bool whole) {
    json::object out{
        {"_id", value_id(app, value.name)}, {"name", value.name}, {"private", value.is_private}};
    if (whole) {
        out["value"] = value.value;
        out["from_secret"] = value.from_secret;
    }
    return out;
}

const server::ValueConfig& value_of(const AdminCall& call) {
    for (const auto& [name, value] : call.app().config.code.values) {
        if (value_id(call.app(), name) == call.parameter("value")) {
            return value;
        }
    }
    throw ApiException(not_found("ValueNotFound", "value not found"));
}

json::object stored_value(const std::string& name, const json::object& body) {
    const json::value* value = body.if_contains("value");
    return json::object{{"name", name},
                        {"value", value == nullptr ? json::value(nullptr) : *value},
                        {"from_secret", is_true(body, "from_secret")},
                        {"private", is_true(body, "private")}};
}

void forget_file_of(AppTree& tree, const std::string& name) {
    std::erase_if(tree, [&](const auto& file) {
        return file.first.starts_with("values/") && file.first.ends_with(".json") &&
               string_or(server::parse_json_object(file.second).value(), "name") == name;
    });
}

http::Response list_values(AdminCall& call) {
    json::array out;
    for (const auto& [name, value] : call.app().config.code.values) {
        out.push_back(value_json(call.app(), value, false));
    }
    return json_response(200, out);
}

http::Response create_value(AdminCall& call) {
    const json::object body = call.body();
    const std::string name = required(body, "name");
    check_name(name, "a value");
    call.edit([&](AppTree& tree, const App& app) {
        if (app.config.code.values.contains(name)) {
            throw ApiException(
                conflict("ValueDuplicateName", "a value with name '" + name + "' already exists"));
        }
        write_file(tree, value_file(name), stored_value(name, body));
        claim_id(tree, app, "value", name);
    });
    return json_response(201, value_json(call.app(), call.app().config.code.values.at(name), true));
}

http::Response update_value(AdminCall& call) {
    const std::string old_name = value_of(call).name;
    const json::object body = call.body();
    const std::string name = string_or(body, "name", old_name);
    check_name(name, "a value");
    call.edit([&](AppTree& tree, const App& app) {
        if (name != old_name) {
            if (app.config.code.values.contains(name)) {
                throw ApiException(conflict("ValueDuplicateName",
                                            "a value with name '" + name + "' already exists"));
            }
            move_id(tree, app, "value", old_name, name);
        }
        forget_file_of(tree, old_name);
        write_file(tree, value_file(name), stored_value(name, body));
    });
    return json_response(200, value_json(call.app(), call.app().config.code.values.at(name), true));
}

http::Response delete_value(AdminCall& call) {
    const std::string name = value_of(call).name;
    call.edit([&](AppTree& tree, const App&) { forget_file_of(tree, name); });
    return http::Response::empty(204);
}

// Environment values: one object over all environments in the API, one file an environment on disk.

struct EnvironmentName {
    const char* api;
    const char* file;
};
constexpr std::array environments = {
    EnvironmentName{"none", "no-environment"}, EnvironmentName{"development", "development"},
    EnvironmentName{"testing", "testing"}, EnvironmentName{"qa", "qa"},
    EnvironmentName{"production", "production"}};

std::string environment_file(const EnvironmentName& environment) {
    return std::string("environments/") + environment.file + ".json";
}

std::map<std::string, json::object> environment_values(const AppTree& tree) {
    std::map<std::string, json::object> out;
    for (const EnvironmentName& environment : environments) {
        const json::object file = read_file(tree, environment_file(environment));
        for (const auto& [name, value] : object_or_empty(file, "values")) {
            out[std::string(name)][environment.api] = value;
        }
    }
    return out;
}

void put_environment_value(AppTree& tree, const std::string& name, const json::object* values) {
    for (const EnvironmentName& environment : environments) {
        const std::string path = environment_file(environment);
        json::object file = read_file(tree, path);
        json::object members = object_or_empty(file, "values");
        members.stable_erase(name);
        if (values != nullptr) {
            const json::value* value = values->if_contains(environment.api);
            value = value == nullptr ? values->if_contains(environment.file) : value;
            if (value != nullptr) {
                members[name] = *value;
            }
        }
        file["values"] = members;
        write_file(tree, path, file);
    }
}

std::string environment_id(const App& app, const std::string& name) {
    return app.part_id("environment_value", name).to_string();
}

std::string environment_of(const AdminCall& call) {
    for (const auto& [name, values] : environment_values(*call.app().tree)) {
        if (environment_id(call.app(), name) == call.parameter("environment_value")) {
            return name;
        }
    }
    throw ApiException(not_found("EnvironmentValueNotFound", "environment value not found"));
}

json::object environment_json(const App& app, const std::string& name, bool whole) {
    json::object out{{"_id", environment_id(app, name)},
                     {"name", name},
                     {"last_modified", app.deployed_unix_ms / 1000}};
    if (whole) {
        out["values"] = environment_values(*app.tree)[name];
    }
    return out;
}

http::Response list_environment(AdminCall& call) {
    json::array out;
    for (const auto& [name, values] : environment_values(*call.app().tree)) {
        out.push_back(environment_json(call.app(), name, false));
    }
    return json_response(200, out);
}

http::Response create_environment(AdminCall& call) {
    const json::object body = call.body();
    const std::string name = required(body, "name");
    check_name(name, "an environment value");
    call.edit([&](AppTree& tree, const App&) {
        if (environment_values(tree).contains(name)) {
            throw ApiException(conflict("ValueDuplicateName", "an environment value with name '" +
                                                                  name + "' already exists"));
        }
        put_environment_value(tree, name, &object_or_empty(body, "values"));
    });
    return json_response(201, environment_json(call.app(), name, true));
}

http::Response update_environment(AdminCall& call) {
    const std::string old_name = environment_of(call);
    const json::object body = call.body();
    const std::string name = string_or(body, "name", old_name);
    check_name(name, "an environment value");
    call.edit([&](AppTree& tree, const App& app) {
        if (name != old_name) {
            put_environment_value(tree, old_name, nullptr);
            move_id(tree, app, "environment_value", old_name, name);
        }
        put_environment_value(tree, name, &object_or_empty(body, "values"));
    });
    return json_response(200, environment_json(call.app(), name, true));
}

http::Response delete_environment(AdminCall& call) {
    const std::string name = environment_of(call);
    call.edit([&](AppTree& tree, const App&) { put_environment_value(tree, name, nullptr); });
    return http::Response::empty(204);
}

// Custom user data: ids in the API, names in the file.

const std::string user_data_file = "auth/custom_user_data.json";

http::Response get_user_data(AdminCall& call) {
    const App& app = call.app();
    json::object out = read_file(*app.tree, user_data_file);
    if (out.empty()) {
        out["enabled"] = false;
    }
    const std::string service = string_or(out, "mongo_service_name");
    if (!service.empty()) {
        out["mongo_service_id"] = app.part_id("service", service).to_string();
    }
    out.stable_erase("mongo_service_name");
    const std::string function = string_or(out, "on_user_creation_function_name");
    if (!function.empty()) {
        out["on_user_creation_function_id"] = function_id(app, function);
    }
    out.stable_erase("on_user_creation_function_name");
    return json_response(200, out);
}

http::Response patch_user_data(AdminCall& call) {
    const json::object body = call.body();
    call.edit([&](AppTree& tree, const App& app) {
        json::object file = read_file(tree, user_data_file);
        for (const auto& [key, value] : body) {
            if (value.is_null()) {
                continue;
            }
            if (key == "mongo_service_id") {
                const auto service = service_with_id(app, required(body, key));
                if (!service || !service->is_data_source) {
                    throw ApiException(not_found("ServiceNotFound", "service not found"));
                }
                file["mongo_service_name"] = service->name;
            } else if (key == "on_user_creation_function_id") {
                const std::string id = required(body, key);
                const std::string name = function_name(app, id);
                if (name.empty() && !id.empty()) {
                    throw ApiException(not_found("FunctionNotFound", "function not found"));
                }
                file["on_user_creation_function_name"] = name;
            } else {
                file[key] = value;
            }
        }
        write_file(tree, user_data_file, file);
    });
    return http::Response::empty(204);
}

} // namespace

void check_secrets(AdminCall& call, const json::value& secret_config) {
    if (!secret_config.is_object()) {
        return;
    }
    const auto check = [&](const json::value& name) {
        if (name.is_string() && !name.get_string().empty() &&
            !is_defined(call, std::string(name.get_string()))) {
            throw ApiException(
                bad_request("secret '" + std::string(name.get_string()) + "' is not defined"));
        }
    };
    for (const auto& [key, value] : secret_config.get_object()) {
        if (value.is_array()) {
            for (const json::value& one : value.get_array()) {
                check(one);
            }
        } else {
            check(value);
        }
    }
}

void add_value_routes(RouteTable& table) {
    table.add(Method::get, "secrets", "Names of secrets", 200, list_secrets);
    table.add(Method::post, "secrets", "Define a secret", 201, create_secret);
    table.add(Method::put, "secrets/{secret}", "Change or rename a secret", 204, update_secret);
    table.add(Method::delete_, "secrets/{secret}", "Remove a secret", 204, delete_secret);
    table.add(Method::get, "values", "Values", 200, list_values);
    table.add(Method::post, "values", "Add a value", 201, create_value);
    table.add(Method::get, "values/{value}", "One value", 200, [](AdminCall& call) {
        return json_response(200, value_json(call.app(), value_of(call), true));
    });
    table.add(Method::put, "values/{value}", "Replace a value", 200, update_value);
    table.add(Method::delete_, "values/{value}", "Remove a value", 204, delete_value);
    const std::string environment = "environment_values";
    const std::string one = environment + "/{environment_value}";
    table.add(Method::get, environment, "Values by environment", 200, list_environment);
    table.add(Method::post, environment, "Add an environment value", 201, create_environment);
    table.add(Method::get, one, "One environment value", 200, [](AdminCall& call) {
        return json_response(200, environment_json(call.app(), environment_of(call), true));
    });
    table.add(Method::put, one, "Replace an environment value", 200, update_environment);
    table.add(Method::delete_, one, "Remove an environment value", 204, delete_environment);
    table.add(Method::get, "custom_user_data", "Where custom user data is", 200, get_user_data);
    table.add(Method::patch, "custom_user_data", "Change custom user data", 204, patch_user_data);
}

} // namespace tombolo::api::admin
