// Origins, access list, token lifetime (admin-api-and-config.md R18, R11).

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/auth/tokens.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;

namespace {

constexpr std::string_view everyone = "0.0.0.0/0";

http::Response get_origins(AdminCall& call) {
    json::array out;
    for (const std::string& origin : call.app().config.allowed_request_origins) {
        out.emplace_back(origin);
    }
    return json_response(200, out);
}

http::Response set_origins(AdminCall& call) {
    const json::array origins = call.body_array();
    for (const json::value& one : origins) {
        if (!one.is_string() ||
            std::string_view(one.get_string()).find("://") == std::string_view::npos) {
            throw ApiException(bad_request("each origin must be scheme://host[:port]"));
        }
    }
    call.edit([&](AppTree& tree, const App&) {
        json::object root = read_file(tree, "root_config.json");
        root["allowed_request_origins"] = origins;
        write_file(tree, "root_config.json", root);
    });
    return http::Response::empty(204);
}

// Addresses are limited in front of this server, by a firewall or proxy. A list that would have to
// be enforced here is refused instead of being stored without effect.

json::object entry_json(const App& app, const std::string& comment) {
    return json::object{{"_id", app.part_id("access_list", everyone).to_string()},
                        {"address", everyone},
                        {"comment", comment},
                        {"includes_current", true}};
}

http::Response access_list(AdminCall& call) {
    json::array entries;
    const json::object stored = call.apps().setting(call.app().id, "access_list").value();
    if (server::bool_or(stored, "everyone", false)) {
        entries.push_back(entry_json(call.app(), server::string_or(stored, "comment")));
    }
    return json_response(
        200, json::object{{"current_ip", call.request().remote_address}, {"allowed_ips", entries}});
}

http::Response change_access_list(AdminCall& call, int status) {
    const json::object body = call.body();
    const std::string address = server::string_or(body, "address", everyone);
    if (address != everyone || is_true(body, "use_current")) {
        throw ApiException(bad_request("this server keeps no access list: limit addresses in a "
                                       "firewall or proxy; only 0.0.0.0/0 is accepted"));
    }
    const std::string comment = server::string_or(body, "comment");
    call.apps()
        .set_setting(call.app().id, "access_list",
                     json::object{{"everyone", true}, {"comment", comment}})
        .value();
    return json_response(status, entry_json(call.app(), comment));
}

http::Response delete_access_entry(AdminCall& call) {
    const json::object stored = call.apps().setting(call.app().id, "access_list").value();
    if (!server::bool_or(stored, "everyone", false) ||
        call.app().part_id("access_list", everyone).to_string() != call.parameter("entry")) {
        throw ApiException(not_found("AccessListEntryNotFound", "there is no such entry"));
    }
    call.apps().set_setting(call.app().id, "access_list", {}).value();
    return http::Response::empty(204);
}

http::Response refresh_lifetime(AdminCall& /*call*/) {
    return json_response(200,
                         json::object{{"expiration_time_seconds", auth::refresh_token_seconds}});
}

http::Response set_refresh_lifetime(AdminCall& call) {
    const json::object body = call.body();
    const json::value* seconds = body.if_contains("expiration_time_seconds");
    if (seconds == nullptr || !seconds->is_int64() ||
        seconds->get_int64() != auth::refresh_token_seconds) {
        throw ApiException(bad_request("refresh tokens last " +
                                       std::to_string(auth::refresh_token_seconds) +
                                       " seconds on this server; other values are not supported"));
    }
    return http::Response::empty(204);
}

} // namespace

void add_security_routes(RouteTable& table) {
    const std::string origins = "security/allowed_request_origins";
    table.add(Method::get, origins, "Origins that browsers may call from", 200, get_origins);
    table.add(Method::post, origins, "Replace the allowed origins", 204, set_origins);
    const std::string list = "security/access_list";
    table.add(Method::get, list, "Addresses that may call: everyone", 200, access_list);
    table.add(Method::post, list, "Allow everyone; other lists are refused", 201,
              [](AdminCall& call) { return change_access_list(call, 201); });
    table.add(Method::patch, list + "/{entry}", "Change the entry's comment", 200,
              [](AdminCall& call) { return change_access_list(call, 200); });
    table.add(Method::delete_, list + "/{entry}", "Remove the entry", 204, delete_access_entry);
    const std::string lifetime = "security/refresh_token_expiration";
    table.add(Method::get, lifetime, "How long refresh tokens last", 200, refresh_lifetime);
    table.add(Method::put, lifetime, "Accepts the lifetime there is", 204, set_refresh_lifetime);
}

} // namespace tombolo::api::admin
