// The real engine under simulation while history is trimmed: devices converge or are told to reset,
// and only those that were away for too long are.

#include <iostream>

#include <gtest/gtest.h>

#include "sim/engine_run.hpp"
#include "support/property.hpp"

namespace tombolo::sim {

namespace {

EngineProfile trimming() {
    EngineProfile profile;
    profile.name = "trimming";
    profile.steps = 300;
    profile.trim = 50;
    profile.disconnect = 60;
    profile.connect = 5;
    return profile;
}

} // namespace

TEST(TrimmingSim, devices_converge_while_history_goes) {
    const std::uint64_t runs = testing::is_long_run() ? 4'000 : 100;
    std::uint64_t trimmed = 0;
    std::uint64_t expired = 0;
    const EngineProfile profile = trimming();
    EngineRunOptions options;
    options.profile = &profile;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        const EngineRunResult result = run_engine(seed, options);
        ASSERT_FALSE(result.failure) << "seed " << seed << ": " << *result.failure;
        trimmed += result.trimmed;
        expired += result.expired;
    }
    EXPECT_GT(trimmed, runs);
    EXPECT_GT(expired, 0U);
    std::cout << "trimming: 0 failures in " << runs << " runs, " << trimmed << " versions trimmed, "
              << expired << " devices reset\n";
}

TEST(TrimmingSim, devices_converge_while_others_are_reset) {
    EngineProfile profile = trimming();
    profile.trim = 20;
    profile.reset = 30;
    EngineRunOptions options;
    options.profile = &profile;
    std::uint64_t reset = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const EngineRunResult result = run_engine(seed, options);
        ASSERT_FALSE(result.failure) << "seed " << seed << ": " << *result.failure;
        reset += result.expired;
    }
    EXPECT_GT(reset, 100U);
    std::cout << "resets: 0 failures in 100 runs, " << reset << " devices reset\n";
}

TEST(TrimmingSim, without_crashes_only_devices_that_were_away_too_long_are_reset) {
    EngineProfile profile = trimming();
    profile.crash = 0;
    EngineRunOptions options;
    options.profile = &profile;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        const EngineRunResult result = run_engine(seed, options);
        ASSERT_FALSE(result.failure) << "seed " << seed << ": " << *result.failure;
    }
}

TEST(TrimmingSim, trimming_what_a_device_still_needs_is_noticed) {
    EngineProfile profile = trimming();
    profile.crash = 0;
    EngineRunOptions options;
    options.profile = &profile;
    options.bugs.trimmed_by_age_only = true;
    for (std::uint64_t seed = 0; seed < 600; ++seed) {
        if (run_engine(seed, options).failure) {
            std::cout << "planted bug trimmed_by_age_only: caught by seed " << seed << "\n";
            return;
        }
    }
    ADD_FAILURE() << "not noticed";
}

} // namespace tombolo::sim
