#include "core/bytes.hpp"

#include <array>
#include <cstring>

namespace tombolo {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// For every byte its value as a digit, or -1.
using DigitTable = std::array<std::int8_t, 256>;

constexpr DigitTable make_table(std::string_view digits) {
    DigitTable table{};
    table.fill(-1);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        table[static_cast<unsigned char>(digits[i])] = static_cast<std::int8_t>(i);
    }
    return table;
}

constexpr DigitTable make_hex_table() {
    DigitTable table = make_table(hex_digits);
    for (std::size_t i = 10; i < 16; ++i) {
        table[static_cast<std::size_t>('A') + i - 10] = static_cast<std::int8_t>(i);
    }
    return table;
}

constexpr DigitTable hex_table = make_hex_table();
constexpr DigitTable base64_table = make_table(base64_digits);
constexpr DigitTable base64url_table = make_table(base64url_digits);

int digit(const DigitTable& table, char character) noexcept {
    return table[static_cast<unsigned char>(character)];
}

std::string encode_base64(ByteView bytes, std::string_view digits, bool pad) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8 | (j < count ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            if (j <= count) {
                text += digits[group >> (18 - 6 * j) & 63];
            } else if (pad) {
                text += '=';
            }
        }
    }
    return text;
}

Error bad_base64(std::size_t offset, const char* reason) {
    return Error(ErrorCode::bad_base64, std::string("text is not base64: ") + reason,
                 "offset " + std::to_string(offset));
}

Result<std::vector<std::byte>> decode_base64(std::string_view text, const DigitTable& table) {
    std::size_t size = text.size();
    if (size % 4 == 0 && size > 0 && text[size - 1] == '=') {
        size -= text[size - 2] == '=' ? 2 : 1;
    }
    if (size % 4 == 1) {
        return bad_base64(size, "its last group has one digit");
    }
    std::vector<std::byte> bytes;
    bytes.reserve(size / 4 * 3 + 2);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const int value = digit(table, text[i]);
        if (value < 0) {
            return bad_base64(i, "unexpected character");
        }
        group = group << 6 | static_cast<std::uint32_t>(value);
        if (i % 4 == 3) {
            bytes.push_back(static_cast<std::byte>(group >> 16 & 0xff));
            bytes.push_back(static_cast<std::byte>(group >> 8 & 0xff));
            bytes.push_back(static_cast<std::byte>(group & 0xff));
            group = 0;
        }
    }
    // Bits beyond the last byte must be zero: one byte string has one text form.
    if (size % 4 == 2) {
        if ((group & 0xf) != 0) {
            return bad_base64(size - 1, "unused bits are set");
        }
        bytes.push_back(static_cast<std::byte>(group >> 4 & 0xff));
    } else if (size % 4 == 3) {
        if ((group & 0x3) != 0) {
            return bad_base64(size - 1, "unused bits are set");
        }
        bytes.push_back(static_cast<std::byte>(group >> 10 & 0xff));
        bytes.push_back(static_cast<std::byte>(group >> 2 & 0xff));
    }
    return bytes;
}

bool is_continuation(unsigned char byte) noexcept {
    return (byte & 0xc0) == 0x80;
}

/// Length of the well-formed UTF-8 sequence of two or more bytes at the start, or 0.
std::size_t multibyte_length(const unsigned char* bytes, std::size_t size) noexcept {
    const unsigned char lead = bytes[0];
    if (lead >= 0xc2 && lead <= 0xdf) {
        return size >= 2 && is_continuation(bytes[1]) ? 2 : 0;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        if (size < 3 || !is_continuation(bytes[1]) || !is_continuation(bytes[2])) {
            return 0;
        }
        const bool overlong = lead == 0xe0 && bytes[1] < 0xa0;
        const bool surrogate = lead == 0xed && bytes[1] >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (size < 4 || !is_continuation(bytes[1]) || !is_continuation(bytes[2]) ||
            !is_continuation(bytes[3])) {
            return 0;
        }
        const bool overlong = lead == 0xf0 && bytes[1] < 0x90;
        const bool too_large = lead == 0xf4 && bytes[1] >= 0x90;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

} // namespace

std::string to_hex(ByteView bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        const auto value = std::to_integer<unsigned>(byte);
        text += hex_digits[value >> 4];
        text += hex_digits[value & 15];
    }
    return text;
}

Result<std::vector<std::byte>> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return Error(ErrorCode::bad_hex, "hex text has an odd number of digits");
    }
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = digit(hex_table, text[i]);
        const int low = digit(hex_table, text[i + 1]);
        if (high < 0 || low < 0) {
            return Error(ErrorCode::bad_hex, "text is not hex: unexpected character",
                         "offset " + std::to_string(high < 0 ? i : i + 1));
        }
        bytes.push_back(static_cast<std::byte>(high << 4 | low));
    }
    return bytes;
}

std::string to_base64(ByteView bytes) {
    return encode_base64(bytes, base64_digits, true);
}

Result<std::vector<std::byte>> from_base64(std::string_view text) {
    return decode_base64(text, base64_table);
}

std::string to_base64url(ByteView bytes) {
    return encode_base64(bytes, base64url_digits, false);
}

Result<std::vector<std::byte>> from_base64url(std::string_view text) {
    return decode_base64(text, base64url_table);
}

bool is_utf8(std::string_view text) noexcept {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t size = text.size();
    while (size > 0) {
        // Most text is ASCII: eight bytes at a time.
        while (size >= 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes, sizeof word);
            if ((word & 0x8080808080808080) != 0) {
                break;
            }
            bytes += 8;
            size -= 8;
        }
        if (size == 0) {
            break;
        }
        const std::size_t length = *bytes < 0x80 ? 1 : multibyte_length(bytes, size);
        if (length == 0) {
            return false;
        }
        bytes += length;
        size -= length;
    }
    return true;
}

} // namespace tombolo
