#pragma once

// What a device of `tombolo sync` is a device of: the server and app, the user, the subscriptions
// by name. Kept as JSON in the device's file. Plain values.

#include <map>
#include <string>

#include "client/app_client.hpp"
#include "core/result.hpp"
#include "protocol/json_bodies.hpp"

namespace tombolo::cli {

struct NamedSubscription {
    std::string class_name;
    std::string query;
};

struct DeviceSettings {
    client::AppAddress app;
    client::UserTokens user;
    std::string signed_in_with; ///< "anonymously", "as ann@example.org", ...
    std::map<std::string, NamedSubscription> subscriptions;
    /// The server has asked for a client reset, in its words; empty: it has not.
    std::string reset_reason;
};

std::string print_settings(const DeviceSettings& settings);
/// store_corrupt when it is no text that print_settings() has made.
Result<DeviceSettings> parse_settings(const std::string& text);

/// As the server takes them: what several subscriptions of a class ask for is joined with OR.
protocol::QueryBody query_body(const DeviceSettings& settings);

} // namespace tombolo::cli
