// Default rules and collection rules (admin-api-and-config.md R5, R6).

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

std::string default_rule_file(const std::string& source) {
    return "data_sources/" + source + "/default_rule.json";
}

// Roles and filters as they are shown: with ids.
json::array with_ids(const App& app, const json::array& list, const std::string& part) {
    json::array out;
    std::size_t at = 0;
    for (const json::value& one : list) {
        json::object shown{{"_id", app.part_id(part, std::to_string(at++)).to_string()}};
        if (one.is_object()) {
            for (const auto& [key, value] : one.get_object()) {
                shown[key] = value;
            }
        }
        out.push_back(std::move(shown));
    }
    return out;
}

json::object shown_rule(const App& app, const std::string& id, const std::string& part,
                        const server::RuleConfig& rule) {
    json::object out{{"_id", id}};
    if (!rule.collection.empty()) {
        out["database"] = rule.database;
        out["collection"] = rule.collection;
    }
    out["roles"] = with_ids(app, rule.roles, "role/" + part);
    out["filters"] = with_ids(app, rule.filters, "filter/" + part);
    return out;
}

http::Response get_default_rule(AdminCall& call) {
    const ServiceRef service = data_source_of(call);
    const server::DataSourceConfig* source = call.app().config.data_source(service.name);
    if (!source->default_rule) {
        throw ApiException(not_found("RuleNotFound", "default rule does not exist on service"));
    }
    const std::string id = call.app().part_id("default_rule", service.name).to_string();
    return json_response(200, shown_rule(call.app(), id, service.name, *source->default_rule));
}

http::Response create_default_rule(AdminCall& call) {
    const ServiceRef service = data_source_of(call);
    const json::object rule = clean_rule(call.body());
    call.edit([&](AppTree& tree, const App& app) {
        if (tree.contains(default_rule_file(service.name))) {
            throw ApiException(ApiError{400, "RuleAlreadyExists", "default rule already exists"});
        }
        write_file(tree, default_rule_file(service.name), rule);
        claim_id(tree, app, "default_rule", service.name);
    });
    const server::DataSourceConfig* source = call.app().config.data_source(service.name);
    const std::string id = call.app().part_id("default_rule", service.name).to_string();
    return json_response(201, shown_rule(call.app(), id, service.name, *source->default_rule));
}

http::Response update_default_rule(AdminCall& call) {
    const ServiceRef service = data_source_of(call);
    const json::object body = call.body();
    const json::object rule = clean_rule(body);
    call.edit([&](AppTree& tree, const App& app) {
        if (!tree.contains(default_rule_file(service.name))) {
            throw ApiException(ApiError{400, "RuleNotFound", "default rule does not exist"});
        }
        const std::string given = string_or(body, "_id");
        if (!given.empty() && given != app.part_id("default_rule", service.name).to_string()) {
            throw ApiException(bad_request("service default rule id mismatch"));
        }
        write_file(tree, default_rule_file(service.name), rule);
    });
    return http::Response::empty(204);
}

http::Response delete_default_rule(AdminCall& call) {
    const ServiceRef service = data_source_of(call);
    call.edit([&](AppTree& tree, const App&) {
        if (tree.erase(default_rule_file(service.name)) == 0) {
            throw ApiException(
                not_found("RuleNotFound", "default rule does not exist for app service"));
        }
    });
    return http::Response::empty(204);
}

// Rules of services that are no data sources: files of their own, kept but not run.

std::string other_rule_file(const std::string& service, const std::string& name) {
    return "services/" + service + "/rules/" + server::path_part(name) + ".json";
}

std::vector<std::string> other_rules(const App& app, const std::string& service) {
    const std::string folder = "services/" + service + "/rules/";
    std::vector<std::string> names;
    for (auto file = app.tree->lower_bound(folder);
         file != app.tree->end() && file->first.starts_with(folder); ++file) {
        const std::string part =
            file->first.substr(folder.size(), file->first.size() - folder.size() - 5);
        names.push_back(server::name_of_path_part(part));
    }
    return names;
}

std::string rule_part(const std::string& source, const std::string& database,
                      const std::string& collection) {
    return source + "/" + database + "/" + collection;
}

std::string other_rule_id(const App& app, const ServiceRef& service, const std::string& name) {
    return app.part_id("service_rule", service.name + "/" + name).to_string();
}

http::Response list_rules(AdminCall& call) {
    const ServiceRef service = service_of(call);
    const App& app = call.app();
    json::array out;
    if (service.is_data_source) {
        for (const server::RuleConfig& rule : app.config.data_source(service.name)->rules) {
            const std::string part = rule_part(service.name, rule.database, rule.collection);
            out.push_back(shown_rule(app, app.part_id("rule", part).to_string(), part, rule));
        }
    } else {
        for (const std::string& name : other_rules(app, service.name)) {
            json::object shown{{"_id", other_rule_id(app, service, name)}};
            for (const auto& [key, value] :
                 read_file(*app.tree, other_rule_file(service.name, name))) {
                shown[key] = value;
            }
            out.push_back(std::move(shown));
        }
    }
    return json_response(200, out);
}

json::object collection_rule(const json::object& body) {
    json::object out{{"database", required(body, "database")},
                     {"collection", required(body, "collection")}};
    for (const auto& [key, value] : clean_rule(body)) {
        out[key] = value;
    }
    return out;
}

// Old clients put the collection's schema into its rule.
void take_schema(AppTree& tree, const std::string& source, const json::object& body) {
    const json::value* schema = body.if_contains("schema");
    if (schema != nullptr && schema->is_object() && !schema->get_object().empty()) {
        put_schema(tree, source, required(body, "database"), required(body, "collection"), schema,
                   body.if_contains("relationships"));
    }
}

http::Response create_rule(AdminCall& call) {
    const ServiceRef service = service_of(call);
    const json::object body = call.body();
    if (!service.is_data_source) {
        const std::string name = required(body, "name");
        check_name(name, "a rule");
        call.edit([&](AppTree& tree, const App&) {
            const std::string path = other_rule_file(service.name, name);
            if (tree.contains(path)) {
                throw ApiException(
                    conflict("RuleAlreadyExists", "rule already exists: '" + name + "'"));
            }
            json::object file = body;
            file.stable_erase("_id");
            write_file(tree, path, file);
        });
        return json_response(
            201, json::object{{"_id", other_rule_id(call.app(), service, name)}, {"name", name}});
    }
    const json::object rule = collection_rule(body);
    const std::string database = required(body, "database");
    const std::string collection = required(body, "collection");
    const std::string part = rule_part(service.name, database, collection);
    call.edit([&](AppTree& tree, const App& app) {
        const std::string path =
            collection_folder(service.name, database, collection) + "/rules.json";
        if (tree.contains(path)) {
            throw ApiException(conflict("RuleAlreadyExists",
                                        "rule already exists for " + database + "." + collection));
        }
        write_file(tree, path, rule);
        take_schema(tree, service.name, body);
        claim_id(tree, app, "rule", part);
    });
    return json_response(201, json::object{{"_id", call.app().part_id("rule", part).to_string()},
                                           {"database", database},
                                           {"collection", collection}});
}

// The rule that the path names: its file and what a GET shows.
struct FoundRule {
    std::string path;
    json::object shown;
};

FoundRule rule_of(const AdminCall& call, const ServiceRef& service) {
    const App& app = call.app();
    const std::string& id = call.parameter("rule");
    if (service.is_data_source) {
        for (const server::RuleConfig& rule : app.config.data_source(service.name)->rules) {
            const std::string part = rule_part(service.name, rule.database, rule.collection);
            if (app.part_id("rule", part).to_string() == id) {
                return {collection_folder(service.name, rule.database, rule.collection) +
                            "/rules.json",
                        shown_rule(app, id, part, rule)};
            }
        }
    } else {
        for (const std::string& name : other_rules(app, service.name)) {
            if (other_rule_id(app, service, name) == id) {
                const std::string path = other_rule_file(service.name, name);
                json::object shown = read_file(*app.tree, path);
                shown["_id"] = id;
                return {path, std::move(shown)};
            }
        }
    }
    throw ApiException(not_found("RuleNotFound", "rule not found"));
}

http::Response get_rule(AdminCall& call) {
    return json_response(200, rule_of(call, service_of(call)).shown);
}

http::Response update_rule(AdminCall& call) {
    const ServiceRef service = service_of(call);
    const FoundRule found = rule_of(call, service);
    json::object body = call.body();
    call.edit([&](AppTree& tree, const App&) {
        if (!service.is_data_source) {
            body.stable_erase("_id");
            write_file(tree, found.path, body);
            return;
        }
        for (const char* key : {"database", "collection"}) {
            const std::string stored = string_or(found.shown, key);
            if (string_or(body, key, stored) != stored) {
                throw ApiException(
                    bad_request("a rule cannot move to another collection; delete and create"));
            }
            body[key] = stored;
        }
        write_file(tree, found.path, collection_rule(body));
        take_schema(tree, service.name, body);
    });
    return http::Response::empty(200);
}

http::Response delete_rule(AdminCall& call) {
    const FoundRule found = rule_of(call, service_of(call));
    call.edit([&](AppTree& tree, const App&) { tree.erase(found.path); });
    return http::Response::empty(204);
}

} // namespace

std::string collection_folder(const std::string& source, const std::string& database,
                              const std::string& collection) {
    return "data_sources/" + source + "/" + server::path_part(database) + "/" +
           server::path_part(collection);
}

json::object clean_rule(const json::object& body) {
    json::object out;
    for (const char* key : {"roles", "filters"}) {
        json::array list;
        const json::value* given = body.if_contains(key);
        if (given != nullptr && !given->is_null()) {
            if (!given->is_array()) {
                throw ApiException(bad_request("'" + std::string(key) + "' must be an array"));
            }
            for (const json::value& one : given->get_array()) {
                if (!one.is_object()) {
                    throw ApiException(
                        bad_request("each of '" + std::string(key) + "' must be an object"));
                }
                json::object clean = one.get_object();
                clean.stable_erase("_id");
                list.push_back(std::move(clean));
            }
        }
        out[key] = std::move(list);
    }
    return out;
}

void add_rule_routes(RouteTable& table) {
    const std::string rule = "services/{service}/default_rule";
    table.add(Method::get, rule, "The data source's default rule", 200, get_default_rule);
    table.add(Method::post, rule, "Create the default rule", 201, create_default_rule);
    table.add(Method::put, rule, "Replace the default rule", 204, update_default_rule);
    table.add(Method::delete_, rule, "Remove the default rule", 204, delete_default_rule);
    const std::string rules = "services/{service}/rules";
    table.add(Method::get, rules, "Rules of a service", 200, list_rules);
    table.add(Method::post, rules, "Create a rule", 201, create_rule);
    table.add(Method::get, rules + "/{rule}", "One rule", 200, get_rule);
    table.add(Method::put, rules + "/{rule}", "Replace a rule", 200, update_rule);
    table.add(Method::delete_, rules + "/{rule}", "Remove a rule", 204, delete_rule);
}

} // namespace tombolo::api::admin
