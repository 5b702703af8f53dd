// Device Sync: development mode, state, progress, resets, schema versions (admin-api-and-config.md
// R8, R9).

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/api/admin/sync_answers.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;

namespace {

/// Files in one answer.
constexpr std::size_t devices_max = 1000;

http::Response get_sync_config(AdminCall& call) {
    return json_response(200, json::object{{"development_mode_enabled",
                                            call.app().config.sync.development_mode_enabled}});
}

http::Response put_sync_config(AdminCall& call) {
    const json::object body = call.body();
    if (!body.contains("development_mode_enabled")) {
        throw ApiException(missing_parameter("'development_mode_enabled' is required"));
    }
    const bool enabled = is_true(body, "development_mode_enabled");
    call.edit([&](AppTree& tree, const App&) { set_development_mode(tree, enabled); });
    return http::Response::empty(204);
}

bool is_asymmetric(const server::SyncConfig& sync, const server::SchemaConfig& schema) {
    const std::string title = server::string_or(schema.schema, "title", schema.collection);
    for (const std::string& name : sync.asymmetric_tables) {
        if (name == title) {
            return true;
        }
    }
    return false;
}

// Of the deployed app: drafts do not sync.
http::Response progress(AdminCall& call) {
    const auto app = call.apps().find(call.app().id);
    const server::SyncConfig& sync = app->config.sync;
    const bool on = sync.mode != server::SyncConfig::Mode::none && !sync.state.empty();
    json::object asked;
    if (on && call.context().sync.progress) {
        asked = call.context().sync.progress(*app);
    }
    const json::object under_way = server::object_or_empty(asked, "progress");
    json::object entries;
    for (const server::SchemaConfig& schema : app->config.schemas) {
        if (!on || schema.data_source != sync.service_name || is_asymmetric(sync, schema)) {
            continue;
        }
        const std::string name = schema.database + "." + schema.collection;
        const json::value* known = under_way.if_contains(name);
        entries[name] = known != nullptr
                            ? *known
                            : json::value(json::object{{"started", true}, {"complete", true}});
    }
    json::object out = sync_standing(call, *app, asked);
    out["progress"] = std::move(entries);
    return json_response(200, out);
}

http::Response state(AdminCall& call) {
    const std::string type = call.query("sync_type");
    if (!type.empty() && type != "flexible" && type != "partition") {
        throw ApiException(bad_request("'sync_type' must be flexible or partition"));
    }
    using Mode = server::SyncConfig::Mode;
    const server::SyncConfig& sync = call.app().config.sync;
    const bool asked = type.empty() || (type == "flexible") == (sync.mode == Mode::flexible);
    if (asked && has_sync(call.app()) && call.context().sync.failure) {
        json::object failure = call.context().sync.failure(call.app());
        if (!failure.empty()) {
            failure["state"] = "failed";
            return json_response(200, failure);
        }
    }
    return json_response(
        200,
        json::object{{"state", asked && sync.mode != Mode::none ? sync.state : std::string()}});
}

using FileAction = std::function<Result<void>(const App&, std::uint64_t)>;

http::Response act_on_file(AdminCall& call, const FileAction& action) {
    const json::object body = call.body();
    const json::value* ident = body.if_contains("file_ident");
    if (ident == nullptr || !ident->is_int64() || ident->get_int64() < 0) {
        throw ApiException(bad_request("'file_ident' must be a whole number"));
    }
    const auto app = app_with_sync(call);
    const Error unknown(ErrorCode::not_found, "no engine");
    const Result<void> done =
        action ? action(*app, static_cast<std::uint64_t>(ident->get_int64())) : unknown;
    if (!done) {
        throw ApiException(done.error().code() == ErrorCode::not_found
                               ? not_found("FileNotFound", "this app has no such client file")
                               : sync_error(done.error()));
    }
    return http::Response::empty(204);
}

http::Response force_reset(AdminCall& call) {
    return act_on_file(call, call.context().sync.force_reset);
}

http::Response expire(AdminCall& call) {
    return act_on_file(call, call.context().sync.expire);
}

http::Response devices(AdminCall& call) {
    const std::string after = call.query("after");
    if (after.find_first_not_of("0123456789") != std::string::npos || after.size() > 18) {
        throw ApiException(bad_request("'after' must be a whole number"));
    }
    const auto app = app_with_sync(call);
    json::array out;
    if (call.context().sync.devices) {
        out = from_sync(
            call.context().sync.devices(*app, after.empty() ? 0 : std::stoull(after), devices_max));
    }
    return json_response(200, out);
}

http::Response history(AdminCall& call) {
    const auto app = app_with_sync(call);
    json::object out;
    if (call.context().sync.history) {
        out = from_sync(call.context().sync.history(*app));
    }
    return json_response(200, out);
}

http::Response versions(AdminCall& call) {
    json::array out;
    const auto app = call.apps().find(call.app().id);
    for (const server::SchemaVersion& one : app->schema_versions) {
        out.push_back(json::object{{"version_major", one.number},
                                   {"created_at", iso_time(one.created_unix_ms)},
                                   {"current", &one == &app->schema_versions.back()}});
    }
    return json_response(200, json::object{{"versions", out}});
}

http::Response sessions(AdminCall& call) {
    json::array out;
    if (call.context().sync.sessions) {
        out = call.context().sync.sessions(call.app());
    }
    return json_response(200, out);
}

http::Response unsynced_documents(AdminCall& call) {
    const std::size_t count_max = call.query_number("limit", 100, 1, 1000);
    const auto after = from_base64url(call.query("after"));
    if (!after) {
        throw ApiException(bad_request("'after' is what 'next' of the page before said"));
    }
    const auto app = app_with_sync(call);
    json::object out{{"documents", json::array()}, {"scanned", 0}};
    if (call.context().sync.unsynced) {
        out = from_sync(call.context().sync.unsynced(*app, as_text(*after), count_max));
    }
    return json_response(200, out);
}

http::Response migration(AdminCall& /*call*/) {
    return json_response(200, json::object{{"statusMessage", ""},
                                           {"isMigrated", false},
                                           {"isCancelable", false},
                                           {"isRevertible", false}});
}

// This server runs no partition-based sync: no app can ever be in a state that these lead out of
// (R9), and each says which state that would be.
http::Response migrate(AdminCall& call) {
    const json::object body = call.body();
    const std::string action = required(body, "action");
    const std::string id = required(body, "serviceId");
    const auto service = service_with_id(call.app(), id);
    if (!service || !service->is_data_source) {
        throw ApiException(not_found("ServiceNotFound", "service not found"));
    }
    const server::SyncConfig& sync = call.app().config.sync;
    const bool partitions = sync.service_name == service->name &&
                            sync.mode == server::SyncConfig::Mode::partition &&
                            sync.state == "enabled";
    std::string text;
    if (action == "start") {
        text = partitions ? "partition-based sync is stored and not run by this server, so it has "
                            "no data to migrate; terminate it and enable flexible sync"
                          : "'start' needs partition-based sync to be enabled on this service";
    } else if (action == "rollback" || action == "commit") {
        text = "'" + action + "' needs an app that was migrated";
    } else if (action == "cancel") {
        text = "no migration is running";
    } else {
        text = "'action' must be start, rollback, cancel or commit";
    }
    throw ApiException(bad_request(text));
}

http::Response partition_fields(AdminCall& call) {
    const std::string id = call.query("service_id");
    const auto service = service_with_id(call.app(), id);
    if (!service || !service->is_data_source) {
        throw ApiException(not_found("ServiceNotFound", "service not found"));
    }
    std::map<std::string, std::string> fields;
    for (const server::SchemaConfig& schema : call.app().config.schemas) {
        if (schema.data_source != service->name) {
            continue;
        }
        for (const auto& [name, property] : server::object_or_empty(schema.schema, "properties")) {
            const std::string type = property.is_object()
                                         ? server::string_or(property.get_object(), "bsonType")
                                         : std::string();
            if (type == "string" || type == "long" || type == "objectId" || type == "uuid") {
                fields[std::string(name)] = type;
            }
        }
    }
    json::array out;
    for (const auto& [name, type] : fields) {
        out.push_back(json::object{{"key", name}, {"type", type}});
    }
    return json_response(200, json::object{{"service_id", id}, {"partition_fields", out}});
}

} // namespace

void add_sync_routes(RouteTable& table) {
    table.add(Method::get, "sync/config", "Whether development mode is on", 200, get_sync_config);
    table.add(Method::put, "sync/config", "Turn development mode on or off", 204, put_sync_config);
    table.add(Method::get, "sync/progress", "Progress of the initial sync", 200, progress);
    table.add(Method::get, "sync/state", "enabled, disabled, failed or empty", 200, state);
    table.add(Method::put, "sync/force_reset", "Make a client file reset", 204, force_reset);
    table.add(Method::put, "sync/expire", "Wait no more for a client file", 204, expire);
    table.add(Method::get, "sync/devices", "Client files, and what is kept for them", 200, devices);
    table.add(Method::get, "sync/history", "Sync history, its disk and its trimming", 200, history);
    table.add(Method::get, "sync/schemas/versions", "Schema versions", 200, versions);
    table.add(Method::get, "sync/sessions", "Live sync sessions", 200, sessions);
    table.add(Method::get, "sync/unsynced_documents", "Documents that no device gets, and why", 200,
              unsynced_documents);
    table.add(Method::get, "sync/data", "Fields that can be a partition key", 200,
              partition_fields);
    table.add(Method::get, "sync/migration", "Migration between sync modes", 200, migration);
    table.add(Method::put, "sync/migration", "Refused with the reason: no app here can be migrated",
              400, migrate);
}

} // namespace tombolo::api::admin
