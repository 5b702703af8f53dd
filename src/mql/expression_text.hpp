#pragma once

// Code points of UTF-8 text. Text that is not valid UTF-8 is walked without reading outside it:
// every byte that does not continue a character begins one.

#include <cstddef>
#include <string_view>

namespace tombolo::mql::detail {

inline bool is_continuation(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

inline std::size_t count_code_points(std::string_view text) noexcept {
    std::size_t count = 0;
    for (const char c : text) {
        count += is_continuation(c) ? 0 : 1;
    }
    return count;
}

/// The offset `count` code points behind `offset`, at most the end.
inline std::size_t skip_code_points(std::string_view text, std::size_t offset,
                                    std::size_t count) noexcept {
    while (count > 0 && offset < text.size()) {
        do {
            ++offset;
        } while (offset < text.size() && is_continuation(text[offset]));
        --count;
    }
    return offset;
}

} // namespace tombolo::mql::detail
