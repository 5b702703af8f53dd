#include "server/app/app_config.hpp"

#include <algorithm>
#include <array>

#include "server/app/function_config.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

std::string text_of(const json::value& value) {
    return {value.get_string().data(), value.get_string().size()};
}

// It is a part of every URL of the app; empty: one will be made.
bool is_client_app_id(std::string_view id) noexcept {
    return id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

// Collects problems instead of stopping at the first: a person fixes them in one go.
class Reader {
  public:
    explicit Reader(const AppTree& tree) : tree_(tree) {}

    Result<ParsedApp> run() {
        root();
        providers();
        custom_user_data();
        services("data_sources/");
        services("services/");
        secrets();
        functions();
        not_run();
        if (!problems_.empty()) {
            std::string text = "the app directory has " + std::to_string(problems_.size()) +
                               (problems_.size() == 1 ? " problem" : " problems");
            for (const std::string& problem : problems_) {
                text += "\n  " + problem;
            }
            return Error(ErrorCode::invalid_argument, std::move(text));
        }
        return std::move(out_);
    }

  private:
    // The object in that file; an empty one when it is absent or wrong (which is noted).
    json::object read(const std::string& path) {
        const auto found = tree_.find(path);
        if (found == tree_.end()) {
            return {};
        }
        Result<json::object> object = parse_json_object(found->second);
        if (!object) {
            problem(path, object.error().what());
            return {};
        }
        return *std::move(object);
    }

    void problem(const std::string& path, const std::string& what) {
        problems_.push_back(path + ": " + what);
    }
    void warn(const std::string& path, const std::string& what) {
        out_.warnings.push_back(path + ": " + what);
    }

    std::string text(const std::string& path, const json::object& object, std::string_view key,
                     std::string_view fallback = {}) {
        const json::value* value = object.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return std::string(fallback);
        }
        if (!value->is_string()) {
            problem(path, "'" + std::string(key) + "' must be a string");
            return std::string(fallback);
        }
        return text_of(*value);
    }
    bool flag(const std::string& path, const json::object& object, std::string_view key,
              bool fallback = false) {
        const json::value* value = object.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return fallback;
        }
        if (!value->is_bool()) {
            problem(path, "'" + std::string(key) + "' must be true or false");
            return fallback;
        }
        return value->get_bool();
    }
    // An array of strings; one string counts as an array of it, an empty one as none.
    std::vector<std::string> texts(const std::string& path, const json::object& object,
                                   std::string_view key) {
        std::vector<std::string> out;
        const json::value* value = object.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return out;
        }
        if (value->is_string()) {
            if (!value->get_string().empty()) {
                out.push_back(text_of(*value));
            }
            return out;
        }
        if (value->is_array() &&
            std::all_of(value->get_array().begin(), value->get_array().end(),
                        [](const json::value& one) { return one.is_string(); })) {
            for (const json::value& one : value->get_array()) {
                out.push_back(text_of(one));
            }
            return out;
        }
        problem(path, "'" + std::string(key) + "' must be an array of strings");
        return out;
    }

    void root() {
        std::string path = "root_config.json";
        if (!tree_.contains(path)) {
            path = "realm_config.json";
        }
        if (!tree_.contains(path)) {
            problem("root_config.json",
                    "there is no such file, nor realm_config.json: this is not an app directory");
            return;
        }
        const json::object file = read(path);
        AppConfig& config = out_.config;
        config.name = text(path, file, "name");
        if (config.name.empty() || config.name.size() > 32) {
            problem(path, "'name' of 1 to 32 characters is required");
        }
        config.client_app_id = text(path, file, "app_id");
        const json::object meta = read(".mdb/meta.json");
        if (config.client_app_id.empty()) {
            config.client_app_id = string_or(meta, "client_app_id");
        }
        if (!is_client_app_id(config.client_app_id)) {
            problem(path,
                    "the client app id has up to 64 letters, digits, hyphens and underscores");
        }
        config.location = text(path, file, "location", "US-VA");
        config.deployment_model = text(path, file, "deployment_model", "GLOBAL");
        config.allowed_request_origins = texts(path, file, "allowed_request_origins");
        static constexpr std::array known = {
            "app_id",          "config_version",   "name",        "location",
            "provider_region", "deployment_model", "environment", "allowed_request_origins"};
        for (const auto& [key, value] : file) {
            if (std::find(known.begin(), known.end(), std::string_view(key)) == known.end()) {
                warn(path, "unknown key '" + std::string(key) + "'");
            }
        }
    }

    void providers() {
        const std::string path = "auth/providers.json";
        for (const auto& [key, value] : read(path)) {
            const std::string type(key);
            if (!value.is_object()) {
                problem(path, "'" + type + "' must be an object");
                continue;
            }
            provider(path + " '" + type + "'", type, value.get_object());
        }
        // Present and disabled in every app (admin-api-and-config.md 5.3).
        if (!out_.config.providers.contains("api-key")) {
            ProviderConfig& key = out_.config.providers["api-key"];
            key.type = "api-key";
            key.disabled = true;
        }
    }

    void provider(const std::string& path, const std::string& type, const json::object& file) {
        static constexpr std::array known = {"anon-user",       "local-userpass",  "api-key",
                                             "custom-token",    "custom-function", "oauth2-google",
                                             "oauth2-facebook", "oauth2-apple"};
        if (std::find(known.begin(), known.end(), type) == known.end()) {
            warn(path, "no such authentication provider");
            return;
        }
        ProviderConfig config;
        config.type = type;
        config.disabled = flag(path, file, "disabled");
        const json::object& inner = object_or_empty(file, "config");
        if (type == "local-userpass") {
            config.userpass = userpass(path, inner);
        } else if (type == "custom-token") {
            config.custom_token = custom_token(path, inner, object_or_empty(file, "secret_config"));
        } else if (type == "custom-function") {
            config.auth_function_name = text(path, inner, "authFunctionName");
        }
        metadata_fields(path, file, config);
        out_.config.providers.emplace(type, std::move(config));
    }

    LocalUserpassConfig userpass(const std::string& path, const json::object& file) {
        LocalUserpassConfig config;
        config.auto_confirm = flag(path, file, "autoConfirm");
        config.email_confirmation_url = text(path, file, "emailConfirmationUrl");
        config.confirm_email_subject = text(path, file, "confirmEmailSubject");
        config.run_confirmation_function = flag(path, file, "runConfirmationFunction");
        config.confirmation_function_name = text(path, file, "confirmationFunctionName");
        config.reset_password_url = text(path, file, "resetPasswordUrl");
        config.reset_password_subject = text(path, file, "resetPasswordSubject");
        config.run_reset_function = flag(path, file, "runResetFunction");
        config.reset_function_name = text(path, file, "resetFunctionName");
        for (const std::string* subject :
             {&config.confirm_email_subject, &config.reset_password_subject}) {
            if (subject->size() > 256 || subject->find_first_of("\r\n") != std::string::npos) {
                problem(path, "a mail subject is one line of at most 256 characters");
            }
        }
        return config;
    }

    CustomTokenConfig custom_token(const std::string& path, const json::object& file,
                                   const json::object& secret_config) {
        CustomTokenConfig config;
        config.audience = texts(path, file, "audience");
        config.require_any_audience = flag(path, file, "requireAnyAudience");
        config.use_jwk_uri = flag(path, file, "useJWKURI");
        config.jwk_uri = text(path, file, "jwkURI");
        config.signing_algorithm = config.use_jwk_uri && !file.contains("signingAlgorithm")
                                       ? "RS256"
                                       : text(path, file, "signingAlgorithm", "HS256");
        config.signing_key_secrets = texts(path, secret_config, "signingKeys");
        config.inline_signing_key = text(path, file, "signingKey");
        if (config.signing_algorithm != "HS256" && config.signing_algorithm != "RS256" &&
            config.signing_algorithm != "ES256") {
            problem(path, "'signingAlgorithm' must be HS256, RS256 or ES256");
        }
        if (config.use_jwk_uri && config.signing_algorithm == "HS256") {
            config.signing_algorithm = "RS256"; // a key set is public: forced (5.5)
        }
        if (config.use_jwk_uri
                ? config.jwk_uri.empty()
                : config.signing_key_secrets.empty() && config.inline_signing_key.empty()) {
            problem(path, config.use_jwk_uri ? "'jwkURI' is required with 'useJWKURI'"
                                             : "'secret_config.signingKeys' is required");
        }
        if (config.signing_key_secrets.size() > 3) {
            problem(path, "'secret_config.signingKeys' has at most three keys");
        }
        return config;
    }

    void metadata_fields(const std::string& path, const json::object& file,
                         ProviderConfig& config) {
        const json::value* fields = file.if_contains("metadata_fields");
        if (fields == nullptr || fields->is_null()) {
            return;
        }
        if (!fields->is_array()) {
            problem(path, "'metadata_fields' must be an array");
            return;
        }
        for (const json::value& one : fields->get_array()) {
            if (!one.is_object()) {
                problem(path, "each of 'metadata_fields' must be an object");
                continue;
            }
            if (one.get_object().empty()) {
                continue; // exports have them
            }
            MetadataField field;
            field.required = flag(path, one.get_object(), "required");
            field.path = split_path(text(path, one.get_object(), "name"));
            field.field_name = text(path, one.get_object(), "field_name");
            if (field.field_name.empty()) {
                field.field_name = field.path.back();
            }
            if (field.path.back().empty() || field.field_name.size() >= 64) {
                problem(path, "a metadata field needs a 'name', and a 'field_name' below 64 "
                              "characters");
                continue;
            }
            config.metadata_fields.push_back(std::move(field));
        }
    }

    static std::vector<std::string> split_path(const std::string& name) {
        std::vector<std::string> parts(1);
        for (std::size_t i = 0; i < name.size(); ++i) {
            if (name[i] == '\\' && i + 1 < name.size() && name[i + 1] == '.') {
                parts.back() += '.';
                ++i;
            } else if (name[i] == '.') {
                parts.emplace_back();
            } else {
                parts.back() += name[i];
            }
        }
        return parts;
    }

    void custom_user_data() {
        const std::string path = "auth/custom_user_data.json";
        const json::object file = read(path);
        CustomUserDataConfig& config = out_.config.custom_user_data;
        config.enabled = flag(path, file, "enabled");
        config.service_name = text(path, file, "mongo_service_name");
        config.database_name = text(path, file, "database_name");
        config.collection_name = text(path, file, "collection_name");
        config.user_id_field = text(path, file, "user_id_field");
        if (config.enabled && (config.service_name.empty() || config.database_name.empty() ||
                               config.collection_name.empty() || config.user_id_field.empty())) {
            problem(path, "enabled custom user data needs mongo_service_name, database_name, "
                          "collection_name and user_id_field");
        }
    }

    void services(const std::string& folder) {
        for (const auto& [path, content] : tree_) {
            const bool is_config = path.starts_with(folder) && path.ends_with("/config.json") &&
                                   std::count(path.begin(), path.end(), '/') == 2;
            if (!is_config) {
                continue;
            }
            const json::object file = read(path);
            const std::string type = text(path, file, "type");
            const std::string name = text(path, file, "name");
            if (type == "mongodb" || type == "mongodb-atlas" || type == "datalake") {
                const json::object& inner = object_or_empty(file, "config");
                out_.config.data_sources.push_back(
                    {name, type, string_or(inner, "clusterName", string_or(inner, "uri"))});
            } else if (type == "gcm") {
                out_.config.push_services.push_back(name);
            } else {
                warn(path, "services of type '" + type + "' are kept but not run");
            }
        }
    }

    void secrets() {
        const std::string path = "secrets.json";
        for (const auto& [key, value] : read(path)) {
            const std::string name(key);
            if (value.is_string()) {
                out_.secrets[name] = text_of(value);
            } else if ((name == "auth_providers" || name == "services") && value.is_object()) {
                for (const auto& [owner, keys] : value.get_object()) {
                    if (!keys.is_object()) {
                        problem(path, "'" + std::string(owner) + "' must be an object");
                        continue;
                    }
                    for (const auto& [leaf, secret] : keys.get_object()) {
                        if (secret.is_string()) {
                            out_.secrets["__" + std::string(owner) + "_" + std::string(leaf)] =
                                text_of(secret);
                        }
                    }
                }
            } else {
                problem(path, "'" + name + "' must be a string");
            }
        }
    }

    void functions() {
        for (std::string& problem : parse_functions(tree_).problems) {
            problems_.push_back(std::move(problem));
        }
    }

    void not_run() {
        static constexpr std::array kept = {
            std::pair{"triggers/", "triggers"},
            std::pair{"hosting/", "hosting"},
            std::pair{"graphql/custom_resolvers/", "GraphQL resolvers"},
            std::pair{"log_forwarders/", "log forwarders"},
            std::pair{"https_endpoints/", "HTTPS endpoints"},
            std::pair{"http_endpoints/", "HTTP endpoints"}};
        for (const auto& [folder, what] : kept) {
            const auto found = tree_.lower_bound(folder);
            if (found != tree_.end() && found->first.starts_with(folder) &&
                found->second.find_first_not_of("[]{} \r\n\t") != std::string::npos) {
                warn(found->first, std::string(what) + " are kept but not run");
            }
        }
    }

    const AppTree& tree_;
    ParsedApp out_;
    std::vector<std::string> problems_;
};

} // namespace

Result<ParsedApp> parse_app(const AppTree& tree) {
    return Reader(tree).run();
}

} // namespace tombolo::server
