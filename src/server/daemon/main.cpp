// The tombolod process: configuration, signals, exit codes (docs/operating.md).
//
//   0  stopped by SIGTERM or SIGINT      1  could not start      2  wrong options or configuration

#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "server/daemon/daemon.hpp"

namespace {

using tombolo::server::Config;
using tombolo::server::Daemon;
using tombolo::server::Log;

void announce(const Daemon& daemon) {
    std::printf("tombolod listens on %s\n", daemon.url().c_str());
    if (!daemon.metrics_url().empty()) {
        std::printf("metrics, /health and /ready on %s\n", daemon.metrics_url().c_str());
    }
    for (const Daemon::DeployedApp& app : daemon.apps()) {
        std::printf("app %s (%s)\n", app.client_app_id.c_str(), app.name.c_str());
    }
    if (const auto* admin = daemon.first_administrator()) {
        if (admin->password.empty()) {
            std::printf("administrator %s created\n", admin->user.c_str());
        } else {
            std::printf("administrator %s created; one-time password: %s\n", admin->user.c_str(),
                        admin->password.c_str());
        }
    }
    std::fflush(stdout);
}

// Each connection is an open file, and the usual limit of 1,024 is lower than what we can carry.
void raise_file_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files)); // as good as it goes
    }
}

// Hashing a password maps and unmaps 19 MiB, and whoever asks the system for memory meanwhile waits
// for that. So the allocator keeps what it has instead of giving back and taking a little.
void keep_memory() {
    ::mallopt(M_TRIM_THRESHOLD, 32 << 20);
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

// Waits for signals until one says stop. They are blocked in every thread, so that only this place
// acts on them.
void serve(Daemon& daemon, Log& log, const sigset_t& signals, int argc, const char* const* argv) {
    for (;;) {
        int signal = 0;
        ::sigwait(&signals, &signal);
        if (signal != SIGHUP) {
            log.info("stopping", {{"signal", std::to_string(signal)}});
            return;
        }
        const tombolo::Result<void> reopened = log.reopen();
        if (!reopened) {
            log.error("goes on in the old log file", {{"error", reopened.error().what()}});
        }
        const auto options = tombolo::server::read_config(
            argc, argv, [](const char* name) -> const char* { return std::getenv(name); });
        const tombolo::Result<void> reloaded =
            options ? daemon.reload(options->config) : tombolo::Result<void>(options.error());
        if (reloaded) {
            log.set_level(tombolo::server::parse_log_level(options->config.log_level).value());
            log.info("reloaded certificates and app directories");
        } else {
            log.error("not reloaded; what was in use stays in use",
                      {{"error", reloaded.error().what()}});
        }
    }
}

int run(int argc, const char* const* argv) {
    const auto options = tombolo::server::read_config(
        argc, argv, [](const char* name) -> const char* { return std::getenv(name); });
    if (!options) {
        std::fprintf(stderr, "tombolod: %s\n", options.error().what());
        return 2;
    }
    if (options->action != tombolo::server::StartAction::run) {
        std::fputs(options->text.c_str(), stdout);
        return 0;
    }
    const Config& config = options->config;
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        ::sigaddset(&signals, signal);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    keep_memory();

    const auto log =
        Log::open({tombolo::server::parse_log_level(config.log_level).value(),
                   tombolo::server::parse_log_format(config.log_format).value(), config.log_file});
    if (!log) {
        std::fprintf(stderr, "tombolod: %s\n", log.error().what());
        return 1;
    }
    const auto daemon = Daemon::start(config, **log);
    if (!daemon) {
        std::fprintf(stderr, "tombolod: %s\n", daemon.error().what());
        return 1;
    }
    announce(**daemon);
    serve(**daemon, **log, signals, argc, argv);
    (*daemon)->stop();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tombolod: %s\n", error.what());
        return 1;
    }
}
