// The filtered view model (server-sync-algorithm.md): the algorithm as written holds, and every
// planted bug is caught.

#include <cstdint>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "sim/view_run.hpp"
#include "support/property.hpp"

namespace tombolo::sim {

namespace {

class FilteredViewBug : public ::testing::TestWithParam<std::pair<PlantedBug, std::string_view>> {};

} // namespace

TEST(FilteredViews, algorithm_as_written_holds_in_every_run) {
    const std::uint64_t runs = testing::is_long_run() ? 12'000 : 1'200;
    ServerStatistics statistics;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        const RunResult result = run_views(seed, {});
        ASSERT_FALSE(result.failure) << "seed " << seed << ": " << *result.failure << "\n"
                                     << result.log;
        statistics += result.statistics;
    }
    std::cout << "filtered views: 0 failures in " << runs << " runs (" << statistics.refusals
              << " refusals, " << statistics.recips << " recips, " << statistics.points
              << " points, " << statistics.collapses << " collapses)\n";
}

TEST(FilteredViews, many_clients_and_long_runs_hold) {
    const std::uint64_t runs = testing::is_long_run() ? 1'000 : 60;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        const RunResult result = run_views(seed, {PlantedBug::none, 300, 6});
        ASSERT_FALSE(result.failure) << "seed " << seed << ": " << *result.failure;
    }
}

TEST(FilteredViews, two_runs_of_one_seed_are_the_same) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        EXPECT_EQ(run_views(seed, {}).log, run_views(seed, {}).log) << "seed " << seed;
    }
}

TEST_P(FilteredViewBug, is_caught) {
    const auto [bug, name] = GetParam();
    constexpr std::uint64_t runs = 600;
    std::uint64_t caught = 0;
    std::uint64_t first_seed = 0;
    std::string first_failure;
    for (std::uint64_t seed = 0; seed < runs; ++seed) {
        const RunResult result = run_views(seed, {bug});
        if (result.failure && caught++ == 0) {
            first_seed = seed;
            first_failure = *result.failure;
        }
    }
    EXPECT_GT(caught, 0U) << name << " was not noticed";
    std::cout << "planted bug " << name << ": caught in " << caught << " of " << runs
              << " runs, first by seed " << first_seed << ": " << first_failure.substr(0, 160)
              << "\n";
}

INSTANTIATE_TEST_SUITE_P(Planted, FilteredViewBug, ::testing::ValuesIn(planted_bugs),
                         [](const auto& test) { return std::string(test.param.second); });

} // namespace tombolo::sim
