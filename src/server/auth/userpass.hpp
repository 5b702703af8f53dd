#pragma once

// The email/password provider: registration, confirmation, reset (client-http-api.md section 4).
//
// Blocking; check() and what sets a password belong on the password pool, what takes a
// functions::Call runs a user function and belongs on the functions pool.

#include <string>
#include <string_view>

#include "server/auth/context.hpp"
#include "server/auth/records.hpp"
#include "server/auth/sessions.hpp"
#include "server/auth/user_functions.hpp"

namespace tombolo::auth {

class Userpass {
  public:
    Userpass(Context& context, const server::App& app);

    /// The identity behind an address and password. `linking` changes the answer to bad credentials
    /// from 401 to 400 (R2-6: a 401 there makes realm-web refresh for ever).
    VerifiedIdentity check(const std::string& address, const std::string& password,
                           bool linking) const;

    /// Where the app confirms by function, confirm_registered() has to follow.
    void register_user(const std::string& address, const std::string& password) const;
    bool confirms_by_function() const noexcept {
        return !config_.auto_confirm && config_.run_confirmation_function;
    }
    /// Asks the confirmation function about an account that was just made; the account goes when it
    /// says no.
    void confirm_registered(const std::string& address, const functions::Call& call) const;
    void confirm(const std::string& token, const std::string& token_id) const;
    void send_confirmation(const std::string& address) const;
    void call_confirmation(const std::string& address, const functions::Call& call) const;
    void send_reset(const std::string& address) const;
    void reset(const std::string& password, const std::string& token,
               const std::string& token_id) const;
    struct PreparedReset {
        std::string address;
        std::string password;
        std::string password_hash;
        bool is_current = false; ///< the password is the one that the account has
    };
    /// The part of a reset by function that computes, then the part that runs the function.
    /// `arguments` is an array of Extended JSON, passed on after the function's first argument.
    PreparedReset prepare_reset(const std::string& address, const std::string& password) const;
    void call_reset(const PreparedReset& reset, std::string_view arguments,
                    const functions::Call& call) const;

    /// A confirmed user that has never signed in, made by an administrator.
    ObjectId create_confirmed(const std::string& address, const std::string& password) const;
    /// 400 when the user has no email/password identity, 409 when the address is taken.
    void change_address(const ObjectId& user, const std::string& address) const;

  private:
    std::optional<EmailAccount> find(const std::string& address,
                                     std::string* record = nullptr) const;
    struct NewToken {
        std::string token;
        std::string id;
    };
    NewToken make_token(const std::string& address, MailToken::Purpose purpose) const;
    // Changes the account, or erases it when `change` says false; again when others change it.
    void change_account(const std::string& address,
                        const std::function<bool(EmailAccount&)>& change) const;
    Verdict ask_to_confirm(const std::string& address, const functions::Call& call) const;
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
