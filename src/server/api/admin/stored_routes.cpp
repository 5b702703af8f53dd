// HTTPS endpoints, log forwarders, and parts that are kept, shown and exported, but not run:
// triggers, GraphQL, hosting and the like (admin-api-and-config.md R17 to R22).

#include <algorithm>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;
using server::string_or;

namespace {

// One kind of file below a folder, by name.
struct Kind {
    const char* path;   ///< of the routes
    const char* folder; ///< of the files, with "/"
    const char* id_name;
    const char* what;
    int update_status;
    int delete_status;
};

constexpr Kind triggers{"triggers", "triggers/", "trigger", "trigger", 204, 200};
constexpr Kind forwarders{
    "log_forwarders", "log_forwarders/", "log_forwarder", "log forwarder", 200, 204};

struct Stored {
    std::string path;
    std::string name;
    json::object content;
};

std::vector<Stored> all_of(const App& app, const std::string& folder) {
    std::vector<Stored> out;
    for (auto file = app.tree->lower_bound(folder);
         file != app.tree->end() && file->first.starts_with(folder); ++file) {
        if (!file->first.ends_with(".json") ||
            file->first.find('/', folder.size()) != std::string::npos) {
            continue;
        }
        Stored one{file->first, {}, read_file(*app.tree, file->first)};
        one.name = string_or(one.content, "name",
                             std::string_view(file->first)
                                 .substr(folder.size(), file->first.size() - folder.size() - 5));
        out.push_back(std::move(one));
    }
    return out;
}

std::string id_of(const App& app, const Kind& kind, const std::string& name) {
    return app.part_id(kind.id_name, name).to_string();
}

// Ids of functions and services in the API, names in files.
json::object named(const App& app, const json::object& body) {
    json::object out = body;
    for (const char* shown_only : {"_id", "delivery", "last_modified"}) {
        out.stable_erase(shown_only);
    }
    const auto name_function = [&](json::object& holder) {
        const std::string name = function_name(app, string_or(holder, "function_id"));
        holder.stable_erase("function_id");
        if (!name.empty()) {
            holder["function_name"] = name;
        }
    };
    name_function(out);
    if (json::value* config = out.if_contains("config"); config != nullptr && config->is_object()) {
        json::object& inner = config->get_object();
        const auto service = service_with_id(app, string_or(inner, "service_id"));
        inner.stable_erase("service_id");
        if (service) {
            inner["service_name"] = service->name;
        }
    }
    json::value* processors = out.if_contains("event_processors");
    if (processors != nullptr && processors->is_object()) {
        for (auto& processor : processors->get_object()) {
            json::value* config = processor.value().is_object()
                                      ? processor.value().get_object().if_contains("config")
                                      : nullptr;
            if (config != nullptr && config->is_object()) {
                name_function(config->get_object());
            }
        }
    }
    return out;
}

json::object shown(const AdminCall& call, const Kind& kind, const Stored& one) {
    const App& app = call.app();
    json::object out{{"_id", id_of(app, kind, one.name)}};
    for (const auto& [key, value] : one.content) {
        out[key] = value;
    }
    const std::string function = string_or(out, "function_name");
    if (!function.empty()) {
        out["function_id"] = function_id(app, function);
    }
    out["last_modified"] = app.deployed_unix_ms / 1000;
    const auto& state = call.context().forwarder_state;
    if (&kind == &forwarders && state) {
        json::object delivery = state(app, one.name);
        const std::int64_t failed_ms = delivery.at("last_error_ms").as_int64();
        delivery.stable_erase("last_error_ms");
        if (failed_ms == 0) {
            delivery.stable_erase("last_error");
        } else {
            delivery["last_error_at"] = iso_time(failed_ms);
        }
        out["delivery"] = std::move(delivery);
    }
    return out;
}

Stored find(const AdminCall& call, const Kind& kind) {
    for (Stored& one : all_of(call.app(), kind.folder)) {
        if (id_of(call.app(), kind, one.name) == call.parameter(kind.id_name)) {
            return std::move(one);
        }
    }
    throw ApiException(not_found(
        std::string_view(kind.id_name) == "trigger" ? "TriggerNotFound" : "LogForwarderNotFound",
        std::string(kind.what) + " not found"));
}

void switch_part(AdminCall& call, const Kind& kind, bool disabled) {
    const Stored stored = find(call, kind);
    call.edit([&](AppTree& tree, const App&) {
        json::object file = stored.content;
        file["disabled"] = disabled;
        write_file(tree, stored.path, file);
    });
}

void add_kind(RouteTable& table, const Kind& kind) {
    const std::string base = kind.path;
    const std::string one = base + "/{" + kind.id_name + "}";
    const std::string what = kind.what;
    table.add(Method::get, base, "Each " + what, 200, [&kind](AdminCall& call) {
        json::array out;
        for (const Stored& found : all_of(call.app(), kind.folder)) {
            out.push_back(shown(call, kind, found));
        }
        return json_response(200, out);
    });
    table.add(Method::post, base, "Add a " + what + (&kind == &triggers ? "; kept, not run" : ""),
              201, [&kind](AdminCall& call) {
                  const json::object body = call.body();
                  const std::string name = required(body, "name");
                  check_name(name, std::string("a ") + kind.what);
                  call.edit([&](AppTree& tree, const App& app) {
                      const std::string path = kind.folder + name + ".json";
                      if (tree.contains(path)) {
                          throw ApiException(conflict(
                              "DuplicateName", std::string("a ") + kind.what + " with name '" +
                                                   name + "' already exists"));
                      }
                      write_file(tree, path, named(app, body));
                      claim_id(tree, app, kind.id_name, name);
                  });
                  for (const Stored& found : all_of(call.app(), kind.folder)) {
                      if (found.name == name) {
                          return json_response(201, shown(call, kind, found));
                      }
                  }
                  throw Error(ErrorCode::internal, "a part is not where it was put");
              });
    table.add(Method::get, one, "One " + what, 200, [&kind](AdminCall& call) {
        return json_response(200, shown(call, kind, find(call, kind)));
    });
    const auto update = [&kind](AdminCall& call) {
        const Stored stored = find(call, kind);
        const json::object body = call.body();
        call.edit([&](AppTree& tree, const App& app) {
            json::object file = kind.update_status == 200 ? stored.content : json::object();
            for (const auto& [key, value] : named(app, body)) {
                file[key] = value;
            }
            const std::string name = string_or(file, "name", stored.name);
            check_name(name, std::string("a ") + kind.what);
            file["name"] = name;
            if (name != stored.name) {
                tree.erase(stored.path);
                move_id(tree, app, kind.id_name, stored.name, name);
            }
            write_file(tree, kind.folder + name + ".json", file);
        });
        return http::Response::empty(kind.update_status);
    };
    table.add(kind.update_status == 200 ? Method::patch : Method::put, one, "Change a " + what,
              kind.update_status, update);
    table.add(Method::delete_, one, "Remove a " + what, kind.delete_status,
              [&kind](AdminCall& call) {
                  const Stored stored = find(call, kind);
                  call.edit([&](AppTree& tree, const App&) { tree.erase(stored.path); });
                  return kind.delete_status == 204 ? http::Response::empty(204)
                                                   : json_response(200, json::object());
              });
}

// Endpoints: one array in one file.

const std::string endpoints_file = "https_endpoints/config.json";

std::string endpoint_id(const App& app, const json::object& endpoint) {
    return app
        .part_id("endpoint", string_or(endpoint, "http_method") + string_or(endpoint, "route"))
        .to_string();
}

json::object endpoint_json(const App& app, const json::object& endpoint) {
    json::object out{{"_id", endpoint_id(app, endpoint)}};
    for (const auto& [key, value] : endpoint) {
        out[key] = value;
    }
    const std::string function = string_or(endpoint, "function_name");
    if (!function.empty()) {
        out["function_id"] = function_id(app, function);
    }
    const std::string secret = string_or(endpoint, "secret_name");
    if (!secret.empty()) {
        out["secret_id"] = app.part_id("secret", secret).to_string();
    }
    out["last_modified"] = app.deployed_unix_ms / 1000;
    return out;
}

// The id of a secret in the API is its name in files.
void name_secret(const AdminCall& call, json::object& endpoint) {
    const std::string id = string_or(endpoint, "secret_id");
    endpoint.stable_erase("secret_id");
    if (id.empty()) {
        return;
    }
    for (const std::string& name : take(call.apps().secret_names(call.app().id))) {
        if (call.app().part_id("secret", name).to_string() == id) {
            endpoint["secret_name"] = name;
            return;
        }
    }
    throw ApiException(bad_request("'secret_id' names no secret of this app"));
}

json::object stored_endpoint(const AdminCall& call, const App& app, const json::object& body) {
    json::object out = named(app, body);
    name_secret(call, out);
    const std::string route = required(out, "route");
    if (!route.starts_with("/") || route.size() > 256) {
        throw ApiException(bad_request("'route' must begin with a slash"));
    }
    const std::string method = required(out, "http_method");
    if (method != "*" && method != "GET" && method != "POST" && method != "PUT" &&
        method != "PATCH" && method != "DELETE") {
        throw ApiException(bad_request("'http_method' must be GET, POST, PUT, PATCH, DELETE or *"));
    }
    const std::string proof = string_or(out, "validation_method", "NO_VALIDATION");
    const bool needs_secret = proof == "SECRET_AS_QUERY_PARAM" || proof == "VERIFY_PAYLOAD";
    if (!needs_secret && proof != "NO_VALIDATION") {
        throw ApiException(bad_request("'validation_method' must be NO_VALIDATION, "
                                       "SECRET_AS_QUERY_PARAM or VERIFY_PAYLOAD"));
    }
    if (needs_secret && string_or(out, "secret_name").empty()) {
        throw ApiException(bad_request("'" + proof + "' needs a secret"));
    }
    return out;
}

json::array::iterator endpoint_at(json::array& list, const App& app, const std::string& id) {
    const auto found = std::find_if(list.begin(), list.end(), [&](const json::value& one) {
        return one.is_object() && endpoint_id(app, one.get_object()) == id;
    });
    if (found == list.end()) {
        throw ApiException(not_found("IncomingWebhookNotFound", "endpoint not found"));
    }
    return found;
}

http::Response create_endpoint(AdminCall& call) {
    const json::object body = call.body();
    json::object made;
    call.edit([&](AppTree& tree, const App& app) {
        made = stored_endpoint(call, app, body);
        json::array list = read_list(tree, endpoints_file);
        for (const json::value& one : list) {
            if (one.is_object() && endpoint_id(app, one.get_object()) == endpoint_id(app, made)) {
                throw ApiException(conflict("EndpointAlreadyExists",
                                            "there is an endpoint of this method and route"));
            }
        }
        list.push_back(made);
        write_file(tree, endpoints_file, list);
    });
    return json_response(201, endpoint_json(call.app(), made));
}

http::Response update_endpoint(AdminCall& call) {
    const json::object body = call.body();
    json::object made;
    call.edit([&](AppTree& tree, const App& app) {
        json::array list = read_list(tree, endpoints_file);
        const auto found = endpoint_at(list, app, call.parameter("endpoint"));
        made = stored_endpoint(call, app, body);
        *found = made;
        write_file(tree, endpoints_file, list);
    });
    return json_response(200, endpoint_json(call.app(), made));
}

void add_endpoint_routes(RouteTable& table) {
    table.add(Method::get, "endpoints", "HTTPS endpoints", 200, [](AdminCall& call) {
        json::array out;
        for (const json::value& one : read_list(*call.app().tree, endpoints_file)) {
            if (one.is_object()) {
                out.push_back(endpoint_json(call.app(), one.get_object()));
            }
        }
        return json_response(200, out);
    });
    table.add(Method::post, "endpoints", "Add an endpoint", 201, create_endpoint);
    table.add(Method::get, "endpoints/{endpoint}", "One endpoint", 200, [](AdminCall& call) {
        json::array list = read_list(*call.app().tree, endpoints_file);
        const auto found = endpoint_at(list, call.app(), call.parameter("endpoint"));
        return json_response(200, endpoint_json(call.app(), found->get_object()));
    });
    table.add(Method::put, "endpoints/{endpoint}", "Replace an endpoint", 200, update_endpoint);
    table.add(Method::delete_, "endpoints/{endpoint}", "Remove an endpoint", 200,
              [](AdminCall& call) {
                  call.edit([&](AppTree& tree, const App& app) {
                      json::array list = read_list(tree, endpoints_file);
                      list.erase(endpoint_at(list, app, call.parameter("endpoint")));
                      write_file(tree, endpoints_file, list);
                  });
                  return json_response(200, json::object());
              });
}

// What this server has none of.
void add_fixed(RouteTable& table, const char* path, const char* summary, const json::value& body) {
    table.add(Method::get, path, summary, 200,
              [body](AdminCall&) { return json_response(200, body); });
}

void add_refused(RouteTable& table, Method method, const char* path, const char* summary) {
    const std::string text = std::string(summary) + ": not supported by this server";
    table.add(method, path, text, 400,
              [text](AdminCall&) -> http::Response { throw ApiException(bad_request(text)); });
}

// A file of the tree that is one object; only shown and replaced.
void add_file(RouteTable& table, const char* path, const char* file, const json::object& initial,
              const char* summary, Method change) {
    table.add(Method::get, path, summary, 200, [file, initial](AdminCall& call) {
        json::object out = read_file(*call.app().tree, file);
        return json_response(200, out.empty() ? initial : out);
    });
    table.add(change, path, std::string(summary) + ": change; kept, not run", 204,
              [file](AdminCall& call) {
                  const json::object body = call.body();
                  call.edit([&](AppTree& tree, const App&) { write_file(tree, file, body); });
                  return http::Response::empty(204);
              });
}

http::Response subscriptions(AdminCall& call) {
    json::array out;
    const std::string type = call.query("type");
    for (const Stored& one : all_of(call.app(), triggers.folder)) {
        if (type.empty() || string_or(one.content, "type") == type) {
            out.push_back(shown(call, triggers, one));
        }
    }
    if (type == "SYNCTRANSLATOR" && !call.app().config.sync.state.empty()) {
        out.push_back(json::object{{"_id", call.app().part_id("sync", "translator").to_string()},
                                   {"name", "sync translator"},
                                   {"type", "SYNCTRANSLATOR"},
                                   {"function_id", std::string(24, '0')},
                                   {"disabled", call.app().config.sync.state != "enabled"},
                                   {"config", nullptr},
                                   {"last_modified", call.app().deployed_unix_ms / 1000}});
    }
    return json_response(200, out);
}

} // namespace

json::array stored_summaries(const App& app, const std::string& folder) {
    json::array out;
    for (const Stored& one : all_of(app, folder)) {
        out.push_back(json::object{{"name", one.name},
                                   {"type", string_or(one.content, "type")},
                                   {"enabled", !server::bool_or(one.content, "disabled", false)}});
    }
    return out;
}

void add_stored_routes(RouteTable& table) {
    add_kind(table, triggers);
    add_kind(table, forwarders);
    for (const bool disabled : {false, true}) {
        table.add(Method::put,
                  std::string("log_forwarders/{log_forwarder}/") +
                      (disabled ? "disable" : "enable"),
                  disabled ? "Turn a log forwarder off" : "Turn a log forwarder on", 204,
                  [disabled](AdminCall& call) {
                      switch_part(call, forwarders, disabled);
                      return http::Response::empty(204);
                  });
    }
    table.add(Method::put, "triggers/{trigger}/resume", "Nothing to resume: triggers are not run",
              204, [](AdminCall& call) {
                  static_cast<void>(find(call, triggers));
                  return http::Response::empty(204);
              });
    table.add(Method::get, "event_subscriptions", "Triggers, and what syncs", 200, subscriptions);
    add_endpoint_routes(table);
    add_file(table, "graphql/config", "graphql/config.json",
             {{"use_natural_pluralization", true}, {"disable_schema_introspection", false}},
             "GraphQL settings", Method::put);
    add_fixed(table, "graphql/custom_resolvers", "GraphQL resolvers: none are run", json::array());
    add_file(table, "data_api/config", "https_endpoints/data_api_config.json", {{"disabled", true}},
             "Data API settings", Method::patch);
    add_fixed(table, "data_api/versions", "Data API versions", json::array{"v1"});
    add_fixed(table, "hosting/config", "Hosting: off", json::object{{"enabled", false}});
    add_fixed(table, "hosting/assets", "Hosted files: none", json::array());
    add_refused(table, Method::patch, "hosting/config", "Hosting");
    add_refused(table, Method::put, "hosting/assets/asset", "Hosting");
    add_fixed(table, "push/notifications", "Push notifications: none", json::array());
    add_refused(table, Method::post, "push/notifications", "Push notifications");
    add_fixed(table, "services/{service}/incoming_webhooks", "Incoming webhooks: none",
              json::array());
    add_refused(table, Method::post, "services/{service}/incoming_webhooks", "Incoming webhooks");
    add_refused(table, Method::get, "templates", "Templates");
    table.add({Method::get, "templates", "Templates: none", 200,
               [](AdminCall&) { return json_response(200, json::array()); }, Scope::account});
    table.add(Method::get, "templates/{template}/client", "Clients of templates: none", 204,
              [](AdminCall&) { return http::Response::empty(204); });
}

} // namespace tombolo::api::admin
