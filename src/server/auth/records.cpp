#include "server/auth/records.hpp"

#include <charconv>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "server/runtime/json.hpp"

namespace tombolo::auth {

namespace json = boost::json;
using server::bool_or;
using server::string_or;

namespace {

std::int64_t integer(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

Result<json::object> read(std::string_view text, const char* what) {
    Result<json::object> object = server::parse_json_object(text);
    if (!object) {
        return Error(ErrorCode::store_corrupt, std::string("a stored ") + what + " cannot be read");
    }
    return object;
}

} // namespace

json::object User::merged_data() const {
    json::object merged;
    for (const Identity& identity : identities) {
        for (const auto& [key, value] : identity.data) {
            merged[key] = value;
        }
    }
    return merged;
}

std::string encode(const User& user) {
    json::array identities;
    for (const Identity& identity : user.identities) {
        identities.push_back(json::object{{"id", identity.id},
                                          {"provider_type", identity.provider_type},
                                          {"provider_id", identity.provider_id},
                                          {"data", identity.data}});
    }
    return json::serialize(json::object{{"type", user.type},
                                        {"identities", std::move(identities)},
                                        {"disabled", user.disabled},
                                        {"created_ms", user.created_ms},
                                        {"last_sign_in_ms", user.last_sign_in_ms}});
}

Result<User> decode_user(const ObjectId& id, std::string_view text) {
    TOMBOLO_TRY(const json::object object, read(text, "user"));
    User user;
    user.id = id;
    user.type = string_or(object, "type", "normal");
    user.disabled = bool_or(object, "disabled", false);
    user.created_ms = integer(object, "created_ms");
    user.last_sign_in_ms = integer(object, "last_sign_in_ms");
    const json::value* identities = object.if_contains("identities");
    if (identities != nullptr && identities->is_array()) {
        for (const json::value& one : identities->get_array()) {
            if (!one.is_object()) {
                continue;
            }
            const json::object& stored = one.get_object();
            user.identities.push_back({string_or(stored, "id"), string_or(stored, "provider_type"),
                                       string_or(stored, "provider_id"),
                                       server::object_or_empty(stored, "data")});
        }
    }
    return user;
}

std::string encode(const Session& session) {
    return json::serialize(json::object{{"user", session.user.to_string()},
                                        {"device_id", session.device_id},
                                        {"provider_type", session.provider_type},
                                        {"api_key_id", session.api_key_id},
                                        {"created_ms", session.created_ms},
                                        {"expires_ms", session.expires_ms}});
}

Result<Session> decode_session(std::string_view text) {
    TOMBOLO_TRY(const json::object object, read(text, "session"));
    Session session;
    TOMBOLO_TRY(session.user, ObjectId::parse(string_or(object, "user")));
    session.device_id = string_or(object, "device_id");
    session.provider_type = string_or(object, "provider_type");
    session.api_key_id = string_or(object, "api_key_id");
    session.created_ms = integer(object, "created_ms");
    session.expires_ms = integer(object, "expires_ms");
    return session;
}

std::string encode(const EmailAccount& account) {
    const bool confirmed = account.state == EmailAccount::State::confirmed;
    return json::serialize(json::object{{"state", confirmed ? "confirmed" : "pending"},
                                        {"password_hash", account.password_hash},
                                        {"identity_id", account.identity_id},
                                        {"user", account.user},
                                        {"created_ms", account.created_ms}});
}

Result<EmailAccount> decode_email_account(std::string_view text) {
    TOMBOLO_TRY(const json::object object, read(text, "e-mail account"));
    EmailAccount account;
    account.state = string_or(object, "state") == "confirmed" ? EmailAccount::State::confirmed
                                                              : EmailAccount::State::pending;
    account.password_hash = string_or(object, "password_hash");
    account.identity_id = string_or(object, "identity_id");
    account.user = string_or(object, "user");
    account.created_ms = integer(object, "created_ms");
    return account;
}

std::string encode(const MailToken& token) {
    const bool confirm = token.purpose == MailToken::Purpose::confirm;
    return json::serialize(json::object{{"purpose", confirm ? "confirm" : "reset"},
                                        {"token_hash", token.token_hash},
                                        {"address", token.address},
                                        {"expires_ms", token.expires_ms}});
}

Result<MailToken> decode_mail_token(std::string_view text) {
    TOMBOLO_TRY(const json::object object, read(text, "mail token"));
    MailToken token;
    token.purpose = string_or(object, "purpose") == "reset" ? MailToken::Purpose::reset
                                                            : MailToken::Purpose::confirm;
    token.token_hash = string_or(object, "token_hash");
    token.address = string_or(object, "address");
    token.expires_ms = integer(object, "expires_ms");
    return token;
}

std::string encode(const ApiKey& key) {
    return json::serialize(
        json::object{{"name", key.name}, {"disabled", key.disabled}, {"key_hash", key.key_hash}});
}

std::string encode_device(std::int64_t seen_ms) {
    return std::to_string(seen_ms);
}

std::int64_t decode_device(std::string_view text) {
    std::int64_t seen_ms = 0;
    std::from_chars(text.data(), text.data() + text.size(), seen_ms);
    return seen_ms;
}

Result<ApiKey> decode_api_key(std::string_view id, std::string_view text) {
    TOMBOLO_TRY(const json::object object, read(text, "API key"));
    return ApiKey{std::string(id), string_or(object, "name"), bool_or(object, "disabled", false),
                  string_or(object, "key_hash")};
}

} // namespace tombolo::auth
