// The real engine under simulation: devices converge whatever happens, and planted mistakes show.

#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "sim/engine_oracle.hpp"
#include "sim/engine_run.hpp"
#include "support/property.hpp"

namespace tombolo::sim {

namespace {

using server::sync::EngineBugs;

struct PlantedEngineBug {
    const char* name;
    bool EngineBugs::*flag;
};

// The rows of server-sync-algorithm.md 11, and more of the kind.
constexpr PlantedEngineBug engine_bugs[] = {
    {"merge_with_shared_history", &EngineBugs::merge_with_shared_history},
    {"bootstrap_at_reached_version", &EngineBugs::bootstrap_at_reached_version},
    {"recips_not_kept", &EngineBugs::recips_not_kept},
    {"newest_client_version_everywhere", &EngineBugs::newest_client_version_everywhere},
    {"refusal_without_reset", &EngineBugs::refusal_without_reset},
    {"cut_by_current_view", &EngineBugs::cut_by_current_view},
    {"own_departure_not_erased", &EngineBugs::own_departure_not_erased},
    {"collapse_of_views_only", &EngineBugs::collapse_of_views_only},
    {"resent_upload_integrated_again", &EngineBugs::resent_upload_integrated_again},
    {"uploads_judged_by_no_view", &EngineBugs::uploads_judged_by_no_view},
    {"bootstrap_from_current_documents", &EngineBugs::bootstrap_from_current_documents},
    {"sent_before_durable", &EngineBugs::sent_before_durable},
    {"points_not_met", &EngineBugs::points_not_met},
    {"drained_under_the_old_role", &EngineBugs::drained_under_the_old_role},
};

/// Of batches made while the one below is being committed.
constexpr PlantedEngineBug ahead_bugs[] = {
    {"ahead_of_nothing", &EngineBugs::ahead_of_nothing},
    {"ahead_told_with_below", &EngineBugs::ahead_told_with_below},
};

class SyncEngineAheadBug : public ::testing::TestWithParam<PlantedEngineBug> {};

class SyncEngineBug : public ::testing::TestWithParam<PlantedEngineBug> {};

} // namespace

TEST(SyncEngineSim, a_named_seed_tells_all) {
    const char* seed = std::getenv("TOMBOLO_SEED");
    if (seed == nullptr) {
        return;
    }
    const EngineRunResult result = run_engine(std::strtoull(seed, nullptr, 10), {});
    std::cout << result.log << (result.failure ? *result.failure : "no failure") << "\n";
}

// Invariants 1 to 9 are asserted all the way: engine_oracle.hpp, the model device, the engine.
TEST(SyncEngineSim, devices_and_documents_converge) {
    const bool is_long = testing::is_long_run();
    const std::uint64_t steps_min = is_long ? 1'000'000 : 30'000;
    const std::uint64_t first = is_long ? std::random_device{}() : 0;
    if (is_long) {
        std::cout << "sync engine: from TOMBOLO_SEED=" << first << " on\n";
    }
    std::uint64_t steps = 0;
    std::uint64_t compared = 0;
    std::uint64_t seed = first;
    for (; steps < steps_min; ++seed) {
        const EngineRunResult result = run_engine(seed, {});
        ASSERT_FALSE(result.failure)
            << "TOMBOLO_SEED=" << seed << " (" << result.profile << "): " << *result.failure;
        steps += result.steps;
        compared += result.compared;
    }
    std::cout << "sync engine: 0 failures in " << seed - first << " runs, " << steps << " steps, "
              << compared << " parts both sent and merged with\n";
    EXPECT_GT(compared, steps / 100);
}

// Commits fail below batches that were made meanwhile, and servers die with both under way.
TEST(SyncEngineSim, devices_converge_with_batches_made_ahead) {
    const bool is_long = testing::is_long_run();
    const std::uint64_t steps_min = is_long ? 1'000'000 : 30'000;
    const std::uint64_t first = is_long ? std::random_device{}() : 0;
    EngineRunOptions options;
    options.profile = &ahead_profile();
    std::uint64_t steps = 0;
    std::uint64_t ahead = 0;
    std::uint64_t refused = 0;
    std::uint64_t seed = first;
    for (; steps < steps_min; ++seed) {
        const EngineRunResult result = run_engine(seed, options);
        ASSERT_FALSE(result.failure) << "seed " << seed << ": " << *result.failure;
        steps += result.steps;
        ahead += result.ahead;
        refused += result.refused;
    }
    std::cout << "sync engine: 0 failures in " << seed - first << " runs, " << steps << " steps, "
              << ahead << " batches made ahead, " << refused << " commits refused below them\n";
    EXPECT_GT(ahead, steps / 200);
    EXPECT_GT(refused, steps / 1000);
}

TEST(SyncEngineSim, invariant_2_a_part_that_was_sent_otherwise_than_merged_with_is_noticed) {
    const std::string database = fresh_database();
    World world(1, World::model_of_views(database));
    const server::sync::ObjectRef object{"T", std::int64_t{5}};
    const auto part = [](std::int64_t value) {
        changeset::ChangesetBuilder builder;
        builder.update({"T", std::int64_t{5}, "x"}, value);
        return builder.finish().value();
    };
    for (const std::int64_t value : {1, 2}) {
        EngineOracle sent_last(world, database);
        sent_last.note_met(3, 9, object, part(1));
        EXPECT_EQ(sent_last.check_sent(3, 9, part(value)).has_value(), value != 1);
        EXPECT_FALSE(sent_last.check_sent(4, 9, part(value)));

        EngineOracle met_last(world, database);
        EXPECT_FALSE(met_last.check_sent(3, 9, part(1)));
        met_last.note_met(3, 9, object, part(value));
        EXPECT_EQ(met_last.violation().has_value(), value != 1);
    }
}

TEST(SyncEngineSim, invariant_8_two_runs_of_one_seed_are_the_same) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
        EXPECT_EQ(run_engine(seed, {}).log, run_engine(seed, {}).log) << "seed " << seed;
    }
}

// The right code passes these seeds and many more.
void expect_caught(const PlantedEngineBug& bug, std::uint64_t steps_max, EngineRunOptions options) {
    options.bugs.*bug.flag = true;
    std::uint64_t steps = 0;
    for (std::uint64_t seed = 0; steps < steps_max; ++seed) {
        const EngineRunResult result = run_engine(seed, options);
        steps += result.steps;
        if (result.failure) {
            std::cout << "planted bug " << bug.name << ": caught by seed " << seed << " ("
                      << result.profile << ") after " << steps
                      << " steps: " << result.failure->substr(0, 140) << "\n";
            EXPECT_LE(steps, steps_max);
            return;
        }
    }
    ADD_FAILURE() << bug.name << " was not noticed";
}

TEST_P(SyncEngineBug, is_caught_within_2000_steps) {
    expect_caught(GetParam(), 2000, {});
}

TEST_P(SyncEngineAheadBug, is_caught_within_20000_steps) {
    EngineRunOptions options;
    options.profile = &ahead_profile();
    expect_caught(GetParam(), 20'000, options);
}

const auto name_of_bug = [](const auto& test) { return std::string(test.param.name); };

INSTANTIATE_TEST_SUITE_P(Planted, SyncEngineBug, ::testing::ValuesIn(engine_bugs), name_of_bug);
INSTANTIATE_TEST_SUITE_P(Planted, SyncEngineAheadBug, ::testing::ValuesIn(ahead_bugs), name_of_bug);

} // namespace tombolo::sim
