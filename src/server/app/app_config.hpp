#pragma once

// What the server reads out of an app directory (admin-api-and-config.md 4 and 5): the parts that
// something uses today. All other files stay in the tree and are kept and exported unchanged.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "core/result.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::server {

/// One of auth/providers.json's metadata_fields: a claim that becomes a field of the profile.
struct MetadataField {
    bool required = false;
    std::vector<std::string> path; ///< parts of the dotted name, "\." undone
    std::string field_name;
};

struct LocalUserpassConfig {
    bool auto_confirm = false;
    std::string email_confirmation_url;
    std::string confirm_email_subject;
    bool run_confirmation_function = false;
    std::string confirmation_function_name;
    std::string reset_password_url;
    std::string reset_password_subject;
    bool run_reset_function = false;
    std::string reset_function_name;
};

struct CustomTokenConfig {
    std::vector<std::string> audience; ///< empty: the client app id
    bool require_any_audience = false;
    std::string signing_algorithm; ///< HS256, RS256 or ES256
    bool use_jwk_uri = false;
    std::string jwk_uri;
    std::vector<std::string> signing_key_secrets; ///< names of secrets, 1 to 3
    std::string inline_signing_key;               ///< legacy
};

struct ProviderConfig {
    std::string type;
    bool disabled = false;
    LocalUserpassConfig userpass;   ///< of local-userpass
    CustomTokenConfig custom_token; ///< of custom-token
    std::string auth_function_name; ///< of custom-function
    std::vector<MetadataField> metadata_fields;
};

struct CustomUserDataConfig {
    bool enabled = false;
    std::string service_name;
    std::string database_name;
    std::string collection_name;
    std::string user_id_field;
};

struct DataSourceConfig {
    std::string name;
    std::string type;
    /// Whatever address it names: until the MongoDB store exists its documents live in the embedded
    /// one.
    std::string address;
};

struct AppConfig {
    std::string name;
    std::string client_app_id; ///< empty when the directory does not say
    std::string deployment_model = "GLOBAL";
    std::string location = "US-VA";
    std::vector<std::string> allowed_request_origins;
    std::map<std::string, ProviderConfig> providers; ///< by type
    CustomUserDataConfig custom_user_data;
    std::vector<DataSourceConfig> data_sources;
    std::vector<std::string> push_services; ///< names of services of type gcm
};

struct ParsedApp {
    AppConfig config;
    /// Names of secrets that secrets.json defines, with their values: sealed and taken out of the
    /// tree.
    std::map<std::string, std::string> secrets;
    /// What was not understood or is not run, each naming its file.
    std::vector<std::string> warnings;
};

/// All errors of wrong types at once, each naming its file and key.
Result<ParsedApp> parse_app(const AppTree& tree);

} // namespace tombolo::server
