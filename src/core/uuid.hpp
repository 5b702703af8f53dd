#pragma once

// 16-byte UUID in RFC 4122 byte order.

#include <array>
#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo {

struct Uuid {
    std::array<std::byte, 16> bytes{};

    /// "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", either case.
    static Result<Uuid> parse(std::string_view text);

    /// Lower case.
    std::string to_string() const;

    /// Byte-wise, as Mixed sorts.
    friend auto operator<=>(const Uuid&, const Uuid&) = default; // NOLINT
};

} // namespace tombolo
