// The private family: version, features, settings; administrators and their keys
// (admin-api-and-config.md R23, 1).

#include "server/api/admin/admin_api.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::string_or;

namespace {

http::Response version(AdminCall& /*call*/) {
    return json_response(200, json::object{{"version", "tombolo"}, {"server", "tombolod"}});
}

http::Response features(AdminCall& call) {
    json::array names;
    for (const auto& [name, on] : take(call.apps().setting(call.app().id, "features"))) {
        names.emplace_back(name);
    }
    return json_response(200, json::object{{"enabled", names}});
}

http::Response change_features(AdminCall& call) {
    const json::object body = call.body();
    const std::string action = required(body, "action");
    const json::value* flags = body.if_contains("feature_flags");
    if ((action != "enable" && action != "disable") || flags == nullptr || !flags->is_array()) {
        throw ApiException(
            bad_request("'action' must be enable or disable, 'feature_flags' an array"));
    }
    json::object stored = call.apps().setting(call.app().id, "features").value();
    for (const json::value& flag : flags->get_array()) {
        if (!flag.is_string()) {
            throw ApiException(bad_request("'feature_flags' must be an array of strings"));
        }
        if (action == "enable") {
            stored[flag.get_string()] = true;
        } else {
            stored.stable_erase(flag.get_string());
        }
    }
    call.apps().set_setting(call.app().id, "features", stored).value();
    return http::Response::empty(204);
}

// Objects merge, other values replace. Bodies are bounded in depth by the parser.
void merge(json::object& into, const json::object& change) { // NOLINT(misc-no-recursion)
    for (const auto& [key, value] : change) {
        json::value* known = into.if_contains(key);
        if (known != nullptr && known->is_object() && value.is_object()) {
            merge(known->get_object(), value.get_object());
        } else if (!value.is_null()) {
            into[key] = value;
        }
    }
}

http::Response settings(AdminCall& call) {
    json::object out = call.apps().setting(call.app().id, "settings").value();
    if (!out.contains("sync")) {
        out["sync"] = json::object();
    }
    return json_response(200, out);
}

http::Response change_settings(AdminCall& call) {
    json::object stored = call.apps().setting(call.app().id, "settings").value();
    merge(stored, call.body());
    call.apps().set_setting(call.app().id, "settings", stored).value();
    return http::Response::empty(204);
}

// Administrators: only owners see and change them.

void require_owner(const AdminCall& call) {
    if (call.admin().role != "GROUP_OWNER") {
        throw ApiException(forbidden("Forbidden", "only owners manage administrators"));
    }
}

json::object admin_json(const Admin& admin) {
    return json::object{{"_id", admin.id.to_string()}, {"name", admin.name}, {"role", admin.role}};
}

http::Response list_admins(AdminCall& call) {
    require_owner(call);
    json::array out;
    for (const Admin& one : call.context().accounts.list()) {
        out.push_back(admin_json(one));
    }
    return json_response(200, out);
}

http::Response create_admin(AdminCall& call) {
    require_owner(call);
    const json::object body = call.body();
    return json_response(201, admin_json(call.context().accounts.create(
                                  required(body, "name"), required(body, "password"),
                                  string_or(body, "role", "GROUP_OWNER"))));
}

http::Response set_password(AdminCall& call) {
    const std::string& name = call.parameter("admin");
    if (name != call.admin().name) {
        require_owner(call);
    }
    call.context().accounts.set_password(name, required(call.body(), "password"));
    return http::Response::empty(204);
}

http::Response delete_admin(AdminCall& call) {
    require_owner(call);
    call.context().accounts.remove(call.parameter("admin"));
    return http::Response::empty(204);
}

json::object key_json(const Accounts::Key& key) {
    json::object out{
        {"public_key", key.public_key}, {"admin", key.admin}, {"description", key.description}};
    if (!key.private_key.empty()) {
        out["private_key"] = key.private_key;
    }
    return out;
}

http::Response list_keys(AdminCall& call) {
    require_owner(call);
    json::array out;
    for (const Accounts::Key& one : call.context().accounts.keys()) {
        out.push_back(key_json(one));
    }
    return json_response(200, out);
}

http::Response create_key(AdminCall& call) {
    require_owner(call);
    return json_response(201, key_json(call.context().accounts.create_key(
                                  call.admin(), string_or(call.body(), "description"))));
}

http::Response delete_key(AdminCall& call) {
    require_owner(call);
    call.context().accounts.remove_key(call.parameter("key"));
    return http::Response::empty(204);
}

} // namespace

void add_private_routes(RouteTable& table) {
    const std::string base(private_base);
    const auto app = [&](Method method, const char* path, const char* summary, int success,
                         Handler run) {
        table.add(AdminRoute{method, path, summary, success, std::move(run), Scope::private_app});
    };
    const auto account = [&](Method method, const std::string& path, const char* summary,
                             int success, Handler run, Pool pool = Pool::store) {
        table.add(AdminRoute{method, base + path, summary, success, std::move(run), Scope::account,
                             pool});
    };
    table.add({Method::get, base + "/version", "The server's version", 200, version, Scope::open});
    app(Method::get, "features", "Feature flags that are on", 200, features);
    app(Method::post, "features", "Turn feature flags on or off", 204, change_features);
    app(Method::get, "settings", "Tuning settings", 200, settings);
    app(Method::patch, "settings", "Change tuning settings", 204, change_settings);
    account(Method::get, "/admins", "Administrators", 200, list_admins);
    account(Method::post, "/admins", "Add an administrator", 201, create_admin, Pool::password);
    account(Method::put, "/admins/{admin}/password", "Set a password", 204, set_password,
            Pool::password);
    account(Method::delete_, "/admins/{admin}", "Remove an administrator", 204, delete_admin);
    account(Method::get, "/keys", "Administrators' key pairs", 200, list_keys);
    account(Method::post, "/keys", "Make a key pair; the private part is shown once", 201,
            create_key);
    account(Method::delete_, "/keys/{key}", "Remove a key pair", 204, delete_key);
}

} // namespace tombolo::api::admin
