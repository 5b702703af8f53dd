#pragma once

// Addresses and ranges of addresses: "10.0.0.0/8", "127.0.0.1", "fd00::/8". IPv4 addresses in IPv6
// form are the IPv4 ones. Immutable once parsed.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace tombolo::http {

class AddressList {
  public:
    AddressList() = default;
    /// invalid_argument, naming the one that is none.
    static Result<AddressList> parse(std::span<const std::string> texts);

    /// False for what is no address.
    bool contains(std::string_view address) const;
    bool empty() const noexcept { return ranges_.empty(); }

  private:
    using Bytes = std::array<std::uint8_t, 16>;
    struct Range {
        Bytes address{};
        unsigned bits = 128;
    };
    static std::optional<Bytes> read(std::string_view text);

    std::vector<Range> ranges_;
};

/// Whose request it is, when it came from `peer` with this X-Forwarded-For: the nearest hop that is
/// no proxy of ours. What stands before that one is hearsay.
std::string client_address(const AddressList& proxies, std::string_view peer,
                           std::string_view forwarded_for);

} // namespace tombolo::http
