// Classes for device SDKs made from an app's schemas (admin-api-and-config.md R8).
//
//   GET sync/client_schemas/{language}

#include <set>

#include <boost/json/serialize.hpp>

#include "schema/app_mapping.hpp"
#include "schema/data_models.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;

namespace {

schema::CollectionSchema collection_of(const server::SchemaConfig& config) {
    auto parsed = schema::parse_collection_schema(
        json::serialize(json::object{{"metadata",
                                      {{"data_source", config.data_source},
                                       {"database", config.database},
                                       {"collection", config.collection}}},
                                     {"schema", config.schema},
                                     {"relationships", config.relationships}}));
    if (!parsed) { // deploying read it
        throw parsed.error();
    }
    return *std::move(parsed);
}

json::array texts(const std::vector<std::string>& list) {
    json::array out;
    for (const std::string& text : list) {
        out.emplace_back(text);
    }
    return out;
}

json::object entry(const App& app, const server::SchemaConfig& config) {
    const std::string part = config.data_source + "/" + config.database + "/" + config.collection;
    return {{"service_id", app.part_id("service", config.data_source).to_string()},
            {"rule_id", app.part_id("rule", part).to_string()},
            {"collection_display_name", config.collection}};
}

// The class of a collection and the embedded ones that only it holds so far.
void add_models(const schema::Schema& schema, const std::string& name,
                schema::ModelLanguage language, const json::object& where,
                const json::array& problems, std::set<std::string>& done, json::array& out) {
    const schema::ClassSchema* model = schema.find(name);
    if (model == nullptr || !done.insert(name).second) {
        return;
    }
    const schema::DataModel made = schema::data_model(language, schema, *model);
    json::array warnings = problems;
    for (const std::string& text : made.warnings) {
        warnings.push_back(json::object{{"error", text}, {"error_code", "InvalidName"}});
    }
    json::object one = where;
    one["model_name"] = made.name;
    one["import_statements"] = texts(made.imports);
    one["schema"] = made.source;
    one["warnings"] = warnings;
    out.push_back(std::move(one));
    for (const schema::Property& property : model->properties()) {
        if (schema.is_embedded_place(property)) {
            add_models(schema, property.target, language, where, {}, done, out);
        }
    }
}

void add_source(const App& app, const std::string& source, schema::ModelLanguage language,
                json::array& out) {
    schema::AppSchema collections;
    for (const server::SchemaConfig& config : app.config.schemas) {
        if (config.data_source == source) {
            collections.collections.push_back(collection_of(config));
        }
    }
    const schema::MappedSchema mapped = schema::to_object_schema(collections);
    std::set<std::string> done;
    for (const server::SchemaConfig& config : app.config.schemas) {
        if (config.data_source != source) {
            continue;
        }
        const std::string title = server::string_or(config.schema, "title", config.collection);
        json::object where = entry(app, config);
        json::array warnings;
        std::string error;
        for (const schema::SchemaProblem& problem : mapped.problems) {
            if (problem.class_name != title) {
                continue;
            }
            warnings.push_back(
                json::object{{"error", problem.text}, {"error_code", "SchemaProblem"}});
            error += problem.warning ? "" : (error.empty() ? "" : "\n") + problem.text;
        }
        if (!error.empty() || mapped.documents.schema.find(title) == nullptr) {
            where["model_name"] = title;
            where["import_statements"] = json::array();
            where["schema"] = "";
            where["warnings"] = warnings;
            where["error"] =
                json::object{{"error", error.empty() ? "the schema makes no class" : error},
                             {"error_code", "InvalidSchema"}};
            out.push_back(std::move(where));
            continue;
        }
        add_models(mapped.documents.schema, title, language, where, warnings, done, out);
    }
}

http::Response client_schemas(AdminCall& call) {
    const auto language = schema::model_language(call.parameter("language"));
    if (!language) {
        throw ApiException(bad_request("there is no language '" + call.parameter("language") +
                                       "'; there are C_SHARP, JAVA, JAVA_SCRIPT, KOTLIN, "
                                       "OBJECTIVE_C, SWIFT, TYPE_SCRIPT, DART and C_PLUS_PLUS"));
    }
    json::array out;
    std::set<std::string> sources;
    for (const server::SchemaConfig& config : call.app().config.schemas) {
        if (sources.insert(config.data_source).second) {
            add_source(call.app(), config.data_source, *language, out);
        }
    }
    return json_response(200, out);
}

} // namespace

void add_model_routes(RouteTable& table) {
    table.add(Method::get, "sync/client_schemas/{language}",
              "The app's classes as source text for an SDK", 200, client_schemas);
}

} // namespace tombolo::api::admin
