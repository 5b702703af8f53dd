// The object of a server's JSON_ERROR (sync-protocol.md 3.2, 6.4).

#include <string>

#include <boost/json.hpp>

#include "core/bytes.hpp"
#include "protocol/json_bodies.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/limits.hpp"

namespace tombolo::protocol {

namespace {

bool is_code(int code, SyncErrorCode known) {
    return code == static_cast<int>(known);
}

/// 230 and 231 may carry rejected updates.
bool may_have_rejected(int code) {
    return is_code(code, SyncErrorCode::write_not_allowed) ||
           is_code(code, SyncErrorCode::compensating_write);
}

std::optional<ErrorBackoff> read_backoff(detail::ObjectReader& reader) {
    if (!reader.has("backoffIntervalSec")) {
        return std::nullopt;
    }
    return ErrorBackoff{reader.integer("backoffIntervalSec"), reader.integer("backoffMaxDelaySec"),
                        reader.integer("backoffMultiplier")};
}

Result<RejectedUpdate> read_rejected_update(const boost::json::value& item) {
    const boost::json::object* object = item.if_object();
    if (object == nullptr) {
        return Error(ErrorCode::bad_sync_message, "an item is not an object", "rejectedUpdates");
    }
    detail::ObjectReader reader(*object);
    RejectedUpdate update;
    update.class_name = reader.string("table");
    update.reason = reader.string("reason");
    const std::string key = reader.string("pk");
    if (reader.error()) {
        return reader.error()->within("rejectedUpdates");
    }
    TOMBOLO_TRY(update.primary_key, parse_rejected_key(key));
    return update;
}

Result<RejectedWrites> read_rejected(detail::ObjectReader& reader, int code) {
    RejectedWrites writes;
    writes.client_version.value = reader.count("rejectedClientVersion");
    if (is_code(code, SyncErrorCode::compensating_write)) {
        writes.server_version = ServerVersion{reader.count("compensatingWriteServerVersion")};
    }
    const boost::json::array* updates = reader.array("rejectedUpdates");
    if (reader.error()) {
        return *reader.error();
    }
    for (const boost::json::value& item : *updates) {
        TOMBOLO_TRY(RejectedUpdate update, read_rejected_update(item));
        writes.updates.push_back(std::move(update));
    }
    return writes;
}

Result<ErrorBody> read_error_body(int code, const boost::json::object& object) {
    detail::ObjectReader reader(object);
    ErrorBody body;
    body.message = reader.string("message");
    body.log_url = reader.string("logURL");
    const std::string action = reader.string("action");
    body.try_again = reader.boolean("tryAgain");
    body.should_client_reset = reader.boolean("shouldClientReset");
    body.is_recovery_mode_disabled = reader.boolean("isRecoveryModeDisabled");
    body.backoff = read_backoff(reader);
    if (const auto known = parse_action(action)) {
        body.action = *known;
    } else {
        body.unknown_action = action;
    }
    if (is_code(code, SyncErrorCode::migrate_to_flexible_sync)) {
        body.partition_query = reader.string("partitionQuery");
        if (body.partition_query->empty()) {
            reader.fail("key 'partitionQuery' is empty");
        }
    }
    if (is_code(code, SyncErrorCode::schema_version_changed)) {
        body.previous_schema_version = reader.count("previousSchemaVersion");
    }
    if (reader.error()) {
        return *reader.error();
    }
    if (is_code(code, SyncErrorCode::compensating_write) ||
        (may_have_rejected(code) && reader.has("rejectedUpdates"))) {
        TOMBOLO_TRY(body.rejected, read_rejected(reader, code));
    }
    return body;
}

Error refused(const char* message) {
    return {ErrorCode::invalid_argument, message, "json_error"};
}

/// What `code` requires and forbids.
Result<void> check_for_code(int code, const ErrorBody& body) {
    const bool is_migration = is_code(code, SyncErrorCode::migrate_to_flexible_sync);
    if (is_migration != body.partition_query.has_value() ||
        (is_migration && body.partition_query->empty())) {
        return refused("232, and no other code, carries a partition query");
    }
    if (is_code(code, SyncErrorCode::schema_version_changed) !=
        body.previous_schema_version.has_value()) {
        return refused("236, and no other code, carries the previous schema version");
    }
    const bool is_compensating = is_code(code, SyncErrorCode::compensating_write);
    if ((body.rejected && !may_have_rejected(code)) || (is_compensating && !body.rejected)) {
        return refused("231, and if need be 230, carries rejected updates");
    }
    if (body.rejected && is_compensating != body.rejected->server_version.has_value()) {
        return refused("231, and no other code, carries a compensating write's server version");
    }
    if (!body.unknown_action.empty() &&
        (body.action != ErrorAction::application_bug || parse_action(body.unknown_action))) {
        return refused("an unknown action's text stands beside a known action");
    }
    const bool has_large_number =
        (body.previous_schema_version && *body.previous_schema_version > limits::number_max) ||
        (body.rejected && (body.rejected->client_version.value > limits::number_max ||
                           (body.rejected->server_version &&
                            body.rejected->server_version->value > limits::number_max)));
    if (has_large_number) {
        return refused("a number is 2^63 or more");
    }
    return {};
}

Result<void> check_texts(const ErrorBody& body) {
    bool is_text = is_utf8(body.message) && is_utf8(body.log_url) && is_utf8(body.unknown_action) &&
                   is_utf8(body.partition_query.value_or(""));
    if (body.rejected) {
        for (const RejectedUpdate& update : body.rejected->updates) {
            is_text = is_text && is_utf8(update.class_name) && is_utf8(update.reason);
        }
    }
    if (!is_text) {
        return refused("a text is not UTF-8");
    }
    return {};
}

Result<void> add_rejected(boost::json::object& object, const RejectedWrites& rejected) {
    boost::json::array updates;
    for (const RejectedUpdate& update : rejected.updates) {
        TOMBOLO_TRY(const std::string key, write_rejected_key(to_view(update.primary_key)));
        updates.push_back(boost::json::object{
            {"pk", key}, {"reason", update.reason}, {"table", update.class_name}});
    }
    object["rejectedClientVersion"] = rejected.client_version.value;
    object["rejectedUpdates"] = std::move(updates);
    return {};
}

} // namespace

Result<ErrorBody> parse_error_body(int code, std::string_view json) {
    TOMBOLO_TRY(const boost::json::object object,
                detail::parse_json_object(json, limits::server_json_bytes_max));
    return read_error_body(code, object);
}

Result<std::string> write_error_body(int code, const ErrorBody& body) {
    TOMBOLO_TRY_VOID(check_for_code(code, body));
    TOMBOLO_TRY_VOID(check_texts(body));
    // In alphabetical order.
    boost::json::object object;
    object["action"] =
        body.unknown_action.empty() ? std::string(action_name(body.action)) : body.unknown_action;
    if (body.backoff) {
        object["backoffIntervalSec"] = body.backoff->interval_sec;
        object["backoffMaxDelaySec"] = body.backoff->max_delay_sec;
        object["backoffMultiplier"] = body.backoff->multiplier;
    }
    if (body.rejected && body.rejected->server_version) {
        object["compensatingWriteServerVersion"] = body.rejected->server_version->value;
    }
    object["isRecoveryModeDisabled"] = body.is_recovery_mode_disabled;
    object["logURL"] = body.log_url;
    object["message"] = body.message;
    if (body.partition_query) {
        object["partitionQuery"] = *body.partition_query;
    }
    if (body.previous_schema_version) {
        object["previousSchemaVersion"] = *body.previous_schema_version;
    }
    if (body.rejected) {
        TOMBOLO_TRY_VOID(add_rejected(object, *body.rejected));
    }
    object["shouldClientReset"] = body.should_client_reset;
    object["tryAgain"] = body.try_again;
    return boost::json::serialize(object);
}

Result<EchoError> parse_echo_error(std::string_view args_json) {
    TOMBOLO_TRY(boost::json::object args,
                detail::parse_json_object(args_json, limits::client_json_bytes_max));
    detail::ObjectReader reader(args);
    const std::int64_t code = reader.integer("errorCode");
    constexpr std::int64_t code_max = 0x7FFF'FFFF;
    if (code < 0 || code > code_max) {
        reader.fail("key 'errorCode' is out of range");
    }
    boost::json::value* error_body = args.if_contains("errorBody");
    if (error_body == nullptr || !error_body->is_object()) {
        reader.fail("key 'errorBody' is not an object");
    }
    if (reader.error()) {
        return *reader.error();
    }
    EchoError echo;
    echo.code = static_cast<int>(code);
    const SyncErrorInfo* known = find_sync_error(echo.code);
    boost::json::object& object = error_body->get_object();
    // insert() leaves keys that the client did name.
    object.insert(
        {{"action", action_name(known != nullptr ? known->action : ErrorAction::application_bug)},
         {"isRecoveryModeDisabled", false},
         {"logURL", ""},
         {"message", "echoed error"},
         {"shouldClientReset", false},
         {"tryAgain", known != nullptr && known->try_again}});
    TOMBOLO_TRY(echo.body, read_error_body(echo.code, object));
    return echo;
}

} // namespace tombolo::protocol
