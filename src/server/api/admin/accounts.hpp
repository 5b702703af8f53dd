#pragma once

// Administrators: accounts, their sessions and key pairs (admin-api-and-config.md 1). Apart from
// app users: an administrator's token opens no app, and an app user's token no admin route.
//
// Records in Space::meta:
//   admins/<name>                  {password_hash, must_change, created_ms, role}
//   admin-sessions/<session>       {admin, key, device_id, expires_ms}
//   admin-keys/<public key>        {admin, hash, digest, description, created_ms}; digest is
//   sealed,
//                                  and absent in older keys until they sign in
//
// Roles: GROUP_OWNER (when a record says none), GROUP_READ_ONLY (GET and HEAD only), NONE.
//
// Blocking; failures are ApiException. Thread-safety: all members from any thread.

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "server/api/admin/digest.hpp"
#include "server/auth/context.hpp"

namespace tombolo::api::admin {

/// The one group (project) of a self-hosted server.
const ObjectId& group_id();

struct Admin {
    std::string name;
    ObjectId id;
    std::string role = "GROUP_OWNER";
    bool must_change_password = false;
};

struct AdminSession {
    std::string access_token;
    std::string refresh_token;
    ObjectId user;
    std::string device_id;
};

class Accounts {
  public:
    Accounts(auth::Context& context, const server::Sealer& sealer)
        : context_(context), sealer_(sealer), gate_(sealer) {}

    /// 401 AuthError, or 429. On the password pool.
    AdminSession log_in(const std::string& name, const std::string& password);
    AdminSession log_in_with_key(const std::string& public_key, const std::string& private_key);
    std::string refresh(std::string_view refresh_token) const;
    void log_out(std::string_view refresh_token) const;
    /// Of an access token: 401 InvalidSession unless it holds.
    Admin caller(std::string_view access_token) const;

    /// Who signed a request with a key pair by HTTP Digest.
    struct DigestCaller {
        std::optional<Admin> admin;
        std::string problem; ///< without an admin
        bool stale = false;  ///< what was signed is too old; signing again helps
    };
    DigestCaller digest_caller(const http::Request& request);
    /// For WWW-Authenticate.
    std::string challenge(bool stale) const;

    std::vector<Admin> list() const;
    /// conflict when the name is taken. On the password pool.
    Admin create(const std::string& name, const std::string& password, const std::string& role);
    void set_password(const std::string& name, const std::string& password);
    /// With sessions and keys. The last owner stays.
    void remove(const std::string& name);

    struct Key {
        std::string public_key;
        std::string private_key; ///< of a new one only
        std::string admin;
        std::string description;
    };
    Key create_key(const Admin& admin, const std::string& description);
    std::vector<Key> keys() const;
    void remove_key(const std::string& public_key);

  private:
    AdminSession start(const std::string& name, const std::string& key) const;
    auth::TokenClaims verified(std::string_view token, auth::TokenKind kind) const;
    boost::json::object session(std::string_view refresh_token, std::string& record_key) const;
    std::optional<Admin> find(const std::string& name) const;
    std::string sealed_digest(const std::string& public_key, const std::string& private_key) const;
    void keep_digest(const std::string& record_key, const std::string& stored,
                     const std::string& digest) const;
    void end_sessions(const std::string& member, const std::string& value,
                      store::Transaction& transaction) const;

    auth::Context& context_;
    const server::Sealer& sealer_;
    DigestGate gate_;
};

} // namespace tombolo::api::admin
