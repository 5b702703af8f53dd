#include "core/object_id.hpp"

#include <algorithm>

#include "core/bytes.hpp"

namespace tombolo {

Result<ObjectId> ObjectId::parse(std::string_view text) {
    ObjectId id;
    if (text.size() == id.bytes.size() * 2) {
        if (const auto bytes = from_hex(text)) {
            std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
            return id;
        }
    }
    return Error(ErrorCode::bad_object_id, "an ObjectId is written as 24 hex digits");
}

ObjectId ObjectId::from_parts(std::uint32_t unix_seconds, std::uint64_t random,
                              std::uint32_t counter) noexcept {
    ObjectId id;
    for (std::size_t i = 0; i < 4; ++i) {
        id.bytes[i] = static_cast<std::byte>(unix_seconds >> (24 - 8 * i) & 0xff);
    }
    for (std::size_t i = 0; i < 5; ++i) {
        id.bytes[4 + i] = static_cast<std::byte>(random >> (32 - 8 * i) & 0xff);
    }
    for (std::size_t i = 0; i < 3; ++i) {
        id.bytes[9 + i] = static_cast<std::byte>(counter >> (16 - 8 * i) & 0xff);
    }
    return id;
}

std::string ObjectId::to_string() const {
    return to_hex(bytes);
}

std::uint32_t ObjectId::unix_seconds() const noexcept {
    std::uint32_t seconds = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        seconds = seconds << 8 | std::to_integer<std::uint32_t>(bytes[i]);
    }
    return seconds;
}

} // namespace tombolo
