#include "server/auth/userpass.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "core/limits.hpp"
#include "server/api/api_error.hpp"
#include "server/auth/mailer.hpp"
#include "server/auth/password.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::auth {

using api::ApiError;
using api::ApiException;
using store::Space;
using store::Transaction;

namespace {

constexpr std::int64_t mail_token_ms = std::int64_t{30} * 60 * 1000;
constexpr int conflict_retries = 10;

[[noreturn]] void fail(ApiError error) {
    throw ApiException(std::move(error));
}

const server::LocalUserpassConfig& config_of(const server::App& app) {
    const server::ProviderConfig* provider = app.provider("local-userpass");
    if (provider == nullptr) {
        fail(api::not_found("AuthProviderNotFound",
                            "authentication via 'local-userpass' is not enabled"));
    }
    return provider->userpass;
}

std::string hash_of(std::string_view token) {
    return to_hex(as_bytes(server::sha256(token)));
}

std::string new_identity_id() {
    return to_hex(as_bytes(server::random_bytes(12)));
}

// Printable, no spaces, one line: goes into a mail header. The service took any text as an address.
bool is_acceptable_address(const std::string& address) {
    return !address.empty() && address.size() <= limits::address_bytes_max && is_utf8(address) &&
           std::none_of(address.begin(), address.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

} // namespace

Userpass::Userpass(Context& context, const server::App& app)
    : context_(context), app_(app), config_(config_of(app)), keys_(app.id) {}

std::optional<EmailAccount> Userpass::find(const std::string& address, std::string* record) const {
    if (!is_acceptable_address(address)) {
        return std::nullopt;
    }
    auto stored = context_.store.snapshot()->record(Space::meta, keys_.email(address)).value();
    if (!stored) {
        return std::nullopt;
    }
    EmailAccount account = decode_email_account(*stored).value();
    if (record != nullptr) {
        *record = std::move(*stored);
    }
    return account;
}

VerifiedIdentity Userpass::check(const std::string& address, const std::string& password,
                                 bool linking) const {
    const std::string account_name = app_.client_app_id + "/" + address;
    const std::int64_t wait = context_.throttle.wait_ms(account_name, context_.now_ms());
    if (wait > 0) {
        fail(api::too_busy(429, "too many failed sign-ins for this user; try again in " +
                                    std::to_string((wait + 999) / 1000) + " s"));
    }
    std::string record;
    std::optional<EmailAccount> account = find(address, &record);
    PasswordCheck result = PasswordCheck::wrong;
    if (account) {
        result = check_password(password, account->password_hash);
    } else {
        check_no_password(password);
    }
    if (result == PasswordCheck::wrong) {
        context_.throttle.failed(account_name, context_.now_ms());
        fail(linking ? ApiError{400, "InvalidPassword", "invalid username/password"}
                     : ApiError{401, "InvalidPassword", "unauthorized"});
    }
    context_.throttle.succeeded(account_name);
    if (account->state == EmailAccount::State::pending) {
        fail({linking ? 400 : 401, "AuthError", "confirmation required"});
    }
    if (result == PasswordCheck::right_but_outdated) {
        EmailAccount renewed = *account;
        renewed.password_hash = hash_password(password);
        Transaction transaction;
        transaction.replace_record(Space::meta, keys_.email(address), record, encode(renewed));
        if (commit_or_conflict(context_.store, std::move(transaction))) {
            record = encode(renewed);
            account = renewed;
        }
    }
    VerifiedIdentity identity;
    identity.provider_type = "local-userpass";
    identity.key = address;
    identity.identity_id = account->identity_id;
    identity.data = {{"email", address}};
    if (account->user.empty()) {
        identity.email_record = record;
    }
    return identity;
}

void Userpass::check_address(const std::string& address) {
    if (!is_acceptable_address(address)) {
        fail(api::bad_request("email invalid"));
    }
}

void Userpass::check_acceptable(const std::string& password) const {
    if (!is_acceptable_password(password)) {
        fail(api::bad_request("password must be between 6 and 128 characters"));
    }
}

void Userpass::register_user(const std::string& address, const std::string& password) const {
    check_address(address);
    check_acceptable(password);
    const auto in_use = [] { return api::conflict("AccountNameInUse", "name already in use"); };
    if (find(address)) {
        fail(in_use());
    }
    EmailAccount account;
    account.state =
        config_.auto_confirm ? EmailAccount::State::confirmed : EmailAccount::State::pending;
    account.password_hash = hash_password(password);
    account.identity_id = new_identity_id();
    account.created_ms = context_.now_ms();
    Transaction transaction;
    transaction.insert_record(Space::meta, keys_.email(address), encode(account));
    if (!commit_or_conflict(context_.store, std::move(transaction))) {
        fail(in_use());
    }
    if (account.state == EmailAccount::State::pending && !confirms_by_function()) {
        send_mail(address, MailToken::Purpose::confirm);
    }
}

void Userpass::change_account(const std::string& address,
                              const std::function<bool(EmailAccount&)>& change) const {
    for (int attempt = 0; attempt < conflict_retries; ++attempt) {
        std::string record;
        std::optional<EmailAccount> account = find(address, &record);
        if (!account) {
            fail(api::not_found("UserNotFound", "user not found"));
        }
        const bool keep = change(*account);
        Transaction transaction;
        transaction.replace_record(Space::meta, keys_.email(address), record,
                                   keep ? std::optional(encode(*account)) : std::nullopt);
        if (commit_or_conflict(context_.store, std::move(transaction))) {
            return;
        }
    }
    fail(api::too_busy(503, "the user is being changed by others; try again"));
}

Verdict Userpass::ask_to_confirm(const std::string& address, const functions::Call& call) const {
    const NewToken token = make_token(address, MailToken::Purpose::confirm);
    boost::json::array arguments{
        boost::json::object{{"token", token.token}, {"tokenId", token.id}, {"username", address}}};
    return ask_verdict(context_, config_.confirmation_function_name,
                       boost::json::serialize(arguments), call);
}

void Userpass::confirm_registered(const std::string& address, const functions::Call& call) const {
    Verdict verdict = Verdict::fail;
    const auto decide = [&](EmailAccount& account) {
        if (verdict == Verdict::success) {
            account.state = EmailAccount::State::confirmed;
        }
        // Confirmed by its token meanwhile: that stands.
        return verdict != Verdict::fail || account.state == EmailAccount::State::confirmed;
    };
    try {
        verdict = ask_to_confirm(address, call);
    } catch (const ApiException&) {
        change_account(address, decide);
        throw;
    }
    change_account(address, decide);
    if (verdict == Verdict::fail) {
        fail(api::bad_request("failed to confirm user \"" + address + "\""));
    }
}

Userpass::NewToken Userpass::make_token(const std::string& address,
                                        MailToken::Purpose purpose) const {
    NewToken made{server::random_text(64), to_hex(as_bytes(server::random_bytes(12)))};
    Transaction transaction;
    transaction.put_record(Space::meta, keys_.mail_token(made.id),
                           encode(MailToken{purpose, hash_of(made.token), address,
                                            context_.now_ms() + mail_token_ms}));
    context_.store.commit(std::move(transaction)).value();
    return made;
}

void Userpass::send_mail(const std::string& address, MailToken::Purpose purpose) const {
    const bool confirm = purpose == MailToken::Purpose::confirm;
    const NewToken made = make_token(address, purpose);
    const std::string& url = confirm ? config_.email_confirmation_url : config_.reset_password_url;
    const std::string& subject =
        confirm ? config_.confirm_email_subject : config_.reset_password_subject;
    const std::string link = url + (url.find('?') == std::string::npos ? "?" : "&") +
                             "token=" + made.token + "&tokenId=" + made.id;
    Mail mail;
    mail.to = address;
    mail.subject = !subject.empty() ? subject
                   : confirm        ? "Confirm your email address"
                                    : "Reset your password";
    mail.body = std::string(confirm ? "To confirm your email address for "
                                    : "To choose a new password for ") +
                app_.config.name + ", open this link within 30 minutes:\n\n" + link +
                "\n\nIf you did not ask for it, ignore this message.\n";
    context_.mailer.send(std::move(mail));
}

MailToken Userpass::take_token(const std::string& token, const std::string& token_id,
                               MailToken::Purpose purpose, Transaction& transaction) const {
    if (!ObjectId::parse(token_id) || token.size() != 64) {
        fail(api::bad_request("invalid token data"));
    }
    const std::string key = keys_.mail_token(token_id);
    const auto stored = context_.store.snapshot()->record(Space::meta, key).value();
    const ApiError expired{400, "UserpassTokenInvalid",
                           "the token has expired or was used already; ask for a new one"};
    if (!stored) {
        fail(expired);
    }
    const MailToken found = decode_mail_token(*stored).value();
    if (!server::constant_time_equal(found.token_hash, hash_of(token)) ||
        found.purpose != purpose) {
        fail(api::bad_request("invalid token data"));
    }
    if (found.expires_ms <= context_.now_ms()) {
        fail(expired);
    }
    transaction.replace_record(Space::meta, key, stored, std::nullopt);
    return found;
}

void Userpass::confirm(const std::string& token, const std::string& token_id) const {
    for (int attempt = 0; attempt < conflict_retries; ++attempt) {
        Transaction transaction;
        const MailToken found =
            take_token(token, token_id, MailToken::Purpose::confirm, transaction);
        std::string record;
        std::optional<EmailAccount> account = find(found.address, &record);
        if (!account) {
            fail(api::not_found("UserNotFound", "user not found"));
        }
        account->state = EmailAccount::State::confirmed;
        transaction.replace_record(Space::meta, keys_.email(found.address), record,
                                   encode(*account));
        if (commit_or_conflict(context_.store, std::move(transaction))) {
            return;
        }
    }
    fail(api::too_busy(503, "the user is being changed by others; try again"));
}

void Userpass::send_confirmation(const std::string& address) const {
    const std::optional<EmailAccount> account = find(address);
    if (!account) {
        return; // silent: the address is not ours to tell about
    }
    if (account->state == EmailAccount::State::confirmed) {
        fail({400, "UserAlreadyConfirmed", "already confirmed"});
    }
    if (config_.run_confirmation_function) {
        fail(api::bad_request("please use confirmation via function"));
    }
    send_mail(address, MailToken::Purpose::confirm);
}

void Userpass::call_confirmation(const std::string& address, const functions::Call& call) const {
    if (config_.auto_confirm) {
        fail(api::bad_request("cannot run confirmation for " + address +
                              ": automatic confirmation is enabled"));
    }
    const std::optional<EmailAccount> account = find(address);
    if (!account) {
        if (context_.hide_unknown_users) {
            return;
        }
        fail(api::not_found("UserNotFound", "user not found"));
    }
    if (account->state == EmailAccount::State::confirmed) {
        fail({400, "UserAlreadyConfirmed", "already confirmed"});
    }
    if (!config_.run_confirmation_function) {
        fail(api::bad_request("failed to confirm user \"" + address +
                              "\": the app confirms by mail"));
    }
    const Verdict verdict = ask_to_confirm(address, call);
    if (verdict == Verdict::fail) {
        fail(api::bad_request("failed to confirm user \"" + address + "\""));
    }
    if (verdict == Verdict::success) {
        change_account(address, [](EmailAccount& changed) {
            changed.state = EmailAccount::State::confirmed;
            return true;
        });
    }
}

void Userpass::send_reset(const std::string& address) const {
    if (config_.run_reset_function) {
        fail(api::bad_request("please use reset password via function"));
    }
    if (find(address)) {
        send_mail(address, MailToken::Purpose::reset);
    }
}

void Userpass::reset(const std::string& password, const std::string& token,
                     const std::string& token_id) const {
    check_acceptable(password);
    for (int attempt = 0; attempt < conflict_retries; ++attempt) {
        Transaction transaction;
        const MailToken found = take_token(token, token_id, MailToken::Purpose::reset, transaction);
        std::string record;
        std::optional<EmailAccount> account = find(found.address, &record);
        if (!account) {
            fail(api::not_found("UserNotFound", "user not found"));
        }
        account->password_hash = hash_password(password);
        // Who reads mail at the address has confirmed it.
        account->state = EmailAccount::State::confirmed;
        transaction.replace_record(Space::meta, keys_.email(found.address), record,
                                   encode(*account));
        if (commit_or_conflict(context_.store, std::move(transaction))) {
            context_.throttle.succeeded(app_.client_app_id + "/" + found.address);
            if (const auto user = ObjectId::parse(account->user)) {
                // Whoever knew the old password is out.
                Sessions(context_).revoke_all(app_.id, *user);
            }
            return;
        }
    }
    fail(api::too_busy(503, "the user is being changed by others; try again"));
}

Userpass::PreparedReset Userpass::prepare_reset(const std::string& address,
                                                const std::string& password) const {
    check_acceptable(password);
    const std::optional<EmailAccount> account = find(address);
    if (!account && !context_.hide_unknown_users) {
        fail(api::not_found("UserNotFound", "user not found"));
    }
    if (!account || !config_.run_reset_function) {
        fail(api::bad_request("failed to reset password for user \"" + address + "\""));
    }
    return {address, password, hash_password(password),
            check_password(password, account->password_hash) != PasswordCheck::wrong};
}

void Userpass::call_reset(const PreparedReset& reset, std::string_view arguments,
                          const functions::Call& call) const {
    const NewToken token = make_token(reset.address, MailToken::Purpose::reset);
    const boost::json::object first{{"username", reset.address},
                                    {"password", reset.password},
                                    {"token", token.token},
                                    {"tokenId", token.id},
                                    {"currentPasswordValid", reset.is_current}};
    // [first, ...arguments]: the text of an array without its brackets.
    const std::size_t begin = arguments.find('[');
    const std::size_t end = arguments.rfind(']');
    std::string_view rest = begin < end && end != std::string_view::npos
                                ? arguments.substr(begin + 1, end - begin - 1)
                                : std::string_view();
    const bool has_more = rest.find_first_not_of(" \t\r\n") != std::string_view::npos;
    const Verdict verdict =
        ask_verdict(context_, config_.reset_function_name,
                    "[" + boost::json::serialize(first) + (has_more ? ", " : "") +
                        std::string(has_more ? rest : std::string_view()) + "]",
                    call);
    if (verdict == Verdict::fail) {
        fail(api::bad_request("failed to reset password for user \"" + reset.address + "\""));
    }
    if (verdict == Verdict::pending) {
        return; // the token decides
    }
    std::string owner;
    change_account(reset.address, [&](EmailAccount& account) {
        account.password_hash = reset.password_hash;
        owner = account.user;
        return true;
    });
    context_.throttle.succeeded(app_.client_app_id + "/" + reset.address);
    if (const auto user = ObjectId::parse(owner)) {
        Sessions(context_).revoke_all(app_.id, *user); // whoever knew the old password is out
    }
}

} // namespace tombolo::auth
