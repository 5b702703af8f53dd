#pragma once

// Byte views and their text forms (hex, base64).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace tombolo {

using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(ByteView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hex, two digits a byte.
std::string to_hex(ByteView bytes);

/// Accepts upper and lower case; bad_hex on an odd length or another character.
Result<std::vector<std::byte>> from_hex(std::string_view text);

/// RFC 4648 section 4, with padding.
std::string to_base64(ByteView bytes);

/// RFC 4648 section 4; padding may be missing, anything else is bad_base64.
Result<std::vector<std::byte>> from_base64(std::string_view text);

/// RFC 4648 section 5 (URL-safe), without padding: the form tokens use.
std::string to_base64url(ByteView bytes);
Result<std::vector<std::byte>> from_base64url(std::string_view text);

/// True when the text is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

} // namespace tombolo
