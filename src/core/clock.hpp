#pragma once

// Time as a parameter: everything above core/ asks a Clock, so that the simulation can run on
// virtual time.
//
// Thread-safety: a Clock may be asked from several threads. A clock outlives whom it is given to.

#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/timestamp.hpp"

namespace tombolo {

class Clock {
  public:
    /// Monotonic time since an arbitrary start: for intervals, timeouts and back-off.
    using Monotonic = std::chrono::nanoseconds;

    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    /// Wall-clock time; may jump when the machine's clock is set.
    virtual Timestamp now() const = 0;
    /// Never goes back.
    virtual Monotonic monotonic() const = 0;

    std::int64_t unix_ms() const { return now().to_unix_ms(); }
};

/// The machine's clocks.
class SystemClock final : public Clock {
  public:
    Timestamp now() const override;
    Monotonic monotonic() const override;
};

/// Stands still until it is moved; both times move together.
class ManualClock final : public Clock {
  public:
    /// Starts at this many milliseconds since 1970.
    explicit ManualClock(std::int64_t start_unix_ms = 1'700'000'000'000) noexcept
        : start_unix_ms_(start_unix_ms) {}

    Timestamp now() const override;
    Monotonic monotonic() const override { return Monotonic(elapsed_ns_.load()); }

    /// REQUIRES: not negative.
    void advance(Monotonic duration);

  private:
    const std::int64_t start_unix_ms_;
    std::atomic<std::int64_t> elapsed_ns_{0};
};

} // namespace tombolo
