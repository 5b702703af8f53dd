#pragma once

// Argon2id at the lowest priority, but not at any price.
//
// On a machine that other programs keep busy, a thread of the lowest priority gets next to nothing
// of it: a sign-in would take a minute. Whoever has waited for long enough computes the hash
// himself, at his own priority.
//
// Thread-safety: any thread. The pool outlives this.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "server/auth/argon2.hpp"
#include "server/runtime/worker_pool.hpp"

namespace tombolo::auth {

class PatientHasher {
  public:
    /// A thread of the pool keeps `memory_bytes`, what most hashes need.
    PatientHasher(server::WorkerPool& pool, std::size_t memory_bytes,
                  std::chrono::milliseconds patience)
        : pool_(pool), memory_bytes_(memory_bytes), patience_(patience) {}

    /// As argon2_digest().
    std::string digest(std::string_view password, const Argon2Hash& hash);

  private:
    server::WorkerPool& pool_;
    const std::size_t memory_bytes_;
    const std::chrono::milliseconds patience_;
};

} // namespace tombolo::auth
