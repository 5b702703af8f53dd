#include "protocol/codec_common.hpp"

namespace tombolo::protocol::detail {

Result<void> check_message_size(ByteView message, const ParseLimits& parse_limits) {
    if (message.size() > parse_limits.message_bytes_max) {
        return Error(ErrorCode::sync_message_too_large,
                     "a message has " + std::to_string(message.size()) + " bytes; at most " +
                         std::to_string(parse_limits.message_bytes_max) + " are allowed");
    }
    return {};
}

Error unknown_message(const HeaderReader& reader) {
    if (reader.has_error()) {
        return reader.error();
    }
    constexpr std::size_t shown_bytes_max = 40;
    std::string type;
    for (const char c : reader.type().substr(0, shown_bytes_max)) {
        const bool is_printable = c > ' ' && c <= '~';
        type += is_printable ? c : '?';
    }
    return {ErrorCode::unknown_sync_message, "the message's type is unknown: '" + type + "'"};
}

Body take_body(HeaderReader& reader, bool is_compressed, std::uint64_t uncompressed_size,
               std::uint64_t compressed_size, const ParseLimits& parse_limits) {
    Body body;
    body.is_compressed = is_compressed;
    if (reader.has_error()) {
        return body;
    }
    if (uncompressed_size > parse_limits.body_bytes_max) {
        reader.fail(ErrorCode::sync_message_too_large,
                    "a body is declared with " + std::to_string(uncompressed_size) +
                        " bytes; at most " + std::to_string(parse_limits.body_bytes_max) +
                        " are allowed");
        return body;
    }
    if (!is_compressed) {
        if (compressed_size != 0) {
            reader.fail(ErrorCode::bad_sync_message,
                        "a body that is not compressed declares a compressed size");
        }
        body.wire = reader.body(uncompressed_size, parse_limits.body_bytes_max, "the body");
        body.uncompressed_size = body.wire.size();
        return body;
    }
    body.wire = reader.body(compressed_size, parse_limits.message_bytes_max, "the body");
    if (!reader.has_error() && uncompressed_size > body.wire.size() * limits::deflate_ratio_max) {
        reader.fail(ErrorCode::bad_compression, "the body cannot inflate to its declared size of " +
                                                    std::to_string(uncompressed_size) + " bytes");
    }
    body.uncompressed_size = static_cast<std::size_t>(uncompressed_size);
    return body;
}

void write_body_fields(MessageWriter& writer, const Body& body) {
    const std::size_t compressed_size = body.is_compressed ? body.wire.size() : 0;
    writer.field(body.is_compressed)
        .field(std::uint64_t{body.uncompressed_size})
        .field(std::uint64_t{compressed_size});
}

Result<void> check_session(SessionIdent session) {
    if (session.value == 0) {
        return Error(ErrorCode::invalid_argument, "the session ident must not be 0");
    }
    return {};
}

Mark read_mark(HeaderReader& reader) {
    Mark mark;
    mark.session = reader.session();
    mark.request = reader.strong<RequestIdent>("request ident");
    reader.end_header();
    return mark;
}

TestCommand read_test_command(HeaderReader& reader, std::size_t json_bytes_max) {
    TestCommand command;
    command.session = reader.session();
    command.request = reader.strong<RequestIdent>("request ident");
    const std::uint64_t size = reader.number("body size");
    reader.end_header();
    command.body_text = as_text(reader.body(size, json_bytes_max, "the body"));
    return command;
}

Result<MessageBytes> encode_mark(const Mark& mark) {
    TOMBOLO_TRY_VOID(check_session(mark.session));
    return MessageWriter("mark").field(mark.session).field(mark.request).end_header().finish();
}

Result<MessageBytes> encode_test_command(const TestCommand& command) {
    TOMBOLO_TRY_VOID(check_session(command.session));
    return MessageWriter("test_command")
        .field(command.session)
        .field(command.request)
        .field(std::uint64_t{command.body_text.size()})
        .end_header()
        .body(command.body_text)
        .finish();
}

} // namespace tombolo::protocol::detail
