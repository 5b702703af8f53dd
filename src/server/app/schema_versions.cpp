#include "server/app/schema_versions.hpp"

#include <algorithm>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include "schema/app_schema.hpp"
#include "schema/comparison.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

Result<schema::AppSchema> synced_schemas(const AppConfig& config, const std::string& source) {
    schema::AppSchema out;
    for (const SchemaConfig& one : config.schemas) {
        if (one.data_source != source) {
            continue;
        }
        const json::object form{{"metadata", json::object{{"data_source", one.data_source},
                                                          {"database", one.database},
                                                          {"collection", one.collection}}},
                                {"schema", one.schema},
                                {"relationships", one.relationships}};
        TOMBOLO_TRY(schema::CollectionSchema parsed,
                    schema::parse_collection_schema(json::serialize(form)));
        for (const std::string& name : config.sync.asymmetric_tables) {
            parsed.asymmetric = parsed.asymmetric || parsed.schema.title == name;
        }
        out.collections.push_back(std::move(parsed));
    }
    return out;
}

bool same_schemas(const AppConfig& before, const AppConfig& after) {
    const auto equal = [](const SchemaConfig& left, const SchemaConfig& right) {
        return left.data_source == right.data_source && left.database == right.database &&
               left.collection == right.collection && left.schema == right.schema &&
               left.relationships == right.relationships;
    };
    return before.sync.asymmetric_tables == after.sync.asymmetric_tables &&
           std::equal(before.schemas.begin(), before.schemas.end(), after.schemas.begin(),
                      after.schemas.end(), equal);
}

} // namespace

std::string frozen_text(const SchemaVersion& version) {
    if (version.schemas.empty()) {
        return {};
    }
    json::array schemas;
    for (const SchemaConfig& one : version.schemas) {
        schemas.push_back(json::object{{"data_source", one.data_source},
                                       {"database", one.database},
                                       {"collection", one.collection},
                                       {"schema", one.schema},
                                       {"relationships", one.relationships}});
    }
    return json::serialize(
        json::object{{"schemas", std::move(schemas)},
                     {"asymmetric", json::value_from(version.asymmetric_tables)}});
}

void read_frozen(std::string_view text, SchemaVersion& version) {
    const Result<json::object> whole = parse_json_object(text.empty() ? "{}" : text);
    if (!whole) {
        return;
    }
    const json::value* schemas = whole->if_contains("schemas");
    if (schemas != nullptr && schemas->is_array()) {
        for (const json::value& each : schemas->get_array()) {
            if (each.is_object()) {
                const json::object& one = each.get_object();
                version.schemas.push_back({string_or(one, "data_source"),
                                           string_or(one, "database"), string_or(one, "collection"),
                                           object_or_empty(one, "schema"),
                                           object_or_empty(one, "relationships")});
            }
        }
    }
    const json::value* asymmetric = whole->if_contains("asymmetric");
    if (asymmetric != nullptr && asymmetric->is_array()) {
        for (const json::value& each : asymmetric->get_array()) {
            if (each.is_string()) {
                version.asymmetric_tables.emplace_back(each.get_string());
            }
        }
    }
}

Result<std::vector<SchemaVersion>> next_schema_versions(const AppConfig* before,
                                                        const AppConfig& after,
                                                        std::vector<SchemaVersion> versions,
                                                        std::uint64_t deployment,
                                                        std::int64_t now_unix_ms, bool may_break) {
    if (after.sync.mode == SyncConfig::Mode::none || after.sync.state.empty()) {
        return versions;
    }
    if (versions.empty()) {
        versions.push_back({0, deployment, now_unix_ms, {}, {}});
        return versions;
    }
    const bool was_on = before != nullptr && !before->sync.state.empty() &&
                        before->sync.service_name == after.sync.service_name;
    if (!was_on || same_schemas(*before, after)) {
        return versions;
    }
    TOMBOLO_TRY(const schema::AppSchema old_schemas,
                synced_schemas(*before, before->sync.service_name));
    TOMBOLO_TRY(const schema::AppSchema new_schemas,
                synced_schemas(after, after.sync.service_name));
    const std::vector<schema::SchemaChange> changes =
        schema::compare_apps(old_schemas, new_schemas);
    if (!schema::breaks_server(changes)) {
        return versions;
    }
    if (!may_break) {
        std::string text = "the change breaks the schema of synced data; it makes a new schema "
                           "version when the request has "
                           "bypass_service_change=SyncSchemaVersionIncrease";
        for (const schema::SchemaChange& change : changes) {
            if (change.on_server == schema::ChangeEffect::breaking) {
                text += "\n  " + change.text;
            }
        }
        return Error(ErrorCode::incompatible_schema, std::move(text));
    }
    for (const SchemaConfig& one : before->schemas) {
        if (one.data_source == before->sync.service_name) {
            versions.back().schemas.push_back(one);
        }
    }
    versions.back().asymmetric_tables = before->sync.asymmetric_tables;
    versions.push_back({versions.back().number + 1, deployment, now_unix_ms, {}, {}});
    return versions;
}

} // namespace tombolo::server
