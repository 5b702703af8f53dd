#pragma once

// Bytes to sync messages and back (sync-protocol.md 2, 3). No I/O, no state; thread-safe.
//
// Parsing is strict: single spaces, LF, no leading zeros, no plus sign, body sizes that fill the
// message exactly, numbers within their type (and idents, versions, sizes and timestamps below
// 2^63). Nothing is allocated in proportion to a declared size: bodies are views, JSON is bounded
// by its own limit.
//
// Errors: bad_sync_message (grammar), unknown_sync_message (type), sync_message_too_large (a
// limit), bad_compression (a declared size that deflate cannot reach). sync_code_for() gives the
// code to answer with.

#include <cstddef>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "protocol/limits.hpp"
#include "protocol/messages.hpp"

namespace tombolo::protocol {

struct ParseLimits {
    std::size_t message_bytes_max;
    std::size_t body_bytes_max; ///< of UPLOAD or DOWNLOAD, inflated
};

inline constexpr ParseLimits server_parse_limits{limits::client_message_bytes_max,
                                                 limits::upload_body_bytes_max};
inline constexpr ParseLimits client_parse_limits{limits::server_message_bytes_max,
                                                 limits::download_body_bytes_max};

/// What a client sent. The result borrows from `message`.
Result<ClientMessage> parse_client_message(ByteView message, Dialect dialect,
                                           const ParseLimits& parse_limits = server_parse_limits);

/// What a server sent. The result borrows from `message`. Stricter than published clients in one
/// thing: a session ident of 0 is refused wherever it has no meaning.
Result<ServerMessage> parse_server_message(ByteView message, Dialect dialect,
                                           const ParseLimits& parse_limits = client_parse_limits);

using MessageBytes = std::vector<std::byte>;

/// invalid_argument when the message must not be sent: a session ident of 0, a number of 2^63 or
/// more, an error code that crashes the published client or stands on the wrong level, JSON text
/// that is not UTF-8, a message that the dialect does not have. All of these are bugs of the
/// sender.
Result<MessageBytes> encode_client_message(const ClientMessage& message, Dialect dialect);
Result<MessageBytes> encode_server_message(const ServerMessage& message, Dialect dialect);

} // namespace tombolo::protocol
