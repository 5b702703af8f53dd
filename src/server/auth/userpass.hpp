#pragma once

// The email/password provider: registration, confirmation, reset (client-http-api.md section 4).
//
// Functions that confirm or reset are run by the functions service; until there is one, what needs
// it fails with the chapter's texts and a log line that says why. Blocking; check() and what sets a
// password belong on the password pool.

#include <string>

#include "server/auth/context.hpp"
#include "server/auth/records.hpp"
#include "server/auth/sessions.hpp"

namespace tombolo::auth {

class Userpass {
  public:
    Userpass(Context& context, const server::App& app);

    /// The identity behind an address and password. `linking` changes the answer to bad credentials
    /// from 401 to 400 (R2-6: a 401 there makes realm-web refresh for ever).
    VerifiedIdentity check(const std::string& address, const std::string& password,
                           bool linking) const;

    void register_user(const std::string& address, const std::string& password) const;
    void confirm(const std::string& token, const std::string& token_id) const;
    void send_confirmation(const std::string& address) const;
    void call_confirmation(const std::string& address) const;
    void send_reset(const std::string& address) const;
    void reset(const std::string& password, const std::string& token,
               const std::string& token_id) const;
    void call_reset(const std::string& address, const std::string& password) const;

    /// A confirmed user that has never signed in, made by an administrator.
    ObjectId create_confirmed(const std::string& address, const std::string& password) const;
    /// 400 when the user has no email/password identity, 409 when the address is taken.
    void change_address(const ObjectId& user, const std::string& address) const;

  private:
    std::optional<EmailAccount> find(const std::string& address,
                                     std::string* record = nullptr) const;
    void send_mail(const std::string& address, MailToken::Purpose purpose) const;
    // The token that id names, which is used up; fails as the chapter says.
    MailToken take_token(const std::string& token, const std::string& token_id,
                         MailToken::Purpose purpose, store::Transaction& transaction) const;
    static void check_address(const std::string& address);
    void check_acceptable(const std::string& password) const;

    Context& context_;
    const server::App& app_;
    const server::LocalUserpassConfig& config_;
    Keys keys_;
};

} // namespace tombolo::auth
