#pragma once

// Every sync message, both directions, as plain structs (sync-protocol.md 3).
//
// A WebSocket binary message holds exactly one of them:
//
//   message = type *( SP field ) LF body
//
// Fields named `..._text`, `data`, `token`, `query_body` and bodies of changesets borrow from the
// message they were parsed from (or from the caller's bytes, when encoding); everything else is
// owned. A default-constructed struct is not a legal message: session idents are never 0 except
// where said.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/bytes.hpp"
#include "protocol/body.hpp"
#include "protocol/json_bodies.hpp"
#include "protocol/sync_error.hpp"
#include "protocol/types.hpp"

namespace tombolo::protocol {

// ---- both directions

/// Client: "tell me when I am up to date". Server: "you are, as of that request".
struct Mark {
    SessionIdent session;
    RequestIdent request;
};

/// Test-only. The body is JSON: a command (parse_test_command_body) or its reply, "{}".
struct TestCommand {
    SessionIdent session;
    RequestIdent request;
    std::string_view body_text;
};

// ---- client to server

/// Data of a partition-based BIND: the partition value as extended JSON, or a path.
struct PartitionBind {
    std::string_view data;
};

struct Bind {
    SessionIdent session;
    bool needs_file_ident = false;
    bool is_subserver = false;
    /// Empty from published clients: the token stands in the upgrade request.
    std::string_view token;
    /// FlexibleBind in flexible mode, PartitionBind in partition mode.
    std::variant<FlexibleBind, PartitionBind> data;
};

struct ClientIdent {
    SessionIdent session;
    SaltedFileIdent file;
    DownloadCursor scan; ///< where the server is to go on
    SaltedServerVersion latest;
    QueryVersion query_version;  ///< flexible mode only
    std::string_view query_body; ///< flexible mode only; parse_query_body()
};

/// Flexible mode only.
struct Query {
    SessionIdent session;
    QueryVersion version;
    std::string_view query_body; ///< parse_query_body()
};

/// Zero entries are legal: the message then only moves the cursors.
struct Upload {
    SessionIdent session;
    UploadCursor progress;
    ServerVersion locked;
    Body body; ///< of UploadEntry
};

struct Unbind {
    SessionIdent session;
};

struct Ping {
    std::int64_t timestamp_ms = 0; ///< opaque
    std::int64_t round_trip_ms = 0;
};

/// The client could not integrate something; it stalls until the binding ends.
struct ClientError {
    SessionIdent session;
    int code = 0;
    std::string message;
};

using ClientMessage =
    std::variant<Bind, ClientIdent, Query, Upload, Mark, Unbind, Ping, ClientError, TestCommand>;

// ---- server to client

struct ServerIdent {
    SessionIdent session;
    SaltedFileIdent file; ///< ident >= 1, salt != 0
};

enum class BatchState : std::uint8_t {
    bootstrap_more = 0, ///< part of a bootstrap, more follows
    bootstrap_last = 1,
    steady = 2,
};

/// 0 to 1 in steps of 1/10,000: all that the published client keeps.
struct ProgressEstimate {
    std::int32_t ten_thousandths = 0;

    static constexpr ProgressEstimate complete() noexcept { return {10'000}; }
    /// Rounded down and kept within 0..1, so that 1 is never claimed early.
    static ProgressEstimate from_fraction(double fraction) noexcept;
    friend auto operator<=>(const ProgressEstimate&, const ProgressEstimate&) = default;
};

struct Download {
    SessionIdent session;
    SyncProgress progress;
    /// Flexible mode only, as the next two. Versions below 14 carry one bit: what they call "last
    /// in batch" is read as bootstrap_last and means what resolve_batch_state() says.
    QueryVersion query_version;
    BatchState batch_state = BatchState::steady;
    ProgressEstimate estimate; ///< not sent in version 11, which has an integer there
    /// Partition mode, and flexible mode in version 11 (send 0 there).
    std::uint64_t downloadable_bytes = 0;
    Body body; ///< of DownloadEntry
};

/// What a DOWNLOAD of version 13 or older is, judged as those clients do: steady state if it is the
/// last of its batch for the active query version (-1 until version 0 is complete), else part of a
/// bootstrap (sync-protocol.md 3.4).
BatchState resolve_batch_state(const Download& download, QueryVersion active) noexcept;

struct Unbound {
    SessionIdent session;
};

struct Pong {
    std::int64_t timestamp_ms = 0;
};

/// Session ident 0: the connection's. See also make_json_error().
struct JsonError {
    SessionIdent session;
    int code = 0;
    ErrorBody body;
};

/// An error with the action and flags that sync_errors.def recommends. The session is ignored for
/// connection codes.
JsonError make_json_error(SyncErrorCode code, SessionIdent session, std::string message);

/// Read for completeness, never sent: it carries no action. Session ident 0: the connection's.
struct LegacyError {
    SessionIdent session;
    int code = 0;
    bool try_again = false;
    std::string_view message_text;
};

/// Flexible mode only. Marks one subscription set as failed; the session goes on.
struct QueryError {
    SessionIdent session;
    int code = 0;
    QueryVersion version;
    std::string_view message_text;
};

/// Session ident 0: the connection's.
struct LogMessage {
    SessionIdent session;
    LogBody body;
};

using ServerMessage = std::variant<ServerIdent, Download, Mark, Unbound, Pong, JsonError,
                                   LegacyError, QueryError, LogMessage, TestCommand>;

} // namespace tombolo::protocol
