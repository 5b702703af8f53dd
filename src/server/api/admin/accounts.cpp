#include "server/api/admin/accounts.hpp"

#include <algorithm>
#include <cstring>

#include <boost/json/serialize.hpp>

#include "server/api/api_error.hpp"
#include "server/auth/password.hpp"
#include "server/auth/sessions.hpp"
#include "server/runtime/json.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using server::bool_or;
using server::string_or;
using store::Space;

namespace {

constexpr std::string_view admins = "admins/";
constexpr std::string_view sessions = "admin-sessions/";
constexpr std::string_view keys_prefix = "admin-keys/";
constexpr std::size_t name_bytes_max = 128;

ObjectId id_of(std::string_view twelve) {
    ObjectId id;
    std::memcpy(id.bytes.data(), twelve.data(), id.bytes.size());
    return id;
}

// The tokens' domain: no app has it, since apps' ids are random.
const ObjectId& admin_domain() {
    static const ObjectId id = id_of("tombolo-admn");
    return id;
}

std::string hash_of(std::string_view secret) {
    return to_hex(as_bytes(server::sha256(secret)));
}

[[noreturn]] void fail(ApiError error) {
    throw ApiException(std::move(error));
}

[[noreturn]] void fail_login() {
    fail({401, "AuthError", "invalid username or password"});
}

std::int64_t integer(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

void commit(store::Store& store, store::Transaction transaction) {
    store.commit(std::move(transaction)).value();
}

// Published samples: eight lower-case letters.
std::string new_public_key() {
    std::string key;
    for (const char byte : server::random_bytes(8)) {
        key += static_cast<char>('a' + static_cast<unsigned char>(byte) % 26);
    }
    return key;
}

std::string new_private_key() {
    const std::string hex = to_hex(as_bytes(server::random_bytes(16)));
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
}

} // namespace

const ObjectId& group_id() {
    static const ObjectId id = id_of("tombolo-grup");
    return id;
}

std::optional<Admin> Accounts::find(const std::string& name) const {
    const auto stored =
        context_.store.snapshot()->record(Space::meta, std::string(admins) + name).value();
    if (!stored) {
        return std::nullopt;
    }
    const json::object record = server::parse_json_object(*stored).value();
    return Admin{name, id_of(server::sha256(std::string(admins) + name)),
                 string_or(record, "role", "GROUP_OWNER"), bool_or(record, "must_change", false)};
}

AdminSession Accounts::log_in(const std::string& name, const std::string& password) {
    const std::string account = std::string(admins) + name;
    const std::int64_t now = context_.now_ms();
    const std::int64_t wait = context_.throttle.wait_ms(account, now);
    if (wait > 0) {
        fail(too_busy(429, "too many failed sign-ins for this user; try again in " +
                               std::to_string((wait + 999) / 1000) + " s"));
    }
    const auto stored = name.size() <= name_bytes_max
                            ? context_.store.snapshot()->record(Space::meta, account).value()
                            : std::nullopt;
    auth::PasswordCheck check = auth::PasswordCheck::wrong;
    if (stored) {
        const json::object record = server::parse_json_object(*stored).value();
        check = auth::check_password(password, string_or(record, "password_hash"));
    } else {
        auth::check_no_password(password);
    }
    if (check == auth::PasswordCheck::wrong) {
        context_.throttle.failed(account, now);
        fail_login();
    }
    context_.throttle.succeeded(account);
    return start(name, {});
}

AdminSession Accounts::log_in_with_key(const std::string& public_key,
                                       const std::string& private_key) {
    const std::string account = std::string(keys_prefix) + public_key;
    const std::int64_t wait = context_.throttle.wait_ms(account, context_.now_ms());
    if (wait > 0) {
        fail(too_busy(429, "too many failed sign-ins with this key; try again later"));
    }
    const auto stored = public_key.size() <= name_bytes_max
                            ? context_.store.snapshot()->record(Space::meta, account).value()
                            : std::nullopt;
    const json::object record =
        stored ? server::parse_json_object(*stored).value() : json::object();
    if (!server::constant_time_equal(hash_of(private_key), string_or(record, "hash"))) {
        context_.throttle.failed(account, context_.now_ms());
        fail_login();
    }
    if (!record.contains("digest")) {
        keep_digest(account, *stored, sealed_digest(public_key, private_key));
    }
    return start(string_or(record, "admin"), public_key);
}

std::string Accounts::sealed_digest(const std::string& public_key,
                                    const std::string& private_key) const {
    const std::string purpose = std::string(keys_prefix) + public_key;
    return to_base64(as_bytes(sealer_.seal(purpose, digest_secret(public_key, private_key))));
}

// Of a key that was made before digests were kept. Nothing is lost when it cannot be: the key may
// have been removed at the same moment, and must not come back.
void Accounts::keep_digest(const std::string& record_key, const std::string& stored,
                           const std::string& digest) const {
    json::object record = server::parse_json_object(stored).value();
    record["digest"] = digest;
    store::Transaction transaction;
    transaction.replace_record(Space::meta, record_key, stored, json::serialize(record));
    static_cast<void>(context_.store.commit(std::move(transaction)));
}

std::string Accounts::challenge(bool stale) const {
    return gate_.challenge(context_.now_ms(), stale);
}

Accounts::DigestCaller Accounts::digest_caller(const http::Request& request) {
    const std::optional<DigestCredentials> given =
        parse_digest(request.headers.find("authorization"));
    if (!given || given->username.empty() || given->username.size() > name_bytes_max) {
        return {std::nullopt, "sign in with a key pair of an administrator, by HTTP Digest"};
    }
    const std::string account = std::string(keys_prefix) + given->username;
    const std::int64_t now = context_.now_ms();
    if (context_.throttle.wait_ms(account, now) > 0) {
        return {std::nullopt, "too many failed sign-ins with this key; try again later"};
    }
    const auto stored = context_.store.snapshot()->record(Space::meta, account).value();
    const json::object record =
        stored ? server::parse_json_object(*stored).value() : json::object();
    const auto sealed = from_base64(string_or(record, "digest"));
    const auto kept = sealed ? sealer_.open(account, as_text(*sealed))
                             : Result<std::string>(Error(ErrorCode::not_found, "no digest"));
    DigestGate::Outcome outcome = DigestGate::Outcome::wrong;
    if (kept) {
        outcome = gate_.check(*given, request, *kept, now);
    }
    if (outcome == DigestGate::Outcome::wrong) {
        context_.throttle.failed(account, now);
        return {std::nullopt, "wrong key, or one that has to sign in to the Admin API once"};
    }
    context_.throttle.succeeded(account);
    if (outcome == DigestGate::Outcome::stale) {
        return {std::nullopt, "the nonce is too old or was used before", true};
    }
    DigestCaller caller{find(string_or(record, "admin")), {}};
    caller.problem = caller.admin ? "" : "the administrator of this key is gone";
    return caller;
}

AdminSession Accounts::start(const std::string& name, const std::string& key) const {
    const std::optional<Admin> admin = find(name);
    if (!admin) {
        fail_login();
    }
    const std::int64_t now = context_.now_ms();
    AdminSession out;
    out.user = admin->id;
    out.device_id = to_hex(as_bytes(server::random_bytes(12)));
    auth::TokenClaims claims;
    claims.user = admin->id;
    claims.session = id_of(server::random_bytes(12));
    claims.app = admin_domain();
    claims.device_id = out.device_id;
    claims.issued_at = now / 1000;
    claims.expires_at = claims.issued_at + auth::access_token_seconds;
    claims.user_data = json::serialize(json::object{{"admin", name}});
    out.access_token = context_.tokens.issue(claims);
    claims.kind = auth::TokenKind::refresh;
    claims.expires_at = claims.issued_at + auth::refresh_token_seconds;
    claims.user_data.clear();
    claims.provider_type = key.empty() ? "local-userpass" : "mongodb-cloud";
    out.refresh_token = context_.tokens.issue(claims);
    store::Transaction transaction;
    transaction.put_record(Space::meta, std::string(sessions) + claims.session.to_string(),
                           json::serialize(json::object{{"admin", name},
                                                        {"key", key},
                                                        {"device_id", out.device_id},
                                                        {"expires_ms", claims.expires_at * 1000}}));
    commit(context_.store, std::move(transaction));
    context_.log.info("administrator signed in", {{"admin", name}});
    return out;
}

auth::TokenClaims Accounts::verified(std::string_view token, auth::TokenKind kind) const {
    if (token.empty()) {
        fail(invalid_session("must authenticate first"));
    }
    auth::Tokens::Verified found = context_.tokens.verify(token, kind, context_.now_ms() / 1000);
    using Problem = auth::Tokens::Problem;
    if (!found.claims) {
        const bool refresh = kind == auth::TokenKind::refresh;
        fail(invalid_session(found.problem == Problem::expired && !refresh
                                 ? "invalid session: access token expired"
                             : found.problem == Problem::wrong_kind && refresh
                                 ? "invalid refresh token: incorrect token type"
                                 : "invalid session"));
    }
    if (found.claims->app != admin_domain()) {
        fail(invalid_session());
    }
    return *std::move(found.claims);
}

Admin Accounts::caller(std::string_view access_token) const {
    const auth::TokenClaims claims = verified(access_token, auth::TokenKind::access);
    const auto data = server::parse_json_object(claims.user_data);
    const std::optional<Admin> admin = data ? find(string_or(*data, "admin")) : std::nullopt;
    if (!admin) {
        fail(invalid_session());
    }
    return *admin;
}

json::object Accounts::session(std::string_view refresh_token, std::string& record_key) const {
    const auth::TokenClaims claims = verified(refresh_token, auth::TokenKind::refresh);
    record_key = std::string(sessions) + claims.session.to_string();
    const auto stored = context_.store.snapshot()->record(Space::meta, record_key).value();
    if (!stored) {
        fail(invalid_session("invalid session: failed to find refresh token"));
    }
    json::object record = server::parse_json_object(*stored).value();
    record["session"] = claims.session.to_string();
    return record;
}

std::string Accounts::refresh(std::string_view refresh_token) const {
    std::string record_key;
    const json::object record = session(refresh_token, record_key);
    const std::string name = string_or(record, "admin");
    const std::optional<Admin> admin = find(name);
    const std::string key = string_or(record, "key");
    const bool key_gone =
        !key.empty() &&
        !context_.store.snapshot()->record(Space::meta, std::string(keys_prefix) + key).value();
    if (!admin || key_gone || integer(record, "expires_ms") <= context_.now_ms()) {
        fail(invalid_session());
    }
    auth::TokenClaims claims;
    claims.user = admin->id;
    claims.session = ObjectId::parse(string_or(record, "session")).value();
    claims.app = admin_domain();
    claims.device_id = string_or(record, "device_id");
    claims.issued_at = context_.now_ms() / 1000;
    claims.expires_at = claims.issued_at + auth::access_token_seconds;
    claims.user_data = json::serialize(json::object{{"admin", name}});
    return context_.tokens.issue(claims);
}

void Accounts::log_out(std::string_view refresh_token) const {
    std::string record_key;
    static_cast<void>(session(refresh_token, record_key));
    store::Transaction transaction;
    transaction.erase_record(Space::meta, record_key);
    commit(context_.store, std::move(transaction));
}

std::vector<Admin> Accounts::list() const {
    const auto snapshot = context_.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, admins, "admins0");
    std::vector<Admin> out;
    while (cursor->next()) {
        if (const auto admin = find(std::string(cursor->key().substr(admins.size())))) {
            out.push_back(*admin);
        }
    }
    cursor->status().value();
    return out;
}

Admin Accounts::create(const std::string& name, const std::string& password,
                       const std::string& role) {
    if (name.empty() || name.size() > name_bytes_max ||
        name.find_first_of("/ \t\r\n") != std::string::npos || !is_utf8(name)) {
        fail(bad_request("a user name has 1 to 128 bytes, no spaces and no slash"));
    }
    if (!auth::is_acceptable_password(password)) {
        fail(bad_request("password must be between 6 and 128 characters"));
    }
    if (role != "GROUP_OWNER" && role != "GROUP_READ_ONLY" && role != "NONE") {
        fail(bad_request("'role' must be GROUP_OWNER, GROUP_READ_ONLY or NONE"));
    }
    const json::object record{{"password_hash", auth::hash_password(password)},
                              {"must_change", false},
                              {"created_ms", context_.now_ms()},
                              {"role", role}};
    store::Transaction transaction;
    transaction.insert_record(Space::meta, std::string(admins) + name, json::serialize(record));
    if (!auth::commit_or_conflict(context_.store, std::move(transaction))) {
        fail(conflict("AccountNameInUse", "name already in use"));
    }
    return *find(name);
}

void Accounts::set_password(const std::string& name, const std::string& password) {
    if (!auth::is_acceptable_password(password)) {
        fail(bad_request("password must be between 6 and 128 characters"));
    }
    const std::string key = std::string(admins) + name;
    const auto stored = context_.store.snapshot()->record(Space::meta, key).value();
    if (!stored) {
        fail(not_found("UserNotFound", "there is no such administrator"));
    }
    json::object record = server::parse_json_object(*stored).value();
    record["password_hash"] = auth::hash_password(password);
    record["must_change"] = false;
    store::Transaction transaction;
    transaction.put_record(Space::meta, key, json::serialize(record));
    end_sessions("admin", name, transaction);
    commit(context_.store, std::move(transaction));
}

void Accounts::remove(const std::string& name) {
    const std::vector<Admin> all = list();
    const bool exists =
        std::any_of(all.begin(), all.end(), [&](const Admin& one) { return one.name == name; });
    if (!exists) {
        fail(not_found("UserNotFound", "there is no such administrator"));
    }
    const bool other_owner = std::any_of(all.begin(), all.end(), [&](const Admin& one) {
        return one.name != name && one.role == "GROUP_OWNER";
    });
    if (!other_owner) {
        fail(bad_request("the last owner cannot be removed"));
    }
    store::Transaction transaction;
    transaction.erase_record(Space::meta, std::string(admins) + name);
    end_sessions("admin", name, transaction);
    for (const Key& key : keys()) {
        if (key.admin == name) {
            transaction.erase_record(Space::meta, std::string(keys_prefix) + key.public_key);
        }
    }
    commit(context_.store, std::move(transaction));
}

void Accounts::end_sessions(const std::string& member, const std::string& value,
                            store::Transaction& transaction) const {
    const auto snapshot = context_.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, sessions, "admin-sessions0");
    while (cursor->next()) {
        const auto record = server::parse_json_object(cursor->value());
        if (!record || string_or(*record, member) == value) {
            transaction.erase_record(Space::meta, std::string(cursor->key()));
        }
    }
    cursor->status().value();
}

Accounts::Key Accounts::create_key(const Admin& admin, const std::string& description) {
    Key key{new_public_key(), new_private_key(), admin.name, description};
    store::Transaction transaction;
    transaction.insert_record(
        Space::meta, std::string(keys_prefix) + key.public_key,
        json::serialize(json::object{{"admin", admin.name},
                                     {"hash", hash_of(key.private_key)},
                                     {"digest", sealed_digest(key.public_key, key.private_key)},
                                     {"description", description},
                                     {"created_ms", context_.now_ms()}}));
    commit(context_.store, std::move(transaction));
    return key;
}

std::vector<Accounts::Key> Accounts::keys() const {
    const auto snapshot = context_.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, keys_prefix, "admin-keys0");
    std::vector<Key> out;
    while (cursor->next()) {
        const json::object record = server::parse_json_object(cursor->value()).value();
        out.push_back({std::string(cursor->key().substr(keys_prefix.size())),
                       {},
                       string_or(record, "admin"),
                       string_or(record, "description")});
    }
    cursor->status().value();
    return out;
}

void Accounts::remove_key(const std::string& public_key) {
    const std::string record = std::string(keys_prefix) + public_key;
    if (!context_.store.snapshot()->record(Space::meta, record).value()) {
        fail(not_found("APIKeyNotFound", "there is no such key"));
    }
    store::Transaction transaction;
    transaction.erase_record(Space::meta, record);
    commit(context_.store, std::move(transaction));
}

} // namespace tombolo::api::admin
