#include "server/http/address_list.hpp"

#include <algorithm>

namespace tombolo::http {

namespace {

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

Result<AddressList> AddressList::parse(std::span<const std::string> texts) {
    AddressList list;
    for (const std::string& text : texts) {
        const Result<AddressRange> range = AddressRange::parse(text);
        if (!range) {
            return Error(ErrorCode::invalid_argument,
                         "'" + text + "' is neither an IP address nor a range such as 10.0.0.0/8");
        }
        list.ranges_.push_back(*range);
    }
    return list;
}

bool AddressList::contains(std::string_view address) const {
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [&](const AddressRange& range) { return range.contains(address); });
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
