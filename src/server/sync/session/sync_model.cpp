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

Result<schema::AppSchema> schemas_of(const std::vector<SchemaConfig>& schemas,
                                     const std::vector<std::string>& asymmetric,
                                     const std::string& data_source,
                                     std::vector<std::string>& warnings) {
    schema::AppSchema out;
    for (const SchemaConfig& one : schemas) {
        if (one.data_source != data_source) {
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

/// Device-sync-server.md 3.3: of four types, the same in all classes; a class may lack it.
Result<void> add_indexed(const SyncConfig& config, AppModel& out) {
    if (config.indexed_queryable_fields_names.empty()) {
        return {};
    }
    const std::string& field = config.indexed_queryable_fields_names.front();
    const auto refuse = [&](const std::string& why) {
        return Error(ErrorCode::invalid_schema,
                     "the indexed queryable field '" + field + "' " + why);
    };
    if (!out.model.queryable.global.contains(field)) {
        return refuse("has to be in 'queryable_fields_names' too");
    }
    std::optional<schema::PropertyType> type;
    for (const schema::ClassSchema& each : out.model.documents.schema.classes()) {
        const schema::Property* property = each.is_embedded() ? nullptr : each.find(field);
        if (property == nullptr) {
            continue;
        }
        using schema::PropertyType;
        const bool fits =
            property->collection == schema::CollectionKind::none &&
            (property->type == PropertyType::integer || property->type == PropertyType::string ||
             property->type == PropertyType::object_id || property->type == PropertyType::uuid);
        if (!fits) {
            return refuse("is " + schema::type_text(*property) + " in '" + each.name() +
                          "'; it can be int, long, string, objectId or uuid");
        }
        if (type && *type != property->type) {
            return refuse("has another type in '" + each.name() + "' than in other classes");
        }
        type = property->type;
    }
    out.model.indexed_queryable = field;
    return {};
}

Result<schema::DocumentSchema> documents_of(const std::vector<SchemaConfig>& schemas,
                                            const std::vector<std::string>& asymmetric,
                                            const std::string& data_source,
                                            std::vector<std::string>& warnings) {
    TOMBOLO_TRY(const schema::AppSchema parsed,
                schemas_of(schemas, asymmetric, data_source, warnings));
    schema::MappedSchema mapped = schema::to_object_schema(parsed);
    if (!mapped.ok()) {
        return schema::to_error(mapped.problems);
    }
    for (const schema::SchemaProblem& problem : mapped.problems) {
        warnings.push_back(problem.text);
    }
    return std::move(mapped.documents);
}

} // namespace

Result<AppModel> make_app_model(const AppConfig& config, std::span<const SchemaVersion> versions) {
    const SyncConfig& sync = config.sync;
    if (sync.mode != SyncConfig::Mode::flexible) {
        return Error(ErrorCode::unsupported, "the app does not use flexible sync");
    }
    AppModel out;
    TOMBOLO_TRY(out.model.documents, documents_of(config.schemas, sync.asymmetric_tables,
                                                  sync.service_name, out.warnings));
    for (const SchemaVersion& each : versions) {
        out.model.schema_version = each.number;
        if (&each == &versions.back()) {
            break;
        }
        std::vector<std::string> said_before;
        TOMBOLO_TRY(
            schema::DocumentSchema documents,
            documents_of(each.schemas, each.asymmetric_tables, sync.service_name, said_before));
        out.model.older.push_back({each.number, std::move(documents)});
    }
    out.model.development_mode = sync.development_mode_enabled;
    out.model.data_source = sync.service_name;
    out.model.database = sync.database_name;
    out.client_max_offline_ms = sync.client_max_offline_days * 24 * 3600 * 1000;
    out.recovery_mode_disabled = sync.is_recovery_mode_disabled;
    add_queryable(sync, out);
    TOMBOLO_TRY_VOID(add_indexed(sync, out));
    return out;
}

} // namespace tombolo::server::sync
