#pragma once

// Removes what nobody can use any more: expired sessions and mail tokens, and devices that have not
// signed in for devices_kept_days. Run now and then by the server; safe beside everything else.

#include <cstdint>

#include "core/result.hpp"
#include "server/store/store.hpp"

namespace tombolo::auth {

/// A device that returns later gets a new id, as a new one does.
inline constexpr std::int64_t devices_kept_days = 400;

struct Expired {
    std::uint64_t sessions = 0;
    std::uint64_t mail_tokens = 0;
    std::uint64_t devices = 0;
};

/// Of all apps. Records that cannot be read are left for `verify` to report. Blocks on the store.
Result<Expired> remove_expired(store::Store& store, std::int64_t now_ms);

} // namespace tombolo::auth
