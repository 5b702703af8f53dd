#pragma once

// Whose addresses count as proxies of ours, and who is behind them. Immutable once parsed.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/address_range.hpp"
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
    std::vector<AddressRange> ranges_;
};

/// Whose request it is, when it came from `peer` with this X-Forwarded-For: the nearest hop that is
/// no proxy of ours. What stands before that one is hearsay.
std::string client_address(const AddressList& proxies, std::string_view peer,
                           std::string_view forwarded_for);

} // namespace tombolo::http
