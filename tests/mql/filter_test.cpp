// Filters beyond the text-driven cases: allocations, details, bounds, properties.

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mql/allocation_count.hpp"
#include "mql/bson_compare.hpp"
#include "mql/bson_gen.hpp"
#include "mql/case_runner.hpp"
#include "mql/filter.hpp"
#include "mql/regex.hpp"

namespace tombolo::mql {
namespace {

BsonDocument json(std::string_view text) {
    return *test::from_json(text);
}

Filter compiled(std::string_view text) {
    return *Filter::compile(json(text));
}

TEST(Filter, does_not_allocate_for_scalar_predicates) {
    const Filter filter = compiled(
        R"({"a": {"$gt": 1, "$lte": 9}, "b.c": "x", "d": {"$in": [1, "y", null]},
            "e": {"$not": {"$regex": "^z"}}, "$or": [{"f": {"$exists": false}}, {"a": 5}],
            "g": {"$elemMatch": {"$mod": [2, 1]}}, "h": {"$type": "array"}, "i": {"$size": 2},
            "j": {"$bitsAllSet": 5}, "k": {"$geoWithin": {"$box": [[0, 0], [9, 9]]}}})");
    const BsonDocument document =
        json(R"({"a": 5, "b": [{"c": "w"}, {"c": "x"}], "d": "y", "e": "a",
        "g": [2, 3], "h": [], "i": [1, 2], "j": 7, "k": [1, 2]})");
    ASSERT_TRUE(*filter.matches(document)); // sets up the thread's regular expression scratch
    const EvaluationInput input;
    const std::size_t before = test::allocation_count();
    for (int i = 0; i < 100; ++i) {
        filter.matches(document, input).value();
    }
    EXPECT_EQ(test::allocation_count(), before);
}

TEST(Filter, reports_the_matched_array_position) {
    MatchDetails details;
    ASSERT_TRUE(*compiled(R"({"a": {"$gt": 5}})").matches(json(R"({"a": [1, 9]})"), {}, &details));
    EXPECT_EQ(details.array_index, 1);
}

TEST(Filter, reports_no_position_without_an_array_or_a_match) {
    MatchDetails details;
    ASSERT_TRUE(*compiled(R"({"a": 1})").matches(json(R"({"a": 1})"), {}, &details));
    EXPECT_EQ(details.array_index, -1);
    ASSERT_FALSE(*compiled(R"({"a": 1, "b": 2})").matches(json(R"({"a": [1]})"), {}, &details));
    EXPECT_EQ(details.array_index, -1);
}

TEST(Filter, negations_report_no_position) {
    MatchDetails details;
    ASSERT_TRUE(*compiled(R"({"a": {"$ne": 5}})").matches(json(R"({"a": [1, 9]})"), {}, &details));
    EXPECT_EQ(details.array_index, -1);
}

TEST(Filter, default_filter_matches_everything) {
    EXPECT_TRUE(*Filter().matches(json(R"({"a": 1})")));
}

TEST(Filter, outlives_its_spec) {
    auto spec = std::make_unique<BsonDocument>(json(R"({"a": {"$in": ["x", "y"]}})"));
    const Filter filter = *Filter::compile(*spec);
    spec.reset();
    EXPECT_TRUE(*filter.matches(json(R"({"a": "y"})")));
}

TEST(Filter, unknown_operators_name_the_operator_and_the_path) {
    const auto failed =
        Filter::compile(json(R"({"$and": [{"a.b": {"$elemMatch": {"c": {"$x": 1}}}}]})"));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::mql_unsupported);
    EXPECT_EQ(failed.error().message(), "unknown operator: $x");
    EXPECT_NE(failed.error().context().find("field 'a.b'"), std::string::npos);
    EXPECT_NE(failed.error().context().find("field 'c'"), std::string::npos);
}

TEST(Filter, refuses_paths_that_are_too_long) {
    std::string path = "a";
    for (std::size_t i = 0; i < limits::document_depth_max; ++i) {
        path += ".a";
    }
    BsonWriter writer;
    writer.append_int32(path, 1);
    EXPECT_FALSE(Filter::compile(std::move(writer).finish()));
}

TEST(Filter, near_gives_distances_in_metres) {
    const Filter filter =
        compiled(R"({"l": {"$near": {"$geometry": {"type": "Point", "coordinates": [0, 0]}}}})");
    ASSERT_TRUE(filter.has_near());
    const auto distance =
        filter.near_distance(json(R"({"l": {"type": "Point", "coordinates": [1, 0]}})"));
    ASSERT_TRUE(distance);
    EXPECT_NEAR(*distance, 111'319, 1);
    EXPECT_FALSE(filter.near_distance(json(R"({"l": 5})")));
}

RC_GTEST_PROP(Filter, each_comparison_is_the_negation_of_its_opposite, ()) {
    const BsonDocument document = test::any_document(2);
    const BsonValue operand = test::any_value(1);
    if (operand.type() == BsonType::undefined) {
        return;
    }
    for (const auto& [op, opposite] : {std::pair("$eq", "$ne"), std::pair("$in", "$nin")}) {
        const bool list = std::string_view(op) == "$in";
        const auto build = [&](std::string_view name) {
            BsonWriter writer;
            writer.begin_document("a");
            if (list) {
                writer.begin_array(name);
                writer.append({}, operand);
                writer.end();
            } else {
                writer.append(name, operand);
            }
            return Filter::compile(std::move(writer).finish());
        };
        const auto filter = build(op);
        const auto negated = build(opposite);
        RC_ASSERT(filter.has_value() && negated.has_value());
        RC_ASSERT(*filter->matches(document) != *negated->matches(document));
    }
}

RC_GTEST_PROP(Filter, equality_finds_the_value_itself, ()) {
    const BsonValue value = test::any_value(2);
    if (value.type() == BsonType::undefined) {
        return;
    }
    BsonWriter document;
    document.append("a", value);
    BsonWriter writer;
    writer.begin_document("a");
    writer.append("$eq", value);
    RC_ASSERT(*Filter::compile(std::move(writer).finish())->matches(std::move(document).finish()));
}

RC_GTEST_PROP(Filter, in_is_any_equality, ()) {
    const BsonDocument document = test::any_document(1);
    BsonWriter in;
    BsonWriter any;
    in.begin_document("a");
    in.begin_array("$in");
    any.begin_array("$or");
    for (int count = *rc::gen::inRange(1, 6); count > 0; --count) {
        BsonValue value = test::any_value(1);
        if (value.type() == BsonType::undefined) {
            value = BsonValue::from_null();
        }
        in.append({}, value);
        any.begin_document({});
        any.begin_document("a");
        any.append("$eq", value);
        any.end();
        any.end();
    }
    const auto left = Filter::compile(std::move(in).finish());
    const auto right = Filter::compile(std::move(any).finish());
    RC_ASSERT(left.has_value() && right.has_value());
    RC_ASSERT(*left->matches(document) == *right->matches(document));
}

TEST(Regex, finds_groups) {
    const Regex regex = *Regex::compile("(a)(x)?(b)", "");
    const auto ranges = *regex.find("zab", 0);
    ASSERT_EQ(ranges.size(), 4U);
    EXPECT_EQ(ranges[0].begin, 1U);
    EXPECT_EQ(ranges[0].end, 3U);
    EXPECT_FALSE(ranges[2].set);
    EXPECT_TRUE(ranges[3].set);
    EXPECT_EQ(regex.group_count(), 3U);
}

TEST(Regex, refuses_patterns_that_are_too_long) {
    EXPECT_FALSE(Regex::compile(std::string(40'000, 'a'), ""));
}

TEST(Regex, refuses_patterns_with_nul) {
    EXPECT_FALSE(Regex::compile(std::string_view("a\0b", 3), ""));
}

TEST(Regex, matches_in_text_that_is_not_utf8) {
    EXPECT_TRUE(*Regex::compile("b$", "")->matches("\xff\xfe b"));
}

TEST(Regex, stops_at_its_limits) {
    const auto matched = Regex::compile("(a+)+$", "")->matches(std::string(5'000, 'a') + "b");
    ASSERT_FALSE(matched);
    EXPECT_EQ(matched.error().code(), ErrorCode::mql_failed);
}

} // namespace
} // namespace tombolo::mql
