#include "server/daemon/daemon.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <thread>

#include <boost/json/serialize.hpp>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/log_delivery.hpp"
#include "server/api/admin/sync_model.hpp"
#include "server/api/client_api.hpp"
#include "server/api/document_routes.hpp"
#include "server/api/function_routes.hpp"
#include "server/api/realm_sync.hpp"
#include "server/api/request_log.hpp"
#include "server/app/app_layout.hpp"
#include "server/auth/expiry.hpp"
#include "server/auth/key_sets.hpp"
#include "server/auth/mailer.hpp"
#include "server/auth/password.hpp"
#include "server/auth/user_data.hpp"
#include "server/daemon/metrics.hpp"
#include "server/daemon/sync_admin.hpp"
#include "server/daemon/webhook.hpp"
#include "server/rules/rule_check.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/sync/session/service.hpp"

namespace tombolo::server {

namespace {

namespace fs = std::filesystem;
using store::Space;

std::int64_t unix_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

http::ServerOptions listener_options(const Config& config, const Endpoint& endpoint, bool tls) {
    http::ServerOptions options;
    options.address = endpoint.address;
    options.port = endpoint.port;
    options.io_threads = static_cast<unsigned>(config.io_threads);
    options.trusted_proxies = config.trusted_proxies;
    options.requests_max = static_cast<std::size_t>(config.requests_running);
    options.connections_max =
        std::max(options.connections_max,
                 static_cast<std::size_t>(config.sync_connections) + options.requests_max);
    if (tls) {
        options.tls_certificate_file = config.tls_cert;
        options.tls_key_file = config.tls_key;
    }
    return options;
}

std::string url_of(const std::string& scheme, const std::string& address, std::uint16_t port) {
    const bool v6 = address.find(':') != std::string::npos;
    return scheme + "://" + (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

// For the person who opens the server's address in a browser.
constexpr const char* start_page = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Tombolo</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em}</style>
<h1>Tombolo is running</h1>
<p>This is the address that apps connect to: give it to the SDK as its base URL, together with the
app id that the server printed when it started.</p>
<p>Administrators manage apps with the <code>tombolo</code> command.</p>
</html>
)";

Result<std::string> read_password_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Error(ErrorCode::io, "cannot read the administrator's password", path);
    }
    std::string text((std::istreambuf_iterator<char>(file)), {});
    while (text.ends_with('\n') || text.ends_with('\r')) {
        text.pop_back();
    }
    return text;
}

} // namespace

class Daemon::Impl {
  public:
    Impl(const Config& config, const Log& log) : config_(config), log_(log) {}

    ~Impl() { stop(); }

    Result<void> start() {
        TOMBOLO_TRY_VOID(open_store());
        TOMBOLO_TRY(apps_, AppRepository::open(*store_, *sealer_));
        // First of all that seals: with another master key nothing may be written.
        TOMBOLO_TRY(tokens_, auth::Tokens::open(*store_, *sealer_, unix_ms() / 1000));
        TOMBOLO_TRY_VOID(deploy_apps());
        auth::MailerOptions mail{
            config_.smtp_url,      config_.smtp_user,
            config_.smtp_password, true,
            config_.mail_from,     (fs::path(config_.data) / "outbox").string()};
        TOMBOLO_TRY(mailer_, auth::Mailer::create(mail, log_));
        return listen();
    }

    Result<void> reload(const Config& config) {
        config_.apps = config.apps;
        TOMBOLO_TRY_VOID(server_->reload_certificates());
        return deploy_apps();
    }

    void stop() {
        if (stopped_) {
            return;
        }
        stopped_ = true;
        if (metrics_) {
            metrics_->set_ready(false);
        }
        if (server_) {
            server_->stop(std::chrono::seconds(config_.stop_seconds));
        }
        if (functions_) {
            functions_->stop(); // what runs has had its time
        }
        if (dispatcher_) {
            dispatcher_->stop();
        }
        if (forwarders_) {
            forwarders_.reset();
        }
        if (sync_) {
            sync_->stop();
        }
        {
            const std::lock_guard lock(chores_mutex_);
            chores_stopping_ = true;
            chores_wake_.notify_all();
        }
        if (chores_.joinable()) {
            chores_.join();
        }
        if (mailer_) {
            mailer_.reset();
        }
        if (metrics_server_) {
            metrics_server_->stop(std::chrono::milliseconds(100));
        }
    }

    std::string url() const {
        return url_of(config_.tls_cert.empty() ? "http" : "https", endpoint_.address,
                      server_->port());
    }
    std::string metrics_url() const {
        return metrics_server_ ? url_of("http", metrics_endpoint_.address, metrics_server_->port())
                               : std::string();
    }
    const FirstAdministrator* first_administrator() const noexcept {
        return first_administrator_ ? &*first_administrator_ : nullptr;
    }
    std::vector<DeployedApp> apps() const {
        std::vector<DeployedApp> out;
        for (const auto& app : apps_->all()) {
            out.push_back({app->client_app_id, app->config.name});
        }
        return out;
    }

  private:
    std::string master_key_file() const {
        return config_.master_key_file.empty() ? (fs::path(config_.data) / "master.key").string()
                                               : config_.master_key_file;
    }

    api::admin::ServerFacts server_facts() const {
        const fs::path backups = config_.backup_directory.empty()
                                     ? fs::path(config_.data) / "backups"
                                     : fs::path(config_.backup_directory);
        return {"0.1.0", unix_ms(), fs::absolute(backups).string(),
                fs::absolute(master_key_file()).string()};
    }

    Result<void> open_store() {
        std::error_code error;
        fs::create_directories(config_.data, error);
        if (error) {
            return Error(ErrorCode::io, "cannot make the data folder: " + error.message(),
                         config_.data);
        }
        const std::string key_file = master_key_file();
        TOMBOLO_TRY(Sealer sealer, Sealer::from_file(key_file));
        sealer_ = std::make_unique<Sealer>(sealer);
        store::EmbeddedOptions options;
        options.directory = (fs::path(config_.data) / "store").string();
        options.block_cache_bytes = static_cast<std::size_t>(config_.cache_megabytes) << 20;
        TOMBOLO_TRY(store_, store::open_embedded(options));
        synced_store_ = std::make_unique<sync::SyncedStore>(*store_);
        return {};
    }

    // The first start makes an administrator, for the admin API and the console.
    Result<void> create_administrator() {
        const auto snapshot = store_->snapshot();
        if (snapshot->scan_records(Space::meta, "admins/", "admins0")->next()) {
            return {};
        }
        FirstAdministrator admin;
        admin.user = config_.admin_user.empty() ? "admin" : config_.admin_user;
        std::string password = config_.admin_password;
        if (!config_.admin_password_file.empty()) {
            TOMBOLO_TRY(password, read_password_file(config_.admin_password_file));
        }
        const bool chosen = !password.empty();
        if (!chosen) {
            password = random_text(20);
            admin.password = password;
        } else if (!auth::is_acceptable_password(password)) {
            return Error(ErrorCode::invalid_argument,
                         "the administrator's password must have 6 to 128 characters");
        }
        const boost::json::object record{{"password_hash", auth::hash_password(password)},
                                         {"must_change", !chosen},
                                         {"created_ms", unix_ms()}};
        store::Transaction transaction;
        transaction.insert_record(Space::meta, "admins/" + admin.user,
                                  boost::json::serialize(record));
        TOMBOLO_TRY(const store::Version written, store_->commit(std::move(transaction)));
        static_cast<void>(written);
        first_administrator_ = std::move(admin);
        return {};
    }

    // Rules that cannot be understood; what else is wrong with the tree deploying it says.
    static Result<void> check_rules_of(const AppTree& tree) {
        const auto normal = normalize_app(tree);
        const auto parsed = normal ? parse_app(normal->tree) : normal.error();
        return parsed ? rules::check_rules(parsed->config) : Result<void>();
    }

    Result<void> deploy_apps() {
        for (const std::string& directory : config_.apps) {
            TOMBOLO_TRY(const AppTree tree, read_app_directory(directory));
            if (const Result<void> rules = check_rules_of(tree); !rules) {
                return rules.error().within(directory);
            }
            const Result<DeployResult> deployed = apps_->deploy(tree, directory, unix_ms());
            if (!deployed) {
                return deployed.error().within(directory);
            }
            for (const std::string& warning : deployed->warnings) {
                log_.warning("app directory",
                             {{"app", deployed->app->client_app_id}, {"warning", warning}});
            }
            log_.info(deployed->changed ? "app deployed" : "app unchanged",
                      {{"app", deployed->app->client_app_id},
                       {"deployment", std::to_string(deployed->app->deployment)},
                       {"directory", directory}});
        }
        for (const auto& app : apps_->all()) {
            TOMBOLO_TRY_VOID(auth::prepare_custom_user_data(*store_, *app));
        }
        return {};
    }

    Result<void> listen() {
        TOMBOLO_TRY(endpoint_, parse_endpoint(config_.listen));
        throttle_ = std::make_unique<auth::Throttle>(
            auth::ThrottleOptions{static_cast<unsigned>(config_.requests_per_minute),
                                  static_cast<unsigned>(config_.request_burst)});
        key_sets_ = std::make_unique<auth::KeySets>(
            auth::KeySetOptions{config_.allow_private_key_set_urls}, unix_ms);
        context_.reset(new auth::Context{*synced_store_, *apps_, *tokens_, *throttle_, *mailer_,
                                         *key_sets_, log_, unix_ms, config_.public_url,
                                         config_.hide_unknown_users});
        app_log_ = std::make_unique<AppLog>(*store_, unix_ms);
        context_->app_log = app_log_.get();
        context_->measurements = &measurements_;
        AlertOptions alerts;
        if (!config_.alert_webhook.empty()) {
            alerts.post = Webhook(config_.alert_webhook);
        }
        alerts_ =
            std::make_unique<Alerts>(*store_, unix_ms, log_, app_log_.get(), std::move(alerts));
        context_->alerts = alerts_.get();
        data_sources_ = std::make_unique<api::DataSources>(*context_);
        make_functions();
        api::DispatcherOptions options;
        options.store_threads = static_cast<unsigned>(config_.store_threads);
        // A few more than workers: not every request of this pool comes to run a function.
        options.functions_threads = static_cast<unsigned>(config_.function_workers) + 2;
        options.cors = [this](std::string_view path, std::string_view origin) {
            return api::cors_decision(*context_, path, origin);
        };
        options.observe = [this](const api::Call& call, const std::string& pattern,
                                 const http::Response& answer) {
            api::log_sign_in(*context_, call, pattern, answer);
        };
        TOMBOLO_TRY_VOID(load_static_files());
        options.files = &static_files_;
        options.public_url = [this] { return context_->public_url; };
        dispatcher_ = std::make_unique<api::Dispatcher>(std::move(options), log_);
        api::add_client_routes(*dispatcher_, *context_);
        api::add_function_routes(*dispatcher_, *context_, data_sources_->action());
        data_sources_->add_routes(*dispatcher_);
        admin_context_ = std::make_unique<api::admin::AdminContext>(*context_, *sealer_);
        admin_context_->server = server_facts();
        admin_context_->run_function = [this](const functions::Call& call) {
            return functions_->call(call);
        };
        admin_context_->check_source = [this](const std::string& source) {
            return functions_->check_syntax(source);
        };
        forwarders_ = std::make_unique<LogForwarders>(
            *apps_, *app_log_, api::admin::log_delivery(*functions_, data_sources_->documents()),
            unix_ms);
        admin_context_->forwarder_state = [this](const App& app, const std::string& name) {
            return forwarders_->state(app.id, name);
        };
        api::admin::add_admin_routes(*dispatcher_, *admin_context_);
        apps_->add_listener([this](const AppEvent& event) { prepare(event); });
        start_sync();
        metrics_ = std::make_unique<Metrics>(*store_, *dispatcher_, *functions_, *sync_, *alerts_);
        TOMBOLO_TRY(server_, http::Server::create(
                                 listener_options(config_, endpoint_, !config_.tls_cert.empty()),
                                 *dispatcher_));
        if (context_->public_url.empty()) {
            context_->public_url = url();
        }
        if (!config_.metrics_listen.empty()) {
            TOMBOLO_TRY(metrics_endpoint_, parse_endpoint(config_.metrics_listen));
            http::ServerOptions metrics = listener_options(config_, metrics_endpoint_, false);
            metrics.io_threads = 1;
            TOMBOLO_TRY(metrics_server_, http::Server::create(metrics, *metrics_));
            metrics_->show(server_.get());
        }
        // Last of what can fail: a start that fails must not use up the one-time password.
        TOMBOLO_TRY_VOID(create_administrator());
        if (metrics_server_) {
            metrics_server_->start();
        }
        chores_ = std::thread([this] { run_chores(); });
        server_->start();
        metrics_->set_ready(true);
        return {};
    }

    // What a new configuration needs in the store before it is used.
    void prepare(const AppEvent& event) {
        if (event.kind != AppEvent::Kind::deployed ||
            (event.before &&
             event.before->config.custom_user_data == event.after->config.custom_user_data)) {
            return;
        }
        const Result<void> prepared = auth::prepare_custom_user_data(*store_, *event.after);
        if (!prepared) {
            log_.error("cannot prepare custom user data",
                       {{"app", event.after->client_app_id}, {"error", prepared.error().what()}});
        }
    }

    Result<void> load_static_files() {
        if (config_.static_dir.empty()) {
            static_files_.add("/index.html", start_page);
            return {};
        }
        TOMBOLO_TRY(static_files_, http::StaticFiles::load(config_.static_dir));
        return {};
    }

    void make_functions() {
        functions::FunctionOptions options;
        options.node = config_.node;
        options.folder = (fs::path(config_.data) / "functions").string();
        options.workers_max = static_cast<unsigned>(config_.function_workers);
        options.time_ms_max = config_.function_seconds * 1000;
        options.memory_bytes_max = static_cast<std::size_t>(config_.function_megabytes) << 20;
        functions_ = std::make_unique<functions::Functions>(*apps_, log_, options);
        functions_->connect(api::function_seams(*context_, data_sources_->function_services(),
                                                data_sources_->can_evaluate()));
        context_->functions = functions_.get();
        if (const Result<std::string> version = functions_->node_version()) {
            log_.info("user functions run",
                      {{"node", *version}, {"files", functions::Functions::confinement()}});
        } else {
            log_.warning("user functions do not run", {{"reason", version.error().message()}});
        }
    }

    void start_sync() {
        sync::ServiceOptions options;
        options.session_threads = static_cast<unsigned>(config_.sync_threads);
        options.test_commands = config_.sync_test_commands;
        options.app_connections_max = static_cast<std::size_t>(config_.sync_connections);
        options.connections_max = std::max(options.connections_max, options.app_connections_max);
        options.message_bytes_max = static_cast<std::size_t>(config_.sync_message_megabytes) << 20;
        options.conflicts = {config_.conflict_days * 24 * 3600 * 1000,
                             static_cast<std::uint64_t>(config_.conflict_megabytes) << 20};
        options.public_url = [this] { return context_->public_url; };
        options.facts = [this](const App& app, const std::string& user) {
            return data_sources_->facts(app, user);
        };
        options.app_log = app_log_.get();
        options.measurements = &measurements_;
        options.alerts = alerts_.get();
        options.unsynced_max = static_cast<std::uint64_t>(config_.sync_unsynced_max);
        options.idle_pause_ms = config_.sync_idle_days * 24 * 3600 * 1000;
        options.pause = [this](const ObjectId& app) {
            return api::admin::pause_sync(*apps_, app, unix_ms());
        };
        options.store_model = [this](const ObjectId& app, const sync::SyncModel& model) {
            return api::admin::store_sync_model(*apps_, app, model, unix_ms());
        };
        sync_ = std::make_unique<sync::SyncService>(std::move(options), *store_, *apps_, clock_,
                                                    random_, log_);
        api::add_sync_routes(*dispatcher_, *context_, *sync_);
        context_->on_access_ended = [this](const ObjectId& app, const ObjectId& user) {
            sync_->access_ended(app, user.to_string());
        };
        context_->on_user_changed = [this](const ObjectId& app, const ObjectId& user) {
            sync_->roles_changed(app, user.to_string());
        };
        apps_->add_listener([this](const AppEvent& event) {
            if (event.after != nullptr) {
                sync_->app_changed(event.after);
            } else if (event.before != nullptr) {
                sync_->app_removed(event.before->id);
            }
        });
        for (const auto& app : apps_->all()) {
            sync_->app_changed(app);
        }
        sync_->pause_idle();
        synced_store_->connect(sync_.get());
        admin_context_->sync = sync_services(*sync_);
        data_sources_->documents().connect(client_files(*sync_));
    }

    // What a device may be offline for needs the documents' past of that time.
    std::int64_t history_hours() const {
        std::int64_t hours = config_.history_hours;
        for (const auto& app : apps_->all()) {
            if (app->config.sync.mode == SyncConfig::Mode::flexible) {
                hours = std::max(hours, app->config.sync.client_max_offline_days * 24);
            }
        }
        return hours;
    }

    // Once a minute: trims what is older than the configured history, replaces an old signing key;
    // once an hour: removes what has expired.
    void run_chores() {
        std::unique_lock lock(chores_mutex_);
        while (!chores_wake_.wait_for(lock, std::chrono::minutes(1),
                                      [this] { return chores_stopping_; })) {
            lock.unlock();
            const std::int64_t now = unix_ms();
            if (now - expiry_checked_ms_ > 3600 * 1000) {
                expiry_checked_ms_ = now;
                remove_expired(now);
                trim_deployments();
                alerts_->trim();
            }
            const auto old = store_->version_before(now - history_hours() * 3600 * 1000);
            sync_->pause_idle();
            sync_->trim();
            const auto floor = old ? sync_->past_needed_above(*old) : old;
            const Result<void> trimmed = floor ? store_->trim(*floor) : Result<void>(floor.error());
            if (!trimmed) {
                log_.error("cannot trim the history", {{"error", trimmed.error().what()}});
            }
            app_log_->trim();
            const std::int64_t age_s = now / 1000 - tokens_->signing_key_made_at();
            if (config_.key_rotation_days > 0 && age_s > config_.key_rotation_days * 24 * 3600) {
                const Result<void> rotated = tokens_->rotate(now / 1000);
                if (!rotated) {
                    log_.error("cannot replace the signing key",
                               {{"error", rotated.error().what()}});
                }
            }
            lock.lock();
        }
    }

    void trim_deployments() {
        const auto removed =
            apps_->trim_deployments(static_cast<std::size_t>(config_.deployments_kept));
        if (!removed) {
            log_.error("cannot remove old deployments", {{"error", removed.error().what()}});
        } else if (*removed > 0) {
            log_.info("old deployments removed", {{"count", std::to_string(*removed)}});
        }
    }

    void remove_expired(std::int64_t now) {
        const Result<auth::Expired> removed = auth::remove_expired(*store_, now);
        if (!removed) {
            log_.error("cannot remove expired sessions", {{"error", removed.error().what()}});
        } else if (removed->sessions + removed->mail_tokens + removed->devices > 0) {
            log_.info("expired records removed",
                      {{"sessions", std::to_string(removed->sessions)},
                       {"mail_tokens", std::to_string(removed->mail_tokens)},
                       {"devices", std::to_string(removed->devices)}});
        }
    }

    Config config_;
    const Log& log_;
    std::unique_ptr<Sealer> sealer_;
    std::unique_ptr<store::Store> store_;
    /// What all but sync and the server's own records write through.
    std::unique_ptr<sync::SyncedStore> synced_store_;
    std::unique_ptr<AppRepository> apps_;
    std::optional<FirstAdministrator> first_administrator_;
    std::unique_ptr<auth::Tokens> tokens_;
    std::unique_ptr<auth::Throttle> throttle_;
    std::unique_ptr<auth::Mailer> mailer_;
    std::unique_ptr<auth::KeySets> key_sets_;
    std::unique_ptr<AppLog> app_log_;
    Measurements measurements_{clock_};
    std::unique_ptr<Alerts> alerts_;
    std::unique_ptr<auth::Context> context_;
    std::unique_ptr<api::DataSources> data_sources_;
    std::unique_ptr<functions::Functions> functions_;
    std::unique_ptr<LogForwarders> forwarders_;
    std::unique_ptr<api::admin::AdminContext> admin_context_;
    SystemClock clock_;
    SystemRandom random_;
    std::unique_ptr<sync::SyncService> sync_;
    http::StaticFiles static_files_;
    std::unique_ptr<api::Dispatcher> dispatcher_;
    std::unique_ptr<Metrics> metrics_;
    Endpoint endpoint_;
    Endpoint metrics_endpoint_;
    std::unique_ptr<http::Server> server_;
    std::unique_ptr<http::Server> metrics_server_;
    std::mutex chores_mutex_;
    std::condition_variable chores_wake_;
    bool chores_stopping_ = false;       // guarded by chores_mutex_
    std::int64_t expiry_checked_ms_ = 0; ///< of the chores' thread
    std::thread chores_;
    bool stopped_ = false;
};

Result<std::unique_ptr<Daemon>> Daemon::start(const Config& config, const Log& log) {
    auto impl = std::make_unique<Impl>(config, log);
    TOMBOLO_TRY_VOID(impl->start());
    return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;
void Daemon::stop() {
    impl_->stop();
}
Result<void> Daemon::reload(const Config& config) {
    return impl_->reload(config);
}
std::string Daemon::url() const {
    return impl_->url();
}
std::string Daemon::metrics_url() const {
    return impl_->metrics_url();
}
const Daemon::FirstAdministrator* Daemon::first_administrator() const noexcept {
    return impl_->first_administrator();
}
std::vector<Daemon::DeployedApp> Daemon::apps() const {
    return impl_->apps();
}

} // namespace tombolo::server
