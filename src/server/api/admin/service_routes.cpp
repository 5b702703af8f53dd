// Data sources and other services, and their configuration (admin-api-and-config.md R2, R4).

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

bool is_data_source(std::string_view type) {
    return type == "mongodb" || type == "mongodb-atlas" || type == "datalake";
}

void check_type(const std::string& type) {
    static constexpr std::array known = {"mongodb", "mongodb-atlas", "datalake", "gcm",
                                         "http",    "aws",           "aws-ses",  "aws-s3",
                                         "twilio",  "github"};
    if (std::find(known.begin(), known.end(), type) == known.end()) {
        throw ApiException(
            ApiError{400, "ServiceTypeNotFound", "there is no service type '" + type + "'"});
    }
}

// "mongodb://user:secret@host" -> "mongodb://user:****@host".
std::string masked(const std::string& uri) {
    const std::size_t start = uri.find("://");
    const std::size_t end = uri.find('@');
    if (start == std::string::npos || end == std::string::npos || end < start) {
        return uri;
    }
    const std::size_t colon = uri.find(':', start + 3);
    return colon == std::string::npos || colon > end
               ? uri
               : uri.substr(0, colon + 1) + "****" + uri.substr(end);
}

json::object service_json(const App& app, const ServiceRef& service) {
    const json::object file =
        read_file(*app.tree, service_folder(*app.tree, service.name) + "/config.json");
    const json::value* version = file.if_contains("version");
    return json::object{
        {"_id", app.part_id("service", service.name).to_string()},
        {"name", service.name},
        {"type", service.type},
        {"version", version != nullptr && version->is_int64() ? version->get_int64() : 1},
        {"last_modified", app.deployed_unix_ms / 1000}};
}

json::object shown_config(const App& app, const ServiceRef& service) {
    const json::object file =
        read_file(*app.tree, service_folder(*app.tree, service.name) + "/config.json");
    json::object config = object_or_empty(file, "config");
    if (!service.is_data_source) {
        return config;
    }
    config.stable_erase("sync");
    config.stable_erase("flexible_sync");
    if (const std::string uri = string_or(config, "uri"); !uri.empty()) {
        config["uri"] = masked(uri);
    }
    if (!config.contains("readPreference")) {
        config["readPreference"] = "primary";
    }
    if (!config.contains("wireProtocolEnabled")) {
        config["wireProtocolEnabled"] = false;
    }
    if (service.type == "mongodb-atlas") {
        config["clusterId"] = app.part_id("cluster", service.name).to_string();
        config["clusterType"] = "atlas";
        config["groupName"] = "Project";
        config["orgName"] = "Organization";
    }
    if (const std::optional<SyncBlock> block = sync_block(*app.tree, service.name)) {
        json::object settings = block->settings;
        if (!settings.contains("state")) {
            settings["state"] = "";
        }
        if (!settings.contains("database_name")) {
            settings["database_name"] = "";
        }
        if (block->flexible) {
            settings["permissions"] =
                json::object{{"rules", json::object()}, {"defaultRoles", json::array()}};
        }
        config[block->flexible ? "flexible_sync" : "sync"] = settings;
    }
    return config;
}

std::vector<ServiceRef> services_of(const App& app) {
    std::vector<ServiceRef> out;
    for (const server::DataSourceConfig& one : app.config.data_sources) {
        out.push_back({one.name, one.type, true});
    }
    for (const server::ServiceConfig& one : app.config.other_services) {
        out.push_back({one.name, one.type, false});
    }
    return out;
}

http::Response list_services(AdminCall& call) {
    json::array out;
    for (const ServiceRef& one : services_of(call.app())) {
        out.push_back(service_json(call.app(), one));
    }
    return json_response(200, out);
}

// Turns sync on or off as a config names it; `now_s` for last_disabled.
void merge_sync(AppTree& tree, const App& app, const std::string& service, bool flexible,
                const json::object& change, std::int64_t now_s);

http::Response create_service(AdminCall& call) {
    const json::object body = call.body();
    check_secrets(call, object_or_empty(body, "secret_config"));
    const std::string name = required(body, "name");
    call.edit([&](AppTree& tree, const App& app) {
        put_service(tree, body);
        claim_id(tree, app, "service", name);
    });
    const ServiceRef made{name, required(body, "type"), is_data_source(required(body, "type"))};
    return json_response(201, service_json(call.app(), made));
}

http::Response get_service(AdminCall& call) {
    const ServiceRef service = service_of(call);
    json::object out = service_json(call.app(), service);
    out["config"] = shown_config(call.app(), service);
    return json_response(200, out);
}

// Relationships name data sources: after a rename they name the new one.
void rename_in_relationships(AppTree& tree, const std::string& from, const std::string& to) {
    const std::string old_prefix = "#/relationship/" + from + "/";
    for (auto& [path, text] : tree) {
        if (!path.ends_with("/relationships.json") || text.find(old_prefix) == std::string::npos) {
            continue;
        }
        json::object file = read_file(tree, path);
        for (auto& member : file) {
            if (!member.value().is_object()) {
                continue;
            }
            json::object& one = member.value().get_object();
            const std::string ref = string_or(one, "ref");
            if (ref.starts_with(old_prefix)) {
                one["ref"] = "#/relationship/" + to + "/" + ref.substr(old_prefix.size());
            }
        }
        text = server::pretty_json(file);
    }
}

void rename_service(AppTree& tree, const App& app, const ServiceRef& service,
                    const std::string& to) {
    check_name(to, "a service");
    if (tree.contains("data_sources/" + to + "/config.json") ||
        tree.contains("services/" + to + "/config.json")) {
        throw ApiException(
            conflict("ServiceAlreadyExists", "service already exists: '" + to + "'"));
    }
    const std::string old_folder = service_folder(tree, service.name) + "/";
    const std::string new_folder = old_folder.substr(0, old_folder.find('/') + 1) + to + "/";
    AppTree moved;
    std::erase_if(tree, [&](const auto& file) {
        if (!file.first.starts_with(old_folder)) {
            return false;
        }
        moved[new_folder + file.first.substr(old_folder.size())] = file.second;
        return true;
    });
    tree.merge(moved);
    json::object file = read_file(tree, new_folder + "config.json");
    file["name"] = to;
    write_file(tree, new_folder + "config.json", file);
    rename_in_relationships(tree, service.name, to);
    for (const char* path : {"sync/config.json", "auth/custom_user_data.json"}) {
        json::object other = read_file(tree, path);
        const char* member =
            std::string_view(path).starts_with("sync") ? "service_name" : "mongo_service_name";
        if (string_or(other, member) == service.name) {
            other[member] = to;
            write_file(tree, path, other);
        }
    }
    move_id(tree, app, "service", service.name, to);
}

http::Response update_service(AdminCall& call) {
    const json::object body = call.body();
    ServiceRef service = service_of(call);
    call.edit([&](AppTree& tree, const App& app) {
        const std::string name = string_or(body, "name", service.name);
        if (name != service.name) {
            rename_service(tree, app, service, name);
            service.name = name;
        }
        if (const json::value* version = body.if_contains("version");
            version != nullptr && version->is_int64()) {
            const std::string path = service_folder(tree, name) + "/config.json";
            json::object file = read_file(tree, path);
            file["version"] = *version;
            write_file(tree, path, file);
        }
    });
    return json_response(200, service_json(call.app(), service));
}

http::Response delete_service(AdminCall& call) {
    const ServiceRef service = service_of(call);
    call.edit([&](AppTree& tree, const App&) {
        const std::optional<SyncBlock> block = sync_block(tree, service.name);
        if (block && !string_or(block->settings, "state").empty()) {
            throw ApiException(
                bad_request("terminate sync on '" + service.name + "' before deleting it"));
        }
        const std::string folder = service_folder(tree, service.name) + "/";
        std::erase_if(tree, [&](const auto& file) { return file.first.starts_with(folder); });
        json::object sync = read_file(tree, "sync/config.json");
        if (string_or(sync, "service_name") == service.name) {
            write_file(tree, "sync/config.json",
                       json::object{{"development_mode_enabled",
                                     server::bool_or(sync, "development_mode_enabled", false)}});
        }
    });
    return http::Response::empty(204);
}

http::Response get_config(AdminCall& call) {
    return json_response(200, shown_config(call.app(), service_of(call)));
}

bool is_ignored(std::string_view key) {
    static constexpr std::array ignored = {"clusterId", "clusterType", "groupName",    "orgName",
                                           "type",      "enabled",     "last_disabled"};
    return std::find(ignored.begin(), ignored.end(), key) != ignored.end();
}

http::Response patch_config(AdminCall& call) {
    const json::object body = call.body();
    const ServiceRef service = service_of(call);
    call.edit([&](AppTree& tree, const App& app) {
        const std::string path = service_folder(tree, service.name) + "/config.json";
        json::object file = read_file(tree, path);
        json::object config = object_or_empty(file, "config");
        for (const auto& [key, value] : body) {
            if (is_ignored(key) || value.is_null() || key == "sync" || key == "flexible_sync") {
                continue;
            }
            if (key == "uri" && value.is_string() &&
                std::string(value.get_string()) == masked(string_or(config, "uri"))) {
                continue; // the masked form of what is stored
            }
            config[key] = value;
        }
        file["config"] = config;
        write_file(tree, path, file);
        for (const bool flexible : {true, false}) {
            const json::value* block = body.if_contains(flexible ? "flexible_sync" : "sync");
            if (block != nullptr && block->is_object()) {
                merge_sync(tree, app, service.name, flexible, block->get_object(),
                           call.context().auth.now_ms() / 1000);
            }
        }
    });
    return http::Response::empty(204);
}

void check_indexed_field(const App& app, const std::string& service, const json::object& before,
                         const json::object& after, const std::string& old_state) {
    const auto names = [](const json::object& block, std::string_view key) {
        const json::value* value = block.if_contains(key);
        return value != nullptr && value->is_array() ? value->get_array() : json::array();
    };
    const json::array old_field = names(before, "indexed_queryable_fields_names");
    const json::array field = names(after, "indexed_queryable_fields_names");
    if (field == old_field) {
        return;
    }
    if (!old_state.empty()) {
        throw ApiException(bad_request(
            "'indexed_queryable_fields_names' can be changed only while sync is terminated"));
    }
    if (field.size() > 1) {
        throw ApiException(bad_request("'indexed_queryable_fields_names' has at most one field"));
    }
    if (field.empty()) {
        return;
    }
    const json::array queryable = names(after, "queryable_fields_names");
    if (std::find(queryable.begin(), queryable.end(), field[0]) == queryable.end()) {
        throw ApiException(
            bad_request("the indexed queryable field must be in 'queryable_fields_names' too"));
    }
    for (const server::SchemaConfig& schema : app.config.schemas) {
        const json::object& properties = object_or_empty(schema.schema, "properties");
        if (schema.data_source == service && field[0].is_string() &&
            !properties.contains(field[0].get_string())) {
            throw ApiException(bad_request("the indexed queryable field is missing in the schema "
                                           "of " +
                                           schema.database + "." + schema.collection));
        }
    }
}

void merge_partition(json::object& partition, const json::object& change) {
    for (const auto& [key, value] : change) {
        if (value.is_null()) {
            continue;
        }
        if (key == "permissions" && value.is_object()) {
            json::object permissions = object_or_empty(partition, "permissions");
            for (const auto& [side, expression] : value.get_object()) {
                permissions[side] = expression;
            }
            partition["permissions"] = permissions;
        } else {
            partition[key] = value;
        }
    }
}

void merge_sync(AppTree& tree, const App& app, const std::string& service, bool flexible,
                const json::object& change, std::int64_t now_s) {
    std::optional<SyncBlock> stored = sync_block(tree, service);
    const std::string old_state = stored ? string_or(stored->settings, "state") : std::string();
    SyncBlock block = stored.value_or(SyncBlock{flexible, {}});
    if (block.flexible != flexible) {
        if (!old_state.empty()) {
            throw ApiException(bad_request(
                "flexible and partition-based sync cannot both be on: terminate sync first"));
        }
        block = SyncBlock{flexible, {}};
    }
    const json::object before = block.settings;
    json::object given = change;
    convert_permissions(tree, service, given);
    for (const auto& [key, value] : given) {
        if (is_ignored(key) || value.is_null()) {
            continue;
        }
        if (key == "partition" && value.is_object()) {
            json::object partition = object_or_empty(block.settings, "partition");
            const std::string old_key = string_or(partition, "key");
            merge_partition(partition, value.get_object());
            if (!old_state.empty() && !old_key.empty() && string_or(partition, "key") != old_key) {
                throw ApiException(bad_request("the partition key cannot change while sync is on"));
            }
            block.settings["partition"] = partition;
        } else {
            block.settings[key] = value;
        }
    }
    const std::string state = string_or(block.settings, "state");
    if (old_state == "enabled" && state != "enabled") {
        block.settings["last_disabled"] = now_s;
    }
    if (state == "enabled" && string_or(block.settings, "database_name").empty()) {
        throw ApiException(bad_request("'database_name' is required to enable sync"));
    }
    check_indexed_field(app, service, before, block.settings, old_state);
    put_sync_block(tree, service, block);
}

} // namespace

std::string service_folder(const AppTree& tree, const std::string& name) {
    return (tree.contains("data_sources/" + name + "/config.json") ? "data_sources/"
                                                                   : "services/") +
           name;
}

void put_service(AppTree& tree, const json::object& body) {
    const std::string name = required(body, "name");
    const std::string type = required(body, "type");
    check_name(name, "a service");
    check_type(type);
    if (tree.contains("data_sources/" + name + "/config.json") ||
        tree.contains("services/" + name + "/config.json")) {
        throw ApiException(
            conflict("ServiceAlreadyExists", "service already exists: '" + name + "'"));
    }
    json::object config = object_or_empty(body, "config");
    std::optional<SyncBlock> block;
    for (const bool flexible : {false, true}) {
        const char* key = flexible ? "flexible_sync" : "sync";
        const json::object settings = object_or_empty(config, key);
        config.stable_erase(key);
        if (!settings.empty() && is_data_source(type)) {
            block = SyncBlock{flexible, settings};
        }
    }
    json::object file{{"name", name}, {"type", type}, {"config", config}};
    const json::object& secrets = object_or_empty(body, "secret_config");
    if (!secrets.empty()) {
        file["secret_config"] = secrets;
    }
    const json::value* version = body.if_contains("version");
    file["version"] = version != nullptr && version->is_int64() ? version->get_int64() : 1;
    write_file(tree, (is_data_source(type) ? "data_sources/" : "services/") + name + "/config.json",
               file);
    if (block) {
        convert_permissions(tree, name, block->settings);
        for (const char* ignored : {"type", "enabled", "last_disabled"}) {
            block->settings.stable_erase(ignored);
        }
        put_sync_block(tree, name, *block);
    }
}

std::optional<ServiceRef> service_with_id(const App& app, const std::string& id) {
    for (const ServiceRef& one : services_of(app)) {
        if (app.part_id("service", one.name).to_string() == id) {
            return one;
        }
    }
    return std::nullopt;
}

ServiceRef service_of(const AdminCall& call) {
    const std::optional<ServiceRef> found = service_with_id(call.app(), call.parameter("service"));
    if (!found) {
        throw ApiException(not_found("ServiceNotFound", "service not found"));
    }
    return *found;
}

ServiceRef data_source_of(const AdminCall& call) {
    ServiceRef found = service_of(call);
    if (!found.is_data_source) {
        throw ApiException(not_found("ServiceNotFound", "the service is no data source"));
    }
    return found;
}

void add_service_routes(RouteTable& table) {
    table.add(Method::get, "services", "Services", 200, list_services);
    table.add(Method::post, "services", "Add a service", 201, create_service);
    table.add(Method::get, "services/{service}", "One service", 200, get_service);
    table.add(Method::patch, "services/{service}", "Rename a service", 200, update_service);
    table.add(Method::delete_, "services/{service}", "Remove a service", 204, delete_service);
    table.add(Method::get, "services/{service}/config", "A service's configuration", 200,
              get_config);
    table.add(Method::patch, "services/{service}/config", "Change a service's configuration", 204,
              patch_config);
    table.add(Method::get, "service/{service}/config", "The same, as documented once", 200,
              get_config);
}

} // namespace tombolo::api::admin
