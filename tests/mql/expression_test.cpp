// Expressions: types of results, bounds, variables, and properties. What each operator gives:
// tests/cases/mql/expressions_*.jsonl.

#include <cstdint>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mql/bson_compare.hpp"
#include "mql/case_runner.hpp"
#include "mql/expression.hpp"

namespace tombolo::mql {
namespace {

Result<BsonValue> evaluate(const std::string& spec, const std::string& document = "{}",
                           const EvaluationInput& input = {},
                           const ExpressionOptions& options = {}) {
    const BsonDocument holder = test::from_json("{\"e\": " + spec + "}").value();
    const BsonDocument root = test::from_json(document).value();
    TOMBOLO_TRY(const Expression expression, Expression::compile(holder.view().find("e"), options));
    return expression.evaluate(root.view(), input);
}

std::string text(const std::string& spec, const std::string& document = "{}") {
    const auto value = evaluate(spec, document);
    return value ? test::to_json(value->view()) : value.error().what();
}

BsonType type_of(const std::string& spec) {
    return evaluate(spec).value().type();
}

TEST(Expression, adding_promotes_int_to_long_to_double_to_decimal) {
    EXPECT_EQ(BsonType::int32, type_of(R"({"$add": [1, 2]})"));
    EXPECT_EQ(BsonType::int64, type_of(R"({"$add": [2147483647, 1]})"));
    EXPECT_EQ(BsonType::int64, type_of(R"({"$add": [1, {"$numberLong": "1"}]})"));
    EXPECT_EQ(BsonType::float64,
              type_of(R"({"$add": [{"$numberLong": "9223372036854775807"}, 1]})"));
    EXPECT_EQ(BsonType::float64, type_of(R"({"$add": [1, 2.0]})"));
    EXPECT_EQ(BsonType::decimal128, type_of(R"({"$add": [1.5, {"$numberDecimal": "1"}]})"));
}

TEST(Expression, decimals_stay_exact) {
    EXPECT_EQ(R"({"$numberDecimal":"0.3"})",
              text(R"({"$add": [{"$numberDecimal": "0.1"}, {"$numberDecimal": "0.2"}]})"));
    EXPECT_EQ(R"({"$numberDecimal":"1.00"})", text(R"({"$mod": [{"$numberDecimal": "7.00"}, 2]})"));
    EXPECT_EQ(R"({"$numberDecimal":"2"})", text(R"({"$round": {"$numberDecimal": "2.5"}})"));
    EXPECT_EQ(R"({"$numberDecimal":"3"})", text(R"({"$sqrt": {"$numberDecimal": "9"}})"));
    EXPECT_EQ(R"({"$numberDecimal":"2.50000000000000"})", text(R"({"$toDecimal": 2.5})"));
}

TEST(Expression, whole_powers_of_ints_stay_ints) {
    EXPECT_EQ(BsonType::int32, type_of(R"({"$pow": [2, 10]})"));
    EXPECT_EQ(BsonType::int64, type_of(R"({"$pow": [2, 40]})"));
    EXPECT_EQ(BsonType::float64, type_of(R"({"$pow": [2, 80]})"));
    EXPECT_EQ(BsonType::float64, type_of(R"({"$pow": [2, -1]})"));
}

TEST(Expression, missing_value_is_told_from_null) {
    EXPECT_TRUE(evaluate("\"$a\"").value().is_missing());
    EXPECT_EQ(BsonType::null, evaluate("\"$a\"", R"({"a": null})").value().type());
    EXPECT_TRUE(evaluate("\"$$REMOVE\"").value().is_missing());
}

TEST(Expression, now_and_random_are_passed_in) {
    const std::function<double()> random = [] { return 0.25; };
    EvaluationInput input;
    input.now_ms = 1234;
    input.random = &random;
    EXPECT_EQ(1234, evaluate("\"$$NOW\"", "{}", input).value().view().as_date_ms());
    EXPECT_EQ(0.25, evaluate(R"({"$rand": {}})", "{}", input).value().view().as_double());
    EXPECT_FALSE(evaluate(R"({"$rand": {}})"));
}

TEST(Expression, user_variables_come_by_position) {
    const BsonValue seven = BsonValue::from_int32(7);
    const std::vector<BsonView> values = {BsonView(), seven.view()};
    EvaluationInput input;
    input.variables = values;
    const auto sum = evaluate(R"({"$add": ["$$second", 1]})", "{}", input, {{"first", "second"}});
    EXPECT_EQ(8, sum.value().view().as_int32());
    EXPECT_TRUE(evaluate("\"$$first\"", "{}", input, {{"first", "second"}}).value().is_missing());
}

TEST(Expression, steps_are_bounded) {
    EvaluationInput input;
    input.steps_max = 1000;
    const auto result = evaluate(
        R"({"$map": {"input": {"$range": [0, 100]}, "in": {"$size": {"$map": {"input": {"$range": [0, 100]}, "in": 1}}}}})",
        "{}", input);
    ASSERT_FALSE(result);
    EXPECT_EQ(ErrorCode::limit_exceeded, result.error().code());
}

TEST(Expression, memory_is_bounded) {
    EvaluationInput input;
    input.bytes_max = 10'000;
    const auto result =
        evaluate(R"({"$size": [[{"$range": [0, 5000]}, {"$add": [1, 1]}]]})", "{}", input);
    ASSERT_FALSE(result);
    EXPECT_EQ(ErrorCode::limit_exceeded, result.error().code());
}

TEST(Expression, loops_give_their_memory_back) {
    EvaluationInput input;
    input.bytes_max = 1'000'000;
    const auto result = evaluate(
        R"({"$reduce": {"input": {"$range": [0, 2000]}, "initialValue": 0, "in": {"$add": ["$$value", {"$size": {"$range": [0, 100]}}]}}})",
        "{}", input);
    EXPECT_EQ(200'000, result.value().view().as_int32());
}

TEST(Expression, nesting_is_bounded) {
    std::string spec = "1";
    for (int i = 0; i < 45; ++i) {
        spec.insert(0, "{\"$abs\": [").append("]}");
    }
    EXPECT_TRUE(evaluate(spec));
    BsonDocument deep;
    for (int i = 0; i < 150; ++i) {
        BsonWriter writer;
        writer.append("$abs", i == 0 ? BsonValue::from_int32(1).view() : deep.view().as_value());
        deep = std::move(writer).finish();
    }
    const auto compiled = Expression::compile(deep.view().as_value());
    ASSERT_FALSE(compiled);
    EXPECT_EQ(ErrorCode::limit_exceeded, compiled.error().code());
}

TEST(Expression, constants_are_known) {
    const BsonDocument holder = test::from_json(R"({"c": {"$literal": 5}, "f": "$a"})").value();
    EXPECT_TRUE(Expression::compile(holder.view().find("c")).value().is_constant());
    EXPECT_FALSE(Expression::compile(holder.view().find("f")).value().is_constant());
}

std::string array_text(const std::vector<std::int32_t>& numbers) {
    std::string out = "[";
    for (const std::int32_t number : numbers) {
        out += (out.size() > 1 ? ", " : "") + std::to_string(number);
    }
    return out + "]";
}

RC_GTEST_PROP(ExpressionProperty, reversing_twice_gives_the_array,
              (const std::vector<std::int32_t>& numbers)) {
    const std::string array = array_text(numbers);
    RC_ASSERT(text(R"({"$reverseArray": {"$reverseArray": [)" + array + "]}}") ==
              text(R"({"$literal": )" + array + "}"));
}

RC_GTEST_PROP(ExpressionProperty, slices_put_together_give_the_array,
              (const std::vector<std::int32_t>& numbers)) {
    const auto at = *rc::gen::inRange<std::size_t>(0, numbers.size() + 1);
    const std::string document = "{\"l\": " + array_text(numbers) + "}";
    const std::string head = "{\"$slice\": [\"$l\", " + std::to_string(at) + "]}";
    const std::string tail = numbers.size() == at
                                 ? "[]"
                                 : "{\"$slice\": [\"$l\", " + std::to_string(at) + ", " +
                                       std::to_string(numbers.size()) + "]}";
    RC_ASSERT(text("{\"$concatArrays\": [" + head + ", " + tail + "]}", document) ==
              text("\"$l\"", document));
}

RC_GTEST_PROP(ExpressionProperty, dates_survive_parts_and_text, (std::int32_t seconds)) {
    const std::string ms = std::to_string(std::int64_t{seconds} * 1000 + 7);
    const std::string document = R"({"d": {"$date": {"$numberLong": ")" + ms + R"("}}})";
    RC_ASSERT(text(R"({"$dateFromString": {"dateString": {"$dateToString": {"date": "$d"}}}})",
                   document) == text("\"$d\"", document));
    const std::string parts =
        R"({"$let": {"vars": {"p": {"$dateToParts": {"date": "$d", "iso8601": true}}}, "in": {"$dateFromParts": {"isoWeekYear": "$$p.isoWeekYear", "isoWeek": "$$p.isoWeek", "isoDayOfWeek": "$$p.isoDayOfWeek", "hour": "$$p.hour", "minute": "$$p.minute", "second": "$$p.second", "millisecond": "$$p.millisecond"}}}})";
    RC_ASSERT(text(parts, document) == text("\"$d\"", document));
}

} // namespace
} // namespace tombolo::mql
