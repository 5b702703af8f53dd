#include "server/auth/custom_token.hpp"

#include <algorithm>
#include <memory>

#include <boost/json/serialize.hpp>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

extern "C" { // its headers do not say so themselves
#include <jose/jose.h>
#include <jose/openssl.h>
}

#include "core/bytes.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::auth {

namespace json = boost::json;

namespace {

constexpr std::size_t token_bytes_max = 1'000'000;
constexpr std::size_t metadata_bytes_max = 4096;
constexpr std::int64_t clock_skew_s = 60;

struct JsonDeleter {
    void operator()(json_t* value) const noexcept { ::json_decref(value); }
};
using Jansson = std::unique_ptr<json_t, JsonDeleter>;

Error refuse(std::string reason) {
    return Error(ErrorCode::invalid_argument, std::move(reason));
}

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
};

Result<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
        return refuse("the token is not a JWT of three parts");
    }
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1)};
}

Result<json::object> decode_part(std::string_view part, const char* name) {
    const auto bytes = from_base64url(part);
    auto object = bytes ? server::parse_json_object(as_text(*bytes))
                        : Result<json::object>(refuse("not base64url"));
    if (!object) {
        return refuse(std::string("the token's ") + name + " is not a JSON object");
    }
    return object;
}

const char* key_type_of(const std::string& algorithm) {
    return algorithm == "HS256" ? "oct" : algorithm == "RS256" ? "RSA" : "EC";
}

// A key must be of the algorithm's own type, or a public key could pass as an HMAC secret.
bool fits(json_t* key, const std::string& algorithm) {
    const char* type = ::json_string_value(::json_object_get(key, "kty"));
    const char* stated = ::json_string_value(::json_object_get(key, "alg"));
    const char* curve = ::json_string_value(::json_object_get(key, "crv"));
    return type != nullptr && std::string(type) == key_type_of(algorithm) &&
           (stated == nullptr || algorithm == stated) &&
           (algorithm != "ES256" || (curve != nullptr && std::string(curve) == "P-256"));
}

Jansson key_from_text(const std::string& text, const std::string& algorithm) {
    if (algorithm == "HS256") {
        const std::string encoded = to_base64url(as_bytes(text));
        return Jansson(::json_pack("{s:s,s:s}", "kty", "oct", "k", encoded.c_str()));
    }
    const std::unique_ptr<BIO, int (*)(BIO*)> bio(
        ::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), ::BIO_free);
    const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
        bio ? ::PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr) : nullptr,
        ::EVP_PKEY_free);
    return Jansson(key ? ::jose_openssl_jwk_from_EVP_PKEY(nullptr, key.get()) : nullptr);
}

bool signature_holds(const Parts& parts, json_t* key) {
    const Jansson jws(::json_pack("{s:s%,s:s%,s:s%}", "protected", parts.header.data(),
                                  parts.header.size(), "payload", parts.payload.data(),
                                  parts.payload.size(), "signature", parts.signature.data(),
                                  parts.signature.size()));
    return jws && ::jose_jws_ver(nullptr, jws.get(), nullptr, key, false);
}

// True when a key of the set has this id (any key counts when the token names none) and verifies.
enum class SetResult : std::uint8_t { holds, no_such_key, wrong };
SetResult check_set(const Parts& parts, const std::string& set_text, const std::string& key_id,
                    const std::string& algorithm) {
    const Jansson set(::json_loadb(set_text.data(), set_text.size(), 0, nullptr));
    json_t* keys = set ? ::json_object_get(set.get(), "keys") : nullptr;
    SetResult result = SetResult::no_such_key;
    for (std::size_t i = 0; i < ::json_array_size(keys); ++i) {
        json_t* key = ::json_array_get(keys, i);
        const char* id = ::json_string_value(::json_object_get(key, "kid"));
        if (!key_id.empty() && (id == nullptr || key_id != id)) {
            continue;
        }
        if (fits(key, algorithm) && signature_holds(parts, key)) {
            return SetResult::holds;
        }
        result = SetResult::wrong;
    }
    return result;
}

Result<void> check_signature(const Parts& parts, const json::object& header,
                             const server::CustomTokenConfig& config, const CustomTokenKeys& keys) {
    const std::string& algorithm = config.signing_algorithm;
    if (config.use_jwk_uri) {
        const std::string key_id = server::string_or(header, "kid");
        TOMBOLO_TRY(const std::string set, keys.key_sets->fetch(config.jwk_uri, false));
        SetResult result = check_set(parts, set, key_id, algorithm);
        if (result == SetResult::no_such_key) {
            // The issuer may have rotated its keys since we looked.
            TOMBOLO_TRY(const std::string newer, keys.key_sets->fetch(config.jwk_uri, true));
            result = check_set(parts, newer, key_id, algorithm);
        }
        if (result == SetResult::holds) {
            return {};
        }
        return refuse(result == SetResult::no_such_key ? "the token's key id is not in the key set"
                                                       : "the token's signature is not valid");
    }
    for (const std::string& text : keys.keys) {
        const Jansson key = key_from_text(text, algorithm);
        if (key && fits(key.get(), algorithm) && signature_holds(parts, key.get())) {
            return {};
        }
    }
    return refuse("the token's signature is not valid");
}

// NumericDate: an integer or a fraction of seconds.
std::optional<std::int64_t> time_claim(const json::object& claims, std::string_view name) {
    const json::value* value = claims.if_contains(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_int64()) {
        return value->get_int64();
    }
    if (value->is_double() && value->get_double() > -9e18 && value->get_double() < 9e18) {
        return static_cast<std::int64_t>(value->get_double());
    }
    return std::nullopt;
}

Result<void> check_times(const json::object& claims, std::int64_t now_unix_s) {
    const auto expires = time_claim(claims, "exp");
    if (!expires) {
        return refuse("the token has no 'exp' claim");
    }
    if (*expires <= now_unix_s) {
        return refuse("the token has expired");
    }
    const auto not_before = time_claim(claims, "nbf");
    if (claims.contains("nbf") && (!not_before || *not_before > now_unix_s + clock_skew_s)) {
        return refuse("the token is not valid yet");
    }
    return {};
}

Result<void> check_audience(const json::object& claims, const server::CustomTokenConfig& config,
                            const std::string& client_app_id) {
    std::vector<std::string> stated;
    const json::value* value = claims.if_contains("aud");
    if (value != nullptr && value->is_string()) {
        stated.emplace_back(value->get_string().data(), value->get_string().size());
    } else if (value != nullptr && value->is_array()) {
        for (const json::value& one : value->get_array()) {
            if (one.is_string()) {
                stated.emplace_back(one.get_string().data(), one.get_string().size());
            }
        }
    }
    if (stated.empty()) {
        return refuse("the token has no 'aud' claim");
    }
    const std::vector<std::string> wanted =
        config.audience.empty() ? std::vector<std::string>{client_app_id} : config.audience;
    const auto has = [&](const std::string& one) {
        return std::find(stated.begin(), stated.end(), one) != stated.end();
    };
    const bool ok = config.require_any_audience ? std::any_of(wanted.begin(), wanted.end(), has)
                                                : std::all_of(wanted.begin(), wanted.end(), has);
    if (!ok) {
        return refuse("the token's audience is not this app");
    }
    return {};
}

Result<json::object> map_metadata(const json::object& claims,
                                  const std::vector<server::MetadataField>& fields) {
    json::object data;
    for (const server::MetadataField& field : fields) {
        const json::object* inside = &claims;
        const json::value* found = nullptr;
        for (const std::string& part : field.path) {
            found = inside != nullptr ? inside->if_contains(part) : nullptr;
            inside = found != nullptr && found->is_object() ? &found->get_object() : nullptr;
        }
        if (found == nullptr || found->is_null()) {
            if (field.required) {
                return refuse("the token lacks the required metadata field '" + field.field_name +
                              "'");
            }
            continue;
        }
        if ((found->is_string() ? found->get_string().size() : json::serialize(*found).size()) >
            metadata_bytes_max) {
            return refuse("the token's metadata field '" + field.field_name + "' is too long");
        }
        data[field.field_name] = *found;
    }
    return data;
}

} // namespace

Result<ExternalIdentity> verify_custom_token(std::string_view token,
                                             const server::CustomTokenConfig& config,
                                             const std::vector<server::MetadataField>& fields,
                                             const std::string& client_app_id,
                                             const CustomTokenKeys& keys, std::int64_t now_unix_s) {
    if (token.size() > token_bytes_max) {
        return refuse("the token is too long");
    }
    TOMBOLO_TRY(const Parts parts, split(token));
    TOMBOLO_TRY(const json::object header, decode_part(parts.header, "header"));
    if (server::string_or(header, "alg") != config.signing_algorithm) {
        return refuse("the token's algorithm is not " + config.signing_algorithm);
    }
    if (header.contains("crit")) {
        return refuse(
            "the token's header has extensions that are not known here"); // RFC 7515 4.1.11
    }
    TOMBOLO_TRY_VOID(check_signature(parts, header, config, keys));
    TOMBOLO_TRY(const json::object claims, decode_part(parts.payload, "payload"));
    TOMBOLO_TRY_VOID(check_times(claims, now_unix_s));
    TOMBOLO_TRY_VOID(check_audience(claims, config, client_app_id));
    ExternalIdentity identity;
    identity.subject = server::string_or(claims, "sub");
    if (identity.subject.empty() || identity.subject.size() > metadata_bytes_max) {
        return refuse("the token has no usable 'sub' claim");
    }
    TOMBOLO_TRY(identity.data, map_metadata(claims, fields));
    return identity;
}

} // namespace tombolo::auth
