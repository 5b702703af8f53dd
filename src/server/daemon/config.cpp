#include "server/daemon/config.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <variant>

#include <CLI/CLI.hpp>

#include "server/daemon/config_values.hpp"

namespace tombolo::server {

namespace {

using Target = std::variant<std::string Config::*, std::int64_t Config::*, bool Config::*,
                            std::vector<std::string> Config::*>;

struct Setting {
    const char* key; ///< in files; the option is --key with hyphens, the variable TOMBOLO_KEY
    Target target;
    const char* help;
};

// The one list from which options, variables, file keys and --help are made.
const std::vector<Setting>& settings() {
    static const std::vector<Setting> all = {
        {"data", &Config::data, "Folder of all that the server keeps; made when absent"},
        {"listen", &Config::listen, "Address and port of the API"},
        {"metrics_listen", &Config::metrics_listen,
         "Address and port of /metrics, /health and /ready; none when empty"},
        {"public_url", &Config::public_url,
         "URL by which clients reach the server, when it is not the listen address"},
        {"app", &Config::apps, "App directory to deploy at start; may be repeated"},
        {"static_dir", &Config::static_dir,
         "Folder of files to serve beside the API, such as a web app; its index.html is at /"},
        {"tls_cert", &Config::tls_cert, "PEM file of the certificate chain"},
        {"tls_key", &Config::tls_key, "PEM file of the private key"},
        {"insecure_public", &Config::insecure_public,
         "Allow a public address without TLS (behind a TLS proxy on another machine)"},
        {"trusted_proxy", &Config::trusted_proxies,
         "Address or range (10.0.0.0/8) of proxies whose X-Forwarded headers are believed; may be "
         "repeated"},
        {"io_threads", &Config::io_threads, "Threads for connections"},
        {"store_threads", &Config::store_threads, "Threads for requests that use the store"},
        {"sync_threads", &Config::sync_threads, "Threads for sync sessions"},
        {"sync_test_commands", &Config::sync_test_commands,
         "Do what sync clients' test commands say: for test suites only"},
        {"sync_connections", &Config::sync_connections,
         "Sync connections of one app at a time; more are told to try again"},
        {"sync_message_megabytes", &Config::sync_message_megabytes,
         "Size of a message from a device, as sent, in MiB"},
        {"requests_running", &Config::requests_running,
         "Requests answered at a time; more get 429"},
        {"requests_per_minute", &Config::requests_per_minute,
         "Sign-ins, registrations and the like from one address; 0: no limit"},
        {"request_burst", &Config::request_burst, "How many of these at once"},
        {"hide_unknown_users", &Config::hide_unknown_users,
         "Never tell that an address has no account (SDKs then miss an error)"},
        {"allow_private_key_set_urls", &Config::allow_private_key_set_urls,
         "Fetch JWT key sets from private addresses and over http"},
        {"conflict_days", &Config::conflict_days,
         "How long values are kept that uploads lost in conflicts and refusals; 0: not at all"},
        {"conflict_megabytes", &Config::conflict_megabytes,
         "How much of these is kept for an app; the oldest go first"},
        {"sync_unsynced_max", &Config::sync_unsynced_max,
         "So many documents that cannot be synced pause the sync of an app"},
        {"sync_idle_days", &Config::sync_idle_days,
         "So many days without a device pause the sync of an app; 0: never"},
        {"alert_webhook", &Config::alert_webhook,
         "Address to which alerts are POSTed as JSON, http:// or https://"},
        {"history_hours", &Config::history_hours, "How long a document's past is kept"},
        {"deployments_kept", &Config::deployments_kept, "How many deployments of an app are kept"},
        {"key_rotation_days", &Config::key_rotation_days,
         "Age at which the token signing key is replaced; 0: never by itself"},
        {"smtp_url", &Config::smtp_url,
         "Mail relay, smtp://host:port or smtps://host:port; without it mail goes to DATA/outbox"},
        {"smtp_user", &Config::smtp_user, "User at the mail relay"},
        {"smtp_password", &Config::smtp_password, "Password at the mail relay"},
        {"mail_from", &Config::mail_from, "Sender of mail"},
        {"log_level", &Config::log_level, "debug, info, warning, error or off"},
        {"log_format", &Config::log_format, "text or json"},
        {"log_file", &Config::log_file, "Log file; standard error when empty"},
        {"admin_user", &Config::admin_user, "First start: the administrator's name"},
        {"admin_password", &Config::admin_password, "First start: the administrator's password"},
        {"admin_password_file", &Config::admin_password_file,
         "First start: file with the administrator's password"},
        {"backup_directory", &Config::backup_directory,
         "Folder that backups are written to; DATA/backups when empty"},
        {"master_key_file", &Config::master_key_file,
         "Key that seals secrets; made when absent; DATA/master.key when empty"},
        {"cache_megabytes", &Config::cache_megabytes, "Memory for the store's block cache"},
        {"node", &Config::node,
         "Node.js program for user functions, a path or a name in PATH; none when empty"},
        {"function_workers", &Config::function_workers,
         "Processes for user functions, and so calls at a time"},
        {"function_seconds", &Config::function_seconds, "Time limit of a user function"},
        {"function_megabytes", &Config::function_megabytes, "Memory limit of a user function"},
        {"stop_seconds", &Config::stop_seconds,
         "How long running requests may take to finish at a stop"},
    };
    return all;
}

std::string option_name(std::string key) {
    std::replace(key.begin(), key.end(), '_', '-');
    return "--" + key;
}
std::string variable_name(std::string key) {
    std::transform(key.begin(), key.end(), key.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return "TOMBOLO_" + key;
}

Error wrong(const std::string& where, const std::string& what) {
    return Error(ErrorCode::invalid_argument, where + ": " + what);
}

// `where` names the key, variable or option in errors.
Result<void> assign(const std::string& where, const Target& target, const ConfigValue& value,
                    Config& config) {
    if (const auto* text = std::get_if<std::string Config::*>(&target)) {
        if (const auto* given = std::get_if<std::string>(&value)) {
            config.*(*text) = *given;
            return {};
        }
        return wrong(where, "must be a string");
    }
    if (const auto* number = std::get_if<std::int64_t Config::*>(&target)) {
        if (const auto* given = std::get_if<std::int64_t>(&value)) {
            config.*(*number) = *given;
            return {};
        }
        if (const auto* given = std::get_if<std::string>(&value)) {
            const char* end = given->data() + given->size();
            const auto read = std::from_chars(given->data(), end, config.*(*number));
            if (read.ec == std::errc() && read.ptr == end && !given->empty()) {
                return {};
            }
        }
        return wrong(where, "must be a whole number");
    }
    if (const auto* flag = std::get_if<bool Config::*>(&target)) {
        if (const auto* given = std::get_if<bool>(&value)) {
            config.*(*flag) = *given;
            return {};
        }
        const auto* given = std::get_if<std::string>(&value);
        if (given != nullptr && (*given == "true" || *given == "false")) {
            config.*(*flag) = *given == "true";
            return {};
        }
        return wrong(where, "must be true or false");
    }
    auto& list = config.*(*std::get_if<std::vector<std::string> Config::*>(&target));
    if (const auto* given = std::get_if<std::vector<std::string>>(&value)) {
        list = *given;
        return {};
    }
    if (const auto* given = std::get_if<std::string>(&value)) {
        // From an environment variable: entries are separated by commas.
        list.clear();
        std::istringstream parts(*given);
        for (std::string part; std::getline(parts, part, ',');) {
            list.push_back(part);
        }
        return {};
    }
    return wrong(where, "must be an array of strings");
}

Result<void> read_environment(const char* (*environment)(const char*), Config& config) {
    for (const Setting& setting : settings()) {
        const std::string name = variable_name(setting.key);
        if (const char* value = environment(name.c_str())) {
            TOMBOLO_TRY_VOID(assign(name, setting.target, std::string(value), config));
        }
    }
    return {};
}

// Command-line values, kept apart from `config` because the file is read in between.
struct Given {
    std::string config_file;
    std::map<std::string, ConfigValue> values;
};

void declare(CLI::App& app, Given& given) {
    app.add_option("--config", given.config_file, "Configuration file, TOML or .json");
    for (const Setting& setting : settings()) {
        const std::string key = setting.key;
        const std::string help =
            std::string(setting.help) + " [" + variable_name(setting.key) + "]";
        if (std::holds_alternative<bool Config::*>(setting.target)) {
            app.add_flag_callback(
                option_name(key), [&given, key] { given.values[key] = true; }, help);
        } else if (std::holds_alternative<std::vector<std::string> Config::*>(setting.target)) {
            app.add_option_function<std::vector<std::string>>(
                   option_name(key),
                   [&given, key](const std::vector<std::string>& all) { given.values[key] = all; },
                   help)
                ->type_name("TEXT ...");
        } else {
            app.add_option_function<std::string>(
                option_name(key),
                [&given, key](const std::string& text) { given.values[key] = text; }, help);
        }
    }
}

constexpr const char* version_text = "tombolod 0.1.0";

} // namespace

Result<StartOptions> read_config(int argc, const char* const* argv,
                                 const char* (*environment)(const char* name)) {
    CLI::App app("The Tombolo server: users, rules and Device Sync for apps that work offline.\n"
                 "Options win over environment variables, those over the configuration file.",
                 "tombolod");
    Given given;
    bool show_version = false;
    declare(app, given);
    app.add_flag("--version", show_version, "Print the version");
    StartOptions options;
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        options.action = StartAction::help;
        options.text = app.help();
        return options;
    } catch (const CLI::ParseError& error) {
        return Error(ErrorCode::invalid_argument,
                     std::string(error.what()) + "; tombolod --help explains the options");
    }
    if (show_version) {
        options.action = StartAction::version;
        options.text = std::string(version_text) + "\n";
        return options;
    }
    if (given.config_file.empty()) {
        const char* file = environment("TOMBOLO_CONFIG");
        given.config_file = file != nullptr ? file : "";
    }
    if (!given.config_file.empty()) {
        TOMBOLO_TRY_VOID(read_config_file(given.config_file, options.config));
    }
    TOMBOLO_TRY_VOID(read_environment(environment, options.config));
    for (const Setting& setting : settings()) {
        const auto found = given.values.find(setting.key);
        if (found != given.values.end()) {
            TOMBOLO_TRY_VOID(
                assign(option_name(setting.key), setting.target, found->second, options.config));
        }
    }
    TOMBOLO_TRY_VOID(check_config(options.config));
    return options;
}

Result<void> read_config_file(const std::string& path, Config& config) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Error(ErrorCode::io, "cannot read the configuration file", path);
    }
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto values = path.ends_with(".json") ? read_json_values(text) : read_toml_values(text);
    if (!values) {
        return values.error().within(path);
    }
    for (const auto& one : *values) {
        const std::string& key = one.first; // clang 14 captures no structured bindings
        const ConfigValue& value = one.second;
        const auto setting = std::find_if(settings().begin(), settings().end(),
                                          [&](const Setting& known) { return key == known.key; });
        if (setting == settings().end()) {
            return wrong(path, "unknown key '" + key + "'");
        }
        std::string where = path;
        where.append(": '").append(key).append("'");
        TOMBOLO_TRY_VOID(assign(where, setting->target, value, config));
    }
    return {};
}

Result<Endpoint> parse_endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    Endpoint endpoint;
    int port = -1;
    if (colon != std::string::npos) {
        endpoint.address = text.substr(0, colon);
        const char* end = text.data() + text.size();
        const auto read = std::from_chars(text.data() + colon + 1, end, port);
        if (read.ec != std::errc() || read.ptr != end) {
            port = -1;
        }
    }
    if (endpoint.address.starts_with('[') && endpoint.address.ends_with(']')) {
        endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
    }
    if (endpoint.address.empty() || port < 0 || port > 65535) {
        return Error(ErrorCode::invalid_argument,
                     "'" + text + "' is not an address and port, such as 127.0.0.1:9090");
    }
    endpoint.port = static_cast<std::uint16_t>(port);
    return endpoint;
}

bool is_any_address(const std::string& address) {
    return address.find_first_not_of("0.:") == std::string::npos;
}

bool is_loopback(const std::string& address) {
    // Digits and dots only: "127.example.com" is somewhere else.
    return address == "::1" || (address.starts_with("127.") &&
                                address.find_first_not_of("0123456789.") == std::string::npos);
}

Result<void> check_config(const Config& config) {
    if (config.data.empty()) {
        return Error(ErrorCode::invalid_argument,
                     "--data DIR is required: the folder where the server keeps everything");
    }
    TOMBOLO_TRY(const Endpoint listen, parse_endpoint(config.listen));
    if (!config.metrics_listen.empty()) {
        TOMBOLO_TRY(const Endpoint metrics, parse_endpoint(config.metrics_listen));
        static_cast<void>(metrics);
    }
    if (config.tls_cert.empty() != config.tls_key.empty()) {
        return Error(ErrorCode::invalid_argument, "--tls-cert and --tls-key go together");
    }
    if (config.tls_cert.empty() && !is_loopback(listen.address) && !config.insecure_public) {
        return Error(ErrorCode::invalid_argument,
                     "listening on " + config.listen +
                         " without TLS would send passwords and tokens in the clear; give "
                         "--tls-cert and --tls-key, or --insecure-public behind a TLS proxy");
    }
    if (config.public_url.empty() && is_any_address(listen.address)) {
        return Error(ErrorCode::invalid_argument,
                     "listening on " + config.listen +
                         " needs --public-url: apps are told under which address to reach the "
                         "server, and that one is no address they could use");
    }
    if (!config.public_url.empty() &&
        (!config.public_url.starts_with("http") || config.public_url.ends_with('/'))) {
        return Error(ErrorCode::invalid_argument,
                     "--public-url must start with http:// or https:// and not end with a slash");
    }
    if (!config.alert_webhook.empty() && !config.alert_webhook.starts_with("http://") &&
        !config.alert_webhook.starts_with("https://")) {
        return Error(ErrorCode::invalid_argument,
                     "--alert-webhook must start with http:// or https://");
    }
    if (!config.admin_password.empty() && !config.admin_password_file.empty()) {
        return Error(ErrorCode::invalid_argument,
                     "give the administrator's password or its file, not both");
    }
    struct Range {
        const char* name;
        std::int64_t value;
        std::int64_t least;
        std::int64_t most;
    };
    for (const Range& range :
         {Range{"--io-threads", config.io_threads, 1, 256},
          Range{"--store-threads", config.store_threads, 1, 256},
          Range{"--sync-threads", config.sync_threads, 1, 256},
          Range{"--sync-connections", config.sync_connections, 1, 1'000'000},
          Range{"--sync-message-megabytes", config.sync_message_megabytes, 1, 1024},
          Range{"--requests-running", config.requests_running, 1, 1'000'000},
          Range{"--requests-per-minute", config.requests_per_minute, 0, 10'000'000},
          Range{"--request-burst", config.request_burst, 1, 1'000'000},
          Range{"--conflict-days", config.conflict_days, 0, 3650},
          Range{"--conflict-megabytes", config.conflict_megabytes, 1, 1024 * 1024},
          Range{"--sync-unsynced-max", config.sync_unsynced_max, 1, 1'000'000'000},
          Range{"--sync-idle-days", config.sync_idle_days, 0, 3650},
          Range{"--history-hours", config.history_hours, 1, 24 * 3650},
          Range{"--deployments-kept", config.deployments_kept, 1, 1'000'000},
          Range{"--key-rotation-days", config.key_rotation_days, 0, 3650},
          Range{"--cache-megabytes", config.cache_megabytes, 1, 1'000'000},
          Range{"--function-workers", config.function_workers, 1, 256},
          Range{"--function-seconds", config.function_seconds, 1, 3600},
          Range{"--function-megabytes", config.function_megabytes, 16, 65536},
          Range{"--stop-seconds", config.stop_seconds, 0, 3600}}) {
        if (range.value < range.least || range.value > range.most) {
            return Error(ErrorCode::out_of_range, std::string(range.name) + " must be " +
                                                      std::to_string(range.least) + " to " +
                                                      std::to_string(range.most));
        }
    }
    TOMBOLO_TRY(const LogLevel level, parse_log_level(config.log_level));
    TOMBOLO_TRY(const LogFormat format, parse_log_format(config.log_format));
    static_cast<void>(level);
    static_cast<void>(format);
    return {};
}

} // namespace tombolo::server
