// The text-driven cases of tests/cases/mql.

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "mql/case_runner.hpp"

namespace tombolo::mql {
namespace {

class MqlCases : public testing::TestWithParam<const char*> {};

TEST_P(MqlCases, give_what_they_expect) {
    std::ifstream file(std::string(TOMBOLO_TEST_DATA) + "/cases/mql/" + GetParam() + ".jsonl");
    ASSERT_TRUE(file.is_open());
    std::string line;
    std::size_t count = 0;
    while (std::getline(file, line)) {
        const auto parsed = test::from_json(line);
        ASSERT_TRUE(parsed) << line;
        const BsonView name = parsed->view().find("name");
        ASSERT_TRUE(name.is_string()) << line;
        EXPECT_EQ("", test::check_case(parsed->view())) << name.as_string();
        ++count;
    }
    EXPECT_GT(count, 0U);
}

INSTANTIATE_TEST_SUITE_P(Files, MqlCases,
                         testing::Values("filters", "updates", "projections", "sorts",
                                         "expressions_arithmetic", "expressions_array",
                                         "expressions_date", "expressions_logic",
                                         "expressions_string", "expressions_type", "pipelines",
                                         "pipeline_errors"),
                         [](const auto& file) { return std::string(file.param); });

} // namespace
} // namespace tombolo::mql
