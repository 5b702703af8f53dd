#pragma once

// Custom JWT authentication: whether an external token holds, and what it says
// (client-http-api.md 2.8).

#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/app/app_config.hpp"
#include "server/auth/key_sets.hpp"

namespace tombolo::auth {

struct CustomTokenKeys {
    std::vector<std::string> keys; ///< secrets or PEM texts, tried in turn
    KeySets* key_sets = nullptr;   ///< for useJWKURI
};

struct ExternalIdentity {
    std::string subject;
    boost::json::object data; ///< exactly the mapped metadata fields
};

/// Checks in the chapter's order: size, algorithm against the configured one, key, signature, exp,
/// nbf, audience, sub, metadata. The error's message is the reason, fit for the client.
Result<ExternalIdentity> verify_custom_token(std::string_view token,
                                             const server::CustomTokenConfig& config,
                                             const std::vector<server::MetadataField>& fields,
                                             const std::string& client_app_id,
                                             const CustomTokenKeys& keys, std::int64_t now_unix_s);

} // namespace tombolo::auth
