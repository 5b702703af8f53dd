// Convergence of the merge over random schemas and random concurrent histories
// (changesets-and-merge.md 6.1).

#include <cstdint>
#include <iostream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/merge_case.hpp"
#include "support/property.hpp"
#include "support/sync_session.hpp"

namespace tombolo::testing {

namespace {

/// A number that decides one operation: it has no smaller form, so only whole operations are
/// dropped when a case shrinks.
rc::Gen<std::uint32_t> operation() {
    return rc::gen::noShrink(
        rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint32_t>(0, 0xffffffffU)));
}

rc::Gen<std::vector<std::uint32_t>> operations(int most) {
    return rc::gen::resize(most, rc::gen::container<std::vector<std::uint32_t>>(operation()));
}

rc::Gen<std::vector<std::vector<std::uint32_t>>> changesets(std::size_t count, int most) {
    return rc::gen::container<std::vector<std::vector<std::uint32_t>>>(count, operations(most));
}

void expect_merges(const MergeCaseNumbers& numbers) {
    if (std::optional<std::string> failure = check_merge_case(build_merge_case(numbers))) {
        RC_FAIL(*failure);
    }
}

} // namespace

TEST(MergeProperty, two_concurrent_changesets_converge) {
    expect_property("concurrent pairs", 10'000, 200'000, [] {
        expect_merges(
            {*operation(), *operations(20), *changesets(1, 9), *changesets(1, 9), *operation()});
    });
}

TEST(MergeProperty, several_changesets_on_each_side_converge) {
    expect_property("concurrent runs of changesets", 2'000, 50'000, [] {
        const auto left = *rc::gen::inRange<std::size_t>(1, 5);
        const auto right = *rc::gen::inRange<std::size_t>(1, 5);
        expect_merges({*operation(), *operations(20), *changesets(left, 5), *changesets(right, 5),
                       *operation()});
    });
}

TEST(MergeProperty, files_end_equal_whatever_the_order_of_commits_uploads_and_downloads) {
    expect_property("sessions of 2 to 4 clients", 1'500, 30'000, [] {
        SessionNumbers numbers{*operation(), *rc::gen::inRange<std::uint32_t>(2, 5),
                               *operations(40)};
        if (std::optional<std::string> failure = check_session(numbers)) {
            RC_FAIL(*failure);
        }
    });
}

TEST(MergeProperty, files_end_equal_in_every_order_of_uploads) {
    expect_property("every order of uploads", 300, 5'000, [] {
        SessionNumbers numbers{*operation(), *rc::gen::inRange<std::uint32_t>(2, 5),
                               *operations(10)};
        if (std::optional<std::string> failure = check_every_upload_order(numbers)) {
            RC_FAIL(*failure);
        }
    });
}

// The canary: patterns that are known not to converge are found, so the properties above can fail.
TEST(MergeProperty, a_writer_that_walks_into_the_known_edges_is_caught) {
    const auto property = [](std::uint32_t first) {
        const auto numbers = [&](std::uint32_t salt, std::size_t count) {
            Choices choices(std::uint64_t{first} * 64 + salt);
            std::vector<std::uint32_t> result(count);
            for (std::uint32_t& number : result) {
                number = choices.pick(0xffffffffU);
            }
            return result;
        };
        return check_merge_case(
            build_merge_case({first, numbers(1, 20), {numbers(2, 8)}, {numbers(3, 8)}, first},
                             WriterHabit::careless));
    };
    int caught = 0;
    std::uint32_t cases = 0;
    for (; cases < 20'000 && caught < 10; ++cases) {
        if (const std::optional<std::string> failure = property(cases)) {
            ++caught;
            EXPECT_NE(failure->find("\"left_transformed_hex\":"), std::string::npos);
        }
    }
    EXPECT_EQ(caught, 10);
    std::cout << "canary: 10 failures within " << cases << " careless pairs\n";
}

} // namespace tombolo::testing
