// Speed of the server: `scripts/bench server`. Runs from the repository's folder.
//
// Prints one JSON object a line; `ratio` is the figure as its bound is stated. Medians of
// interleaved repetitions; servers and load are processes of their own, on loopback. Exits with 1
// when a result is wrong, and only then. Names of metrics after the program run only these.

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "server_apps.hpp"
#include "server_import.hpp"
#include "server_process.hpp"
#include "server_requests.hpp"
#include "server_rules.hpp"

int main(int argc, char** argv) {
    using namespace tombolo::bench;
    std::signal(SIGPIPE, SIG_IGN);
    if (!std::filesystem::exists("examples/field-notes")) {
        give_up("run it from the repository's folder, or as scripts/bench server");
    }
    const auto wanted = [&](const std::string& name) {
        for (int i = 1; i < argc; ++i) {
            if (name == argv[i]) {
                return true;
            }
        }
        return argc == 1;
    };
    try {
        if (wanted("profile")) {
            bench_profile();
        }
        if (wanted("login_isolation")) {
            bench_login_isolation();
        }
        if (wanted("import_docs")) {
            bench_import();
        }
        if (wanted("app_create")) {
            bench_app_create();
        }
        if (wanted("rule_cost")) {
            bench_rules();
        }
        if (wanted("idle_connection")) {
            bench_idle_connections();
        }
        std::filesystem::remove_all(scratch_folder());
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_server: %s\n", error.what());
        return 1;
    }
}
