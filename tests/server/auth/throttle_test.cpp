#include "server/auth/throttle.hpp"

#include <gtest/gtest.h>

namespace tombolo::auth {
namespace {

ThrottleOptions options(unsigned per_minute, unsigned burst) {
    ThrottleOptions out;
    out.requests_per_minute = per_minute;
    out.burst = burst;
    return out;
}

TEST(Throttle, burst_then_the_sustained_rate) {
    Throttle throttle(options(60, 3));
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(throttle.allow_request("a", 0));
    }
    EXPECT_FALSE(throttle.allow_request("a", 999));
    EXPECT_TRUE(throttle.allow_request("a", 1000));
    EXPECT_FALSE(throttle.allow_request("a", 1500));
    EXPECT_TRUE(throttle.allow_request("b", 1500));
}

TEST(Throttle, a_pause_fills_the_burst_and_no_more) {
    Throttle throttle(options(60, 2));
    EXPECT_TRUE(throttle.allow_request("a", 0));
    EXPECT_TRUE(throttle.allow_request("a", 1'000'000));
    EXPECT_TRUE(throttle.allow_request("a", 1'000'000));
    EXPECT_FALSE(throttle.allow_request("a", 1'000'000));
}

TEST(Throttle, zero_means_no_limit) {
    Throttle throttle(options(0, 0));
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(throttle.allow_request("a", 0));
    }
}

TEST(Throttle, clock_set_back_costs_nothing) {
    Throttle throttle(options(60, 5));
    EXPECT_TRUE(throttle.allow_request("a", 10'000'000));
    EXPECT_TRUE(throttle.allow_request("a", 0));
    EXPECT_TRUE(throttle.allow_request("a", 1));
    for (int i = 0; i < 7; ++i) {
        throttle.failed("u", 10'000'000);
    }
    EXPECT_LE(throttle.wait_ms("u", 0), ThrottleOptions{}.wait_ms_max);
}

TEST(Throttle, waits_double_with_each_failure_up_to_the_longest) {
    Throttle throttle({});
    for (int i = 0; i < 5; ++i) {
        throttle.failed("u", 0);
    }
    EXPECT_EQ(throttle.wait_ms("u", 0), 0);
    for (const std::int64_t wait : {1000, 2000, 4000, 8000}) {
        throttle.failed("u", 0);
        EXPECT_EQ(throttle.wait_ms("u", 0), wait);
    }
    for (int i = 0; i < 100; ++i) {
        throttle.failed("u", 0);
    }
    EXPECT_EQ(throttle.wait_ms("u", 0), 15 * 60 * 1000);
    EXPECT_EQ(throttle.wait_ms("u", 15 * 60 * 1000), 0);
    EXPECT_EQ(throttle.wait_ms("v", 0), 0);
}

TEST(Throttle, success_forgets_the_failures) {
    Throttle throttle({});
    for (int i = 0; i < 8; ++i) {
        throttle.failed("u", 0);
    }
    throttle.succeeded("u");
    EXPECT_EQ(throttle.wait_ms("u", 0), 0);
    throttle.failed("u", 0);
    EXPECT_EQ(throttle.wait_ms("u", 0), 0);
}

TEST(Throttle, forgets_the_longest_unused_when_full) {
    ThrottleOptions small = options(60, 1);
    small.entries_max = 2;
    Throttle throttle(small);
    EXPECT_TRUE(throttle.allow_request("a", 0));
    EXPECT_TRUE(throttle.allow_request("b", 0));
    EXPECT_FALSE(throttle.allow_request("a", 0)); // used: b goes first
    EXPECT_TRUE(throttle.allow_request("c", 0));
    EXPECT_FALSE(throttle.allow_request("a", 0));
    EXPECT_TRUE(throttle.allow_request("b", 0));
}

} // namespace
} // namespace tombolo::auth
