// The tombolo command. Exit codes: failure.hpp.

#include <curl/curl.h>

#include <csignal>
#include <cstdlib>

#include "cli/run.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    ::curl_global_init(CURL_GLOBAL_DEFAULT);
    const int code = tombolo::cli::run({argv + 1, argv + argc}, [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr ? std::string(value) : std::string();
    });
    ::curl_global_cleanup();
    return code;
}
