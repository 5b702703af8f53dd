#pragma once

// 12-byte identifier as MongoDB and Realm have it: 4 bytes big-endian Unix seconds, 5 random, 3
// counter.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo {

struct ObjectId {
    std::array<std::byte, 12> bytes{};

    /// 24 hex digits, either case.
    static Result<ObjectId> parse(std::string_view text);

    /// An id made of its parts; `random` uses its low 40 bits, `counter` its low 24 bits.
    static ObjectId from_parts(std::uint32_t unix_seconds, std::uint64_t random,
                               std::uint32_t counter) noexcept;

    /// 24 lower-case hex digits.
    std::string to_string() const;

    std::uint32_t unix_seconds() const noexcept;

    /// Byte-wise, as Mixed sorts.
    friend auto operator<=>(const ObjectId&, const ObjectId&) = default; // NOLINT
};

} // namespace tombolo
