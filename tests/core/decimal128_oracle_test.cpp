// Every operation against the compiler's own decimals, on operands that meet the edges.

#include <bit>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "support/decimal_oracle.h"
#include "support/generators.hpp"
#include "support/show.hpp"

namespace tombolo {
namespace {

OracleDecimal to_oracle(const Decimal128& value) {
    return {value.high, value.low};
}
Decimal128 from_oracle(const OracleDecimal& value) {
    return {value.high, value.low};
}

/// The payload of a NaN is ours to choose; everything else is equal bit by bit.
bool agree(const Decimal128& ours, const OracleDecimal& theirs) {
    return ours.is_nan() ? from_oracle(theirs).is_nan() : ours.same_bits(from_oracle(theirs));
}

class DecimalOracle : public ::testing::Test {
  protected:
    /// Several thousand cases a property: rounding errors hide in few of them.
    template <class Testable>
    static void holds(const char* name, Testable testable) {
        rc::detail::TestParams parameters = rc::detail::configuration().testParams;
        parameters.maxSuccess = 10'000;
        const rc::detail::TestMetadata metadata{name, name};
        const auto result = rc::detail::checkTestable(std::move(testable), metadata, parameters);
        std::ostringstream message;
        rc::detail::printResultMessage(result, message);
        ASSERT_TRUE(result.template is<rc::detail::SuccessResult>()) << message.str();
        EXPECT_EQ(result.template get<rc::detail::SuccessResult>().numSuccess,
                  parameters.maxSuccess);
    }

    /// Two decimals whose exponents are often near each other, so that their digits meet.
    static std::pair<Decimal128, Decimal128> operands() {
        const Decimal128 left = *testing::any_decimal();
        Decimal128 right = *testing::any_decimal();
        if (*rc::gen::arbitrary<bool>() && !right.is_nan() && !right.is_infinite()) {
            constexpr std::uint64_t exponent_bits = 0x7ffe000000000000;
            const auto exponent =
                static_cast<std::int64_t>(left.high >> 49 & 0x3fff) + *rc::gen::inRange(-40, 41);
            if (exponent >= 0 && exponent < 12288) {
                right.high = (right.high & ~exponent_bits) | static_cast<std::uint64_t>(exponent)
                                                                 << 49;
            }
        }
        return {left, right};
    }
};

TEST_F(DecimalOracle, addition_agrees) {
    holds("addition", [] {
        const auto [left, right] = operands();
        RC_ASSERT(agree(add(left, right), oracle_add(to_oracle(left), to_oracle(right))));
    });
}

TEST_F(DecimalOracle, subtraction_agrees) {
    holds("subtraction", [] {
        const auto [left, right] = operands();
        RC_ASSERT(agree(subtract(left, right), oracle_subtract(to_oracle(left), to_oracle(right))));
    });
}

TEST_F(DecimalOracle, multiplication_agrees) {
    holds("multiplication", [] {
        const auto [left, right] = operands();
        RC_ASSERT(agree(multiply(left, right), oracle_multiply(to_oracle(left), to_oracle(right))));
    });
}

TEST_F(DecimalOracle, division_agrees) {
    holds("division", [] {
        const auto [left, right] = operands();
        RC_ASSERT(agree(divide(left, right), oracle_divide(to_oracle(left), to_oracle(right))));
    });
}

TEST_F(DecimalOracle, order_agrees) {
    holds("order", [] {
        const auto [left, right] = operands();
        RC_PRE(!left.is_nan() && !right.is_nan());
        RC_ASSERT(compare(left, right) == oracle_compare(to_oracle(left), to_oracle(right)));
    });
}

TEST_F(DecimalOracle, conversion_from_double_agrees) {
    holds("from double", [] {
        const double value = *testing::any_double();
        const Decimal128 theirs = from_oracle(oracle_from_double(value));
        const Decimal128 ours = Decimal128::from_double(value);
        RC_ASSERT((ours.is_nan() ? theirs.is_nan() : compare(ours, theirs) == 0));
    });
}

TEST_F(DecimalOracle, conversion_to_double_agrees) {
    holds("to double", [] {
        Decimal128 value = *testing::any_decimal();
        if (*rc::gen::arbitrary<bool>()) {
            value = Decimal128::from_double(*testing::any_double());
        }
        const double theirs = oracle_to_double(to_oracle(value));
        const double ours = value.to_double();
        RC_ASSERT((std::isnan(ours) && std::isnan(theirs)) ||
                  std::bit_cast<std::uint64_t>(ours) == std::bit_cast<std::uint64_t>(theirs));
    });
}

TEST_F(DecimalOracle, exact_order_with_doubles_agrees_where_a_decimal_holds_the_double) {
    holds("order with doubles", [] {
        const double number = *testing::any_double();
        const Decimal128 same = Decimal128::from_double(number);
        RC_PRE(!std::isnan(number) && compare_with_double(same, number) == 0);
        const Decimal128 other = *testing::any_decimal();
        RC_PRE(!other.is_nan());
        RC_ASSERT(compare_with_double(other, number) == compare(other, same));
    });
}

} // namespace
} // namespace tombolo
