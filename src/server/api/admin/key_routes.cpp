// Server API keys (admin-api-and-config.md R11): each is a user of type "server".

#include <algorithm>

#include "server/api/admin/admin_api.hpp"
#include "server/auth/api_keys.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

json::object key_json(const auth::ApiKey& key) {
    return json::object{{"_id", key.id}, {"name", key.name}, {"disabled", key.disabled}};
}

http::Response list_keys(AdminCall& call) {
    json::array out;
    for (const auth::ServerKey& one :
         auth::ApiKeys(call.context().auth).server_keys(call.app().id)) {
        out.push_back(key_json(one.key));
    }
    return json_response(200, out);
}

http::Response create_key(AdminCall& call) {
    const auth::ApiKeys::Created made =
        auth::ApiKeys(call.context().auth)
            .create_server_key(call.app(), required(call.body(), "name"));
    json::object out = key_json(made.key);
    out["key"] = made.secret;
    return json_response(201, out);
}

auth::ServerKey key_of(AdminCall& call) {
    for (const auth::ServerKey& one :
         auth::ApiKeys(call.context().auth).server_keys(call.app().id)) {
        if (one.key.id == call.parameter("key")) {
            return one;
        }
    }
    throw ApiException(not_found("APIKeyNotFound", "API key not found"));
}

http::Response switch_key(AdminCall& call, bool disabled) {
    auth::ApiKeys(call.context().auth)
        .set_server_key_disabled(call.app().id, key_of(call), disabled);
    return http::Response::empty(204);
}

http::Response delete_key(AdminCall& call) {
    // The user goes with its only key.
    auth::Sessions(call.context().auth).remove_user(call.app(), key_of(call).user);
    return http::Response::empty(204);
}

} // namespace

void add_key_routes(RouteTable& table) {
    table.add(Method::get, "api_keys", "Server API keys", 200, list_keys);
    table.add(Method::post, "api_keys", "Create a server API key", 201, create_key);
    table.add(Method::get, "api_keys/{key}", "One API key", 200,
              [](AdminCall& call) { return json_response(200, key_json(key_of(call).key)); });
    table.add(Method::delete_, "api_keys/{key}", "Delete an API key", 204, delete_key);
    table.add(Method::put, "api_keys/{key}/enable", "Turn an API key on", 204,
              [](AdminCall& call) { return switch_key(call, false); });
    table.add(Method::put, "api_keys/{key}/disable", "Turn an API key off", 204,
              [](AdminCall& call) { return switch_key(call, true); });
}

} // namespace tombolo::api::admin
