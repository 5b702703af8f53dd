#pragma once

// The variable-length integers of changesets (changesets-and-merge.md 1.2): little-endian base 128,
// the sign folded into the last byte. A negative value v is written as -(v+1) with the sign bit
// set.
//
// The last byte has bit 7 clear, bit 6 = sign, bits 0..5 = the top value bits; every byte before it
// has bit 7 set and 7 value bits. Stateless; header-only because decoding speed depends on
// inlining.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tombolo::changeset {

struct UnsignedParts {
    std::uint64_t magnitude = 0;
    bool negative = false;
};

constexpr UnsignedParts split_sign(std::int64_t value) noexcept {
    auto bits = std::bit_cast<std::uint64_t>(value);
    return value < 0 ? UnsignedParts{~bits, true} : UnsignedParts{bits, false};
}

constexpr std::int64_t join_sign(UnsignedParts parts) noexcept {
    return std::bit_cast<std::int64_t>(parts.negative ? ~parts.magnitude : parts.magnitude);
}

/// Longest form of an integer with that many value bits.
constexpr unsigned integer_bytes_max(unsigned value_bits) noexcept {
    return (1 + value_bits + 6) / 7;
}

inline void append_parts(std::vector<std::byte>& out, UnsignedParts parts) {
    while (parts.magnitude >= 64) {
        out.push_back(static_cast<std::byte>(0x80 | (parts.magnitude & 0x7F)));
        parts.magnitude >>= 7;
    }
    out.push_back(static_cast<std::byte>(parts.magnitude | (parts.negative ? 0x40U : 0U)));
}

inline void append_unsigned(std::vector<std::byte>& out, std::uint64_t value) {
    append_parts(out, {value, false});
}

inline void append_signed(std::vector<std::byte>& out, std::int64_t value) {
    append_parts(out, split_sign(value));
}

/// Why an integer could not be read; nullptr when it could.
using ReadFailure = const char*;

/// Reads one integer of at most `value_bits` value bits from [at, end) and moves `at` behind it.
inline ReadFailure read_parts(const std::byte*& at, const std::byte* end, unsigned value_bits,
                              UnsignedParts& result) noexcept {
    const unsigned bytes_max = integer_bytes_max(value_bits);
    const std::byte* from = at;
    std::uint64_t magnitude = 0;
    bool overflow = false;
    for (unsigned count = 0, shift = 0; count < bytes_max; ++count, shift += 7) {
        if (from == end) {
            return "input ends inside an integer";
        }
        auto byte = std::to_integer<std::uint64_t>(*from++);
        bool last = (byte & 0x80) == 0;
        std::uint64_t group = byte & (last ? 0x3F : 0x7F);
        overflow = overflow || (shift != 0 && (group << shift) >> shift != group);
        magnitude |= group << shift;
        if (last) {
            if (overflow || (value_bits < 64 && (magnitude >> value_bits) != 0)) {
                return "integer does not fit its field";
            }
            result = {magnitude, (byte & 0x40) != 0};
            at = from;
            return nullptr;
        }
    }
    return "integer is longer than its field allows";
}

} // namespace tombolo::changeset
