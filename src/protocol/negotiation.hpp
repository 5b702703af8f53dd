#pragma once

// Choosing mode and version from the WebSocket subprotocols (sync-protocol.md 1.2 to 1.4). Pure
// functions.
//
//   Sec-WebSocket-Protocol: com.mongodb.realm-query-sync#14, com.mongodb.realm-query-sync#13, ...
//
// Offered tokens that are not of this form, or name a version that is not spoken, are ignored.

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "protocol/types.hpp"

namespace tombolo::protocol {

inline constexpr std::string_view partition_subprotocol_prefix = "com.mongodb.realm-sync#";
inline constexpr std::string_view flexible_subprotocol_prefix = "com.mongodb.realm-query-sync#";

std::string_view subprotocol_prefix(SyncMode mode) noexcept;

/// The one token a server answers with.
std::string subprotocol_token(Dialect dialect);

/// The value of a client's header: every version that is spoken, highest first.
std::string subprotocol_offer(SyncMode mode);

/// Server: the highest common version (14 whenever offered); at equal versions, the mode named
/// first. Answer an error with HTTP 400: limit_exceeded for a value that is too long, unsupported
/// when nothing is common.
Result<Dialect> negotiate_subprotocol(std::string_view offer);

/// Client: the server's choice, which must be a single token with the prefix of `mode` and a
/// version that was offered.
Result<Dialect> parse_subprotocol_answer(std::string_view answer, SyncMode mode);

} // namespace tombolo::protocol
