#pragma once

// What the two directions of the codec share. Internal to protocol/.

#include "protocol/codec.hpp"
#include "protocol/wire_text.hpp"

namespace tombolo::protocol::detail {

/// sync_message_too_large above the limit.
Result<void> check_message_size(ByteView message, const ParseLimits& parse_limits);

Error unknown_message(const HeaderReader& reader);

/// The body of UPLOAD or DOWNLOAD, checked against what its header declares. Call after
/// end_header().
Body take_body(HeaderReader& reader, bool is_compressed, std::uint64_t uncompressed_size,
               std::uint64_t compressed_size, const ParseLimits& parse_limits);
/// The three fields that describe it.
void write_body_fields(MessageWriter& writer, const Body& body);

/// invalid_argument for 0.
Result<void> check_session(SessionIdent session);

Mark read_mark(HeaderReader& reader);
TestCommand read_test_command(HeaderReader& reader, std::size_t json_bytes_max);
Result<MessageBytes> encode_mark(const Mark& mark);
Result<MessageBytes> encode_test_command(const TestCommand& command);

/// The message, unless the reader met an error.
template <class Variant, class Message>
Result<Variant> finished(HeaderReader& reader, Message message) {
    TOMBOLO_TRY_VOID(reader.finish());
    return Variant(std::move(message));
}

} // namespace tombolo::protocol::detail
