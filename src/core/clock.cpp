#include "core/clock.hpp"

#include "core/check.hpp"

namespace tombolo {

namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;

/// REQUIRES: nanoseconds >= 0
Timestamp timestamp_of(std::int64_t seconds, std::int64_t nanoseconds) {
    seconds += nanoseconds / ns_per_second;
    nanoseconds %= ns_per_second;
    if (seconds < 0 && nanoseconds > 0) {
        ++seconds;
        nanoseconds -= ns_per_second;
    }
    return Timestamp::make(seconds, static_cast<std::int32_t>(nanoseconds)).value();
}

} // namespace

Timestamp SystemClock::now() const {
    using std::chrono::duration_cast;
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const auto rest = duration_cast<std::chrono::nanoseconds>(since_epoch - seconds);
    return timestamp_of(seconds.count(), rest.count());
}

Clock::Monotonic SystemClock::monotonic() const {
    return std::chrono::duration_cast<Monotonic>(
        std::chrono::steady_clock::now().time_since_epoch());
}

Timestamp ManualClock::now() const {
    // In two steps, so that neither part overflows.
    const std::int64_t elapsed_ns = elapsed_ns_.load();
    std::int64_t seconds = start_unix_ms_ / 1000;
    std::int64_t ms = start_unix_ms_ % 1000;
    if (ms < 0) {
        --seconds;
        ms += 1000;
    }
    return timestamp_of(seconds + elapsed_ns / ns_per_second,
                        ms * 1'000'000 + elapsed_ns % ns_per_second);
}

void ManualClock::advance(Monotonic duration) {
    TOMBOLO_CHECK(duration.count() >= 0);
    elapsed_ns_.fetch_add(duration.count());
}

} // namespace tombolo
