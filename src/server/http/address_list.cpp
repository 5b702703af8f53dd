#include "server/http/address_list.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace tombolo::http {

namespace {

constexpr unsigned mapped_bits = 96; ///< ::ffff:0:0/96

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

/// Some proxies write the port too: "1.2.3.4:5678", "[::1]:5678".
std::string_view without_port(std::string_view text) {
    if (text.starts_with('[')) {
        return text.substr(1, text.find(']') - 1);
    }
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos
               ? text.substr(0, colon)
               : text;
}

} // namespace

std::optional<AddressList::Bytes> AddressList::read(std::string_view text) {
    const std::string terminated(text);
    Bytes bytes{};
    in_addr four{};
    if (::inet_pton(AF_INET, terminated.c_str(), &four) == 1) {
        bytes[10] = 0xff;
        bytes[11] = 0xff;
        std::memcpy(bytes.data() + 12, &four, 4);
        return bytes;
    }
    if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) {
        return bytes;
    }
    return std::nullopt;
}

Result<AddressList> AddressList::parse(std::span<const std::string> texts) {
    AddressList list;
    for (const std::string& text : texts) {
        const std::size_t slash = std::min(text.find('/'), text.size());
        const std::optional<Bytes> address = read(std::string_view(text).substr(0, slash));
        const bool is_four = text.find(':') == std::string::npos;
        Range range;
        bool is_good = address.has_value();
        if (is_good && slash < text.size()) {
            const char* end = text.data() + text.size();
            const auto read = std::from_chars(text.data() + slash + 1, end, range.bits);
            is_good =
                read.ec == std::errc() && read.ptr == end && range.bits <= (is_four ? 32U : 128U);
            range.bits += is_good && is_four ? mapped_bits : 0;
        }
        if (!is_good) {
            return Error(ErrorCode::invalid_argument,
                         "'" + text + "' is neither an IP address nor a range such as 10.0.0.0/8");
        }
        range.address = *address;
        list.ranges_.push_back(range);
    }
    return list;
}

bool AddressList::contains(std::string_view address) const {
    if (ranges_.empty()) {
        return false;
    }
    const std::optional<Bytes> bytes = read(address);
    return bytes && std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
               for (unsigned bit = 0; bit < range.bits; ++bit) {
                   const unsigned differs = (*bytes)[bit / 8] ^ range.address[bit / 8];
                   if ((differs >> (7 - bit % 8) & 1U) != 0) {
                       return false;
                   }
               }
               return true;
           });
}

std::string client_address(const AddressList& proxies, std::string_view peer,
                           std::string_view forwarded_for) {
    std::string_view client = peer;
    while (proxies.contains(client) && !forwarded_for.empty()) {
        const std::size_t comma = forwarded_for.rfind(',');
        const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
        const std::string_view hop = without_port(trimmed(forwarded_for.substr(begin)));
        if (hop.empty()) {
            break;
        }
        client = hop;
        forwarded_for = forwarded_for.substr(0, begin == 0 ? 0 : begin - 1);
    }
    return std::string(client);
}

} // namespace tombolo::http
