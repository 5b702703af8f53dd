#include "cli/device/device_settings.hpp"

#include <boost/json/serialize.hpp>

#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace json = boost::json;
using server::string_or;

std::string print_settings(const DeviceSettings& settings) {
    json::object subscriptions;
    for (const auto& [name, each] : settings.subscriptions) {
        subscriptions[name] = json::object{{"class", each.class_name}, {"query", each.query}};
    }
    return json::serialize(json::object{{"base_url", settings.app.base_url},
                                        {"app_id", settings.app.app_id},
                                        {"ca_file", settings.app.ca_file},
                                        {"user_id", settings.user.user_id},
                                        {"access_token", settings.user.access_token},
                                        {"refresh_token", settings.user.refresh_token},
                                        {"signed_in_with", settings.signed_in_with},
                                        {"subscriptions", std::move(subscriptions)},
                                        {"reset_reason", settings.reset_reason}});
}

Result<DeviceSettings> parse_settings(const std::string& text) {
    const Result<json::object> read = server::parse_json_object(text);
    if (!read) {
        return Error(ErrorCode::store_corrupt, "the device's settings cannot be read");
    }
    DeviceSettings out;
    out.app = {string_or(*read, "base_url"), string_or(*read, "app_id"),
               string_or(*read, "ca_file")};
    out.user = {string_or(*read, "user_id"), string_or(*read, "access_token"),
                string_or(*read, "refresh_token")};
    out.signed_in_with = string_or(*read, "signed_in_with");
    out.reset_reason = string_or(*read, "reset_reason");
    for (const auto& [name, each] : server::object_or_empty(*read, "subscriptions")) {
        if (each.is_object()) {
            out.subscriptions[std::string(name)] = {string_or(each.get_object(), "class"),
                                                    string_or(each.get_object(), "query")};
        }
    }
    return out;
}

protocol::QueryBody query_body(const DeviceSettings& settings) {
    protocol::QueryBody out;
    for (const auto& [name, each] : settings.subscriptions) {
        std::string& query = out[each.class_name];
        query += (query.empty() ? "(" : " OR (") + each.query + ")";
    }
    return out;
}

} // namespace tombolo::cli
