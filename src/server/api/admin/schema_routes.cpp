// Schemas of collections (admin-api-and-config.md R7).

#include <boost/json/serialize.hpp>

#include "schema/app_schema.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;
using server::object_or_empty;

namespace {

std::string part_of(const server::SchemaConfig& schema) {
    return schema.data_source + "/" + schema.database + "/" + schema.collection;
}

json::object metadata(const server::SchemaConfig& schema) {
    return json::object{{"data_source", schema.data_source},
                        {"database", schema.database},
                        {"collection", schema.collection}};
}

json::object shown(const App& app, const server::SchemaConfig& schema, bool whole) {
    json::object out{{"_id", app.part_id("schema", part_of(schema)).to_string()},
                     {"metadata", metadata(schema)}};
    if (whole) {
        out["schema"] = schema.schema;
        out["relationships"] = schema.relationships;
    }
    return out;
}

const server::SchemaConfig& schema_of(const AdminCall& call) {
    const App& app = call.app();
    const std::string& id = call.parameter("schema");
    for (const server::SchemaConfig& one : app.config.schemas) {
        if (app.part_id("schema", part_of(one)).to_string() == id) {
            return one;
        }
    }
    throw ApiException(not_found("SchemaNotFound", "schema not found"));
}

http::Response list_schemas(AdminCall& call) {
    json::array out;
    for (const server::SchemaConfig& one : call.app().config.schemas) {
        out.push_back(shown(call.app(), one, false));
    }
    return json_response(200, out);
}

http::Response create_schema(AdminCall& call) {
    const json::object body = call.body();
    const json::object& where = object_or_empty(body, "metadata");
    const std::string source = required(where, "data_source");
    const std::string database = required(where, "database");
    const std::string collection = required(where, "collection");
    call.edit([&](AppTree& tree, const App& app) {
        if (app.config.schema(source, database, collection) != nullptr) {
            throw ApiException(conflict("SchemaAlreadyExists",
                                        "there is a schema for " + database + "." + collection));
        }
        put_schema(tree, source, database, collection, body.if_contains("schema"),
                   body.if_contains("relationships"));
        claim_id(tree, app, "schema", source + "/" + database + "/" + collection);
    });
    const server::SchemaConfig* made = call.app().config.schema(source, database, collection);
    return json_response(200, shown(call.app(), *made, false));
}

http::Response get_schema(AdminCall& call) {
    return json_response(200, shown(call.app(), schema_of(call), true));
}

http::Response update_schema(AdminCall& call) {
    const json::object body = call.body();
    const server::SchemaConfig stored = schema_of(call);
    const json::object& where = object_or_empty(body, "metadata");
    for (const auto& [key, value] : metadata(stored)) {
        const json::value* given = where.if_contains(key);
        if (given != nullptr && *given != value) {
            throw ApiException(bad_request("'metadata' names another collection than the schema"));
        }
    }
    call.edit([&](AppTree& tree, const App&) {
        put_schema(tree, stored.data_source, stored.database, stored.collection,
                   body.if_contains("schema"), body.if_contains("relationships"));
    });
    return http::Response::empty(204);
}

http::Response delete_schema(AdminCall& call) {
    const server::SchemaConfig stored = schema_of(call);
    call.edit([&](AppTree& tree, const App&) {
        const std::string folder =
            collection_folder(stored.data_source, stored.database, stored.collection);
        tree.erase(folder + "/schema.json");
        tree.erase(folder + "/relationships.json");
    });
    return http::Response::empty(204);
}

// In a hidden file of the tree: part of drafts and deployments like the schemas it is about.
http::Response set_null_passes(AdminCall& call) {
    const json::object body = call.body();
    if (!body.contains("enabled")) {
        throw ApiException(missing_parameter("'enabled' is required"));
    }
    const bool enabled = is_true(body, "enabled");
    call.edit([&](AppTree& tree, const App&) {
        if (enabled) {
            write_file(tree, std::string(server::validation_file),
                       json::object{{"null_type_schema_validation", true}});
        } else {
            tree.erase(std::string(server::validation_file));
        }
    });
    return http::Response::empty(204);
}

// Settings that are stored and shown, one object each.
void add_setting(RouteTable& table, const std::string& path, const std::string& summary,
                 const json::object& initial) {
    table.add(Method::get, path, summary, 200, [path, initial](AdminCall& call) {
        json::object out = initial;
        for (const auto& [key, value] : take(call.apps().setting(call.app().id, path))) {
            out[key] = value;
        }
        return json_response(200, out);
    });
    table.add(Method::put, path, summary + ": change", 204, [path](AdminCall& call) {
        call.apps().set_setting(call.app().id, path, call.body()).value();
        return http::Response::empty(204);
    });
}

} // namespace

void put_schema(AppTree& tree, const std::string& source, const std::string& database,
                const std::string& collection, const json::value* schema,
                const json::value* relationships) {
    check_name(source, "a data source");
    if (database.empty() || collection.empty() || database.find('/') != std::string::npos ||
        collection.find('\0') != std::string::npos) {
        throw ApiException(bad_request("'database' and 'collection' must be legal names"));
    }
    if (schema == nullptr || !schema->is_object() || schema->get_object().empty()) {
        throw ApiException(missing_parameter("'schema' is required, an object"));
    }
    const bool none = relationships == nullptr || relationships->is_null();
    const json::object form{
        {"metadata",
         json::object{{"data_source", source}, {"database", database}, {"collection", collection}}},
        {"schema", *schema},
        {"relationships", none ? json::value(nullptr) : *relationships}};
    const auto parsed = schema::parse_collection_schema(json::serialize(form));
    if (!parsed) {
        throw ApiException(ApiError{400, "SchemaValidationFailedWrite",
                                    database + "." + collection + ": " + parsed.error().what()});
    }
    const std::string folder = collection_folder(source, database, collection);
    write_file(tree, folder + "/schema.json", *schema);
    write_file(tree, folder + "/relationships.json",
               none ? json::value(json::object()) : *relationships);
}

void add_schema_routes(RouteTable& table) {
    table.add(Method::get, "schemas", "Schemas of the app's collections", 200, list_schemas);
    table.add(Method::post, "schemas", "Create a collection's schema", 200, create_schema);
    table.add(Method::get, "schemas/{schema}", "One schema", 200, get_schema);
    table.add(Method::put, "schemas/{schema}", "Replace a schema", 204, update_schema);
    table.add(Method::delete_, "schemas/{schema}", "Remove a schema", 204, delete_schema);
    const std::string null_setting = "validation_settings/null_type_schema_validation";
    table.add(
        Method::get, null_setting, "Whether null passes for optional fields", 200,
        [](AdminCall& call) {
            return json_response(200, json::object{{"enabled", call.app().config.null_passes}});
        });
    table.add(Method::put, null_setting, "Whether null passes for optional fields: change", 204,
              set_null_passes);
    add_setting(table, "validation_settings/graphql", "Stored, not used",
                {{"read_validation_action", "ERROR"}, {"write_validation_action", "ERROR"}});
}

} // namespace tombolo::api::admin
