#pragma once

// What an administrator asks of a running tombolod: app_create.

namespace tombolo::bench {

void bench_app_create();

} // namespace tombolo::bench
