// Sync settings in a tree: sync/config.json holds those of the data source it names, other data
// sources hold their own (admin-api-and-config.md 3, 4.4).

#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using server::AppTree;
using server::object_or_empty;
using server::string_or;

namespace {

const std::string sync_file = "sync/config.json";

std::string config_file(const std::string& service) {
    return "data_sources/" + service + "/config.json";
}

// What the file form has besides the settings.
json::object file_form(const std::string& service, const SyncBlock& block, bool development) {
    json::object out{{"type", block.flexible ? "flexible" : "partition"},
                     {"state", string_or(block.settings, "state")},
                     {"development_mode_enabled", development},
                     {"service_name", service}};
    for (const auto& [key, value] : block.settings) {
        if (!out.contains(key)) {
            out[key] = value;
        }
    }
    return out;
}

void put_own_block(AppTree& tree, const std::string& service, const SyncBlock& block) {
    json::object file = read_file(tree, config_file(service));
    json::object config = object_or_empty(file, "config");
    config.stable_erase("sync");
    config.stable_erase("flexible_sync");
    config[block.flexible ? "flexible_sync" : "sync"] = block.settings;
    file["config"] = config;
    write_file(tree, config_file(service), file);
}

} // namespace

std::optional<SyncBlock> sync_block(const AppTree& tree, const std::string& service) {
    json::object shared = read_file(tree, sync_file);
    if (string_or(shared, "service_name") == service) {
        const std::string type = string_or(shared, "type");
        SyncBlock block;
        block.flexible = type == "flexible" || (type.empty() && !shared.contains("partition"));
        for (const char* key : {"type", "service_name", "development_mode_enabled"}) {
            shared.stable_erase(key);
        }
        block.settings = std::move(shared);
        return block;
    }
    const json::object file = read_file(tree, config_file(service));
    const json::object& config = object_or_empty(file, "config");
    for (const bool flexible : {true, false}) {
        const json::value* found = config.if_contains(flexible ? "flexible_sync" : "sync");
        if (found != nullptr && found->is_object()) {
            return SyncBlock{flexible, found->get_object()};
        }
    }
    return std::nullopt;
}

void put_sync_block(AppTree& tree, const std::string& service, const SyncBlock& block) {
    const json::object shared = read_file(tree, sync_file);
    const bool development = server::bool_or(shared, "development_mode_enabled", false);
    const std::string holder = string_or(shared, "service_name");
    if (!holder.empty() && holder != service) {
        if (!string_or(shared, "state").empty()) {
            if (!string_or(block.settings, "state").empty()) {
                throw ApiException(bad_request("only one data source of an app may have sync: '" +
                                               holder + "' has it"));
            }
            put_own_block(tree, service, block);
            return;
        }
        if (const std::optional<SyncBlock> other = sync_block(tree, holder)) {
            put_own_block(tree, holder, *other);
        }
    }
    // Whatever stood in the source's own file is this block's past.
    json::object file = read_file(tree, config_file(service));
    if (json::value* config = file.if_contains("config");
        config != nullptr && config->is_object() &&
        (config->get_object().contains("sync") || config->get_object().contains("flexible_sync"))) {
        config->get_object().stable_erase("sync");
        config->get_object().stable_erase("flexible_sync");
        write_file(tree, config_file(service), file);
    }
    write_file(tree, sync_file, file_form(service, block, development));
}

void set_development_mode(AppTree& tree, bool enabled) {
    json::object file = read_file(tree, sync_file);
    const bool was = server::bool_or(file, "development_mode_enabled", false);
    file["development_mode_enabled"] = enabled;
    write_file(tree, sync_file, file);
    if (!enabled || was) {
        return;
    }
    // Documented side effect: anonymous users may sign in (3.4).
    const std::string path = "auth/providers.json";
    json::object providers = read_file(tree, path);
    if (!providers.contains("anon-user")) {
        write_file(tree, std::string(by_development_mode_file), json::object{{"anon-user", true}});
        providers["anon-user"] =
            json::object{{"name", "anon-user"}, {"type", "anon-user"}, {"disabled", false}};
    } else if (json::value& anonymous = providers["anon-user"]; anonymous.is_object()) {
        anonymous.get_object()["disabled"] = false;
    }
    write_file(tree, path, providers);
}

namespace {

json::object converted_role(const json::object& old) {
    const auto member = [&](std::string_view key) {
        const json::value* found = old.if_contains(key);
        return found == nullptr || found->is_null() ? json::value(true) : *found;
    };
    const json::value* when = old.if_contains("applyWhen");
    return json::object{
        {"name", string_or(old, "name", "role")},
        {"apply_when", when == nullptr || when->is_null() ? json::value(json::object()) : *when},
        {"document_filters", json::object{{"read", member("read")}, {"write", member("write")}}},
        {"insert", true},
        {"delete", true},
        {"read", true},
        {"write", true}};
}

json::array converted_roles(const json::value& roles) {
    json::array out;
    if (roles.is_array()) {
        for (const json::value& one : roles.get_array()) {
            if (one.is_object()) {
                out.push_back(converted_role(one.get_object()));
            }
        }
    }
    return out;
}

} // namespace

void convert_permissions(AppTree& tree, const std::string& service, json::object& settings) {
    const json::value* found = settings.if_contains("permissions");
    if (found == nullptr) {
        return;
    }
    if (found->is_object()) {
        const json::object& permissions = found->get_object();
        if (const json::value* roles = permissions.if_contains("defaultRoles")) {
            const json::array converted = converted_roles(*roles);
            if (!converted.empty()) {
                write_file(tree, "data_sources/" + service + "/default_rule.json",
                           json::object{{"roles", converted}, {"filters", json::array()}});
            }
        }
        const std::string database = string_or(settings, "database_name");
        for (const auto& [collection, roles] : object_or_empty(permissions, "rules")) {
            const json::array converted = converted_roles(roles);
            if (!converted.empty() && !database.empty()) {
                const std::string name(collection);
                write_file(tree, collection_folder(service, database, name) + "/rules.json",
                           json::object{{"database", database},
                                        {"collection", name},
                                        {"roles", converted},
                                        {"filters", json::array()}});
            }
        }
    }
    settings.stable_erase("permissions");
}

} // namespace tombolo::api::admin
