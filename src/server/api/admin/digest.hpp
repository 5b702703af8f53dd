#pragma once

// HTTP Digest authentication (RFC 7616, MD5 with qop=auth) for the routes that stand in for the
// cloud's project list: the published command line signs only those this way
// (admin-api-and-config.md 1).
//
// Nonces are signed, not stored: they hold for a minute, then the client is told that the nonce
// was stale and signs again. Counts that a nonce was used with are remembered, so a request that
// somebody recorded opens nothing a second time.
//
// MD5 proves nothing to who knows the private key's hash: what is kept of a key for this (its HA1)
// is sealed. Thread-safety: all members from any thread.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/message.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::api::admin {

/// The members of "Authorization: Digest ..." that are looked at.
struct DigestCredentials {
    std::string username;
    std::string realm;
    std::string nonce;
    std::string uri;
    std::string response;
    std::string qop;
    std::string count; ///< "nc"
    std::string client_nonce;
    std::string algorithm; ///< empty: MD5
};

/// Nothing when it is no Digest header, has a member twice or without its end, or is too long.
std::optional<DigestCredentials> parse_digest(std::string_view header);

/// MD5(name:realm:secret) in hex: what has to be kept to check answers.
std::string digest_secret(std::string_view name, std::string_view secret);

class DigestGate {
  public:
    /// The sealer must outlive this.
    explicit DigestGate(const server::Sealer& sealer) : sealer_(sealer) {}

    /// A value of WWW-Authenticate.
    std::string challenge(std::int64_t now_ms, bool stale) const;

    enum class Outcome : std::uint8_t { good, stale, wrong };
    /// `kept` is digest_secret() of the user that the credentials name.
    Outcome check(const DigestCredentials& given, const http::Request& request,
                  std::string_view kept, std::int64_t now_ms);

  private:
    std::string signature(std::string_view text) const;
    bool is_ours(std::string_view nonce, std::int64_t now_ms, bool& expired) const;
    bool count_is_new(const DigestCredentials& given, std::int64_t now_ms);

    struct Use {
        std::uint32_t count = 0;
        std::int64_t seen_ms = 0;
    };

    const server::Sealer& sealer_;
    std::mutex mutex_;
    std::map<std::string, Use> used_; // guarded by mutex_; by nonce
};

} // namespace tombolo::api::admin
