#include "server/app/access_list.hpp"

#include <algorithm>

#include <boost/json/array.hpp>

#include "core/address_range.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

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
