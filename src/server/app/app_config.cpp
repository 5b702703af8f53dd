#include "server/app/app_config.hpp"

#include <algorithm>
#include <array>

#include "server/app/app_config_reader.hpp"
#include "server/app/known_keys.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

std::string text_of(const json::value& value) {
    return {value.get_string().data(), value.get_string().size()};
}

} // namespace

bool is_client_app_id(std::string_view id) noexcept {
    return id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

Result<ParsedApp> ConfigReader::run() {
    root();
    providers();
    custom_user_data();
    services("data_sources/");
    services("services/");
    rules_and_schemas();
    sync();
    code();
    endpoints();
    log_forwarders();
    secrets();
    ids();
    validation();
    not_run();
    for (std::string& unknown : unknown_keys(tree_)) {
        out_.warnings.push_back(std::move(unknown));
    }
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

json::object ConfigReader::read(const std::string& path) {
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

json::array ConfigReader::read_array(const std::string& path) {
    const auto found = tree_.find(path);
    if (found == tree_.end()) {
        return {};
    }
    Result<json::value> value = parse_json(found->second);
    if (!value) {
        problem(path, value.error().what());
        return {};
    }
    if (value->is_array()) {
        return std::move(value->get_array());
    }
    // Directories made by tools have {} or null for "none".
    if (!value->is_null() && !(value->is_object() && value->get_object().empty())) {
        problem(path, "expected a JSON array");
    }
    return {};
}

json::array ConfigReader::objects(const std::string& path, const json::object& object,
                                  std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return {};
    }
    if (!value->is_array() ||
        !std::all_of(value->get_array().begin(), value->get_array().end(),
                     [](const json::value& one) { return one.is_object(); })) {
        problem(path, "'" + std::string(key) + "' must be an array of objects");
        return {};
    }
    return value->get_array();
}

std::string ConfigReader::text(const std::string& path, const json::object& object,
                               std::string_view key, std::string_view fallback) {
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

bool ConfigReader::flag(const std::string& path, const json::object& object, std::string_view key,
                        bool fallback) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) {
        return fallback;
    }
    if (value->is_string() && value->get_string().empty()) {
        warn(path, "'" + std::string(key) + "' is an empty text, read as absent");
        return fallback;
    }
    if (!value->is_bool()) {
        problem(path, "'" + std::string(key) + "' must be true or false");
        return fallback;
    }
    return value->get_bool();
}

std::vector<std::string> ConfigReader::texts(const std::string& path, const json::object& object,
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
    if (value->is_array() && std::all_of(value->get_array().begin(), value->get_array().end(),
                                         [](const json::value& one) { return one.is_string(); })) {
        for (const json::value& one : value->get_array()) {
            out.push_back(text_of(one));
        }
        return out;
    }
    problem(path, "'" + std::string(key) + "' must be an array of strings");
    return out;
}

void ConfigReader::root() {
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
        problem(path, "the client app id has up to 64 letters, digits, hyphens and underscores");
    }
    config.location = text(path, file, "location", "US-VA");
    config.deployment_model = text(path, file, "deployment_model", "GLOBAL");
    config.allowed_request_origins = texts(path, file, "allowed_request_origins");
}

void ConfigReader::custom_user_data() {
    const std::string path = "auth/custom_user_data.json";
    const json::object file = read(path);
    CustomUserDataConfig& config = out_.config.custom_user_data;
    config.enabled = flag(path, file, "enabled");
    config.service_name = text(path, file, "mongo_service_name");
    config.database_name = text(path, file, "database_name");
    config.collection_name = text(path, file, "collection_name");
    config.user_id_field = text(path, file, "user_id_field");
    config.on_user_creation_function_name = text(path, file, "on_user_creation_function_name");
    if (config.enabled && (config.service_name.empty() || config.database_name.empty() ||
                           config.collection_name.empty() || config.user_id_field.empty())) {
        problem(path, "enabled custom user data needs mongo_service_name, database_name, "
                      "collection_name and user_id_field");
    }
}

void ConfigReader::secrets() {
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

void ConfigReader::code() {
    out_.config.code = parse_functions(tree_);
    for (const std::string& problem : out_.config.code.problems) {
        problems_.push_back(problem);
    }
    const FunctionsConfig& code = out_.config.code;
    if (code.dependency_archive.empty() &&
        code.package_json.find("\"dependencies\"") != std::string::npos) {
        warn("functions/package.json",
             "dependencies are not installed by the server: add functions/node_modules.tar.gz");
    }
    static constexpr std::array known = {"", "development", "testing", "qa", "production"};
    if (std::find(known.begin(), known.end(), out_.config.code.environment) == known.end()) {
        problem("root_config.json",
                "'environment' must be empty, development, testing, qa or production");
    }
}

void ConfigReader::ids() {
    for (const auto& [part, id] : read(std::string(kept_ids_file))) {
        const auto parsed = ObjectId::parse(id.is_string() ? text_of(id) : std::string());
        if (!parsed) {
            problem(std::string(kept_ids_file), "'" + std::string(part) + "' is no id");
            continue;
        }
        out_.config.kept_ids[std::string(part)] = *parsed;
    }
}

void ConfigReader::validation() {
    const std::string path(validation_file);
    out_.config.null_passes = flag(path, read(path), "null_type_schema_validation");
}

void ConfigReader::not_run() {
    static constexpr std::array kept = {std::pair{"triggers/", "triggers"},
                                        std::pair{"hosting/", "hosting"},
                                        std::pair{"graphql/custom_resolvers/", "GraphQL resolvers"},
                                        std::pair{"https_endpoints/", "webhooks of services"},
                                        std::pair{"http_endpoints/", "webhooks of services"}};
    for (const auto& [folder, what] : kept) {
        for (auto found = tree_.lower_bound(folder);
             found != tree_.end() && found->first.starts_with(folder); ++found) {
            const bool runs = found->first.ends_with("_endpoints/config.json");
            const bool is_data_api = found->first.ends_with("/data_api_config.json");
            const bool is_off = is_data_api && flag(found->first, read(found->first), "disabled");
            if (!runs && !is_off &&
                found->second.find_first_not_of("[]{} \r\n\t") != std::string::npos) {
                warn(found->first, (is_data_api ? "the Data API's settings" : std::string(what)) +
                                       " are kept but not run");
                break;
            }
        }
    }
}

const RuleConfig* DataSourceConfig::rule(std::string_view database,
                                         std::string_view collection) const noexcept {
    const auto found = std::find_if(rules.begin(), rules.end(), [&](const RuleConfig& one) {
        return one.database == database && one.collection == collection;
    });
    return found == rules.end() ? nullptr : &*found;
}

const DataSourceConfig* AppConfig::data_source(std::string_view source) const noexcept {
    const auto found =
        std::find_if(data_sources.begin(), data_sources.end(),
                     [&](const DataSourceConfig& one) { return one.name == source; });
    return found == data_sources.end() ? nullptr : &*found;
}

const SchemaConfig* AppConfig::schema(std::string_view source, std::string_view database,
                                      std::string_view collection) const noexcept {
    const auto found = std::find_if(schemas.begin(), schemas.end(), [&](const SchemaConfig& one) {
        return one.data_source == source && one.database == database &&
               one.collection == collection;
    });
    return found == schemas.end() ? nullptr : &*found;
}

Result<ParsedApp> parse_app(const AppTree& tree) {
    return ConfigReader(tree).run();
}

} // namespace tombolo::server
