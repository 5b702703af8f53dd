#pragma once

// Helpers of the protocol tests.

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "protocol/codec.hpp"

namespace tombolo::protocol::test {

inline constexpr Dialect flexible{};
inline constexpr Dialect partition{ProtocolVersion::v14, SyncMode::partition};

inline Result<ClientMessage> parse_client(std::string_view text, Dialect dialect = flexible) {
    return parse_client_message(as_bytes(text), dialect);
}

inline Result<ServerMessage> parse_server(std::string_view text, Dialect dialect = flexible) {
    return parse_server_message(as_bytes(text), dialect);
}

/// Throws the Error of a message that cannot be encoded.
inline std::string encoded(const ClientMessage& message, Dialect dialect = flexible) {
    return std::string(as_text(encode_client_message(message, dialect).value()));
}

inline std::string encoded(const ServerMessage& message, Dialect dialect = flexible) {
    return std::string(as_text(encode_server_message(message, dialect).value()));
}

/// The code that the text is refused with; internal when it is accepted.
inline ErrorCode client_refusal(std::string_view text, Dialect dialect = flexible) {
    const auto parsed = parse_client(text, dialect);
    return parsed ? ErrorCode::internal : parsed.error().code();
}

inline ErrorCode server_refusal(std::string_view text, Dialect dialect = flexible) {
    const auto parsed = parse_server(text, dialect);
    return parsed ? ErrorCode::internal : parsed.error().code();
}

inline std::string bytes_of_hex(std::string_view hex) {
    return std::string(as_text(from_hex(hex).value()));
}

} // namespace tombolo::protocol::test
