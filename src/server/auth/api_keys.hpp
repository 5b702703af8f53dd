#pragma once

// API keys of users (client-http-api.md section 5). Blocking; failures are ApiException.

#include <string>
#include <vector>

#include "server/auth/sessions.hpp"

namespace tombolo::auth {

/// Of an app (admin-api-and-config.md R11).
inline constexpr std::size_t server_keys_max = 100;

/// A key that belongs to no person: its user is of type "server" and has no other credentials.
struct ServerKey {
    ApiKey key;
    ObjectId user;
};

class ApiKeys {
  public:
    explicit ApiKeys(Context& context) : context_(context) {}

    struct Created {
        ApiKey key;
        std::string secret; ///< shown once
    };
    Created create(const Caller& caller, const std::string& name) const;
    std::vector<ApiKey> list(const Caller& caller) const;
    ApiKey find(const Caller& caller, const std::string& id) const;
    void set_disabled(const Caller& caller, const std::string& id, bool disabled) const;
    /// 403 for the key that opened the caller's own session.
    void remove(const Caller& caller, const std::string& id) const;

    /// The identity behind a key at sign-in. `linking` changes the answer to a bad key from 401 to
    /// 400 (R2-6: a 401 there makes older clients refresh for ever).
    VerifiedIdentity check(const server::App& app, const std::string& secret, bool linking) const;

    // Of administrators.
    std::vector<ServerKey> server_keys(const ObjectId& app) const;
    Created create_server_key(const server::App& app, const std::string& name) const;
    void set_server_key_disabled(const ObjectId& app, const ServerKey& key, bool disabled) const;

  private:
    // The session of a refresh token; 401 when it has ended.
    Session session(const Caller& caller) const;

    Context& context_;
};

} // namespace tombolo::auth
