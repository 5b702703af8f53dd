#include "protocol/json_bodies.hpp"

#include <array>

#include <boost/json.hpp>

#include "core/bytes.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/limits.hpp"

namespace tombolo::protocol {

namespace {

constexpr std::array<std::string_view, 7> log_level_names{"fatal",  "error", "warn", "info",
                                                          "detail", "debug", "trace"};

std::optional<LogLevel> find_log_level(std::string_view name) {
    for (std::size_t i = 0; i < log_level_names.size(); ++i) {
        if (log_level_names[i] == name) {
            return static_cast<LogLevel>(i);
        }
    }
    return std::nullopt;
}

Error not_utf8(const char* where) {
    return {ErrorCode::invalid_argument, "a text is not UTF-8", where};
}

std::string text_of(const boost::json::string& text) {
    return {text.data(), text.size()};
}

} // namespace

Result<FlexibleBind> parse_flexible_bind(std::string_view json) {
    FlexibleBind bind;
    if (json.empty()) {
        return bind;
    }
    TOMBOLO_TRY(const boost::json::object object,
                detail::parse_json_object(json, limits::bind_data_bytes_max));
    detail::ObjectReader reader(object);
    bind.migrated_partition = reader.optional_string("migratedPartition");
    bind.schema_version = reader.optional_count("schemaVersion");
    if (const auto reason = reader.optional_count("sessionReason")) {
        if (*reason > 1) {
            reader.fail("key 'sessionReason' is neither 0 nor 1");
        }
        bind.session_reason = *reason == 0 ? SessionReason::sync : SessionReason::client_reset;
    }
    if (reader.error()) {
        return *reader.error();
    }
    return bind;
}

std::string write_flexible_bind(const FlexibleBind& bind) {
    boost::json::object object;
    if (bind.migrated_partition) {
        object["migratedPartition"] = *bind.migrated_partition;
    }
    if (bind.schema_version) {
        object["schemaVersion"] = *bind.schema_version;
    }
    if (bind.session_reason) {
        object["sessionReason"] = static_cast<std::uint64_t>(*bind.session_reason);
    }
    return object.empty() ? std::string{} : boost::json::serialize(object);
}

Result<QueryBody> parse_query_body(std::string_view json) {
    if (json.size() > limits::query_body_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     "the subscriptions take " + std::to_string(json.size()) + " bytes; at most " +
                         std::to_string(limits::query_body_bytes_max) + " are allowed");
    }
    TOMBOLO_TRY(const boost::json::object object,
                detail::parse_json_object(json, limits::query_body_bytes_max));
    QueryBody query;
    for (const auto& [class_name, predicate] : object) {
        if (class_name.empty()) {
            return Error(ErrorCode::bad_sync_message, "a subscription names no class");
        }
        const boost::json::string* text = predicate.if_string();
        if (text == nullptr) {
            return Error(ErrorCode::bad_sync_message, "a subscription's query is not a string",
                         std::string(class_name));
        }
        query.emplace(std::string(class_name), text_of(*text));
    }
    return query;
}

std::string write_query_body(const QueryBody& query) {
    boost::json::object object;
    for (const auto& [class_name, predicate] : query) {
        object[class_name] = predicate;
    }
    return boost::json::serialize(object);
}

std::string_view log_level_name(LogLevel level) noexcept {
    return log_level_names.at(static_cast<std::size_t>(level));
}

Result<LogBody> parse_log_body(std::string_view json) {
    TOMBOLO_TRY(const boost::json::object object,
                detail::parse_json_object(json, limits::server_json_bytes_max));
    detail::ObjectReader reader(object);
    LogBody body;
    body.connection_id = reader.optional_string("co_id");
    if (const auto level = reader.optional_string("level")) {
        body.level = find_log_level(*level);
        if (!body.level) {
            reader.fail("key 'level' is not a known log level");
        }
    }
    body.message = reader.optional_string("msg");
    if (reader.error()) {
        return *reader.error();
    }
    return body;
}

Result<std::string> write_log_body(const LogBody& body) {
    if (!is_utf8(body.connection_id.value_or("")) || !is_utf8(body.message.value_or(""))) {
        return not_utf8("log_message");
    }
    boost::json::object object;
    if (body.connection_id) {
        object["co_id"] = *body.connection_id;
    }
    if (body.level) {
        object["level"] = log_level_name(*body.level);
    }
    if (body.message) {
        object["msg"] = *body.message;
    }
    return boost::json::serialize(object);
}

Result<std::string> parse_client_error_body(std::string_view json) {
    TOMBOLO_TRY(const boost::json::object object,
                detail::parse_json_object(json, limits::client_json_bytes_max));
    detail::ObjectReader reader(object);
    std::string message = reader.string("message");
    if (reader.error()) {
        return *reader.error();
    }
    return message;
}

Result<std::string> write_client_error_body(std::string_view message) {
    if (!is_utf8(message)) {
        return not_utf8("json_error");
    }
    return boost::json::serialize(
        boost::json::object{{"message", boost::json::string_view(message.data(), message.size())}});
}

Result<TestCommandBody> parse_test_command_body(std::string_view json) {
    TOMBOLO_TRY(const boost::json::object object,
                detail::parse_json_object(json, limits::client_json_bytes_max));
    detail::ObjectReader reader(object);
    TestCommandBody body;
    body.command = reader.string("command");
    if (reader.error()) {
        return *reader.error();
    }
    body.args_json = "{}";
    if (const boost::json::value* args = object.if_contains("args")) {
        if (!args->is_object()) {
            return Error(ErrorCode::bad_sync_message, "key 'args' is not an object");
        }
        body.args_json = boost::json::serialize(*args);
    }
    return body;
}

} // namespace tombolo::protocol
