#include "server/app/app_config_reader.hpp"

#include <algorithm>
#include <array>

#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

std::vector<std::string> split_path(const std::string& name) {
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

} // namespace

void ConfigReader::providers() {
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

void ConfigReader::provider(const std::string& path, const std::string& type,
                            const json::object& file) {
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

LocalUserpassConfig ConfigReader::userpass(const std::string& path, const json::object& file) {
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

CustomTokenConfig ConfigReader::custom_token(const std::string& path, const json::object& file,
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
    if (config.inline_signing_key == "****") { // what is shown instead of it; anybody could sign
        problem(path, "'signingKey' is masked; give the key");
    }
    if (config.signing_key_secrets.size() > 3) {
        problem(path, "'secret_config.signingKeys' has at most three keys");
    }
    return config;
}

void ConfigReader::metadata_fields(const std::string& path, const json::object& file,
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

} // namespace tombolo::server
