#pragma once

// Users and what belongs to them, as records in Space::meta (JSON values; <app> and ids are 24 hex
// digits).
//
//   users/<app>/<user>                    User
//   identities/<app>/<provider>/<key>     the user id; <key> is the e-mail address, JWT subject,
//   ... sessions/<app>/<session>              Session     user-sessions/<app>/<user>/<session>   ""
//   devices/<app>/<device>                when it signed in last
//   emails/<app>/<address>                EmailAccount
//   mail-tokens/<app>/<token id>          MailToken
//   api-keys/<app>/<SHA-256 of the key>   user id "/" key id
//   user-keys/<app>/<user>/<key id>       ApiKey
//   server-keys/<app>/<key id>            user id of a key that is no person's
//   push/<app>/<service>/<user>           registration token
//
// Encoding and decoding only; what may happen is decided by the services beside this.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "core/object_id.hpp"
#include "server/store/store.hpp"

namespace tombolo::auth {

struct Identity {
    std::string id;
    std::string provider_type;
    std::string provider_id;
    boost::json::object data;
};

struct User {
    ObjectId id;
    std::string type = "normal";      ///< normal, or server for server API keys
    std::vector<Identity> identities; ///< in order of linking
    bool disabled = false;
    std::int64_t created_ms = 0;
    std::int64_t last_sign_in_ms = 0;

    bool is_anonymous() const noexcept {
        return identities.size() == 1 && identities[0].provider_type == "anon-user";
    }
    /// The members of all identities' data, later ones winning.
    boost::json::object merged_data() const;
};

struct Session {
    ObjectId user;
    std::string device_id;
    std::string provider_type;
    std::string api_key_id; ///< when it was opened with an API key
    std::int64_t created_ms = 0;
    std::int64_t expires_ms = 0;
};

struct EmailAccount {
    enum class State : std::uint8_t { pending, confirmed };
    State state = State::pending;
    std::string password_hash;
    std::string identity_id; ///< of the identity it will be, or is
    std::string user;        ///< empty until the first sign-in
    std::int64_t created_ms = 0;
};

struct MailToken {
    enum class Purpose : std::uint8_t { confirm, reset };
    Purpose purpose = Purpose::confirm;
    std::string token_hash; ///< hex SHA-256
    std::string address;
    std::int64_t expires_ms = 0;
};

struct ApiKey {
    std::string id;
    std::string name;
    bool disabled = false;
    std::string key_hash; ///< hex SHA-256
};

std::string encode(const User& user);
std::string encode(const Session& session);
std::string encode(const EmailAccount& account);
std::string encode(const MailToken& token);
std::string encode(const ApiKey& key);
/// When a device signed in last, in ms since 1970.
std::string encode_device(std::int64_t seen_ms);

// store_corrupt when a record is not what was written.
Result<User> decode_user(const ObjectId& id, std::string_view text);
Result<Session> decode_session(std::string_view text);
Result<EmailAccount> decode_email_account(std::string_view text);
Result<MailToken> decode_mail_token(std::string_view text);
/// 0 when it is not known.
std::int64_t decode_device(std::string_view text);
Result<ApiKey> decode_api_key(std::string_view id, std::string_view text);

/// The keys of one app's records.
class Keys {
  public:
    explicit Keys(const ObjectId& app) : app_(app.to_string()) {}

    std::string user(const ObjectId& user) const {
        return "users/" + app_ + "/" + user.to_string();
    }
    std::string identity(std::string_view provider, std::string_view key) const {
        return "identities/" + app_ + "/" + std::string(provider) + "/" + std::string(key);
    }
    std::string session(const ObjectId& session) const {
        return "sessions/" + app_ + "/" + session.to_string();
    }
    std::string user_sessions(const ObjectId& user) const {
        return "user-sessions/" + app_ + "/" + user.to_string() + "/";
    }
    std::string device(std::string_view device) const {
        return "devices/" + app_ + "/" + std::string(device);
    }
    std::string email(std::string_view address) const {
        return "emails/" + app_ + "/" + std::string(address);
    }
    std::string mail_token(std::string_view id) const {
        return "mail-tokens/" + app_ + "/" + std::string(id);
    }
    std::string api_key(std::string_view hash) const {
        return "api-keys/" + app_ + "/" + std::string(hash);
    }
    std::string user_keys(const ObjectId& user) const {
        return "user-keys/" + app_ + "/" + user.to_string() + "/";
    }
    std::string server_keys() const { return "server-keys/" + app_ + "/"; }
    std::string push(std::string_view service, const ObjectId& user) const {
        return "push/" + app_ + "/" + std::string(service) + "/" + user.to_string();
    }

  private:
    std::string app_;
};

} // namespace tombolo::auth
