// What a client reads: any bytes give an error or a message that encodes (unless servers must not
// send it), parses and encodes to the same bytes again.

#include "protocol_fuzz.hpp"

using namespace tombolo;
using namespace tombolo::protocol;

namespace {

/// Codes that servers must not send are read all the same.
bool may_be_refused(const ServerMessage& message) {
    int code = 0;
    if (const auto* error = std::get_if<JsonError>(&message)) {
        code = error->code;
    } else if (const auto* legacy = std::get_if<LegacyError>(&message)) {
        code = legacy->code;
    }
    const SyncErrorInfo* info = find_sync_error(code);
    return info != nullptr && info->sending != ErrorSending::server;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const Dialect dialect = fuzz::dialect_of(data[0]);
    const ByteView bytes{reinterpret_cast<const std::byte*>(data + 1), size - 1};
    const auto message = parse_server_message(bytes, dialect, fuzz::fuzz_limits);
    if (!message) {
        return 0;
    }
    const auto first = encode_server_message(*message, dialect);
    fuzz::require(first.has_value() != may_be_refused(*message));
    if (!first) {
        return 0;
    }
    const auto again = parse_server_message(*first, dialect, fuzz::fuzz_limits);
    fuzz::require(again.has_value() && again->index() == message->index());
    fuzz::require(encode_server_message(*again, dialect).value() == *first);
    if (const auto* download = std::get_if<Download>(&*message)) {
        fuzz::walk_body<DownloadEntryReader>(download->body);
    }
    return 0;
}
