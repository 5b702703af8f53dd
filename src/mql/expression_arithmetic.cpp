// The four operations, remainders and rounding over int32, int64, double, decimal128 and dates.
//
// Promotion: decimal if any operand is one, else double, else int64, else int32; an int32 result
// that does not fit becomes int64, an int64 result that does not fit becomes a double. Null or
// missing operands give null.

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "mql/expression_decimal.hpp"
#include "mql/expression_node.hpp"
#include "mql/expression_number.hpp"

namespace tombolo::mql::detail {

namespace {

bool any_nullish(const Arguments& arguments) {
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return true;
        }
    }
    return false;
}

Error not_a_number(std::string_view operator_name, BsonView value) {
    return failed(fmt::format("{} takes numbers, not {}", operator_name, type_alias(value.type())));
}

/// Milliseconds that a number adds to a date.
Result<std::int64_t> date_step(BsonView number) {
    if (is_integer(number)) {
        return to_integer(number);
    }
    const double rounded = std::round(number.to_double());
    if (!(std::abs(rounded) < 9.2e18)) {
        return failed("a number is too large to add to a date");
    }
    return static_cast<std::int64_t>(rounded);
}

Result<BsonView> add_values(const Arguments& arguments) {
    BsonView date;
    NumberSum sum(false);
    if (any_nullish(arguments)) {
        return BsonView::null();
    }
    for (const BsonView value : arguments.values) {
        if (value.type() == BsonType::date) {
            if (!date.is_missing()) {
                return failed("$add takes at most one date");
            }
            date = value;
        } else if (!value.is_number()) {
            return failed(
                fmt::format("$add takes numbers and dates, not {}", type_alias(value.type())));
        } else {
            sum.add(value);
        }
    }
    const BsonView total = sum.result(arguments.evaluation);
    if (date.is_missing()) {
        return total;
    }
    TOMBOLO_TRY(const std::int64_t step_ms, date_step(total));
    std::int64_t result = 0;
    if (__builtin_add_overflow(date.as_date_ms(), step_ms, &result)) {
        return failed("$add leaves the range of dates");
    }
    return arguments.evaluation.date(result);
}

Result<BsonView> subtract_from_date(const Arguments& arguments) {
    std::int64_t result = 0;
    if (arguments[1].type() == BsonType::date) {
        if (__builtin_sub_overflow(arguments[0].as_date_ms(), arguments[1].as_date_ms(), &result)) {
            return failed("$subtract leaves the range of int64");
        }
        return arguments.evaluation.int64(result);
    }
    if (!arguments[1].is_number()) {
        return failed(
            fmt::format("$subtract cannot take {} from a date", type_alias(arguments[1].type())));
    }
    TOMBOLO_TRY(const std::int64_t step_ms, date_step(arguments[1]));
    if (__builtin_sub_overflow(arguments[0].as_date_ms(), step_ms, &result)) {
        return failed("$subtract leaves the range of dates");
    }
    return arguments.evaluation.date(result);
}

Result<BsonView> subtract_values(const Arguments& arguments) {
    if (any_nullish(arguments)) {
        return BsonView::null();
    }
    const BsonView left = arguments[0];
    const BsonView right = arguments[1];
    if (left.type() == BsonType::date) {
        return subtract_from_date(arguments);
    }
    if (!left.is_number() || !right.is_number()) {
        return failed(fmt::format("$subtract cannot take {} from {}", type_alias(right.type()),
                                  type_alias(left.type())));
    }
    Evaluation& evaluation = arguments.evaluation;
    switch (wider(left, right)) {
    case NumberKind::decimal:
        return evaluation.decimal(subtract(to_decimal(left), to_decimal(right)));
    case NumberKind::float64:
        return evaluation.float64(left.to_double() - right.to_double());
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    std::int64_t result = 0;
    if (__builtin_sub_overflow(to_integer(left), to_integer(right), &result)) {
        return evaluation.float64(left.to_double() - right.to_double());
    }
    return integer_of_kind(evaluation, result, wider(left, right));
}

Result<BsonView> multiply_values(const Arguments& arguments) {
    if (any_nullish(arguments)) {
        return BsonView::null();
    }
    NumberKind kind = NumberKind::int32;
    std::int64_t product = 1;
    double float_product = 1;
    for (const BsonView value : arguments.values) {
        if (!value.is_number()) {
            return not_a_number("$multiply", value);
        }
        kind = std::max(kind, kind_of(value));
        float_product *= value.to_double();
        if (kind <= NumberKind::int64 &&
            __builtin_mul_overflow(product, to_integer(value), &product)) {
            kind = NumberKind::float64;
        }
    }
    if (kind == NumberKind::decimal) {
        Decimal128 decimal_product = Decimal128::from_int64(1);
        for (const BsonView value : arguments.values) {
            decimal_product = multiply(decimal_product, to_decimal(value));
        }
        return arguments.evaluation.decimal(decimal_product);
    }
    return kind == NumberKind::float64 ? arguments.evaluation.float64(float_product)
                                       : integer_of_kind(arguments.evaluation, product, kind);
}

Result<BsonView> divide_values(const Arguments& arguments) {
    if (any_nullish(arguments)) {
        return BsonView::null();
    }
    for (const BsonView value : arguments.values) {
        if (!value.is_number()) {
            return not_a_number("$divide", value);
        }
    }
    if (arguments[1].to_double() == 0) {
        return failed("$divide by zero");
    }
    if (wider(arguments[0], arguments[1]) == NumberKind::decimal) {
        return arguments.evaluation.decimal(
            divide(to_decimal(arguments[0]), to_decimal(arguments[1])));
    }
    return arguments.evaluation.float64(arguments[0].to_double() / arguments[1].to_double());
}

Result<BsonView> mod_values(const Arguments& arguments) {
    if (any_nullish(arguments)) {
        return BsonView::null();
    }
    const BsonView left = arguments[0];
    const BsonView right = arguments[1];
    for (const BsonView value : arguments.values) {
        if (!value.is_number()) {
            return not_a_number("$mod", value);
        }
    }
    if (right.to_double() == 0) {
        return failed("$mod by zero");
    }
    switch (wider(left, right)) {
    case NumberKind::decimal:
        return arguments.evaluation.decimal(remainder(to_decimal(left), to_decimal(right)));
    case NumberKind::float64:
        return arguments.evaluation.float64(std::fmod(left.to_double(), right.to_double()));
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    // The one quotient that does not fit: INT64_MIN / -1.
    const std::int64_t result = to_integer(right) == -1 ? 0 : to_integer(left) % to_integer(right);
    return integer_of_kind(arguments.evaluation, result, wider(left, right));
}

Result<BsonView> absolute(const Arguments& arguments) {
    const BsonView value = arguments[0];
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (!value.is_number()) {
        return not_a_number("$abs", value);
    }
    switch (kind_of(value)) {
    case NumberKind::decimal: {
        const Decimal128 number = value.as_decimal();
        return arguments.evaluation.decimal(number.is_negative() ? number.negated() : number);
    }
    case NumberKind::float64:
        return arguments.evaluation.float64(std::abs(value.as_double()));
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    const std::int64_t number = to_integer(value);
    if (number == std::numeric_limits<std::int64_t>::min()) {
        return failed("$abs of the smallest int64 does not fit");
    }
    return integer_of_kind(arguments.evaluation, std::abs(number), kind_of(value));
}

Result<BsonView> round_down(const Arguments& arguments) {
    const BsonView value = arguments[0];
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (value.type() == BsonType::float64) {
        return arguments.evaluation.float64(std::floor(value.as_double()));
    }
    if (value.type() == BsonType::decimal128) {
        return arguments.evaluation.decimal(
            round_decimal(value.as_decimal(), 0, DecimalRounding::down));
    }
    return value.is_number() ? Result<BsonView>(value) : not_a_number("$floor", value);
}

Result<BsonView> round_up(const Arguments& arguments) {
    const BsonView value = arguments[0];
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (value.type() == BsonType::float64) {
        return arguments.evaluation.float64(std::ceil(value.as_double()));
    }
    if (value.type() == BsonType::decimal128) {
        return arguments.evaluation.decimal(
            round_decimal(value.as_decimal(), 0, DecimalRounding::up));
    }
    return value.is_number() ? Result<BsonView>(value) : not_a_number("$ceil", value);
}

double round_double(double value, std::int64_t place, DecimalRounding rounding) {
    if (!std::isfinite(value)) {
        return value;
    }
    if (place == 0) {
        // nearbyint rounds half to even in the default mode, which nothing of ours changes.
        return rounding == DecimalRounding::toward_zero ? std::trunc(value) : std::nearbyint(value);
    }
    return round_decimal(Decimal128::from_double(value), place, rounding).to_double();
}

Result<BsonView> round_to_place(const Arguments& arguments, DecimalRounding rounding,
                                std::string_view name) {
    const BsonView value = arguments[0];
    std::int64_t place = 0;
    if (arguments.size() > 1) {
        if (arguments[1].is_nullish()) {
            return BsonView::null();
        }
        if (!arguments[1].to_int64(place) || place < -20 || place > 100) {
            return failed(
                fmt::format("the place of {} must be a whole number from -20 to 100", name));
        }
    }
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (!value.is_number()) {
        return not_a_number(name, value);
    }
    switch (kind_of(value)) {
    case NumberKind::decimal:
        return arguments.evaluation.decimal(round_decimal(value.as_decimal(), place, rounding));
    case NumberKind::float64:
        return arguments.evaluation.float64(round_double(value.as_double(), place, rounding));
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    if (place >= 0) {
        return value;
    }
    const BsonValue rounded =
        BsonValue::from_decimal(round_decimal(to_decimal(value), place, rounding));
    std::int64_t result = 0;
    if (!rounded.view().to_int64(result)) {
        return failed(fmt::format("the result of {} does not fit an int64", name));
    }
    return integer_of_kind(arguments.evaluation, result, kind_of(value));
}

Result<BsonView> round_half_even(const Arguments& arguments) {
    return round_to_place(arguments, DecimalRounding::half_even, "$round");
}

Result<BsonView> truncate(const Arguments& arguments) {
    return round_to_place(arguments, DecimalRounding::toward_zero, "$trunc");
}

constexpr std::array<PositionalOperator, 10> operators = {{
    {"$add", 0, any_count, add_values},
    {"$subtract", 2, 2, subtract_values},
    {"$multiply", 0, any_count, multiply_values},
    {"$divide", 2, 2, divide_values},
    {"$mod", 2, 2, mod_values},
    {"$abs", 1, 1, absolute},
    {"$floor", 1, 1, round_down},
    {"$ceil", 1, 1, round_up},
    {"$round", 1, 2, round_half_even},
    {"$trunc", 1, 2, truncate},
}};

} // namespace

std::span<const PositionalOperator> arithmetic_operators() noexcept {
    return operators;
}

} // namespace tombolo::mql::detail
