#pragma once

// The kinds of log entries that people choose by name, and the types that each stands for
// (admin-api-and-config.md R17).

#include <string_view>

namespace tombolo::server {

struct LogTypeGroup {
    const char* name;
    const char* types; ///< comma-separated, as the route of logs takes them
};

inline constexpr LogTypeGroup log_type_groups[] = {
    {"auth", "AUTH,API_KEY"},
    {"function", "FUNCTION,SERVICE_FUNCTION,STREAM_FUNCTION,SERVICE_STREAM_FUNCTION"},
    {"push", "PUSH"},
    {"service", "SERVICE_FUNCTION,SERVICE_STREAM_FUNCTION"},
    {"trigger", "AUTH_TRIGGER,DB_TRIGGER,SCHEDULED_TRIGGER,TRIGGER_FAILURE"},
    {"trigger_error_handler", "TRIGGER_ERROR_HANDLER"},
    {"graphql", "GRAPHQL"},
    {"sync", "SYNC_CONNECTION_START,SYNC_CONNECTION_END,SYNC_SESSION_START,SYNC_SESSION_END,"
             "SYNC_CLIENT_WRITE,SYNC_ERROR,SYNC_OTHER"},
    {"schema", "SCHEMA_ADDITIVE_CHANGE,SCHEMA_GENERATION,SCHEMA_VALIDATION"},
    {"log_forwarder", "LOG_FORWARDER"},
    {"endpoint", "ENDPOINT,WEBHOOK"},
    {"api", "API"},
    {"alert", "ALERT"},
};

/// Whether the comma-separated list has that very type.
constexpr bool has_log_type(std::string_view types, std::string_view type) noexcept {
    for (;;) {
        const std::size_t end = types.find(',');
        if (types.substr(0, end) == type) {
            return true;
        }
        if (end == std::string_view::npos) {
            return false;
        }
        types.remove_prefix(end + 1);
    }
}

} // namespace tombolo::server
