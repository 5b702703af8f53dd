#pragma once

// The metrics of `scripts/bench sync`, by the names of docs/performance.md. Each starts the servers
// it needs, prints its lines, and ends the program when a result is wrong.

#include <string>
#include <vector>

namespace tombolo::bench {

/// Repetitions of everything that is a median.
inline constexpr int sync_repetitions = 5;

void bench_propagate();
void bench_propagate_nagle();
void bench_upload_many();
void bench_upload_backlog();
void bench_fanout();
void bench_fanout_tls();
void bench_fanout_growth();
void bench_bootstrap();
void bench_outside_writes();
void bench_bootstrap_many();
void bench_idle_session();
void bench_reconnect_storm();
void bench_reconnect_storm_tls();
void bench_history_growth();

/// p50 and p99, sorted on the way.
struct Spread {
    double p50 = 0;
    double p99 = 0;
};
Spread spread_of(std::vector<double> seconds);

} // namespace tombolo::bench
