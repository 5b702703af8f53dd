#pragma once

// HTTP load over keep-alive connections from one thread: one request at a time on each connection.
// Meant to run in a process of its own (in_child).

#include <cstdint>
#include <string>
#include <vector>

namespace tombolo::bench {

struct LoadOptions {
    std::uint16_t port = 0;
    std::string request; ///< whole, as sent
    unsigned connections = 32;
    double seconds = 1;
    /// Requests a second, evenly spaced; a latency then counts from when its request was due, so
    /// that a stalled server is not asked less. 0: each connection asks again at once.
    double rate = 0;
    /// Status that counts as right; 0: any.
    int status = 200;
};

struct LoadResult {
    double per_second = 0;
    double p50_us = 0;
    double p99_us = 0;
    double wrong = 0; ///< answers with another status
};

/// Runs in a child process.
LoadResult run_load(const LoadOptions& options);
/// The same in this process.
LoadResult run_load_here(const LoadOptions& options);

/// A blocking socket connected to the loopback port; ends the program when it cannot be.
int connect_to(std::uint16_t port);
struct Reply {
    int status = 0;
    std::string body;
};
/// Sends and waits for the answer.
Reply ask(int socket, const std::string& request);
void send_request(int socket, const std::string& request);
Reply receive_reply(int socket);

} // namespace tombolo::bench
