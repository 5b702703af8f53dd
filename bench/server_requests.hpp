#pragma once

// What is asked of a running tombolod: profile_rps, profile_p99, login_isolation, idle_connection.

namespace tombolo::bench {

void bench_profile();
void bench_login_isolation();
void bench_idle_connections();

} // namespace tombolo::bench
