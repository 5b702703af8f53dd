// Speed of sync: `scripts/bench sync [METRIC...]`. Runs from the repository's folder.
//
// Prints one JSON object a line; `ratio` is the figure as its bound is stated. Medians of
// interleaved repetitions. The server is tombolod on loopback with durable commits, the devices
// live in this process, references that are servers in processes of their own. Exits with 1 when a
// result is wrong, and only then.

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string_view>

#include "server_process.hpp"
#include "sync_metrics.hpp"

namespace {

struct Metric {
    const char* name;
    void (*run)();
};

using namespace tombolo::bench;

constexpr Metric metrics[] = {
    {"propagate", bench_propagate},
    {"propagate_nagle", bench_propagate_nagle},
    {"upload_many", bench_upload_many},
    {"upload_backlog", bench_upload_backlog},
    {"fanout", bench_fanout},
    {"fanout_tls", bench_fanout_tls},
    {"fanout_growth", bench_fanout_growth},
    {"bootstrap", bench_bootstrap},
    {"outside_writes", bench_outside_writes},
    {"bootstrap_many", bench_bootstrap_many},
    {"idle_session", bench_idle_session},
    {"reconnect_storm", bench_reconnect_storm},
    {"reconnect_storm_tls", bench_reconnect_storm_tls},
    {"history_growth", bench_history_growth},
};

bool is_wanted(std::string_view name, int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        if (name == argv[i]) {
            return true;
        }
    }
    return argc == 1;
}

bool is_known(std::string_view name) {
    for (const Metric& metric : metrics) {
        if (name == metric.name) {
            return true;
        }
    }
    return false;
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    if (!std::filesystem::exists("bench/sync_app")) {
        give_up("run it from the repository's folder, or as scripts/bench sync");
    }
    for (int i = 1; i < argc; ++i) {
        if (!is_known(argv[i])) {
            std::string all;
            for (const Metric& metric : metrics) {
                all += std::string(" ") + metric.name;
            }
            give_up(std::string("no metric '") + argv[i] + "'; there are:" + all);
        }
    }
    try {
        for (const Metric& metric : metrics) {
            if (is_wanted(metric.name, argc, argv)) {
                metric.run();
            }
        }
        std::filesystem::remove_all(scratch_folder());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_sync: %s\n", error.what());
        return 1;
    }
}
