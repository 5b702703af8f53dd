// Frames from a worker process, and request bodies taken apart member by member: whatever the
// bytes, an answer and no crash; and how the stream is cut makes no difference.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/functions/frame.hpp"
#include "server/runtime/json.hpp"

namespace {

using namespace tombolo;

struct Reading {
    std::string frames;
    bool failed = false;
};

// Everything that a reader says of the stream, cut into pieces of that size.
Reading read(std::string_view stream, std::size_t piece) {
    functions::FrameReader reader(4096, 512);
    Reading out;
    while (!stream.empty() && !out.failed) {
        reader.append(stream.substr(0, piece));
        stream.remove_prefix(std::min(piece, stream.size()));
        for (;;) {
            const auto frame = reader.next();
            if (!frame) {
                out.failed = true;
                break;
            }
            if (!*frame) {
                break;
            }
            out.frames += functions::encode_frame(**frame);
        }
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const Reading whole = read(text, text.size());
    const Reading cut = read(text, size == 0 ? 1 : 1 + data[0] % 31U);
    if (whole.frames != cut.frames || whole.failed != cut.failed) {
        std::abort();
    }
    // What was read is what was sent.
    if (!text.starts_with(whole.frames)) {
        std::abort();
    }
    if (const auto members = server::json_members(text)) {
        for (const auto& [key, value] : *members) {
            if (value.data() < text.data() || value.data() + value.size() > text.data() + size) {
                std::abort();
            }
        }
    }
    return 0;
}
