#pragma once

// tombolod's configuration: command line over environment over file over defaults.
//
// The file is TOML, or JSON when its name ends in .json; both have the same keys
// (docs/reference/configuration.md). Unknown keys, wrong types and unsafe combinations are errors
// that name the key.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/runtime/log.hpp"

namespace tombolo::server {

struct Config {
    std::string data;                      ///< folder of all that the server keeps
    std::string listen = "127.0.0.1:9090"; ///< address:port
    std::string metrics_listen;            ///< address:port; empty: no metrics listener
    std::string public_url;                ///< empty: made from `listen`
    std::vector<std::string> apps;         ///< app directories to deploy at start
    std::string static_dir;                ///< files served where the API is not; empty: a page
    std::string tls_cert;
    std::string tls_key;
    bool insecure_public = false; ///< allows a public address without TLS
    std::vector<std::string> trusted_proxies;
    std::int64_t io_threads = 2;
    std::int64_t store_threads = 4;
    std::int64_t sync_threads = 2;
    bool sync_test_commands = false;          ///< for test suites of SDKs only
    std::int64_t sync_connections = 20'000;   ///< of one app at a time
    std::int64_t sync_message_megabytes = 20; ///< from a device, as sent
    std::int64_t requests_running = 10'000;   ///< at a time, of all clients; no sync connections
    std::int64_t requests_per_minute =
        600; ///< from one address to sign-in and the like; 0: no limit
    std::int64_t request_burst = 200;
    bool hide_unknown_users = false;
    bool allow_private_key_set_urls = false;
    std::int64_t conflict_days = 30;          ///< how long what uploads lost is kept; 0: not at all
    std::int64_t conflict_megabytes = 64;     ///< of that, an app
    std::int64_t sync_unsynced_max = 100'000; ///< documents that cannot be synced pause sync
    std::int64_t sync_idle_days = 0;          ///< without a device pause sync; 0: never
    std::string alert_webhook;                ///< where alerts are POSTed; empty: nowhere
    std::int64_t history_hours = 72;          ///< how long a document's past is kept
    std::int64_t deployments_kept = 100;      ///< the newest of each app
    std::int64_t key_rotation_days = 30;      ///< 0: never by itself
    std::string smtp_url;
    std::string smtp_user;
    std::string smtp_password;
    std::string mail_from = "noreply@localhost";
    std::string log_level = "info";
    std::string log_format = "text";
    std::string log_file;
    std::string admin_user;
    std::string admin_password;
    std::string admin_password_file;
    std::string master_key_file;  ///< empty: DATA/master.key
    std::string backup_directory; ///< empty: DATA/backups
    std::int64_t cache_megabytes = 128;
    std::string node = "node";             ///< Node.js for user functions; empty: no functions
    std::int64_t function_workers = 4;     ///< calls of user functions at a time
    std::int64_t function_seconds = 60;    ///< time limit of a call
    std::int64_t function_megabytes = 256; ///< memory limit of a call
    std::int64_t stop_seconds = 10; ///< how long running requests may take to finish at a stop
};

enum class StartAction : std::uint8_t { run, help, version };

struct StartOptions {
    StartAction action = StartAction::run;
    Config config;
    std::string text; ///< of help and version
};

/// Reads all sources. `environment` answers nullptr for a variable that is not set.
Result<StartOptions> read_config(int argc, const char* const* argv,
                                 const char* (*environment)(const char* name));

/// Applies one file's keys to `config`.
Result<void> read_config_file(const std::string& path, Config& config);

/// What cannot be combined, and numbers outside their range.
Result<void> check_config(const Config& config);

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
};
/// "127.0.0.1:9090", "[::1]:9090".
Result<Endpoint> parse_endpoint(const std::string& text);
/// 0.0.0.0 and ::, which stand for every address of the machine.
bool is_any_address(const std::string& address);
bool is_loopback(const std::string& address);

} // namespace tombolo::server
