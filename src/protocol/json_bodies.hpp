#pragma once

// The JSON objects inside sync messages (sync-protocol.md 3.1, 3.2, 6): what they hold, how they
// are read and written.
//
// Writing gives keys in alphabetical order without white space, as the published client does.
// Reading ignores unknown keys and refuses a known key of the wrong type (bad_sync_message), text
// that is not UTF-8, nesting deeper than limits::json_depth_max. Pure functions; thread-safe.
// Results own what they hold.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/primary_key.hpp"
#include "core/result.hpp"
#include "protocol/sync_error.hpp"
#include "protocol/types.hpp"

namespace tombolo::protocol {

enum class SessionReason : std::uint8_t { sync = 0, client_reset = 1 };

/// Data of a flexible sync BIND. Empty data and an object without any of the keys are the same.
struct FlexibleBind {
    /// The partition value of a file that was opened partition-based and then migrated.
    std::optional<std::string> migrated_partition;
    std::optional<std::uint64_t> schema_version;
    std::optional<SessionReason> session_reason;
    friend bool operator==(const FlexibleBind&, const FlexibleBind&) = default;
};

Result<FlexibleBind> parse_flexible_bind(std::string_view json);
/// Empty when no key is present.
std::string write_flexible_bind(const FlexibleBind& bind);

/// The subscriptions of IDENT and QUERY: class name (without prefix) to the text of its predicate.
using QueryBody = std::map<std::string, std::string, std::less<>>;

/// limit_exceeded above 256 KiB; bad_sync_message when it is not an object of strings or a class
/// name is empty. The answer to either is a QUERY_ERROR 226, at IDENT a session error 226, not the
/// end of the connection.
Result<QueryBody> parse_query_body(std::string_view json);
std::string write_query_body(const QueryBody& query);

struct ErrorBackoff {
    std::int64_t interval_sec = 0;
    std::int64_t max_delay_sec = 0;
    std::int64_t multiplier = 0;
    friend bool operator==(const ErrorBackoff&, const ErrorBackoff&) = default;
};

/// One refused write. The key travels as base64 of a type tag and the value in changeset encoding
/// (6.4).
struct RejectedUpdate {
    std::string class_name;
    PrimaryKey primary_key;
    std::string reason;
    friend bool operator==(const RejectedUpdate&, const RejectedUpdate&) = default;
};

struct RejectedWrites {
    ClientVersion client_version;                ///< of the offending changeset
    std::optional<ServerVersion> server_version; ///< of the undoing one; must be there for 231
    std::vector<RejectedUpdate> updates;
    friend bool operator==(const RejectedWrites&, const RejectedWrites&) = default;
};

/// The object of a server's JSON_ERROR.
struct ErrorBody {
    std::string message;
    std::string log_url;
    ErrorAction action = ErrorAction::application_bug;
    /// The action's text when it is not a known one; `action` is then application_bug.
    std::string unknown_action;
    bool try_again = false;
    bool should_client_reset = false;
    bool is_recovery_mode_disabled = false;
    std::optional<ErrorBackoff> backoff;
    std::optional<std::string> partition_query;           ///< must be there, not empty, for 232
    std::optional<std::uint64_t> previous_schema_version; ///< must be there for 236
    std::optional<RejectedWrites> rejected;               ///< must be there for 231
    friend bool operator==(const ErrorBody&, const ErrorBody&) = default;
};

/// `code` decides which keys must be there.
Result<ErrorBody> parse_error_body(int code, std::string_view json);
/// invalid_argument when a key that `code` requires is missing, a text is not UTF-8, or a key has
/// no wire form.
Result<std::string> write_error_body(int code, const ErrorBody& body);

enum class LogLevel : std::uint8_t { fatal, error, warn, info, detail, debug, trace };

std::string_view log_level_name(LogLevel level) noexcept;

struct LogBody {
    std::optional<std::string> connection_id;
    std::optional<LogLevel> level; ///< debug when absent
    std::optional<std::string> message;
    friend bool operator==(const LogBody&, const LogBody&) = default;
};

Result<LogBody> parse_log_body(std::string_view json);
Result<std::string> write_log_body(const LogBody& body);

/// The object of a client's JSON_ERROR: its message.
Result<std::string> parse_client_error_body(std::string_view json);
Result<std::string> write_client_error_body(std::string_view message);

/// What a client's TEST_COMMAND asks for.
struct TestCommandBody {
    std::string command;
    std::string args_json; ///< an object; "{}" when absent
    friend bool operator==(const TestCommandBody&, const TestCommandBody&) = default;
};

Result<TestCommandBody> parse_test_command_body(std::string_view json);

/// Arguments of the ECHO_ERROR command: the error that the client wants to be sent, with the
/// standard keys that it did not name filled in.
struct EchoError {
    int code = 0;
    ErrorBody body;
};

Result<EchoError> parse_echo_error(std::string_view args_json);

/// Base64 of tag and value. invalid_argument for a GlobalKey: the published client aborts on it.
Result<std::string> write_rejected_key(const PrimaryKeyView& key);
Result<PrimaryKey> parse_rejected_key(std::string_view base64);

/// `write to <pk> in table "<class>" not allowed`, with `; object is outside of the current query
/// view` appended when that is the cause.
std::string rejection_reason(const PrimaryKeyView& key, std::string_view class_name,
                             bool is_outside_view);
/// `write to <pk> in table "<class>" will corrupt geojson data`.
std::string geo_rejection_reason(const PrimaryKeyView& key, std::string_view class_name);
/// `write to <pk> in table "<class>" not allowed; <why>`: an index of the collection refuses it.
std::string rejection_reason_of_index(const PrimaryKeyView& key, std::string_view class_name,
                                      std::string_view why);

} // namespace tombolo::protocol
