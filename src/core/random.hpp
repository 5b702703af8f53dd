#pragma once

// Randomness as a parameter: everything above core/ asks a Random, so that a simulation can be
// replayed from its seed.
//
// SystemRandom is fit for keys, tokens and salts; SeededRandom is for tests and simulation only.
// A Random outlives whom it is given to.

#include <array>
#include <cstdint>
#include <span>

#include "core/mutex.hpp"
#include "core/object_id.hpp"
#include "core/uuid.hpp"

namespace tombolo {

class Random {
  public:
    Random() = default;
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;
    virtual ~Random() = default;

    virtual void fill(std::span<std::byte> out) = 0;

    std::uint64_t next();
    /// Evenly among 0 .. bound - 1. REQUIRES: bound > 0.
    std::uint64_t below(std::uint64_t bound);
    /// RFC 4122 version 4.
    Uuid uuid();
};

/// The operating system's generator. Thread-safety: safe. Throws Error(io) when the system has no
/// randomness to give.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::byte> out) override;
};

/// The same sequence from the same seed, on every platform (xoshiro256++, seeded by splitmix64).
/// Thread-safety: safe; which thread gets which numbers is theirs to settle.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) noexcept;
    void fill(std::span<std::byte> out) override TOMBOLO_EXCLUDES(mutex_);

  private:
    std::uint64_t step() noexcept TOMBOLO_REQUIRES(mutex_);

    Mutex mutex_;
    std::array<std::uint64_t, 4> state_ TOMBOLO_GUARDED_BY(mutex_);
};

/// Makes ObjectIds as MongoDB's drivers do: the time, five random bytes a generator, a counter that
/// starts at random. Thread-safety: safe.
class ObjectIdGenerator {
  public:
    explicit ObjectIdGenerator(Random& random);
    ObjectId next(std::uint32_t unix_seconds) TOMBOLO_EXCLUDES(mutex_);

  private:
    const std::uint64_t random_;
    Mutex mutex_;
    std::uint32_t counter_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo
