#include "cli/device/device_run.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"

namespace tombolo::cli {

using client::ConnectionEnd;
using client::DeviceFile;

namespace {

constexpr const char* default_path = "device.tombolo";
constexpr std::chrono::milliseconds step_time{200};
constexpr std::chrono::seconds retry_first{1};
constexpr std::chrono::seconds retry_longest{30};
/// Of a binding that the server ends and says to try again.
constexpr int transient_errors_max = 5;

std::unique_ptr<DeviceFile> file_or_failure(Result<std::unique_ptr<DeviceFile>> file,
                                            const std::string& path) {
    if (file) {
        return *std::move(file);
    }
    switch (file.error().code()) {
    case ErrorCode::not_found:
        throw Failure(ExitCode::not_found, "there is no device " + path,
                      "Make one with tombolo sync sign-in, or name another with --device.");
    case ErrorCode::unavailable:
        throw Failure(ExitCode::failure, file.error().what(),
                      "A running tombolo sync watch holds its device. End it, or use another "
                      "device for this.");
    case ErrorCode::already_exists:
        throw Failure(ExitCode::usage, file.error().what(),
                      "Name another with --device, or remove it. To sign its user in again give "
                      "--again.");
    case ErrorCode::io:
        throw Failure(ExitCode::failure, file.error().what());
    default:
        throw Failure(ExitCode::failure, file.error().what(),
                      "The file was not touched. If it is a device's, restore a copy or begin anew "
                      "with another file: what it has uploaded is on the server.");
    }
}

} // namespace

std::string device_path(const Run& run) {
    std::string path = run.value("device");
    if (path.empty()) {
        path = run.environment("TOMBOLO_DEVICE");
    }
    return path.empty() ? default_path : path;
}

DeviceRun::DeviceRun(Run& run) : run_(run) {
    const std::string path = device_path(run);
    attach(file_or_failure(DeviceFile::open(path), path));
    if (file_->cut_bytes() > 0) {
        run_.console().warning("the last run was cut short: " + std::to_string(file_->cut_bytes()) +
                               " bytes of an unfinished write were dropped");
    }
    Result<DeviceSettings> settings = parse_settings(file_->settings());
    if (!settings) {
        throw Failure(settings.error());
    }
    settings_ = *std::move(settings);
}

DeviceRun::DeviceRun(Run& run, DeviceSettings settings)
    : run_(run), settings_(std::move(settings)) {
    const std::string path = device_path(run);
    attach(file_or_failure(DeviceFile::create(path, print_settings(settings_)), path));
}

void DeviceRun::attach(std::unique_ptr<DeviceFile> file) {
    file_ = std::move(file);
    replica().set_observer(&collector_);
}

void DeviceRun::keep() {
    if (const Result<void> saved = file_->save(); !saved) {
        throw Failure(ExitCode::failure, saved.error().what(), "Nothing more was kept.");
    }
}

void DeviceRun::save_settings() {
    file_->set_settings(print_settings(settings_));
    keep();
}

void DeviceRun::write(const changeset::Changeset& changeset) {
    const std::int64_t since =
        SystemClock().unix_ms() - static_cast<std::int64_t>(protocol::origin_epoch_unix_ms);
    const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(0, since));
    if (const Result<void> written = replica().write(changeset, now); !written) {
        throw Failure(ExitCode::usage, written.error().what());
    }
    keep();
}

void DeviceRun::subscribe() {
    replica().subscribe(query_body(settings_));
    save_settings();
}

void DeviceRun::start_anew() {
    client::Replica fresh;
    if (!settings_.subscriptions.empty()) {
        fresh.subscribe(query_body(settings_));
    }
    settings_.reset_reason.clear();
    file_->set_settings(print_settings(settings_));
    if (const Result<void> replaced = file_->replace(std::move(fresh)); !replaced) {
        throw Failure(replaced.error());
    }
    replica().set_observer(&collector_);
}

std::vector<const client::LocalCommit*> DeviceRun::waiting() {
    return replica().commits(replica().progress().upload.client, replica().newest_version());
}

client::DeviceConnection DeviceRun::connect(client::AppClient& app) {
    if (!settings_.reset_reason.empty()) {
        throw Failure(ExitCode::failure, settings_.reset_reason,
                      "tombolo sync reset fetches everything again and repeats the local writes "
                      "that the server does not have; with --discard it drops them.");
    }
    client::DeviceConnectionOptions options;
    options.save = [this] { return file_->save(); };
    options.on_renewed = [this](const client::UserTokens& tokens) {
        settings_.user = tokens;
        file_->set_settings(print_settings(settings_));
    };
    return {replica(), app, settings_.user, std::move(options)};
}

std::optional<Advice> DeviceRun::report(client::ReplicaSession& session, bool& is_transient) {
    std::optional<Advice> fatal;
    for (const protocol::JsonError& error : session.errors()) {
        if (error.code == static_cast<int>(protocol::SyncErrorCode::compensating_write)) {
            for (const std::string& line : undone_writes(error)) {
                run_.console().warning(line);
                ++undone_;
            }
        } else if (error.session.value == 0 || protocol::ends_binding(error.code)) {
            fatal = words_for(error);
            is_transient = error.body.try_again;
            if (asks_for_reset(error)) {
                settings_.reset_reason = fatal->message;
                save_settings();
            }
        } else {
            run_.console().warning(words_for(error).message);
        }
    }
    session.clear_errors();
    return fatal;
}

void DeviceRun::check_query() {
    const client::SubscriptionSet* newest =
        replica().subscriptions(replica().newest_subscriptions());
    if (newest != nullptr && newest->state == client::SubscriptionSet::State::error) {
        const Advice advice = words_for_query(newest->error);
        throw Failure(advice.code, advice.message, advice.hint);
    }
}

DeviceRun::Outcome DeviceRun::synchronize(Advice& advice) {
    client::AppClient app(settings_.app);
    client::DeviceConnection connection = connect(app);
    const Interrupt interrupt;
    Progress progress(run_.console(), "syncing", 0);
    int transient_errors = 0;
    bool is_connected = connection.connect();
    while (is_connected && !connection.is_settled()) {
        if (interrupt.requested()) {
            keep();
            return Outcome::interrupted;
        }
        is_connected = connection.step(step_time);
        progress.show(collector_.count(), count_of(collector_.count(), "object") + ", " +
                                              size_text(connection.bytes_received()) +
                                              " received, " + size_text(connection.bytes_sent()) +
                                              " sent");
        bool is_transient = false;
        if (const auto fatal = report(connection.session(), is_transient)) {
            if (!is_transient || ++transient_errors > transient_errors_max) {
                progress.finish();
                keep();
                throw Failure(fatal->code, fatal->message, fatal->hint);
            }
            connection.disconnect();
            interrupt.wait(retry_first);
            is_connected = connection.connect();
        }
    }
    progress.finish();
    keep();
    if (!is_connected) {
        advice = words_for(connection.end(), settings_.app.base_url);
        if (connection.end().kind != ConnectionEnd::Kind::unreachable) {
            throw Failure(advice.code, advice.message, advice.hint);
        }
        return Outcome::offline;
    }
    check_query();
    return Outcome::settled;
}

void DeviceRun::watch(const std::function<void(const ObjectChange&)>& show) {
    client::AppClient app(settings_.app);
    client::DeviceConnection connection = connect(app);
    const Interrupt interrupt;
    std::chrono::milliseconds pause = retry_first;
    bool was_settled = false;
    while (!interrupt.requested()) {
        if (!connection.is_connected()) {
            if (!connection.connect()) {
                const Advice advice = words_for(connection.end(), settings_.app.base_url);
                if (connection.end().kind != ConnectionEnd::Kind::unreachable) {
                    throw Failure(advice.code, advice.message, advice.hint);
                }
                run_.console().note(advice.message + "; trying again in " +
                                    std::to_string(pause.count() / 1000) + " s");
                interrupt.wait(pause);
                pause = std::min<std::chrono::milliseconds>(2 * pause, retry_longest);
                continue;
            }
            run_.console().note("connected to " + connection.socket_origin());
        }
        connection.step(step_time);
        for (const ObjectChange& change : collector_.take(state())) {
            show(change);
        }
        run_.console().flush();
        bool is_transient = false;
        if (const auto fatal = report(connection.session(), is_transient)) {
            if (!is_transient) {
                keep();
                throw Failure(fatal->code, fatal->message, fatal->hint);
            }
            run_.console().note(fatal->message);
            connection.disconnect();
            interrupt.wait(pause);
        }
        if (connection.is_settled() && !was_settled) {
            check_query();
            was_settled = true;
            pause = retry_first;
            run_.console().note("up to date");
        }
        was_settled = was_settled && connection.is_connected();
    }
    keep();
}

} // namespace tombolo::cli
