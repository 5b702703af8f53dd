// What a server reads: any bytes give an error or a message that encodes, parses and encodes to the
// same bytes again.

#include "protocol_fuzz.hpp"

using namespace tombolo;
using namespace tombolo::protocol;

namespace {

/// The JSON inside must stand any text as well.
void read_texts(const ClientMessage& message) {
    if (const auto* query = std::get_if<Query>(&message)) {
        if (const auto body = parse_query_body(query->query_body)) {
            fuzz::require(parse_query_body(write_query_body(*body)).value() == *body);
        }
    } else if (const auto* command = std::get_if<TestCommand>(&message)) {
        if (const auto body = parse_test_command_body(command->body_text)) {
            static_cast<void>(parse_echo_error(body->args_json));
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const Dialect dialect = fuzz::dialect_of(data[0]);
    const ByteView bytes{reinterpret_cast<const std::byte*>(data + 1), size - 1};
    const auto message = parse_client_message(bytes, dialect, fuzz::fuzz_limits);
    if (!message) {
        return 0;
    }
    const MessageBytes first = encode_client_message(*message, dialect).value();
    const auto again = parse_client_message(first, dialect, fuzz::fuzz_limits);
    fuzz::require(again.has_value() && again->index() == message->index());
    fuzz::require(encode_client_message(*again, dialect).value() == first);
    if (const auto* upload = std::get_if<Upload>(&*message)) {
        fuzz::walk_body<UploadEntryReader>(upload->body);
    }
    read_texts(*message);
    return 0;
}
