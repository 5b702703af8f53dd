#include "core/address_range.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

namespace tombolo {

namespace {

constexpr unsigned v4_prefix_bits = 96;

struct Address {
    std::array<std::uint8_t, 16> bytes{};
    bool is_v4 = false;
};

/// Longer than any address with a zone.
constexpr std::size_t text_max = 64;

std::optional<Address> address_of(std::string_view text) {
    if (text.size() > text_max) {
        return std::nullopt;
    }
    const std::string name(text);
    Address out;
    std::array<std::uint8_t, 4> v4{};
    if (::inet_pton(AF_INET, name.c_str(), v4.data()) == 1) {
        out.is_v4 = true;
        out.bytes[10] = 0xff;
        out.bytes[11] = 0xff;
        std::copy(v4.begin(), v4.end(), out.bytes.begin() + 12);
        return out;
    }
    if (::inet_pton(AF_INET6, name.c_str(), out.bytes.data()) == 1) {
        return out;
    }
    return std::nullopt;
}

std::optional<unsigned> number_of(std::string_view text) {
    unsigned value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9' || value > 1000) {
            return std::nullopt;
        }
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return text.empty() ? std::optional<unsigned>() : value;
}

} // namespace

Result<AddressRange> AddressRange::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = address_of(text.substr(0, slash));
    if (!address) {
        return Error(ErrorCode::invalid_argument, "must be an IP address or a range of them",
                     std::string(text));
    }
    AddressRange range;
    range.bytes_ = address->bytes;
    if (slash != std::string_view::npos) {
        const auto bits = number_of(text.substr(slash + 1));
        if (!bits || *bits > (address->is_v4 ? 32U : 128U)) {
            return Error(ErrorCode::invalid_argument,
                         "after the slash stands how many bits count: 0 to 32, or 128 of IPv6",
                         std::string(text));
        }
        range.bits_ = *bits + (address->is_v4 ? v4_prefix_bits : 0);
    }
    return range;
}

bool AddressRange::contains(std::string_view address) const noexcept {
    const auto other = address_of(address);
    if (!other) {
        return false;
    }
    const std::size_t whole = bits_ / 8;
    if (std::memcmp(bytes_.data(), other->bytes.data(), whole) != 0) {
        return false;
    }
    const unsigned rest = bits_ % 8;
    const auto shift = 8U - rest;
    return rest == 0 || bytes_[whole] >> shift == other->bytes[whole] >> shift;
}

} // namespace tombolo
