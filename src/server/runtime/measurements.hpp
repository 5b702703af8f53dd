#pragma once

// What was measured of apps, minute by minute, since the server started: for the metrics that
// administrators are shown (device-sync-server.md 8.6).
//
// In memory: a week at most, some kilobytes for a busy minute. Durations are kept as counts of
// steps, exact below 128 ms and within 1 % above, so that percentiles are right for any range.
// Thread-safety: all of it, from any thread; a lock an app, held for moments.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "core/object_id.hpp"

namespace tombolo::server {

enum class Measured : std::uint8_t {
    // Counted.
    sessions_started,
    sessions_ended,
    egress_bytes,
    requests,
    invalid_uploads,
    invalid_reads,
    integrations,
    // Levels: how many there are.
    open_sessions,
    open_connections,
    unsynced_documents,
    // Durations, in milliseconds.
    upload_ms,
    bootstrap_ms,
    integrate_ms,
    commit_ms,
    /// What open_connections add up to.
    connection_minutes,
};

class AppMeasurements {
  public:
    /// The clock outlives it.
    explicit AppMeasurements(const Clock& clock) : clock_(clock) {}

    void count(Measured counter, std::uint64_t amount = 1) TOMBOLO_EXCLUDES(mutex_);
    void change(Measured level, int by) TOMBOLO_EXCLUDES(mutex_);
    void took(Measured duration, std::int64_t ms) TOMBOLO_EXCLUDES(mutex_);
    /// For durations.
    std::int64_t monotonic_ms() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic()).count();
    }

    /// A value a step from `start_ms` on: of counters the sum, of levels the highest, of durations
    /// the 95th percentile. Steps finer than a minute get what their minute's start has.
    std::vector<std::int64_t> series(Measured what, std::int64_t start_ms, std::int64_t step_ms,
                                     std::size_t points) const TOMBOLO_EXCLUDES(mutex_);

  private:
    static constexpr std::size_t counters = 7;
    static constexpr std::size_t levels = 3;
    static constexpr std::size_t durations = 4;
    struct Minute {
        std::array<std::uint64_t, counters> sums{};
        std::array<std::int64_t, levels> highest{};
        std::array<std::int64_t, levels> last{};
        std::array<std::map<std::uint16_t, std::uint32_t>, durations> times; ///< by step
    };

    Minute& now() TOMBOLO_REQUIRES(mutex_);
    std::int64_t level_before(std::int64_t minute, std::size_t level) const
        TOMBOLO_REQUIRES(mutex_);
    std::int64_t highest(std::size_t level, std::int64_t from, std::int64_t to) const
        TOMBOLO_REQUIRES(mutex_);
    std::int64_t connection_minutes(std::int64_t from, std::int64_t to) const
        TOMBOLO_REQUIRES(mutex_);
    std::int64_t percentile(std::size_t duration, std::int64_t from, std::int64_t to) const
        TOMBOLO_REQUIRES(mutex_);

    const Clock& clock_;
    mutable Mutex mutex_;
    std::map<std::int64_t, Minute> minutes_ TOMBOLO_GUARDED_BY(mutex_);
};

class Measurements {
  public:
    explicit Measurements(const Clock& clock) : clock_(clock) {}
    std::shared_ptr<AppMeasurements> of(const ObjectId& app) TOMBOLO_EXCLUDES(mutex_);

  private:
    const Clock& clock_;
    Mutex mutex_;
    std::map<ObjectId, std::shared_ptr<AppMeasurements>> apps_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo::server
