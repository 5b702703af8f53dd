// WebSocket frames from any bytes: the same messages however the bytes are split, and never more
// memory than has arrived.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/bytes.hpp"
#include "server/http/websocket_frames.hpp"

namespace {

using tombolo::ByteView;
using tombolo::http::FrameReader;

constexpr std::size_t message_bytes_max = 4096;

std::string read_in_steps(ByteView input, std::size_t step) {
    FrameReader reader(message_bytes_max);
    std::string seen;
    while (!input.empty()) {
        ByteView piece = input.first(std::min(step, input.size()));
        input = input.subspan(piece.size());
        while (!piece.empty()) {
            const FrameReader::Event event = reader.read(piece);
            if (event.kind == FrameReader::Kind::need_more) {
                continue;
            }
            if (event.payload.size() > message_bytes_max) {
                std::abort();
            }
            seen += std::to_string(static_cast<int>(event.kind)) + ":" +
                    std::to_string(event.code) + ":" +
                    std::string(tombolo::as_text(event.payload)) + ";";
            if (event.kind == FrameReader::Kind::fault) {
                return seen;
            }
        }
    }
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const std::string whole = read_in_steps(input, input.size() + 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
        if (read_in_steps(input, step) != whole) {
            std::abort();
        }
    }
    return 0;
}
