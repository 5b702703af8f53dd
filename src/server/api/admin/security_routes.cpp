// Origins, access list, token lifetime (admin-api-and-config.md R18, R11).

#include <algorithm>

#include "core/address_range.hpp"
#include "core/bytes.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/auth/tokens.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::AccessEntry;
using server::AccessList;
using server::App;
using server::AppTree;

namespace {

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

// Addresses that may call the app. In force at once and part of no draft.

json::object entry_json(const AccessEntry& entry, std::string_view remote) {
    return json::object{{"_id", entry.id.to_string()},
                        {"address", entry.address},
                        {"comment", entry.comment},
                        {"includes_current", entry.contains(remote)}};
}

http::Response access_list(AdminCall& call) {
    const std::string& remote = call.request().remote_address;
    json::array entries;
    const auto list = call.apps().access_list(call.app().id);
    for (const AccessEntry& entry : list->entries) {
        entries.push_back(entry_json(entry, remote));
    }
    return json_response(200, json::object{{"current_ip", remote}, {"allowed_ips", entries}});
}

// The address that a body names; empty: none.
std::string address_in(const AdminCall& call, const json::object& body) {
    std::string address = is_true(body, "use_current") ? call.request().remote_address
                                                       : server::string_or(body, "address");
    const auto range =
        address.empty() ? Result<AddressRange>(AddressRange()) : AddressRange::parse(address);
    if (!range) {
        throw ApiException(bad_request(std::string("'address' ") + range.error().what()));
    }
    return address;
}

void check_new(const AccessList& list, const std::string& address) {
    const bool known =
        std::any_of(list.entries.begin(), list.entries.end(),
                    [&](const AccessEntry& entry) { return entry.address == address; });
    if (known) {
        throw ApiException(conflict("AccessListEntryAlreadyExists",
                                    "the access list has '" + address + "' already"));
    }
}

std::vector<AccessEntry>::iterator entry_of(const AdminCall& call, AccessList& list) {
    const auto found =
        std::find_if(list.entries.begin(), list.entries.end(), [&](const AccessEntry& entry) {
            return entry.id.to_string() == call.parameter("entry");
        });
    if (found == list.entries.end()) {
        throw ApiException(not_found("AccessListEntryNotFound", "there is no such entry"));
    }
    return found;
}

http::Response add_access_entry(AdminCall& call) {
    const json::object body = call.body();
    AccessEntry made{ObjectId::parse(to_hex(as_bytes(server::random_bytes(12)))).value(),
                     address_in(call, body), server::string_or(body, "comment")};
    if (made.address.empty()) {
        throw ApiException(missing_parameter("'address' or 'use_current' is required"));
    }
    static_cast<void>(
        call.apps()
            .change_access_list(call.app().id,
                                [&](AccessList& list) {
                                    check_new(list, made.address);
                                    if (list.entries.size() >= AccessList::entries_max) {
                                        throw ApiException(
                                            bad_request("an access list has at most 200 entries"));
                                    }
                                    list.entries.push_back(made);
                                })
            .value());
    return json_response(201, entry_json(made, call.request().remote_address));
}

http::Response change_access_entry(AdminCall& call) {
    const json::object body = call.body();
    const std::string address = address_in(call, body);
    AccessEntry changed;
    const auto change = [&](AccessList& list) {
        const auto entry = entry_of(call, list);
        if (!address.empty() && address != entry->address) {
            check_new(list, address);
            entry->address = address;
        }
        entry->comment = server::string_or(body, "comment", entry->comment);
        changed = *entry;
    };
    static_cast<void>(call.apps().change_access_list(call.app().id, change).value());
    return json_response(200, entry_json(changed, call.request().remote_address));
}

http::Response delete_access_entry(AdminCall& call) {
    const auto change = [&](AccessList& list) { list.entries.erase(entry_of(call, list)); };
    static_cast<void>(call.apps().change_access_list(call.app().id, change).value());
    return http::Response::empty(204);
}

http::Response get_refresh_lifetime(AdminCall& call) {
    return json_response(200, json::object{{"expiration_time_seconds",
                                            auth::refresh_lifetime(call.apps(), call.app().id)}});
}

// Of sign-ins from now on.
http::Response set_refresh_lifetime(AdminCall& call) {
    const json::object body = call.body();
    const json::value* seconds = body.if_contains("expiration_time_seconds");
    if (seconds == nullptr || !seconds->is_int64() ||
        seconds->get_int64() < auth::refresh_lifetime_min ||
        seconds->get_int64() > auth::refresh_lifetime_max) {
        throw ApiException(bad_request("'expiration_time_seconds' must be a whole number from " +
                                       std::to_string(auth::refresh_lifetime_min) + " to " +
                                       std::to_string(auth::refresh_lifetime_max)));
    }
    call.apps()
        .set_setting(call.app().id, auth::refresh_lifetime_setting,
                     json::object{{"expiration_time_seconds", seconds->get_int64()}})
        .value();
    return http::Response::empty(204);
}

} // namespace

void add_security_routes(RouteTable& table) {
    const std::string origins = "security/allowed_request_origins";
    table.add(Method::get, origins, "Origins that browsers may call from", 200, get_origins);
    table.add(Method::post, origins, "Replace the allowed origins", 204, set_origins);
    const std::string list = "security/access_list";
    table.add(Method::get, list, "Addresses that may call the app; none: all of them", 200,
              access_list);
    table.add(Method::post, list, "Let an address or range call", 201, add_access_entry);
    table.add(Method::patch, list + "/{entry}", "Change an entry", 200, change_access_entry);
    table.add(Method::delete_, list + "/{entry}", "Remove an entry; without any, all may call", 204,
              delete_access_entry);
    const std::string lifetime = "security/refresh_token_expiration";
    table.add(Method::get, lifetime, "How long refresh tokens last", 200, get_refresh_lifetime);
    table.add(Method::put, lifetime, "Change how long refresh tokens of new sign-ins last", 204,
              set_refresh_lifetime);
}

} // namespace tombolo::api::admin
