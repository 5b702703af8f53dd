#pragma once

// Sessions: who is signed in, from sign-in to sign-out (client-http-api.md 2.3, 2.11, 3).
//
// Everything here may block on the store. Failures are ApiException as the chapter words them.

#include <functional>
#include <optional>
#include <string>

#include "server/auth/context.hpp"
#include "server/auth/records.hpp"

namespace tombolo::auth {

/// What a provider found the credentials to be.
struct VerifiedIdentity {
    std::string provider_type;
    /// Names the identity within its provider: address, JWT subject, key owner. Empty for a new
    /// anonymous user.
    std::string key;
    std::string identity_id; ///< shown in the profile
    boost::json::object data;
    /// Of API keys: the user is given, not found by identity.
    std::optional<ObjectId> user;
    std::string api_key_id;
    /// Of email/password: the account's record as it was read, and with the user's id filled in on
    /// the first sign-in.
    std::optional<std::string> email_record;
};

struct SignedIn {
    std::string access_token;
    std::string refresh_token;
    ObjectId user;
    std::string device_id;
};

/// Whose request it is, from a token that held.
struct Caller {
    std::shared_ptr<const server::App> app;
    TokenClaims claims;
};

class Sessions {
  public:
    explicit Sessions(Context& context) : context_(context) {}

    /// Called with a user who was just made, before the first token. When it throws, the user is
    /// removed again and the sign-in fails.
    using OnCreation = std::function<void(const User&)>;
    /// Signs the identity's user in, who is made when the identity is new. `device` is
    /// options.device of the request, or null.
    SignedIn sign_in(const server::App& app, VerifiedIdentity identity,
                     const boost::json::object* device, const OnCreation& on_creation = {}) const;
    /// Adds the identity to the caller; the session goes on.
    SignedIn link(const Caller& caller, VerifiedIdentity identity) const;

    /// A new access token for the session of a refresh token.
    std::string refresh(const Caller& caller) const;
    void sign_out(const Caller& caller) const;
    /// Ends every session of the user; access tokens stay good until they expire.
    void revoke_all(const ObjectId& app, const ObjectId& user) const;
    void set_disabled(const ObjectId& app, const ObjectId& user, bool disabled) const;
    /// With identities, keys, sessions; application documents stay.
    void remove_user(const Caller& caller) const;
    void remove_user(const server::App& app, const User& user) const;
    /// The same by an administrator: disabled users too. 404 when there is no such user.
    void remove_user(const server::App& app, const ObjectId& user) const;

    /// Checks the bearer token of a request: 401 InvalidSession unless it holds.
    Caller caller(std::string_view bearer_token, TokenKind kind) const;
    /// The user of an access token; 401 when disabled or gone.
    User user(const Caller& caller) const;
    /// True while the session that an access token came from lasts.
    bool is_live(const Caller& caller) const;
    std::optional<User> find_user(const ObjectId& app, const ObjectId& user) const;
    /// The user whose identity it is; none when nobody signed in with it yet.
    std::optional<User> find_user(const ObjectId& app, const VerifiedIdentity& identity) const;

  private:
    std::string access_token(const server::App& app, const User& user, const ObjectId& session,
                             const std::string& device_id) const;
    std::string device_for(const Keys& keys, const boost::json::object* device,
                           store::Transaction& transaction) const;
    void end_sessions(const ObjectId& app, const ObjectId& user,
                      store::Transaction& transaction) const;
    void tell_access_ended(const ObjectId& app, const ObjectId& user) const;

    Context& context_;
};

/// Commits; a write conflict is retried by the caller, anything else is thrown as Error.
bool commit_or_conflict(store::Store& store, store::Transaction transaction);

/// Setting of an app (AppRepository::setting): {expiration_time_seconds}.
inline constexpr std::string_view refresh_lifetime_setting = "security/refresh_token_expiration";
inline constexpr std::int64_t refresh_lifetime_min = 1800;
inline constexpr std::int64_t refresh_lifetime_max = std::int64_t{5} * 365 * 24 * 3600;
/// How many seconds the refresh tokens of new sign-ins to the app last; not those of anonymous
/// users, who could not sign in again.
std::int64_t refresh_lifetime(const server::AppRepository& apps, const ObjectId& app);

} // namespace tombolo::auth
