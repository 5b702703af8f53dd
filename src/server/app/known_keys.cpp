#include "server/app/known_keys.hpp"

#include <algorithm>
#include <string_view>

#include "schema/json_schema.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

struct Shape;

/// What a shape describes of a value.
enum class Holds : std::uint8_t {
    object, ///< the value itself
    list,   ///< each element
    map,    ///< each member, whose names are the person's
};

struct Key {
    std::string_view name;
    const Shape* inner = nullptr; ///< null: anything
    Holds holds = Holds::object;
};

/// Keys that an object may have.
struct Shape {
    std::vector<Key> keys;
    bool is_open = false; ///< others too, and not looked into
};

struct FileShape {
    std::string_view pattern; ///< "*" stands for a part of a path, or for its beginning
    const Shape* shape;
    Holds holds = Holds::object;
};

// Parts

const Shape value{{{"id"}, {"_id"}, {"name"}, {"value"}, {"from_secret"}, {"private"}}};
const Shape environment{{{"values"}}};

const Shape function{{{"id"},
                      {"_id"},
                      {"name"},
                      {"private"},
                      {"can_evaluate"},
                      {"disable_arg_logs"},
                      {"run_as_system"},
                      {"run_as_user_id"},
                      {"run_as_user_id_script_source"}}};

const Shape endpoint{{{"id"},
                      {"_id"},
                      {"route"},
                      {"http_method"},
                      {"function_name"},
                      {"function_id"},
                      {"validation_method"},
                      {"verification_method"},
                      {"secret_name"},
                      {"secret_id"},
                      {"return_type"},
                      {"respond_result"},
                      {"fetch_custom_user_data"},
                      {"create_user_on_auth"},
                      {"can_evaluate"},
                      {"disabled"}}};

const Shape forwarder_policy{{{"type"}}};
const Shape forwarder_action{{{"type"}, {"name"}, {"data_source"}, {"database"}, {"collection"}}};
const Shape log_forwarder{{{"id"},
                           {"_id"},
                           {"name"},
                           {"disabled"},
                           {"log_types"},
                           {"log_statuses"},
                           {"policy", &forwarder_policy},
                           {"action", &forwarder_action}}};

const Shape root{{{"app_id"},
                  {"config_version"},
                  {"name"},
                  {"location"},
                  {"provider_region"},
                  {"deployment_model"},
                  {"environment"},
                  {"allowed_request_origins"}}};

// Authentication

const Shape custom_user_data{{{"enabled"},
                              {"mongo_service_name"},
                              {"mongo_service_id"},
                              {"database_name"},
                              {"collection_name"},
                              {"user_id_field"},
                              {"on_user_creation_function_name"},
                              {"on_user_creation_function_id"}}};

const Shape nothing{};
const Shape metadata_field{{{"required"}, {"name"}, {"field_name"}}};

Shape provider(const Shape* config, const Shape* secrets) {
    return {{{"id"},
             {"_id"},
             {"name"},
             {"type"},
             {"disabled"},
             {"config", config},
             {"secret_config", secrets},
             {"metadata_fields", &metadata_field, Holds::list},
             {"redirect_uris"},
             {"domain_restrictions"}}};
}

const Shape userpass_config{{{"autoConfirm"},
                             {"emailConfirmationUrl"},
                             {"confirmEmailSubject"},
                             {"runConfirmationFunction"},
                             {"confirmationFunctionName"},
                             {"confirmationFunctionId"},
                             {"resetPasswordUrl"},
                             {"resetPasswordSubject"},
                             {"runResetFunction"},
                             {"resetFunctionName"},
                             {"resetFunctionId"}}};
const Shape function_config{{{"authFunctionName"}, {"authFunctionId"}}};
const Shape token_config{{{"audience"},
                          {"requireAnyAudience"},
                          {"signingAlgorithm"},
                          {"useJWKURI"},
                          {"jwkURI"},
                          {"signingKey"}}};
const Shape token_secrets{{{"signingKeys"}}};
const Shape oauth_config{{{"clientId"}, {"openId"}}};
const Shape oauth_secrets{{{"clientSecret"}}};

const Shape plain_provider = provider(&nothing, &nothing);
const Shape userpass_provider = provider(&userpass_config, &nothing);
const Shape function_provider = provider(&function_config, &nothing);
const Shape token_provider = provider(&token_config, &token_secrets);
const Shape oauth_provider = provider(&oauth_config, &oauth_secrets);
// Of other providers there is a warning already.
const Shape providers{{{"anon-user", &plain_provider},
                       {"api-key", &plain_provider},
                       {"local-userpass", &userpass_provider},
                       {"custom-function", &function_provider},
                       {"custom-token", &token_provider},
                       {"oauth2-google", &oauth_provider},
                       {"oauth2-facebook", &oauth_provider},
                       {"oauth2-apple", &oauth_provider}},
                      true};

// Rules

const Shape document_filters{{{"read"}, {"write"}}};
const Shape additional_fields{{{"read"}, {"write"}}};
extern const Shape field;
const Shape field{{{"read"},
                   {"write"},
                   {"fields", &field, Holds::map},
                   {"additional_fields", &additional_fields}}};
const Shape role{{{"id"},
                  {"_id"},
                  {"name"},
                  {"apply_when"},
                  {"document_filters", &document_filters},
                  {"read"},
                  {"write"},
                  {"insert"},
                  {"delete"},
                  {"search"},
                  {"fields", &field, Holds::map},
                  {"additional_fields", &additional_fields}}};
const Shape filter{{{"id"}, {"_id"}, {"name"}, {"apply_when"}, {"query"}, {"projection"}}};
const Shape rule{{{"id"},
                  {"_id"},
                  {"database"},
                  {"collection"},
                  {"roles", &role, Holds::list},
                  {"filters", &filter, Holds::list}}};
const Shape relationship{{{"ref"}, {"foreign_key"}, {"is_list"}, {"source_key"}}};

// Sync and data sources

const Shape partition_permissions{{{"read"}, {"write"}}};
const Shape partition{{{"key"}, {"type"}, {"required"}, {"permissions", &partition_permissions}}};
const Shape sync_settings{{{"type"},
                           {"service_name"},
                           {"development_mode_enabled"},
                           {"enabled"},
                           {"state"},
                           {"database_name"},
                           {"queryable_fields_names"},
                           {"collection_queryable_fields_names"},
                           {"indexed_queryable_fields_names"},
                           {"asymmetric_tables"},
                           {"client_max_offline_days"},
                           {"is_recovery_mode_disabled"},
                           {"permissions"},
                           {"last_disabled"},
                           {"partition", &partition}}};
const Shape source_config{{{"clusterName"},
                           {"clusterId"},
                           {"dataLakeName"},
                           {"uri"},
                           {"readPreference"},
                           {"readPreferenceTagSets"},
                           {"wireProtocolEnabled"},
                           {"flexible_sync", &sync_settings},
                           {"sync", &sync_settings}}};
const Shape source_secrets{{{"uri"}}};
const Shape data_source{{{"id"},
                         {"_id"},
                         {"name"},
                         {"type"},
                         {"version"},
                         {"config", &source_config},
                         {"secret_config", &source_secrets}}};

const std::vector<FileShape> files = {
    {"root_config.json", &root},
    {"realm_config.json", &root},
    {"auth/custom_user_data.json", &custom_user_data},
    {"auth/providers.json", &providers},
    {"data_sources/*/config.json", &data_source},
    {"data_sources/*/default_rule.json", &rule},
    {"data_sources/*/*/*/rules.json", &rule},
    {"data_sources/*/*/*/relationships.json", &relationship, Holds::map},
    {"environments/*.json", &environment},
    {"functions/config.json", &function, Holds::list},
    {"http_endpoints/config.json", &endpoint, Holds::list},
    {"https_endpoints/config.json", &endpoint, Holds::list},
    {"log_forwarders/*.json", &log_forwarder},
    {"sync/config.json", &sync_settings},
    {"values/*.json", &value},
};
constexpr std::string_view schema_files = "data_sources/*/*/*/schema.json";

std::string_view take_part(std::string_view& path) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return part;
}

bool matches(std::string_view path, std::string_view pattern) {
    while (!path.empty() && !pattern.empty()) {
        const std::string_view part = take_part(path);
        const std::string_view wanted = take_part(pattern);
        const bool fits =
            wanted.starts_with('*') ? part.ends_with(wanted.substr(1)) : part == wanted;
        if (!fits) {
            return false;
        }
    }
    return path.empty() && pattern.empty();
}

class Finder {
  public:
    explicit Finder(std::vector<std::string>& out) : out_(out) {}

    void look(const std::string& path, const json::value& content, const Shape& shape,
              Holds holds) {
        path_ = &path;
        check(content, shape, holds, "");
    }

    void look_at_schema(const std::string& path, const json::value& content) {
        path_ = &path;
        check_schema(content, "");
    }

  private:
    static std::string below(const std::string& place, std::string_view key) {
        return place.empty() ? std::string(key) : place + "." + std::string(key);
    }

    void unknown(const std::string& place) {
        if (out_.size() < unknown_keys_max) {
            out_.push_back(*path_ + ": unknown key '" + place + "'");
        }
    }

    void check(const json::value& content, const Shape& shape, Holds holds,
               const std::string& place) {
        if (holds == Holds::object && content.is_object()) {
            check_object(content.get_object(), shape, place);
        } else if (holds == Holds::list && content.is_array()) {
            std::size_t number = 0;
            for (const json::value& each : content.get_array()) {
                check(each, shape, Holds::object, place + "[" + std::to_string(number++) + "]");
            }
        } else if (holds == Holds::map && content.is_object()) {
            for (const auto& [key, each] : content.get_object()) {
                check(each, shape, Holds::object, below(place, key));
            }
        }
    }

    void check_object(const json::object& object, const Shape& shape, const std::string& place) {
        for (const auto& [name, content] : object) {
            const std::string_view key(name);
            const auto known = std::find_if(shape.keys.begin(), shape.keys.end(),
                                            [&](const Key& each) { return each.name == key; });
            if (known != shape.keys.end()) {
                if (known->inner != nullptr) {
                    check(content, *known->inner, known->holds, below(place, key));
                }
            } else if (!shape.is_open) {
                unknown(below(place, key));
            }
        }
    }

    // Keywords that hold schemas: of members by name, of elements, of others.
    void check_schema(const json::value& content, const std::string& place) {
        if (content.is_array()) { // items, one by one
            for (const json::value& each : content.get_array()) {
                check_schema(each, place);
            }
        }
        if (!content.is_object()) {
            return;
        }
        for (const auto& [name, inner] : content.get_object()) {
            const std::string_view key(name);
            const std::string here = below(place, key);
            if (!schema::is_known_keyword(key)) {
                unknown(here);
            } else if ((key == "properties" || key == "patternProperties") && inner.is_object()) {
                for (const auto& [property, each] : inner.get_object()) {
                    check_schema(each, below(here, property));
                }
            } else if (key == "items" || key == "additionalItems" ||
                       key == "additionalProperties") {
                check_schema(inner, here);
            }
        }
    }

    std::vector<std::string>& out_;
    const std::string* path_ = nullptr;
};

} // namespace

std::vector<std::string> unknown_keys(const AppTree& tree) {
    std::vector<std::string> out;
    Finder finder(out);
    for (const auto& file : tree) {
        const std::string& path = file.first;
        const auto known = std::find_if(files.begin(), files.end(), [&](const FileShape& each) {
            return matches(path, each.pattern);
        });
        const bool is_schema = matches(path, schema_files);
        if (known == files.end() && !is_schema) {
            continue;
        }
        const Result<json::value> content = parse_json(file.second);
        if (!content) {
            continue; // the reader says so
        }
        if (is_schema) {
            finder.look_at_schema(path, *content);
        } else {
            finder.look(path, *content, *known->shape, known->holds);
        }
    }
    return out;
}

} // namespace tombolo::server
