#include "server/auth/sessions.hpp"

#include <algorithm>
#include <cstring>

#include <boost/json/serialize.hpp>

#include "server/api/api_error.hpp"
#include "server/auth/user_data.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::auth {

using api::ApiError;
using api::ApiException;
using server::App;
using store::Space;
using store::Transaction;

namespace {

constexpr std::string_view no_device = "000000000000000000000000";
constexpr int conflict_retries = 10;
constexpr std::int64_t device_note_ms =
    24 * 3600 * 1000; ///< when a device was seen is kept to the day

ObjectId new_object_id() {
    ObjectId id;
    const std::string bytes = server::random_bytes(id.bytes.size());
    std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
    return id;
}

// {"$oid": hex} in bodies, plain hex in OAuth queries (client-http-api.md 2.2).
std::string device_id_in(const boost::json::object& device) {
    const boost::json::object& wrapped = server::object_or_empty(device, "deviceId");
    const std::string id = wrapped.empty() ? server::string_or(device, "deviceId")
                                           : server::string_or(wrapped, "$oid");
    return ObjectId::parse(id) ? id : std::string();
}

[[noreturn]] void fail(ApiError error) {
    throw ApiException(std::move(error));
}

ApiError failed_to_find_refresh_token() {
    return api::invalid_session("invalid session: failed to find refresh token");
}

} // namespace

bool commit_or_conflict(store::Store& store, Transaction transaction) {
    const Result<store::Version> written = store.commit(std::move(transaction));
    if (written) {
        return true;
    }
    const ErrorCode code = written.error().code();
    if (code == ErrorCode::write_conflict || code == ErrorCode::already_exists) {
        return false;
    }
    throw written.error();
}

SignedIn Sessions::sign_in(const App& app, VerifiedIdentity identity,
                           const boost::json::object* device, const OnCreation& on_creation) const {
    const Keys keys(app.id);
    for (int attempt = 0; attempt < conflict_retries; ++attempt) {
        const std::int64_t now = context_.now_ms();
        const auto snapshot = context_.store.snapshot();
        Transaction transaction;
        User user;
        std::optional<std::string> stored_user;
        std::optional<std::string> owner;
        bool is_changed = false;
        const std::string identity_key = keys.identity(identity.provider_type, identity.key);
        if (identity.user) {
            owner = identity.user->to_string();
        } else if (!identity.key.empty()) {
            owner = snapshot->record(Space::meta, identity_key).value();
        }
        if (owner) {
            user.id = ObjectId::parse(*owner).value();
            stored_user = snapshot->record(Space::meta, keys.user(user.id)).value();
        }
        if (stored_user) {
            user = decode_user(user.id, *stored_user).value();
            if (user.disabled) {
                fail({401, "UserDisabled", "the user is disabled"});
            }
            for (Identity& one : user.identities) {
                if (!identity.user && one.provider_type == identity.provider_type &&
                    one.id == identity.identity_id) {
                    is_changed = is_changed || one.data != identity.data;
                    one.data = identity.data;
                }
            }
        } else if (identity.user) {
            fail({401, "AuthError", "invalid API key"}); // its owner was removed meanwhile
        } else {
            user.id = new_object_id();
            user.created_ms = now;
            user.identities.push_back({identity.identity_id, identity.provider_type,
                                       app.provider_id(identity.provider_type).to_string(),
                                       identity.data});
            if (!identity.key.empty()) {
                transaction.replace_record(Space::meta, identity_key, owner, user.id.to_string());
            }
            if (identity.email_record) {
                EmailAccount account = decode_email_account(*identity.email_record).value();
                account.user = user.id.to_string();
                transaction.replace_record(Space::meta, keys.email(identity.key),
                                           identity.email_record, encode(account));
            }
        }
        user.last_sign_in_ms = now;
        transaction.replace_record(Space::meta, keys.user(user.id), stored_user, encode(user));

        const ObjectId session_id = new_object_id();
        const std::string device_id = device_for(keys, device, transaction);
        const std::int64_t lifetime = user.is_anonymous() ? anonymous_refresh_token_seconds
                                                          : refresh_lifetime(context_.apps, app.id);
        Session session{user.id,
                        device_id,
                        identity.provider_type,
                        identity.api_key_id,
                        now,
                        now + lifetime * 1000};
        transaction.put_record(Space::meta, keys.session(session_id), encode(session));
        transaction.put_record(Space::meta, keys.user_sessions(user.id) + session_id.to_string(),
                               "");
        if (!commit_or_conflict(context_.store, std::move(transaction))) {
            continue; // somebody signed the same user in: read again
        }
        if (is_changed && context_.on_user_changed) {
            context_.on_user_changed(app.id, user.id);
        }
        if (!stored_user && on_creation) {
            try {
                on_creation(user);
            } catch (...) {
                remove_user(app, user);
                throw;
            }
        }
        TokenClaims claims;
        claims.kind = TokenKind::refresh;
        claims.user = user.id;
        claims.session = session_id;
        claims.app = app.id;
        claims.device_id = device_id;
        claims.issued_at = now / 1000;
        claims.expires_at = claims.issued_at + lifetime;
        claims.identity_id = identity.identity_id;
        claims.provider_type = identity.provider_type;
        claims.provider_id = app.provider_id(identity.provider_type).to_string();
        context_.log.info("user signed in", {{"app", app.client_app_id},
                                             {"user", user.id.to_string()},
                                             {"provider", identity.provider_type}});
        return {access_token(app, user, session_id, device_id), context_.tokens.issue(claims),
                user.id, device_id};
    }
    fail(api::too_busy(503, "the user is being changed by others; try again"));
}

SignedIn Sessions::link(const Caller& caller, VerifiedIdentity identity) const {
    const Keys keys(caller.app->id);
    if (identity.key.empty()) {
        fail(api::bad_request("anonymous credentials cannot be linked"));
    }
    for (int attempt = 0; attempt < conflict_retries; ++attempt) {
        const auto snapshot = context_.store.snapshot();
        const auto stored = snapshot->record(Space::meta, keys.user(caller.claims.user)).value();
        if (!stored) {
            fail(api::invalid_session());
        }
        User user = decode_user(caller.claims.user, *stored).value();
        const std::string identity_key = keys.identity(identity.provider_type, identity.key);
        const auto owner = snapshot->record(Space::meta, identity_key).value();
        if (identity.user || (owner && *owner != user.id.to_string())) {
            fail(api::conflict("AccountNameInUse",
                               "these credentials belong to another user already"));
        }
        if (!owner) {
            user.identities.push_back({identity.identity_id, identity.provider_type,
                                       caller.app->provider_id(identity.provider_type).to_string(),
                                       identity.data});
            Transaction transaction;
            transaction.replace_record(Space::meta, keys.user(user.id), stored, encode(user));
            transaction.insert_record(Space::meta, identity_key, user.id.to_string());
            if (identity.email_record) {
                EmailAccount account = decode_email_account(*identity.email_record).value();
                account.user = user.id.to_string();
                transaction.replace_record(Space::meta, keys.email(identity.key),
                                           identity.email_record, encode(account));
            }
            if (!commit_or_conflict(context_.store, std::move(transaction))) {
                continue;
            }
            if (context_.on_user_changed) {
                context_.on_user_changed(caller.app->id, user.id);
            }
        }
        // The refresh token of the running session, made again from its claims.
        const auto session_record =
            snapshot->record(Space::meta, keys.session(caller.claims.session)).value();
        SignedIn result{
            access_token(*caller.app, user, caller.claims.session, caller.claims.device_id), "",
            user.id, caller.claims.device_id};
        if (session_record) {
            const Session session = decode_session(*session_record).value();
            TokenClaims claims;
            claims.kind = TokenKind::refresh;
            claims.user = user.id;
            claims.session = caller.claims.session;
            claims.app = caller.app->id;
            claims.device_id = caller.claims.device_id;
            claims.issued_at = context_.now_ms() / 1000;
            claims.expires_at = session.expires_ms / 1000;
            claims.identity_id = identity.identity_id;
            claims.provider_type = identity.provider_type;
            claims.provider_id = caller.app->provider_id(identity.provider_type).to_string();
            result.refresh_token = context_.tokens.issue(claims);
        }
        return result;
    }
    fail(api::too_busy(503, "the user is being changed by others; try again"));
}

std::string Sessions::access_token(const App& app, const User& user, const ObjectId& session,
                                   const std::string& device_id) const {
    TokenClaims claims;
    claims.kind = TokenKind::access;
    claims.user = user.id;
    claims.session = session;
    claims.app = app.id;
    claims.device_id = device_id;
    claims.issued_at = context_.now_ms() / 1000;
    claims.expires_at = claims.issued_at + access_token_seconds;
    claims.user_data = custom_user_data(context_, app, user.id);
    return context_.tokens.issue(claims);
}

std::string Sessions::device_for(const Keys& keys, const boost::json::object* device,
                                 Transaction& transaction) const {
    if (device == nullptr) {
        return std::string(no_device);
    }
    const std::int64_t now = context_.now_ms();
    const std::string known = device_id_in(*device);
    const auto record =
        known.empty() ? std::nullopt
                      : context_.store.snapshot()->record(Space::meta, keys.device(known)).value();
    if (record) {
        if (now - decode_device(*record) > device_note_ms) {
            transaction.put_record(Space::meta, keys.device(known), encode_device(now));
        }
        return known;
    }
    std::string fresh = new_object_id().to_string();
    transaction.put_record(Space::meta, keys.device(fresh), encode_device(now));
    return fresh;
}

Caller Sessions::caller(std::string_view bearer_token, TokenKind kind) const {
    if (bearer_token.empty()) {
        fail({401, "MissingAuthReq", "must authenticate first"});
    }
    Tokens::Verified verified =
        context_.tokens.verify(bearer_token, kind, context_.now_ms() / 1000);
    if (!verified.claims) {
        const bool wrong_kind = verified.problem == Tokens::Problem::wrong_kind;
        fail(api::invalid_session(wrong_kind && kind == TokenKind::refresh
                                      ? "invalid refresh token: incorrect token type"
                                      : "invalid session"));
    }
    Caller caller{context_.apps.find(verified.claims->app), std::move(*verified.claims)};
    if (caller.app == nullptr) {
        fail(api::invalid_session());
    }
    return caller;
}

bool Sessions::is_live(const Caller& caller) const {
    const std::string key = Keys(caller.app->id).session(caller.claims.session);
    return context_.store.snapshot()->record(Space::meta, key).value().has_value();
}

std::optional<User> Sessions::find_user(const ObjectId& app, const ObjectId& user) const {
    const auto stored =
        context_.store.snapshot()->record(Space::meta, Keys(app).user(user)).value();
    if (!stored) {
        return std::nullopt;
    }
    return decode_user(user, *stored).value();
}

std::optional<User> Sessions::find_user(const ObjectId& app,
                                        const VerifiedIdentity& identity) const {
    if (identity.user) {
        return find_user(app, *identity.user);
    }
    const auto owner =
        context_.store.snapshot()
            ->record(Space::meta, Keys(app).identity(identity.provider_type, identity.key))
            .value();
    return owner && !identity.key.empty() ? find_user(app, ObjectId::parse(*owner).value())
                                          : std::nullopt;
}

User Sessions::user(const Caller& caller) const {
    std::optional<User> user = find_user(caller.app->id, caller.claims.user);
    if (!user || user->disabled) {
        fail(api::invalid_session());
    }
    return std::move(*user);
}

std::string Sessions::refresh(const Caller& caller) const {
    const Keys keys(caller.app->id);
    const auto snapshot = context_.store.snapshot();
    const auto stored = snapshot->record(Space::meta, keys.session(caller.claims.session)).value();
    if (!stored) {
        fail(failed_to_find_refresh_token());
    }
    const Session session = decode_session(*stored).value();
    if (session.expires_ms <= context_.now_ms()) {
        fail(api::invalid_session());
    }
    const User owner = user(caller);
    if (!session.api_key_id.empty()) {
        const auto key =
            snapshot->record(Space::meta, keys.user_keys(owner.id) + session.api_key_id).value();
        if (!key || decode_api_key(session.api_key_id, *key).value().disabled) {
            fail(api::invalid_session());
        }
    }
    return access_token(*caller.app, owner, caller.claims.session, session.device_id);
}

void Sessions::sign_out(const Caller& caller) const {
    const Keys keys(caller.app->id);
    const std::string key = keys.session(caller.claims.session);
    const auto stored = context_.store.snapshot()->record(Space::meta, key).value();
    if (!stored) {
        fail(failed_to_find_refresh_token());
    }
    Transaction transaction;
    transaction.erase_record(Space::meta, key);
    transaction.erase_record(Space::meta, keys.user_sessions(caller.claims.user) +
                                              caller.claims.session.to_string());
    context_.store.commit(std::move(transaction)).value();
}

void Sessions::end_sessions(const ObjectId& app, const ObjectId& user,
                            Transaction& transaction) const {
    const Keys keys(app);
    const std::string prefix = keys.user_sessions(user);
    const auto snapshot = context_.store.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, prefix, prefix + "~");
    while (cursor->next()) {
        const auto session = ObjectId::parse(cursor->key().substr(prefix.size()));
        if (session) {
            transaction.erase_record(Space::meta, keys.session(*session));
        }
        transaction.erase_record(Space::meta, std::string(cursor->key()));
    }
    cursor->status().value();
}

void Sessions::revoke_all(const ObjectId& app, const ObjectId& user) const {
    Transaction transaction;
    end_sessions(app, user, transaction);
    context_.store.commit(std::move(transaction)).value();
    tell_access_ended(app, user);
}

void Sessions::tell_access_ended(const ObjectId& app, const ObjectId& user) const {
    if (context_.on_access_ended) {
        context_.on_access_ended(app, user);
    }
}

void Sessions::set_disabled(const ObjectId& app, const ObjectId& user, bool disabled) const {
    const Keys keys(app);
    for (int attempt = 0; attempt < conflict_retries; ++attempt) {
        const auto stored = context_.store.snapshot()->record(Space::meta, keys.user(user)).value();
        if (!stored) {
            fail(api::not_found("UserNotFound", "user not found"));
        }
        User changed = decode_user(user, *stored).value();
        changed.disabled = disabled;
        Transaction transaction;
        transaction.replace_record(Space::meta, keys.user(user), stored, encode(changed));
        if (disabled) {
            end_sessions(app, user, transaction);
        }
        if (commit_or_conflict(context_.store, std::move(transaction))) {
            if (disabled) {
                tell_access_ended(app, user);
            }
            return;
        }
    }
    fail(api::too_busy(503, "the user is being changed by others; try again"));
}

void Sessions::remove_user(const Caller& caller) const {
    remove_user(*caller.app, user(caller));
}

void Sessions::remove_user(const App& app, const ObjectId& user) const {
    const std::optional<User> gone = find_user(app.id, user);
    if (!gone) {
        fail(api::not_found("UserNotFound", "user not found"));
    }
    remove_user(app, *gone);
}

void Sessions::remove_user(const App& app, const User& gone) const {
    const Keys keys(app.id);
    Transaction transaction;
    end_sessions(app.id, gone.id, transaction);
    const auto snapshot = context_.store.snapshot();
    for (const Identity& identity : gone.identities) {
        const std::string address = server::string_or(identity.data, "email");
        if (identity.provider_type == "local-userpass") {
            transaction.erase_record(Space::meta, keys.email(address));
            transaction.erase_record(Space::meta, keys.identity("local-userpass", address));
        } else {
            transaction.erase_record(Space::meta,
                                     keys.identity(identity.provider_type, identity.id));
        }
    }
    const std::string key_prefix = keys.user_keys(gone.id);
    const auto cursor = snapshot->scan_records(Space::meta, key_prefix, key_prefix + "~");
    while (cursor->next()) {
        const ApiKey key = decode_api_key({}, cursor->value()).value();
        transaction.erase_record(Space::meta, keys.api_key(key.key_hash));
        transaction.erase_record(Space::meta, std::string(cursor->key()));
    }
    cursor->status().value();
    for (const std::string& service : app.config.push_services) {
        transaction.erase_record(Space::meta, keys.push(service, gone.id));
    }
    transaction.erase_record(Space::meta, keys.user(gone.id));
    context_.store.commit(std::move(transaction)).value();
    tell_access_ended(app.id, gone.id);
    context_.log.info("user removed", {{"app", app.client_app_id}, {"user", gone.id.to_string()}});
}

std::int64_t refresh_lifetime(const server::AppRepository& apps, const ObjectId& app) {
    const boost::json::object stored = apps.setting(app, refresh_lifetime_setting).value();
    const boost::json::value* seconds = stored.if_contains("expiration_time_seconds");
    return seconds != nullptr && seconds->is_int64()
               ? std::clamp(seconds->get_int64(), refresh_lifetime_min, refresh_lifetime_max)
               : refresh_token_seconds;
}

} // namespace tombolo::auth
