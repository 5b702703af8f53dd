#include "core/uuid.hpp"

#include <algorithm>

#include "core/bytes.hpp"

namespace tombolo {

namespace {

constexpr std::size_t text_size = 36;

bool is_hyphen_position(std::size_t i) noexcept {
    return i == 8 || i == 13 || i == 18 || i == 23;
}

} // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
    const auto refused = [] {
        return Error(ErrorCode::bad_uuid, "a UUID is written as 8-4-4-4-12 hex digits");
    };
    if (text.size() != text_size) {
        return refused();
    }
    std::string digits;
    for (std::size_t i = 0; i < text_size; ++i) {
        if (!is_hyphen_position(i)) {
            digits += text[i];
        } else if (text[i] != '-') {
            return refused();
        }
    }
    const auto parsed = from_hex(digits);
    if (!parsed) {
        return refused();
    }
    Uuid uuid;
    std::copy(parsed->begin(), parsed->end(), uuid.bytes.begin());
    return uuid;
}

std::string Uuid::to_string() const {
    std::string text = to_hex(bytes);
    for (std::size_t i = 0; i < text_size; ++i) {
        if (is_hyphen_position(i)) {
            text.insert(i, 1, '-');
        }
    }
    return text;
}

} // namespace tombolo
