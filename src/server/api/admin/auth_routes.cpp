// Signing administrators in and out (admin-api-and-config.md 1).

#include "server/api/admin/admin_api.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;

namespace {

http::Response to_response(const AdminSession& session) {
    return json_response(200, json::object{{"access_token", session.access_token},
                                           {"refresh_token", session.refresh_token},
                                           {"user_id", session.user.to_string()},
                                           {"device_id", session.device_id}});
}

void throttle(AdminCall& call) {
    auth::Context& context = call.context().auth;
    if (!context.throttle.allow_request(call.request().remote_address, context.now_ms())) {
        throw ApiException(too_busy(429, "too many requests from this address; try again later"));
    }
}

http::Response log_in(AdminCall& call) {
    throttle(call);
    const json::object body = call.body();
    return to_response(
        call.context().accounts.log_in(required(body, "username"), required(body, "password")));
}

http::Response log_in_with_key(AdminCall& call) {
    throttle(call);
    const json::object body = call.body();
    return to_response(call.context().accounts.log_in_with_key(required(body, "username"),
                                                               required(body, "apiKey")));
}

http::Response profile(AdminCall& call) {
    const Admin& admin = call.admin();
    const std::string id = admin.id.to_string();
    const std::string group = group_id().to_string();
    json::array roles;
    if (admin.role != "NONE") {
        // The first is what most harnesses look at; all name the one group.
        roles.push_back(json::object{{"role_name", admin.role}, {"group_id", group}});
    }
    if (admin.role == "GROUP_OWNER") {
        for (const char* role : {"GLOBAL_STITCH_ADMIN", "GLOBAL_BAAS_FEATURE_ADMIN"}) {
            roles.push_back(json::object{{"role_name", role}, {"group_id", group}});
        }
    }
    return json_response(
        200,
        json::object{{"user_id", id},
                     {"domain_id", group},
                     {"identities", json::array{json::object{{"id", id},
                                                             {"provider_type", "local-userpass"},
                                                             {"provider_id", group}}}},
                     {"data", json::object{{"email", admin.name}, {"name", admin.name}}},
                     {"type", "normal"},
                     {"roles", roles},
                     {"must_change_password", admin.must_change_password}});
}

http::Response providers(AdminCall& /*call*/) {
    json::array out;
    for (const char* type : {"local-userpass", "mongodb-cloud"}) {
        out.push_back(json::object{{"name", type}, {"type", type}, {"disabled", false}});
    }
    return json_response(200, out);
}

http::Response refresh(AdminCall& call) {
    return json_response(201, json::object{{"access_token", call.context().accounts.refresh(
                                                                call.request().bearer_token())}});
}

http::Response log_out(AdminCall& call) {
    call.context().accounts.log_out(call.request().bearer_token());
    return http::Response::empty(204);
}

} // namespace

void add_auth_routes(RouteTable& table) {
    AdminRoute login{Method::post,
                     "auth/providers/local-userpass/login",
                     "Sign in with user name and password",
                     200,
                     log_in,
                     Scope::open};
    login.pool = Pool::password;
    table.add(login);
    table.add({Method::post, "auth/providers/mongodb-cloud/login", "Sign in with a key pair", 200,
               log_in_with_key, Scope::open});
    table.add({Method::get, "auth/providers", "Ways to sign in", 200, providers, Scope::open});
    table.add({Method::get, "auth/profile", "Who is signed in", 200, profile, Scope::account});
    table.add({Method::post, "auth/session", "A new access token, for a refresh token", 201,
               refresh, Scope::refresh});
    table.add({Method::delete_, "auth/session", "Sign out", 204, log_out, Scope::refresh});
}

} // namespace tombolo::api::admin
