// Data sources, other services, rules, schemas, sync and endpoints (admin-api-and-config.md 3, 4.4
// to 4.6, 4.9).

#include <algorithm>
#include <array>

#include "server/app/app_config_reader.hpp"
#include "server/app/log_types.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

std::vector<std::string> split(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t from = 0;
    while (from <= path.size()) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        parts.push_back(path.substr(from, end - from));
        from = end + 1;
    }
    return parts;
}

bool is_data_source_type(std::string_view type) {
    return type == "mongodb" || type == "mongodb-atlas" || type == "datalake";
}

} // namespace

std::string path_part(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (c == '/' || c == '%' || (c == '.' && i == 0)) {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += hex_digits[byte >> 4];
            out += hex_digits[byte & 0xf];
        } else {
            out += c;
        }
    }
    return out;
}

std::string name_of_path_part(std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const std::string_view escape = part.substr(i, 3);
        if (escape == "%2F" || escape == "%25" || escape == "%2E") {
            out += escape == "%2F" ? '/' : escape == "%25" ? '%' : '.';
            i += 2;
        } else {
            out += part[i];
        }
    }
    return out;
}

void ConfigReader::services(const std::string& folder) {
    for (auto file = tree_.lower_bound(folder);
         file != tree_.end() && file->first.starts_with(folder); ++file) {
        const std::string& path = file->first;
        if (!path.ends_with("/config.json") || std::count(path.begin(), path.end(), '/') != 2) {
            continue;
        }
        const json::object object = read(path);
        const std::string type = text(path, object, "type");
        const std::string name = text(path, object, "name");
        if (is_data_source_type(type)) {
            data_source(path, folder + split(path)[1], object);
            continue;
        }
        out_.config.other_services.push_back({name, type});
        if (type == "gcm") {
            out_.config.push_services.push_back(name);
        } else {
            warn(path, "services of type '" + type + "' are kept but not run");
        }
    }
}

void ConfigReader::data_source(const std::string& path, const std::string& folder,
                               const json::object& file) {
    const json::object& inner = object_or_empty(file, "config");
    DataSourceConfig source;
    source.name = text(path, file, "name");
    source.type = text(path, file, "type");
    source.address = string_or(inner, "clusterName", string_or(inner, "uri"));
    if (source.name.empty() || source.name.size() > 64) {
        problem(path, "'name' of 1 to 64 characters is required");
    }
    source.default_rule = rule(folder + "/default_rule.json");
    if (inner.contains("flexible_sync")) {
        sync_block(path, source.name, object_or_empty(inner, "flexible_sync"),
                   SyncConfig::Mode::flexible);
    } else if (inner.contains("sync")) {
        sync_block(path, source.name, object_or_empty(inner, "sync"), SyncConfig::Mode::partition);
    }
    out_.config.data_sources.push_back(std::move(source));
}

std::optional<RuleConfig> ConfigReader::rule(const std::string& path) {
    if (!tree_.contains(path)) {
        return std::nullopt;
    }
    const json::object file = read(path);
    RuleConfig rule;
    rule.database = text(path, file, "database");
    rule.collection = text(path, file, "collection");
    rule.roles = objects(path, file, "roles");
    rule.filters = objects(path, file, "filters");
    return rule;
}

void ConfigReader::rules_and_schemas() {
    constexpr std::string_view folder = "data_sources/";
    for (auto file = tree_.lower_bound(folder);
         file != tree_.end() && file->first.starts_with(folder); ++file) {
        const std::string& path = file->first;
        const std::vector<std::string> parts = split(path);
        if (parts.size() != 5) {
            continue;
        }
        std::string database = name_of_path_part(parts[2]);
        std::string collection = name_of_path_part(parts[3]);
        if (parts[4] == "rules.json") {
            std::optional<RuleConfig> found = rule(path);
            found->database = found->database.empty() ? database : found->database;
            found->collection = found->collection.empty() ? collection : found->collection;
            const auto source =
                std::find_if(out_.config.data_sources.begin(), out_.config.data_sources.end(),
                             [&](const DataSourceConfig& one) { return one.name == parts[1]; });
            if (source != out_.config.data_sources.end()) {
                source->rules.push_back(std::move(*found));
            }
        } else if (parts[4] == "schema.json") {
            schema(path, parts[1], database, collection);
        }
    }
}

void ConfigReader::schema(const std::string& path, const std::string& source,
                          const std::string& database, const std::string& collection) {
    SchemaConfig config;
    config.data_source = source;
    config.database = database;
    config.collection = collection;
    config.schema = read(path);
    config.relationships = read(path.substr(0, path.rfind('/')) + "/relationships.json");
    if (!config.schema.empty()) { // {} stands for "no schema" in directories made by tools
        out_.config.schemas.push_back(std::move(config));
    }
}

void ConfigReader::sync() {
    const std::string path = "sync/config.json";
    const json::object file = read(path);
    SyncConfig& config = out_.config.sync;
    const bool development = flag(path, file, "development_mode_enabled");
    const std::string service = text(path, file, "service_name");
    if (!service.empty()) {
        config = {}; // the file goes before what stands in a data source's config
        const std::string type = text(path, file, "type");
        const bool partition =
            type == "partition" || (type.empty() && file.if_contains("partition") != nullptr);
        sync_block(path, service, file,
                   partition ? SyncConfig::Mode::partition : SyncConfig::Mode::flexible);
        if (out_.config.data_source(service) == nullptr) {
            problem(path, "'service_name' names no data source: '" + service + "'");
        }
    }
    config.development_mode_enabled = development;
}

void ConfigReader::sync_block(const std::string& path, const std::string& service,
                              const json::object& file, SyncConfig::Mode mode) {
    SyncConfig config;
    config.mode = mode;
    config.service_name = service;
    config.state = text(path, file, "state");
    config.database_name = text(path, file, "database_name");
    config.is_recovery_mode_disabled = flag(path, file, "is_recovery_mode_disabled");
    if (const json::value* days = file.if_contains("client_max_offline_days");
        days != nullptr && !days->is_null()) {
        if (!days->is_int64() || days->get_int64() <= 0) {
            problem(path, "'client_max_offline_days' must be a whole number above 0");
        } else {
            config.client_max_offline_days = days->get_int64();
        }
    }
    if (config.state != "enabled" && config.state != "disabled" && !config.state.empty()) {
        problem(path, "'state' must be \"enabled\", \"disabled\" or \"\"");
    }
    config.queryable_fields_names = texts(path, file, "queryable_fields_names");
    config.indexed_queryable_fields_names = texts(path, file, "indexed_queryable_fields_names");
    config.asymmetric_tables = texts(path, file, "asymmetric_tables");
    const json::object& fields = object_or_empty(file, "collection_queryable_fields_names");
    for (const auto& [collection, names] : fields) {
        config.collection_queryable_fields_names[std::string(collection)] =
            texts(path, fields, collection);
    }
    if (config.indexed_queryable_fields_names.size() > 1) {
        problem(path, "'indexed_queryable_fields_names' has at most one field");
    }
    const json::object& partition = object_or_empty(file, "partition");
    config.partition_key = text(path, partition, "key");
    config.partition_type = text(path, partition, "type");
    config.partition_required = flag(path, partition, "required");
    const json::object& permissions = object_or_empty(partition, "permissions");
    if (const json::value* read = permissions.if_contains("read")) {
        config.partition_read = *read;
    }
    if (const json::value* write = permissions.if_contains("write")) {
        config.partition_write = *write;
    }
    // Of several data sources the one that has sync on counts.
    if (out_.config.sync.mode == SyncConfig::Mode::none || out_.config.sync.state.empty()) {
        out_.config.sync = std::move(config);
    } else if (!config.state.empty()) {
        problem(path, "only one data source of an app may have sync: '" +
                          out_.config.sync.service_name + "' has it");
    }
}

void ConfigReader::endpoints() {
    for (const char* path : {"https_endpoints/config.json", "http_endpoints/config.json"}) {
        for (const json::value& entry : read_array(path)) {
            if (!entry.is_object()) {
                problem(path, "each endpoint must be an object");
                continue;
            }
            const json::object& file = entry.get_object();
            EndpointConfig config;
            config.route = text(path, file, "route");
            config.http_method = text(path, file, "http_method");
            config.function_name = text(path, file, "function_name");
            // The documentation shows it under both names.
            config.validation_method =
                text(path, file, "validation_method",
                     text(path, file, "verification_method", "NO_VALIDATION"));
            config.secret_name = text(path, file, "secret_name");
            config.return_type = text(path, file, "return_type", "JSON");
            config.respond_result = flag(path, file, "respond_result");
            config.fetch_custom_user_data = flag(path, file, "fetch_custom_user_data");
            config.create_user_on_auth = flag(path, file, "create_user_on_auth");
            config.disabled = flag(path, file, "disabled");
            if (const json::value* rule = file.if_contains("can_evaluate"); rule != nullptr) {
                config.can_evaluate = rule->is_object() ? rule->get_object() : json::object();
            }
            out_.config.endpoints.push_back(std::move(config));
        }
    }
}

void ConfigReader::log_forwarders() {
    const std::string folder = "log_forwarders/";
    for (auto found = tree_.lower_bound(folder);
         found != tree_.end() && found->first.starts_with(folder); ++found) {
        const std::string& path = found->first;
        if (path.ends_with(".json") && path.find('/', folder.size()) == std::string::npos) {
            log_forwarder(path, read(path));
        }
    }
}

void ConfigReader::log_forwarder(const std::string& path, const json::object& file) {
    LogForwarderConfig config;
    const std::size_t name_at = path.rfind('/') + 1;
    config.name = text(path, file, "name", path.substr(name_at, path.size() - name_at - 5));
    config.disabled = flag(path, file, "disabled");
    for (const std::string& kind : texts(path, file, "log_types")) {
        const auto* group = std::find_if(std::begin(log_type_groups), std::end(log_type_groups),
                                         [&](const LogTypeGroup& one) { return one.name == kind; });
        if (group == std::end(log_type_groups) || kind == "log_forwarder") {
            warn(path, "'" + kind + "' is no kind of log entry that can be forwarded");
            continue;
        }
        std::string_view types = group->types;
        while (!types.empty()) {
            const std::size_t end = std::min(types.find(','), types.size());
            config.types.emplace(types.substr(0, end));
            types.remove_prefix(std::min(end + 1, types.size()));
        }
    }
    const std::vector<std::string> statuses = texts(path, file, "log_statuses");
    config.errors = false;
    config.successes = false;
    for (const std::string& status : statuses) {
        if (status != "error" && status != "success") {
            problem(path, "'log_statuses' holds error and success");
        }
        (status == "error" ? config.errors : config.successes) = true;
    }
    const std::string policy = text(path, object_or_empty(file, "policy"), "type", "single");
    if (policy != "single" && policy != "batch") {
        problem(path, "'policy.type' must be single or batch");
    }
    config.batch = policy == "batch";
    if (!file.contains("action")) {
        warn(path, "the forwarder has no 'action' and forwards nothing");
        return;
    }
    const json::object& action = object_or_empty(file, "action");
    const std::string type = text(path, action, "type");
    config.data_source = text(path, action, "data_source");
    config.database = text(path, action, "database");
    config.collection = text(path, action, "collection");
    if (type == "function") {
        config.function = text(path, action, "name");
    }
    const bool whole = type == "function"
                           ? !config.function.empty()
                           : type == "collection" && !config.data_source.empty() &&
                                 !config.database.empty() && !config.collection.empty();
    if (!whole) {
        problem(path, "'action' must be a function with its name, or a collection with "
                      "data_source, database and collection");
    }
    out_.config.log_forwarders.push_back(std::move(config));
}

} // namespace tombolo::server
