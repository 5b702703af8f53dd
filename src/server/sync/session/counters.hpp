#pragma once

// What the sync connections of a server have done, for /metrics. Atomics, relaxed: each number is
// right, a set of them need not be of one moment.

#include <atomic>
#include <cstdint>

namespace tombolo::server::sync {

struct Counters {
    std::atomic<std::uint64_t> connections_open{0};
    std::atomic<std::uint64_t> connections_total{0};
    std::atomic<std::uint64_t> connections_refused{0};
    std::atomic<std::uint64_t> bindings_open{0};  ///< BIND until UNBIND, error or end
    std::atomic<std::uint64_t> sessions_total{0}; ///< identified
    std::atomic<std::uint64_t> messages_in{0};
    std::atomic<std::uint64_t> messages_out{0};
    std::atomic<std::uint64_t> bytes_in{0};
    std::atomic<std::uint64_t> bytes_out{0};
    std::atomic<std::uint64_t> uploads{0};
    std::atomic<std::uint64_t> downloads{0};
    std::atomic<std::uint64_t> errors_sent{0};
};

} // namespace tombolo::server::sync
