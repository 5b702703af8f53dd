// Any bytes decode to a changeset whose every part can be read, or to an error with a reason and an
// offset.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "changeset/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tombolo;
    Result<changeset::Changeset> result =
        changeset::decode(ByteView(reinterpret_cast<const std::byte*>(data), size));
    if (result) {
        static_cast<void>(changeset::to_text(*result));
    } else if (result.error().code() != ErrorCode::bad_changeset ||
               result.error().context().empty()) {
        std::abort();
    }
    return 0;
}
