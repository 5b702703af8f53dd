// The write-ahead log of a store as a crash or a damaged disk left it: where it is cut lies within
// it, and what was cut is not cut again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/store/embedded/log_tail.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    const ByteView log(reinterpret_cast<const std::byte*>(data), size);
    const auto end = store::embedded::torn_log_tail(log);
    if (end && (*end >= size || store::embedded::torn_log_tail(log.subspan(0, *end)))) {
        std::abort();
    }
    return 0;
}
