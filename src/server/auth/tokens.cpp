#include "server/auth/tokens.hpp"

#include <algorithm>
#include <mutex>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "server/runtime/json.hpp"

namespace tombolo::auth {

namespace json = boost::json;
using server::constant_time_equal;
using server::hmac_sha256;
using store::Space;

namespace {

constexpr std::string_view key_prefix = "signing-keys/";
constexpr std::size_t token_bytes_max = std::size_t{32} * 1024;

std::int64_t integer(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

json::object to_json(const TokenClaims& claims) {
    const std::string session = claims.session.to_string();
    const std::string app = claims.app.to_string();
    json::object out;
    out["exp"] = claims.expires_at;
    out["iat"] = claims.issued_at;
    out["sub"] = claims.user.to_string();
    out["baas_device_id"] = claims.device_id;
    out["baas_domain_id"] = app;
    out["stitch_devId"] = claims.device_id;
    out["stitch_domainId"] = app;
    if (claims.kind == TokenKind::access) {
        out["typ"] = "access";
        out["iss"] = session;
        if (!claims.user_data.empty()) {
            const auto data = server::parse_json_object(claims.user_data);
            if (data) {
                out["user_data"] = *data;
            }
        }
        return out;
    }
    out["typ"] = "refresh";
    out["baas_id"] = session;
    out["stitch_id"] = session;
    out["baas_data"] = nullptr;
    out["stitch_data"] = nullptr;
    const json::object identity{{"id", claims.identity_id},
                                {"provider_type", claims.provider_type},
                                {"provider_id", claims.provider_id}};
    out["baas_identity"] = identity;
    out["stitch_ident"] = identity;
    return out;
}

std::optional<TokenClaims> from_json(const json::object& object) {
    TokenClaims claims;
    const std::string kind = server::string_or(object, "typ");
    claims.kind = kind == "refresh" ? TokenKind::refresh : TokenKind::access;
    const auto user = ObjectId::parse(server::string_or(object, "sub"));
    const auto app = ObjectId::parse(server::string_or(object, "baas_domain_id"));
    const auto session = ObjectId::parse(
        server::string_or(object, claims.kind == TokenKind::access ? "iss" : "baas_id"));
    if (!user || !app || !session || (kind != "access" && kind != "refresh")) {
        return std::nullopt;
    }
    claims.user = *user;
    claims.app = *app;
    claims.session = *session;
    claims.device_id = server::string_or(object, "baas_device_id");
    claims.issued_at = integer(object, "iat");
    claims.expires_at = integer(object, "exp");
    const json::object& identity = server::object_or_empty(object, "baas_identity");
    claims.identity_id = server::string_or(identity, "id");
    claims.provider_type = server::string_or(identity, "provider_type");
    claims.provider_id = server::string_or(identity, "provider_id");
    const json::object& data = server::object_or_empty(object, "user_data");
    if (!data.empty()) {
        claims.user_data = json::serialize(data);
    }
    return claims;
}

} // namespace

Result<std::unique_ptr<Tokens>> Tokens::open(store::Store& store, const server::Sealer& sealer,
                                             std::int64_t now_unix_s) {
    std::unique_ptr<Tokens> tokens(new Tokens(store, sealer));
    TOMBOLO_TRY_VOID(tokens->load());
    if (tokens->signing_kid_.empty()) {
        TOMBOLO_TRY_VOID(tokens->rotate(now_unix_s));
    }
    return tokens;
}

Result<void> Tokens::load() {
    const auto snapshot = store_.snapshot();
    const auto cursor = snapshot->scan_records(Space::meta, key_prefix, "signing-keys0");
    std::int64_t newest = -1;
    const std::unique_lock lock(mutex_);
    while (cursor->next()) {
        TOMBOLO_TRY(const std::string text, sealer_.open(key_prefix, cursor->value()));
        TOMBOLO_TRY(const json::object object, server::parse_json_object(text));
        Key key{std::string(cursor->key().substr(key_prefix.size())),
                server::string_or(object, "secret"), integer(object, "made_at")};
        if (key.made_at > newest) {
            newest = key.made_at;
            signing_kid_ = key.kid;
        }
        keys_.emplace(key.kid, std::move(key));
    }
    return cursor->status();
}

Result<void> Tokens::rotate(std::int64_t now_unix_s) {
    Key key{server::random_text(12), server::random_text(64), now_unix_s};
    const json::object object{{"secret", key.secret}, {"made_at", key.made_at}};
    store::Transaction transaction;
    transaction.put_record(Space::meta, std::string(key_prefix) + key.kid,
                           sealer_.seal(key_prefix, json::serialize(object)));
    std::vector<std::string> forgotten;
    {
        const std::shared_lock lock(mutex_);
        // A key stopped signing when its successor was made.
        for (const auto& [kid, one] : keys_) {
            std::int64_t ended = now_unix_s;
            for (const auto& [other_kid, other] : keys_) {
                if (other.made_at > one.made_at) {
                    ended = std::min(ended, other.made_at);
                }
            }
            if (ended + anonymous_refresh_token_seconds < now_unix_s) {
                forgotten.push_back(kid);
            }
        }
    }
    for (const std::string& kid : forgotten) {
        transaction.erase_record(Space::meta, std::string(key_prefix) + kid);
    }
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    const std::unique_lock lock(mutex_);
    for (const std::string& kid : forgotten) {
        keys_.erase(kid);
    }
    signing_kid_ = key.kid;
    keys_.emplace(key.kid, std::move(key));
    return {};
}

std::int64_t Tokens::signing_key_made_at() const {
    const std::shared_lock lock(mutex_);
    return keys_.find(signing_kid_)->second.made_at;
}

std::string Tokens::issue(const TokenClaims& claims) const {
    std::string kid;
    std::string secret;
    {
        const std::shared_lock lock(mutex_);
        const Key& key = keys_.find(signing_kid_)->second;
        kid = key.kid;
        secret = key.secret;
    }
    const json::object header{{"alg", "HS256"}, {"typ", "JWT"}, {"kid", kid}};
    std::string token = to_base64url(as_bytes(json::serialize(header)));
    token += '.';
    token += to_base64url(as_bytes(json::serialize(to_json(claims))));
    const std::string signature = hmac_sha256(secret, token);
    token += '.';
    token += to_base64url(as_bytes(signature));
    return token;
}

Tokens::Verified Tokens::verify(std::string_view token, TokenKind kind,
                                std::int64_t now_unix_s) const {
    const auto fail = [](Problem problem) { return Verified{std::nullopt, problem}; };
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (token.size() > token_bytes_max || second == std::string_view::npos ||
        token.find('.', second + 1) != std::string_view::npos) {
        return fail(Problem::malformed);
    }
    const auto header_bytes = from_base64url(token.substr(0, first));
    const auto payload_bytes = from_base64url(token.substr(first + 1, second - first - 1));
    const auto signature = from_base64url(token.substr(second + 1));
    if (!header_bytes || !payload_bytes || !signature) {
        return fail(Problem::malformed);
    }
    const auto header = server::parse_json_object(as_text(*header_bytes));
    if (!header || server::string_or(*header, "alg") != "HS256") {
        return fail(Problem::malformed);
    }
    std::string secret;
    {
        const std::shared_lock lock(mutex_);
        const auto key = keys_.find(server::string_or(*header, "kid"));
        if (key == keys_.end()) {
            return fail(Problem::bad_signature);
        }
        secret = key->second.secret;
    }
    if (!constant_time_equal(hmac_sha256(secret, token.substr(0, second)), as_text(*signature))) {
        return fail(Problem::bad_signature);
    }
    const auto payload = server::parse_json_object(as_text(*payload_bytes));
    auto claims = payload ? from_json(*payload) : std::nullopt;
    if (!claims) {
        return fail(Problem::malformed);
    }
    if (claims->kind != kind) {
        return fail(Problem::wrong_kind);
    }
    if (claims->expires_at <= now_unix_s) {
        return fail(Problem::expired);
    }
    return Verified{std::move(claims), {}};
}

} // namespace tombolo::auth
