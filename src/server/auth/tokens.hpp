#pragma once

// Access and refresh tokens: HS256 JWTs with the claims that published SDKs and App Services tools
// know (client-http-api.md 3.1).
//
// Keys have a `kid`, live sealed in the Store, and rotate: the newest signs, older ones verify
// until every token they signed has expired. Refresh tokens are checked against the session record
// too, so rotation logs nobody out.
//
// Thread-safety: all members from any thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/store.hpp"

namespace tombolo::auth {

inline constexpr std::int64_t access_token_seconds = 1800;
inline constexpr std::int64_t refresh_token_seconds = std::int64_t{60} * 24 * 3600;
/// Anonymous users cannot sign in again, so their refresh tokens last (client-http-api.md R2-4
/// and 5.1).
inline constexpr std::int64_t anonymous_refresh_token_seconds = std::int64_t{50} * 365 * 24 * 3600;

enum class TokenKind : std::uint8_t { access, refresh };

struct TokenClaims {
    TokenKind kind = TokenKind::access;
    ObjectId user;
    ObjectId session;
    ObjectId app; ///< the domain
    std::string device_id;
    std::int64_t issued_at = 0;  ///< Unix seconds
    std::int64_t expires_at = 0; ///< Unix seconds
    /// Of refresh tokens: the identity that signed in.
    std::string identity_id;
    std::string provider_type;
    std::string provider_id;
    /// Of access tokens: relaxed Extended JSON of the custom user data, or empty.
    std::string user_data;
};

class Tokens {
  public:
    /// Loads the keys, making the first one in an empty store. The references must outlive this.
    static Result<std::unique_ptr<Tokens>> open(store::Store& store, const server::Sealer& sealer,
                                                std::int64_t now_unix_s);

    std::string issue(const TokenClaims& claims) const;

    enum class Problem : std::uint8_t { malformed, bad_signature, wrong_kind, expired };
    struct Verified {
        std::optional<TokenClaims> claims;
        Problem problem = Problem::malformed; ///< when there are no claims
    };
    Verified verify(std::string_view token, TokenKind kind, std::int64_t now_unix_s) const;

    /// Signs with a new key from now on; keys too old to have signed a living token are forgotten.
    Result<void> rotate(std::int64_t now_unix_s);
    /// When the signing key was made.
    std::int64_t signing_key_made_at() const;

  private:
    struct Key {
        std::string kid;
        std::string secret;
        std::int64_t made_at = 0;
    };

    Tokens(store::Store& store, const server::Sealer& sealer) : store_(store), sealer_(sealer) {}
    Result<void> load();

    store::Store& store_;
    const server::Sealer& sealer_;
    mutable std::shared_mutex mutex_;
    std::map<std::string, Key, std::less<>> keys_; // guarded by mutex_; by kid
    std::string signing_kid_;                      // guarded by mutex_
};

} // namespace tombolo::auth
