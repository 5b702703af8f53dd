#pragma once

// JSON Web Key Sets fetched from their URLs, for custom JWT authentication
// (client-http-api.md 2.8).
//
// A set is kept for five minutes; a token with an unknown key id causes one early fetch, at most
// once every ten seconds for each URL. While the URL does not answer, the last good set goes on
// being used for a day. Only https URLs (http for loopback when allowed), no redirects, no private
// addresses, bounded size and time (S-11).
//
// Thread-safety: all members from any thread. fetch blocks on the network.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"

namespace tombolo::auth {

struct KeySetOptions {
    /// For tests and development: also loopback and private addresses, and http.
    bool allow_private_addresses = false;
};

class KeySets {
  public:
    KeySets(KeySetOptions options, std::function<std::int64_t()> now_ms);
    ~KeySets();

    /// The set's JSON text. With `refetch`, a copy older than ten seconds is fetched again.
    Result<std::string> fetch(const std::string& url, bool refetch);

    class Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::auth
