#pragma once

// What the server reads out of an app directory (admin-api-and-config.md 4 and 5): the parts that
// something uses today. All other files stay in the tree and are kept and exported unchanged.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/object_id.hpp"
#include "core/result.hpp"
#include "server/app/app_tree.hpp"
#include "server/app/function_config.hpp"

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
    std::string on_user_creation_function_name; ///< empty: none

    friend bool operator==(const CustomUserDataConfig&, const CustomUserDataConfig&) = default;
};

/// A rules.json or default_rule.json: roles and filters as they stand there; server/rules compiles
/// them.
struct RuleConfig {
    std::string database; ///< empty in a default rule
    std::string collection;
    boost::json::array roles;
    boost::json::array filters;
};

struct DataSourceConfig {
    std::string name;
    std::string type; ///< mongodb, mongodb-atlas or datalake
    /// Whatever address it names: until the MongoDB store exists its documents live in the embedded
    /// one.
    std::string address;
    std::optional<RuleConfig> default_rule;
    std::vector<RuleConfig> rules;

    const RuleConfig* rule(std::string_view database, std::string_view collection) const noexcept;
};

/// A schema.json with its relationships.json. The data source may come into being later.
struct SchemaConfig {
    std::string data_source;
    std::string database;
    std::string collection;
    boost::json::object schema;
    boost::json::object relationships;
};

/// sync/config.json, or the sync block of the one data source that has it
/// (admin-api-and-config.md 3).
struct SyncConfig {
    enum class Mode : std::uint8_t { none, flexible, partition };
    Mode mode = Mode::none;
    std::string service_name;
    std::string state; ///< "enabled", "disabled" (paused), "" (terminated or never on)
    bool development_mode_enabled = false;
    std::string database_name;
    std::int64_t client_max_offline_days = 30;
    bool is_recovery_mode_disabled = false;
    // Of flexible sync.
    std::vector<std::string> queryable_fields_names;
    std::map<std::string, std::vector<std::string>> collection_queryable_fields_names;
    std::vector<std::string> indexed_queryable_fields_names;
    std::vector<std::string> asymmetric_tables; ///< class names
    // Of partition sync.
    std::string partition_key;
    std::string partition_type;
    bool partition_required = false;
    boost::json::value partition_read;  ///< boolean or expression; null when absent
    boost::json::value partition_write; ///< the same

    bool enabled() const noexcept { return mode != Mode::none && state == "enabled"; }
};

/// One entry of https_endpoints/config.json.
struct EndpointConfig {
    std::string route;
    std::string http_method;
    std::string function_name;
    std::string validation_method; ///< NO_VALIDATION, SECRET_AS_QUERY_PARAM or VERIFY_PAYLOAD
    std::string secret_name;
    std::string return_type; ///< JSON or EJSON
    bool respond_result = false;
    bool fetch_custom_user_data = false;
    bool create_user_on_auth = false;
    /// Expression that decides who may call it; empty: everyone.
    boost::json::object can_evaluate;
    bool disabled = false;
};

/// A service that is no data source: gcm, http, aws and the like.
struct ServiceConfig {
    std::string name;
    std::string type;
};

/// log_forwarders/<name>.json. One of `function` and the collection is set.
struct LogForwarderConfig {
    std::string name;
    bool disabled = false;
    std::set<std::string> types; ///< of entries: AUTH, FUNCTION, ...
    bool errors = true;
    bool successes = true;
    bool batch = false;
    std::string function;
    std::string data_source;
    std::string database;
    std::string collection;
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
    std::vector<ServiceConfig> other_services;
    FunctionsConfig code; ///< functions, values, environment
    std::vector<SchemaConfig> schemas;
    /// "Null type schema validation": an explicit null passes for optional fields.
    bool null_passes = false;
    SyncConfig sync;
    std::vector<EndpointConfig> endpoints;
    std::vector<LogForwarderConfig> log_forwarders;
    /// Ids that are not made from the names: "function/name" -> id (App::part_id).
    std::map<std::string, ObjectId> kept_ids;

    const DataSourceConfig* data_source(std::string_view name) const noexcept;
    const SchemaConfig* schema(std::string_view data_source, std::string_view database,
                               std::string_view collection) const noexcept;
};

/// Hidden file of a tree, never exported: ids of parts that were renamed.
inline constexpr std::string_view kept_ids_file = ".tombolo/ids.json";
/// Another one: settings of validation that no layout has a place for.
inline constexpr std::string_view validation_file = ".tombolo/validation.json";

/// "Dog%2FCat" <-> "Dog/Cat": collection names as directory names.
std::string path_part(std::string_view name);
std::string name_of_path_part(std::string_view part);

/// It is a part of every URL of the app; empty: one will be made.
bool is_client_app_id(std::string_view id) noexcept;

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
