#include "server/sync/session/sync_model.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>

#include "schema/validation.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server::sync {

namespace {

namespace json = boost::json;

// Without an _id nothing can be synced: tools post the schemas of embedded classes like this, which
// then stand inside the classes that hold them.
bool has_id(const SchemaConfig& one) {
    return object_or_empty(one.schema, "properties").contains("_id");
}

Result<schema::AppSchema> schemas_of(const AppConfig& config, std::vector<std::string>& warnings) {
    schema::AppSchema out;
    for (const SchemaConfig& one : config.schemas) {
        if (one.data_source != config.sync.service_name) {
            continue;
        }
        if (!has_id(one)) {
            warnings.push_back("collection '" + one.collection +
                               "' is not synced: its schema has no \"_id\"");
            continue;
        }
        const json::object text{{"metadata", json::object{{"data_source", one.data_source},
                                                          {"database", one.database},
                                                          {"collection", one.collection}}},
                                {"schema", one.schema},
                                {"relationships", one.relationships}};
        Result<schema::CollectionSchema> parsed =
            schema::parse_collection_schema(json::serialize(text));
        if (!parsed) {
            return parsed.error().within(one.database + "." + one.collection);
        }
        const json::value* title = one.schema.if_contains("title");
        const std::string name =
            title != nullptr && title->is_string() ? title->get_string().c_str() : one.collection;
        const auto& asymmetric = config.sync.asymmetric_tables;
        parsed->asymmetric =
            std::find(asymmetric.begin(), asymmetric.end(), name) != asymmetric.end();
        out.collections.push_back(*std::move(parsed));
    }
    return out;
}

void add_queryable(const SyncConfig& config, AppModel& out) {
    SyncModel& model = out.model;
    model.queryable.global.insert(config.queryable_fields_names.begin(),
                                  config.queryable_fields_names.end());
    for (const auto& [collection, fields] : config.collection_queryable_fields_names) {
        bool found = false;
        for (const auto& [class_name, place] : model.documents.places) {
            if (place.collection == collection) {
                model.queryable.by_class[class_name].insert(fields.begin(), fields.end());
                found = true;
            }
        }
        if (!found) {
            out.warnings.push_back("queryable fields are given for collection '" + collection +
                                   "', which is not synced");
        }
    }
}

} // namespace

Result<AppModel> make_app_model(const AppConfig& config) {
    const SyncConfig& sync = config.sync;
    if (sync.mode != SyncConfig::Mode::flexible) {
        return Error(ErrorCode::unsupported, "the app does not use flexible sync");
    }
    AppModel out;
    TOMBOLO_TRY(const schema::AppSchema schemas, schemas_of(config, out.warnings));
    schema::MappedSchema mapped = schema::to_object_schema(schemas);
    if (!mapped.ok()) {
        return schema::to_error(mapped.problems);
    }
    for (const schema::SchemaProblem& problem : mapped.problems) {
        out.warnings.push_back(problem.text);
    }
    out.model.documents = std::move(mapped.documents);
    out.model.development_mode = sync.development_mode_enabled;
    out.model.data_source = sync.service_name;
    out.model.database = sync.database_name;
    out.client_max_offline_ms = sync.client_max_offline_days * 24 * 3600 * 1000;
    out.recovery_mode_disabled = sync.is_recovery_mode_disabled;
    add_queryable(sync, out);
    return out;
}

} // namespace tombolo::server::sync
