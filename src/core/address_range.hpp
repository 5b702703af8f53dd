#pragma once

// IP addresses and ranges of them as people write them: "192.0.2.1", "10.0.0.0/8", "2001:db8::/32".
// An IPv4 address in IPv6 form is the IPv4 one. Plain values; nothing is looked up.

#include <array>
#include <cstdint>
#include <string_view>

#include "core/result.hpp"

namespace tombolo {

class AddressRange {
  public:
    /// invalid_argument says what is wrong.
    static Result<AddressRange> parse(std::string_view text);

    /// False for what is no address.
    bool contains(std::string_view address) const noexcept;

  private:
    std::array<std::uint8_t, 16> bytes_{}; ///< IPv4 as ::ffff:a.b.c.d
    unsigned bits_ = 128;                  ///< how many of them count
};

} // namespace tombolo
