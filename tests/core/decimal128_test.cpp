#include "core/decimal128.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <bson/bson.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/generators.hpp"
#include "support/show.hpp"

namespace tombolo {
namespace {

Decimal128 decimal(const char* text) {
    return *Decimal128::parse(text);
}

std::string libbson_text(const Decimal128& value) {
    bson_decimal128_t bits;
    bits.high = value.high;
    bits.low = value.low;
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(&bits, text);
    return text;
}

TEST(Decimal128, default_is_zero) {
    EXPECT_EQ(Decimal128().to_string(), "0");
    EXPECT_TRUE(Decimal128().is_zero());
    EXPECT_TRUE(Decimal128().same_bits(Decimal128::from_int64(0)));
}

TEST(Decimal128, prints_as_mongodb_does) {
    EXPECT_EQ(decimal("1.50").to_string(), "1.50");
    EXPECT_EQ(decimal("12e6").to_string(), "1.2E+7");
    EXPECT_EQ(decimal("-0").to_string(), "-0");
    EXPECT_EQ(decimal("0E-8").to_string(), "0E-8");
    EXPECT_EQ(decimal("0.000001").to_string(), "0.000001");
    EXPECT_EQ(decimal("0.0000001").to_string(), "1E-7");
    EXPECT_EQ(decimal("-inf").to_string(), "-Infinity");
    EXPECT_EQ(decimal("+iNfInItY").to_string(), "Infinity");
    EXPECT_EQ(decimal("-nan").to_string(), "NaN");
    EXPECT_EQ(decimal(".5").to_string(), "0.5");
    EXPECT_EQ(decimal("5.").to_string(), "5");
}

TEST(Decimal128, matches_the_worked_examples_of_the_changeset_format) {
    const Decimal128 value = decimal("-12345678901234567890E3");
    EXPECT_EQ(value.high, 0xb046000000000000U);
    EXPECT_EQ(value.low, 12345678901234567890U);
}

TEST(Decimal128, rounds_digits_beyond_34_half_to_even) {
    EXPECT_EQ(decimal("1234567890123456789012345678901234.5").to_string(),
              "1234567890123456789012345678901234");
    EXPECT_EQ(decimal("1234567890123456789012345678901235.5").to_string(),
              "1234567890123456789012345678901236");
    EXPECT_EQ(decimal("1234567890123456789012345678901234."
                      "50000000000000000000000000000000000000000000000000000000000000001")
                  .to_string(),
              "1234567890123456789012345678901235");
    EXPECT_EQ(decimal("9999999999999999999999999999999999.5").to_string(),
              "1.000000000000000000000000000000000E+34");
}

TEST(Decimal128, exponents_beyond_the_range_round_to_infinity_and_zero) {
    EXPECT_EQ(decimal("1E6144").to_string(), "1.000000000000000000000000000000000E+6144");
    EXPECT_EQ(decimal("1E6145").to_string(), "Infinity");
    EXPECT_EQ(decimal("-9.9999999999999999999999999999999995E6144").to_string(), "-Infinity");
    EXPECT_EQ(decimal("1E-6176").to_string(), "1E-6176");
    EXPECT_EQ(decimal("5E-6177").to_string(), "0E-6176");
    EXPECT_EQ(decimal("6E-6177").to_string(), "1E-6176");
    EXPECT_EQ(decimal("15E-6177").to_string(), "2E-6176");
    EXPECT_EQ(decimal("1E999999999999999999999999").to_string(), "Infinity");
    EXPECT_EQ(decimal("-1E-999999999999999999999999").to_string(), "-0E-6176");
    EXPECT_EQ(decimal("0E999999999999999999999999").to_string(), "0E+6111");
    EXPECT_EQ(decimal(("1" + std::string(100'000, '0') + "E-100000").c_str()).to_string(),
              "1.000000000000000000000000000000000");
    EXPECT_EQ(decimal(("0." + std::string(100'000, '0') + "1E100001").c_str()).to_string(), "1");
}

TEST(Decimal128, refuses_texts_that_are_no_number) {
    for (const char* text : {"",      " ",       "+",         "-",    ".",     "E5",  "1E",
                             "1E+",   "1E5.0",   "1.2.3",     "1 ",   " 1",    "--1", "0x10",
                             "1e5e5", "infinit", "infinityy", "nann", "1_000", "1,5", "\xd9\xa1"}) {
        const auto value = Decimal128::parse(text);
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().code(), ErrorCode::bad_number);
    }
    EXPECT_FALSE(Decimal128::parse(std::string_view("1\0", 2)));
}

TEST(Decimal128, forms_that_are_not_canonical_count_as_zero) {
    const Decimal128 large{0x0001ed09bead87c0, 0x378d8e6400000000}; // 10^34
    EXPECT_TRUE(large.is_zero());
    const Decimal128 steered{0x6000000000000000, 5};
    EXPECT_TRUE(steered.is_zero());
    EXPECT_EQ(compare(large, Decimal128()), 0);
    EXPECT_EQ(steered.to_string(), libbson_text(steered));
    EXPECT_EQ(large.to_string(), "0E-6176");
}

TEST(Decimal128, arithmetic_keeps_the_ideal_exponent) {
    EXPECT_EQ(add(decimal("1.20"), decimal("1.3")).to_string(), "2.50");
    EXPECT_EQ(subtract(decimal("1.20"), decimal("1.20")).to_string(), "0.00");
    EXPECT_EQ(multiply(decimal("1.20"), decimal("2.0")).to_string(), "2.400");
    EXPECT_EQ(divide(decimal("6"), decimal("2")).to_string(), "3");
    EXPECT_EQ(divide(decimal("1"), decimal("8")).to_string(), "0.125");
    EXPECT_EQ(divide(decimal("1"), decimal("3")).to_string(),
              "0.3333333333333333333333333333333333");
    EXPECT_EQ(divide(decimal("2"), decimal("3")).to_string(),
              "0.6666666666666666666666666666666667");
    EXPECT_EQ(add(decimal("1E34"), decimal("1")).to_string(),
              "1.000000000000000000000000000000000E+34");
    EXPECT_EQ(add(decimal("0.1"), decimal("0.2")).to_string(), "0.3");
}

TEST(Decimal128, invalid_operations_give_nan_and_overflow_infinity) {
    const Decimal128 infinite = decimal("Infinity");
    EXPECT_TRUE(subtract(infinite, infinite).is_nan());
    EXPECT_TRUE(multiply(infinite, decimal("-0")).is_nan());
    EXPECT_TRUE(divide(infinite, infinite).is_nan());
    EXPECT_TRUE(divide(Decimal128(), Decimal128()).is_nan());
    EXPECT_TRUE(add(decimal("NaN"), Decimal128()).is_nan());
    EXPECT_EQ(divide(decimal("-1"), Decimal128()).to_string(), "-Infinity");
    EXPECT_EQ(multiply(decimal("9E6144"), decimal("-9E6144")).to_string(), "-Infinity");
    EXPECT_TRUE(multiply(decimal("1E-6176"), decimal("0.1")).is_zero());
    EXPECT_TRUE(divide(decimal("5"), infinite).is_zero());
}

TEST(Decimal128, doubles_convert_exactly_when_34_digits_suffice) {
    EXPECT_EQ(Decimal128::from_double(1.5).to_string(), "1.5");
    EXPECT_EQ(Decimal128::from_double(-100.0).to_string(), "-100");
    EXPECT_EQ(Decimal128::from_double(-0.0).to_string(), "-0");
    EXPECT_EQ(Decimal128::from_double(0.1).to_string(), "0.1000000000000000055511151231257827");
    EXPECT_EQ(Decimal128::from_double(std::numeric_limits<double>::denorm_min()).to_string(),
              "4.940656458412465441765687928682214E-324");
    EXPECT_TRUE(Decimal128::from_double(std::numeric_limits<double>::quiet_NaN()).is_nan());
    EXPECT_EQ(Decimal128::from_double(-std::numeric_limits<double>::infinity()).to_string(),
              "-Infinity");
}

TEST(Decimal128, converts_to_the_nearest_double) {
    EXPECT_EQ(decimal("0.1").to_double(), 0.1);
    EXPECT_EQ(decimal("1E400").to_double(), std::numeric_limits<double>::infinity());
    EXPECT_EQ(decimal("-1E-400").to_double(), 0.0);
    EXPECT_TRUE(std::signbit(decimal("-1E-400").to_double()));
    EXPECT_EQ(decimal("4.9E-324").to_double(), std::numeric_limits<double>::denorm_min());
    EXPECT_EQ(decimal("2E-324").to_double(), 0.0);
    EXPECT_TRUE(std::isnan(decimal("NaN").to_double()));
    EXPECT_TRUE(std::signbit(decimal("-0").to_double()));
    EXPECT_EQ(decimal("-Infinity").to_double(), -std::numeric_limits<double>::infinity());
}

RC_GTEST_PROP(Decimal128, text_is_libbsons_and_parses_back_to_the_same_bits, ()) {
    const Decimal128 value = *testing::any_decimal();
    const std::string text = value.to_string();
    RC_ASSERT(text == libbson_text(value));
    RC_ASSERT((value.is_nan() ? Decimal128::parse(text)->is_nan()
                              : Decimal128::parse(text)->same_bits(value)));
}

RC_GTEST_PROP(Decimal128, any_bits_print_as_libbson_prints_them,
              (std::uint64_t high, std::uint64_t low)) {
    const Decimal128 value{high, low};
    RC_PRE((high & 0x1ffffffffffff) < 0x1ed09bead87c0); // 10^34 and more: libbson prints it in part
    RC_ASSERT(value.to_string() == libbson_text(value));
    RC_ASSERT(compare(value, value) == 0);
}

RC_GTEST_PROP(Decimal128, parse_agrees_with_libbson_on_exact_texts, ()) {
    const Decimal128 value = *testing::any_decimal();
    RC_PRE(!value.is_nan());
    bson_decimal128_t bits;
    RC_ASSERT(bson_decimal128_from_string(value.to_string().c_str(), &bits));
    RC_ASSERT((Decimal128{bits.high, bits.low}.same_bits(value)));
}

RC_GTEST_PROP(Decimal128, doubles_come_back_unchanged, ()) {
    const double value = *testing::any_double();
    const double back = Decimal128::from_double(value).to_double();
    RC_ASSERT((std::isnan(value) && std::isnan(back)) ||
              std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(back));
}

RC_GTEST_PROP(Decimal128, trailing_zeros_do_not_matter_to_order_and_hash, ()) {
    const Decimal128 value = *testing::any_decimal();
    RC_PRE(!value.is_nan() && !value.is_infinite());
    const Decimal128 padded = add(value, decimal("0E-6176"));
    RC_ASSERT(compare(value, padded) == 0);
    RC_ASSERT(hash_number(value) == hash_number(padded));
}

} // namespace
} // namespace tombolo
