#include "server/auth/api_keys.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "server/api/api_error.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::auth {

using api::ApiException;
using store::Space;
using store::Transaction;

namespace {

constexpr std::size_t key_length = 64;

[[noreturn]] void fail(api::ApiError error) {
    throw ApiException(std::move(error));
}

std::string hash_of(std::string_view secret) {
    return to_hex(as_bytes(server::sha256(secret)));
}

bool is_key_name(const std::string& name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

} // namespace

Session ApiKeys::session(const Caller& caller) const {
    const Keys keys(caller.app->id);
    const auto stored =
        context_.store.snapshot()->record(Space::meta, keys.session(caller.claims.session)).value();
    if (!stored) {
        fail(api::invalid_session("invalid session: failed to find refresh token"));
    }
    static_cast<void>(Sessions(context_).user(caller)); // enabled and there
    return decode_session(*stored).value();
}

ApiKeys::Created ApiKeys::create(const Caller& caller, const std::string& name) const {
    static_cast<void>(session(caller));
    if (!is_key_name(name)) {
        fail(api::bad_request(
            "an API key's name has 1 to 64 letters, digits, hyphens and underscores"));
    }
    const User owner = Sessions(context_).user(caller);
    if (owner.is_anonymous()) {
        fail(api::bad_request("anonymous users cannot have API keys"));
    }
    const std::vector<ApiKey> existing = list(caller);
    if (existing.size() >= limits::api_keys_per_user_max) {
        fail(api::bad_request("a user has at most " +
                              std::to_string(limits::api_keys_per_user_max) + " API keys"));
    }
    if (std::any_of(existing.begin(), existing.end(),
                    [&](const ApiKey& key) { return key.name == name; })) {
        fail(api::conflict("APIKeyAlreadyExists", "an API key of this name exists"));
    }
    Created created;
    created.secret = server::random_text(key_length);
    created.key = {to_hex(as_bytes(server::random_bytes(12))), name, false,
                   hash_of(created.secret)};
    const Keys keys(caller.app->id);
    Transaction transaction;
    transaction.put_record(Space::meta, keys.user_keys(owner.id) + created.key.id,
                           encode(created.key));
    transaction.put_record(Space::meta, keys.api_key(created.key.key_hash),
                           owner.id.to_string() + "/" + created.key.id);
    context_.store.commit(std::move(transaction)).value();
    return created;
}

std::vector<ApiKey> ApiKeys::list(const Caller& caller) const {
    static_cast<void>(session(caller));
    // The published suite expects an error here, not an empty list.
    if (Sessions(context_).user(caller).is_anonymous()) {
        fail(api::forbidden("ArgumentsNotAllowed", "anonymous users cannot have API keys"));
    }
    const std::string prefix = Keys(caller.app->id).user_keys(caller.claims.user);
    std::vector<ApiKey> out;
    const auto snapshot = context_.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, prefix, prefix + "~");
    while (cursor->next()) {
        out.push_back(decode_api_key(cursor->key().substr(prefix.size()), cursor->value()).value());
    }
    cursor->status().value();
    return out;
}

ApiKey ApiKeys::find(const Caller& caller, const std::string& id) const {
    static_cast<void>(session(caller));
    const std::string record = Keys(caller.app->id).user_keys(caller.claims.user) + id;
    const auto stored = context_.store.snapshot()->record(Space::meta, record).value();
    if (!ObjectId::parse(id) || !stored) {
        fail(api::not_found("APIKeyNotFound", "API key not found"));
    }
    return decode_api_key(id, *stored).value();
}

void ApiKeys::set_disabled(const Caller& caller, const std::string& id, bool disabled) const {
    ApiKey key = find(caller, id);
    key.disabled = disabled;
    Transaction transaction;
    transaction.put_record(Space::meta, Keys(caller.app->id).user_keys(caller.claims.user) + id,
                           encode(key));
    context_.store.commit(std::move(transaction)).value();
}

void ApiKeys::remove(const Caller& caller, const std::string& id) const {
    const ApiKey key = find(caller, id);
    if (session(caller).api_key_id == id) {
        fail(api::forbidden("ArgumentsNotAllowed",
                            "a session opened with an API key cannot delete that key"));
    }
    const Keys keys(caller.app->id);
    Transaction transaction;
    transaction.erase_record(Space::meta, keys.user_keys(caller.claims.user) + id);
    transaction.erase_record(Space::meta, keys.api_key(key.key_hash));
    context_.store.commit(std::move(transaction)).value();
}

std::vector<ServerKey> ApiKeys::server_keys(const ObjectId& app) const {
    const std::string prefix = Keys(app).server_keys();
    const auto snapshot = context_.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, prefix, prefix + "~");
    std::vector<ServerKey> out;
    while (cursor->next()) {
        const std::string id(cursor->key().substr(prefix.size()));
        const ObjectId user = ObjectId::parse(cursor->value()).value();
        const auto stored = snapshot->record(Space::meta, Keys(app).user_keys(user) + id).value();
        if (stored) { // its user may have been deleted
            out.push_back({decode_api_key(id, *stored).value(), user});
        }
    }
    cursor->status().value();
    return out;
}

ApiKeys::Created ApiKeys::create_server_key(const server::App& app, const std::string& name) const {
    if (!is_key_name(name)) {
        fail(api::bad_request(
            "an API key's name has 1 to 64 letters, digits, hyphens and underscores"));
    }
    const std::vector<ServerKey> existing = server_keys(app.id);
    if (existing.size() >= server_keys_max) {
        fail(api::bad_request("an app has at most " + std::to_string(server_keys_max) +
                              " server API keys"));
    }
    if (std::any_of(existing.begin(), existing.end(),
                    [&](const ServerKey& one) { return one.key.name == name; })) {
        fail(api::conflict("APIKeyAlreadyExists", "an API key of this name exists"));
    }
    Created created;
    created.secret = server::random_text(key_length);
    created.key = {to_hex(as_bytes(server::random_bytes(12))), name, false,
                   hash_of(created.secret)};
    User user;
    user.id = ObjectId::parse(to_hex(as_bytes(server::random_bytes(12)))).value();
    user.type = "server";
    user.created_ms = context_.now_ms();
    user.identities.push_back(
        {created.key.id, "api-key", app.provider_id("api-key").to_string(), {{"name", name}}});
    const Keys keys(app.id);
    Transaction transaction;
    transaction.put_record(Space::meta, keys.user(user.id), encode(user));
    transaction.put_record(Space::meta, keys.user_keys(user.id) + created.key.id,
                           encode(created.key));
    transaction.put_record(Space::meta, keys.api_key(created.key.key_hash),
                           user.id.to_string() + "/" + created.key.id);
    transaction.put_record(Space::meta, keys.server_keys() + created.key.id, user.id.to_string());
    context_.store.commit(std::move(transaction)).value();
    return created;
}

void ApiKeys::set_server_key_disabled(const ObjectId& app, const ServerKey& key,
                                      bool disabled) const {
    ApiKey changed = key.key;
    changed.disabled = disabled;
    Transaction transaction;
    transaction.put_record(Space::meta, Keys(app).user_keys(key.user) + changed.id,
                           encode(changed));
    context_.store.commit(std::move(transaction)).value();
}

VerifiedIdentity ApiKeys::check(const server::App& app, const std::string& secret,
                                bool linking) const {
    const api::ApiError invalid{linking ? 400 : 401, "AuthError", "invalid API key"};
    const Keys keys(app.id);
    const auto snapshot = context_.store.snapshot();
    const auto owner = secret.size() == key_length
                           ? snapshot->record(Space::meta, keys.api_key(hash_of(secret))).value()
                           : std::nullopt;
    if (!owner) {
        fail(invalid);
    }
    const std::size_t slash = owner->find('/');
    VerifiedIdentity identity;
    identity.provider_type = "api-key";
    identity.user = ObjectId::parse(std::string_view(*owner).substr(0, slash)).value();
    identity.api_key_id = owner->substr(slash + 1);
    identity.key = identity.api_key_id;
    identity.identity_id = identity.api_key_id;
    const auto record =
        snapshot->record(Space::meta, keys.user_keys(*identity.user) + identity.api_key_id).value();
    if (!record || decode_api_key(identity.api_key_id, *record).value().disabled) {
        fail(invalid);
    }
    return identity;
}

} // namespace tombolo::auth
