#pragma once

// Which addresses may call an app's client API, its sync and its endpoints
// (admin-api-and-config.md R18, client-http-api.md S-15). Administrators may call from anywhere.

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "core/object_id.hpp"

namespace tombolo::server {

/// All addresses, IPv6 too.
inline constexpr std::string_view every_address = "0.0.0.0/0";

struct AccessEntry {
    ObjectId id;
    std::string address; ///< as it was given
    std::string comment;

    bool contains(std::string_view remote) const noexcept;
};

class AccessList {
  public:
    static constexpr std::size_t entries_max = 200;

    /// Entries that cannot be read are left out: they admit nobody.
    static AccessList from_json(const boost::json::object& stored);
    boost::json::object to_json() const;

    /// An empty list admits everybody.
    bool admits(std::string_view remote) const noexcept;

    std::vector<AccessEntry> entries;
    bool is_restricting = false; ///< something was stored, even when it could not be read
};

} // namespace tombolo::server
