#include "server/app/access_list.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <boost/json/array.hpp>

#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace {

constexpr unsigned v4_prefix_bits = 96;

struct Address {
    std::array<std::uint8_t, 16> bytes{};
    bool is_v4 = false;
};

std::optional<Address> address_of(std::string_view text) {
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

bool AccessEntry::contains(std::string_view remote) const noexcept {
    if (address == every_address) {
        return true;
    }
    const auto range = AddressRange::parse(address);
    return range && range->contains(remote);
}

AccessList AccessList::from_json(const boost::json::object& stored) {
    AccessList out;
    const boost::json::value* list = stored.if_contains("entries");
    if (list == nullptr || !list->is_array()) {
        return out;
    }
    out.is_restricting = !list->get_array().empty();
    for (const boost::json::value& one : list->get_array()) {
        if (!one.is_object()) {
            continue;
        }
        const auto id = ObjectId::parse(string_or(one.get_object(), "_id"));
        if (id) {
            out.entries.push_back({*id, string_or(one.get_object(), "address"),
                                   string_or(one.get_object(), "comment")});
        }
    }
    return out;
}

boost::json::object AccessList::to_json() const {
    boost::json::array list;
    for (const AccessEntry& entry : entries) {
        list.push_back(boost::json::object{
            {"_id", entry.id.to_string()}, {"address", entry.address}, {"comment", entry.comment}});
    }
    return {{"entries", std::move(list)}};
}

bool AccessList::admits(std::string_view remote) const noexcept {
    return (entries.empty() && !is_restricting) ||
           std::any_of(entries.begin(), entries.end(),
                       [&](const AccessEntry& entry) { return entry.contains(remote); });
}

} // namespace tombolo::server
