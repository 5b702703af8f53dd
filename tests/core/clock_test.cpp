#include "core/clock.hpp"

#include <gtest/gtest.h>

namespace tombolo {
namespace {

TEST(Clock, system_clock_shows_this_century_and_never_goes_back) {
    const SystemClock clock;
    EXPECT_GT(clock.unix_ms(), 1'600'000'000'000);
    EXPECT_LT(clock.now().to_string(), "2100");
    const auto before = clock.monotonic();
    EXPECT_LE(before, clock.monotonic());
}

TEST(Clock, manual_clock_moves_when_told) {
    ManualClock clock(5);
    EXPECT_EQ(clock.unix_ms(), 5);
    clock.advance(std::chrono::seconds(2));
    clock.advance(std::chrono::nanoseconds(1));
    EXPECT_EQ(clock.unix_ms(), 2005);
    EXPECT_EQ(clock.now(), *Timestamp::make(2, 5'000'001));
    EXPECT_EQ(clock.monotonic(), std::chrono::nanoseconds(2'000'000'001));
}

TEST(Clock, manual_clock_passes_the_epoch) {
    ManualClock clock(-1500);
    EXPECT_EQ(clock.now(), *Timestamp::make(-1, -500'000'000));
    clock.advance(std::chrono::milliseconds(1500));
    EXPECT_EQ(clock.now(), Timestamp());
    clock.advance(std::chrono::hours(24 * 365 * 200));
    EXPECT_EQ(clock.unix_ms(), std::int64_t{24} * 365 * 200 * 3'600'000);
}

} // namespace
} // namespace tombolo
