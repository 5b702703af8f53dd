#include "core/json_reader.hpp"

#include <bit>
#include <charconv>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/text.hpp"
#include "support/generators.hpp"

namespace tombolo {
namespace {

TEST(JsonReader, pulls_what_the_caller_expects) {
    JsonReader json(" { \"a\" : [ 1 , true ] } ");
    EXPECT_TRUE(json.expect('{'));
    EXPECT_EQ(*json.read_string(), "a");
    EXPECT_TRUE(json.expect(':'));
    EXPECT_TRUE(json.take('['));
    EXPECT_EQ(std::get<std::int64_t>(*json.read_number()), 1);
    EXPECT_FALSE(json.take(']'));
    EXPECT_TRUE(json.take(','));
    EXPECT_EQ(json.peek(), 't');
    EXPECT_TRUE(std::get<bool>(*json.read_word()));
    EXPECT_TRUE(json.expect(']'));
    EXPECT_FALSE(json.expect_end());
    EXPECT_TRUE(json.expect('}'));
    EXPECT_TRUE(json.expect_end());
    EXPECT_EQ(json.peek(), '\0');
    EXPECT_FALSE(json.take('\0'));
}

TEST(JsonReader, seek_comes_back_to_an_offset) {
    JsonReader json("\"a\" 2");
    const std::size_t begin = json.offset();
    EXPECT_EQ(*json.read_string(), "a");
    json.seek(begin);
    EXPECT_EQ(*json.read_string(), "a");
    EXPECT_TRUE(json.read_number());
    EXPECT_FALSE(json.read_number());
    EXPECT_FALSE(json.read_word());
    EXPECT_FALSE(json.read_string());
}

RC_GTEST_PROP(JsonReader, doubles_are_read_to_the_nearest, ()) {
    const double number = *testing::any_double();
    RC_PRE(std::isfinite(number));
    const std::string text = number_text(number);
    JsonReader json(text);
    const auto read = json.read_number();
    RC_ASSERT(read.has_value());
    RC_ASSERT(std::bit_cast<std::uint64_t>(std::get<double>(*read)) ==
              std::bit_cast<std::uint64_t>(number));
}

RC_GTEST_PROP(JsonReader, quoted_text_is_read_back, ()) {
    const std::string text = *testing::any_text();
    const std::string json_text = tombolo::quoted(text);
    JsonReader json(json_text);
    const auto read = json.read_string();
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == text);
}

} // namespace
} // namespace tombolo
