// Functions of the app, and running them by hand (admin-api-and-config.md R12).

#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/auth/user_functions.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;
using server::string_or;

namespace {

const std::string manifest = "functions/config.json";

std::string source_file(const std::string& name) {
    return "functions/" + name + ".js";
}

// Letters, digits, "_", "-", with "/" between folders.
void check_function_name(const std::string& name) {
    bool good = !name.empty() && name.size() <= server::function_name_bytes_max &&
                name.front() != '/' && name.back() != '/' && name.find("//") == std::string::npos &&
                name.find("node_modules") == std::string::npos;
    good = good && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '/';
           });
    if (!good) {
        throw ApiException(bad_request("a function's name has 1 to 255 letters, digits, hyphens "
                                       "and underscores, and slashes between them"));
    }
}

// The members of a function besides its source, as the manifest has them.
json::object manifest_entry(const json::object& body, const std::string& name) {
    json::object out{{"name", name}, {"private", is_true(body, "private")}};
    const json::value* expression = body.if_contains("can_evaluate");
    out["can_evaluate"] =
        expression == nullptr || expression->is_null() ? json::value(json::object()) : *expression;
    for (const char* flag : {"disable_arg_logs", "run_as_system"}) {
        if (is_true(body, flag)) {
            out[flag] = true;
        }
    }
    for (const char* text : {"run_as_user_id", "run_as_user_id_script_source"}) {
        if (const std::string value = string_or(body, text); !value.empty()) {
            out[text] = value;
        }
    }
    return out;
}

void put_function(AppTree& tree, const std::string& old_name, const json::object& body,
                  const std::string& name) {
    json::array entries = read_list(tree, manifest);
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const json::value& one) {
        return one.is_object() && string_or(one.get_object(), "name") == old_name;
    });
    if (found == entries.end()) {
        entries.push_back(manifest_entry(body, name));
    } else {
        *found = manifest_entry(body, name);
    }
    write_file(tree, manifest, entries);
    if (old_name != name) {
        tree.erase(source_file(old_name));
    }
    tree[source_file(name)] = required(body, "source");
}

std::string named(const AdminCall& call) {
    std::string name = function_name(call.app(), call.parameter("function"));
    if (name.empty()) {
        throw ApiException(not_found("FunctionNotFound", "function not found"));
    }
    return name;
}

http::Response list_functions(AdminCall& call) {
    json::array out;
    for (const auto& [name, function] : call.app().config.code.functions) {
        out.push_back(json::object{{"_id", function_id(call.app(), name)},
                                   {"name", name},
                                   {"last_modified", call.app().deployed_unix_ms / 1000}});
    }
    return json_response(200, out);
}

void check_source(AdminCall& call, const json::object& body) {
    const auto& check = call.context().check_source;
    const std::string source = string_or(body, "source");
    if (!check || source.empty()) {
        return;
    }
    if (const auto failure = check(source)) {
        throw ApiException({400, "FunctionSyntaxError", failure->message});
    }
}

http::Response create_function(AdminCall& call) {
    const json::object body = call.body();
    const std::string name = required(body, "name");
    check_function_name(name);
    check_source(call, body);
    call.edit([&](AppTree& tree, const App& app) {
        if (tree.contains(source_file(name))) {
            throw ApiException(conflict("FunctionDuplicateName",
                                        "a function with name '" + name + "' already exists"));
        }
        put_function(tree, name, body, name);
        claim_id(tree, app, "function", name);
    });
    return json_response(201, json::object{{"_id", function_id(call.app(), name)}, {"name", name}});
}

http::Response get_function(AdminCall& call) {
    const std::string name = named(call);
    const server::FunctionConfig& function = call.app().config.code.functions.at(name);
    return json_response(
        200, json::object{{"_id", function_id(call.app(), name)},
                          {"name", name},
                          {"private", function.is_private},
                          {"source", function.source},
                          {"can_evaluate", function.can_evaluate},
                          {"run_as_system", function.run_as_system},
                          {"run_as_user_id", function.run_as_user_id},
                          {"run_as_user_id_script_source", function.run_as_user_id_script_source},
                          {"disable_arg_logs", function.disable_arg_logs},
                          {"last_modified", call.app().deployed_unix_ms / 1000}});
}

// Providers, triggers and endpoints name functions.
bool rename_references(json::value& value, const std::string& from, const std::string& to) {
    static constexpr std::array members = {"confirmationFunctionName", "resetFunctionName",
                                           "authFunctionName", "on_user_creation_function_name",
                                           "function_name"};
    bool changed = false;
    if (value.is_object()) {
        for (auto& member : value.get_object()) {
            const bool names = std::find(members.begin(), members.end(),
                                         std::string_view(member.key())) != members.end();
            if (names && member.value().is_string() && member.value().get_string() == from) {
                member.value() = to;
                changed = true;
            } else {
                changed = rename_references(member.value(), from, to) || changed;
            }
        }
    } else if (value.is_array()) {
        for (json::value& one : value.get_array()) {
            changed = rename_references(one, from, to) || changed;
        }
    }
    return changed;
}

bool may_reference(const std::string& path) {
    return path.starts_with("auth/") || path.starts_with("triggers/") ||
           path == "https_endpoints/config.json" || path == "http_endpoints/config.json";
}

http::Response update_function(AdminCall& call) {
    const std::string old_name = named(call);
    const json::object body = call.body();
    const std::string name = string_or(body, "name", old_name);
    check_function_name(name);
    check_source(call, body);
    call.edit([&](AppTree& tree, const App& app) {
        json::object whole = body;
        if (!whole.contains("source")) {
            whole["source"] = tree.at(source_file(old_name));
        }
        if (name != old_name) {
            if (tree.contains(source_file(name))) {
                throw ApiException(conflict("FunctionDuplicateName",
                                            "a function with name '" + name + "' already exists"));
            }
            move_id(tree, app, "function", old_name, name);
            for (auto& [path, text] : tree) {
                if (may_reference(path)) {
                    json::value file = server::parse_json(text).value();
                    if (rename_references(file, old_name, name)) {
                        text = server::pretty_json(file);
                    }
                }
            }
        }
        put_function(tree, old_name, whole, name);
    });
    return http::Response::empty(200);
}

http::Response delete_function(AdminCall& call) {
    const std::string name = named(call);
    call.edit([&](AppTree& tree, const App&) {
        for (const auto& [path, text] : tree) {
            if (may_reference(path)) {
                json::value file = server::parse_json(text).value();
                if (rename_references(file, name, "")) {
                    throw ApiException(bad_request("function '" + name + "' is used by " + path));
                }
            }
        }
        json::array kept;
        for (const json::value& one : read_list(tree, manifest)) {
            if (!one.is_object() || string_or(one.get_object(), "name") != name) {
                kept.push_back(one);
            }
        }
        write_file(tree, manifest, kept);
        tree.erase(source_file(name));
    });
    return http::Response::empty(204);
}

json::array texts(const std::vector<std::string>& lines) {
    json::array out;
    for (const std::string& line : lines) {
        out.emplace_back(line);
    }
    return out;
}

functions::Caller caller_of(AdminCall& call) {
    const std::string user = call.query("user_id");
    const bool system = call.query("run_as_system") == "true";
    if (system == !user.empty()) {
        throw ApiException(
            bad_request("exactly one of 'user_id' and 'run_as_system=true' is needed"));
    }
    functions::Caller caller;
    caller.is_system = system;
    if (!system) {
        const auto id = ObjectId::parse(user);
        const auto found =
            id ? auth::Sessions(call.context().auth).find_user(call.app().id, *id) : std::nullopt;
        if (!found) {
            throw ApiException(not_found("UserNotFound", "user not found"));
        }
        caller = auth::function_caller(call.context().auth, call.app(), *found);
    }
    return caller;
}

http::Response execute(AdminCall& call, bool from_source) {
    const json::object body = call.body();
    if (!call.context().run_function) {
        throw ApiException(
            ApiError{400, "FunctionInvalid", "this server runs no functions: Node.js is needed"});
    }
    functions::Call run;
    run.app = call.app_pointer();
    run.origin = functions::Origin::administrator;
    run.caller = caller_of(call);
    run.request_id = call.request().id;
    run.remote_address = call.request().remote_address;
    if (from_source) {
        run.name = "debug";
        run.source = required(body, "source");
        run.eval_source = string_or(body, "eval_source");
    } else {
        run.name = required(body, "name");
        if (const json::value* arguments = body.if_contains("arguments");
            arguments != nullptr && arguments->is_array()) {
            run.arguments = json::serialize(*arguments);
        }
    }
    const functions::Outcome outcome = call.context().run_function(run);
    if (outcome.failure && outcome.failure->kind == functions::FailureKind::not_found) {
        throw ApiException(not_found("FunctionNotFound", "function not found: '" + run.name + "'"));
    }
    const auto result = server::parse_json(outcome.result);
    json::object out{
        {"result", result ? *result : json::value(nullptr)},
        {"logs", outcome.logs.empty() ? json::value(nullptr) : json::value(texts(outcome.logs))},
        {"error_logs", outcome.error_logs.empty() ? json::value(nullptr)
                                                  : json::value(texts(outcome.error_logs))}};
    out["error"] = outcome.failure ? json::value(outcome.failure->message) : json::value(nullptr);
    out["stats"] = json::object{{"execution_time", std::to_string(outcome.duration_ms) + "ms"}};
    return json_response(200, out);
}

} // namespace

std::string function_name(const App& app, const std::string& id) {
    for (const auto& [name, function] : app.config.code.functions) {
        if (function_id(app, name) == id) {
            return name;
        }
    }
    return {};
}

std::string function_id(const App& app, const std::string& name) {
    return app.part_id("function", name).to_string();
}

void add_function_routes(RouteTable& table) {
    table.add(Method::get, "functions", "Functions", 200, list_functions);
    table.add(Method::post, "functions", "Add a function", 201, create_function);
    table.add(Method::get, "functions/{function}", "One function", 200, get_function);
    table.add(Method::put, "functions/{function}", "Replace a function", 200, update_function);
    table.add(Method::delete_, "functions/{function}", "Remove a function", 204, delete_function);
    AdminRoute run{Method::post, "debug/execute_function", "Run a function", 200,
                   [](AdminCall& call) { return execute(call, false); }};
    run.pool = Pool::functions;
    table.add(run);
    run.path = "debug/execute_function_source";
    run.summary = "Run source text as a function";
    run.run = [](AdminCall& call) { return execute(call, true); };
    table.add(run);
}

} // namespace tombolo::api::admin
