// Roots, powers, logarithms, trigonometry and bits.

#include <cmath>

#include <fmt/format.h>

#include "mql/expression_decimal.hpp"
#include "mql/expression_node.hpp"
#include "mql/expression_number.hpp"

namespace tombolo::mql::detail {

namespace {

using DoubleFunction = double (*)(double);
using DecimalFunction = Decimal128 (*)(Decimal128);

Error not_a_number(std::string_view operator_name, BsonView value) {
    return failed(fmt::format("{} takes numbers, not {}", operator_name, type_alias(value.type())));
}

/// Applies a function of one number; `accepts` says whether the number lies in its domain.
Result<BsonView> apply(const Arguments& arguments, std::string_view name, DoubleFunction on_double,
                       DecimalFunction on_decimal, bool (*accepts)(double)) {
    const BsonView value = arguments[0];
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (!value.is_number()) {
        return not_a_number(name, value);
    }
    const double number = value.to_double();
    if (!std::isnan(number) && !accepts(number)) {
        return failed(fmt::format("{} is not defined for {}", name, number));
    }
    if (value.type() != BsonType::decimal128) {
        return arguments.evaluation.float64(on_double(number));
    }
    return arguments.evaluation.decimal(on_decimal != nullptr
                                            ? on_decimal(value.as_decimal())
                                            : decimal_from_double(on_double(number)));
}

bool any(double) {
    return true;
}
bool not_negative(double value) {
    return value >= 0;
}
bool positive(double value) {
    return value > 0;
}
bool finite(double value) {
    return std::isfinite(value);
}
bool within_one(double value) {
    return value >= -1 && value <= 1;
}
bool at_least_one(double value) {
    return value >= 1;
}
double to_radians(double degrees) {
    return degrees * (3.14159265358979323846 / 180);
}
double to_degrees(double radians) {
    return radians * (180 / 3.14159265358979323846);
}

Result<BsonView> square_root_of(const Arguments& a) {
    return apply(a, "$sqrt", std::sqrt, square_root, not_negative);
}
Result<BsonView> exponential_of(const Arguments& a) {
    return apply(a, "$exp", std::exp, exponential, any);
}
Result<BsonView> natural_log_of(const Arguments& a) {
    return apply(a, "$ln", std::log, natural_log, positive);
}
Result<BsonView> common_log_of(const Arguments& a) {
    return apply(a, "$log10", std::log10, common_log, positive);
}
Result<BsonView> sine(const Arguments& a) {
    return apply(a, "$sin", std::sin, nullptr, finite);
}
Result<BsonView> cosine(const Arguments& a) {
    return apply(a, "$cos", std::cos, nullptr, finite);
}
Result<BsonView> tangent(const Arguments& a) {
    return apply(a, "$tan", std::tan, nullptr, finite);
}
Result<BsonView> arc_sine(const Arguments& a) {
    return apply(a, "$asin", std::asin, nullptr, within_one);
}
Result<BsonView> arc_cosine(const Arguments& a) {
    return apply(a, "$acos", std::acos, nullptr, within_one);
}
Result<BsonView> arc_tangent(const Arguments& a) {
    return apply(a, "$atan", std::atan, nullptr, any);
}
Result<BsonView> hyperbolic_sine(const Arguments& a) {
    return apply(a, "$sinh", std::sinh, nullptr, any);
}
Result<BsonView> hyperbolic_cosine(const Arguments& a) {
    return apply(a, "$cosh", std::cosh, nullptr, any);
}
Result<BsonView> hyperbolic_tangent(const Arguments& a) {
    return apply(a, "$tanh", std::tanh, nullptr, any);
}
Result<BsonView> area_sine(const Arguments& a) {
    return apply(a, "$asinh", std::asinh, nullptr, any);
}
Result<BsonView> area_cosine(const Arguments& a) {
    return apply(a, "$acosh", std::acosh, nullptr, at_least_one);
}
Result<BsonView> area_tangent(const Arguments& a) {
    return apply(a, "$atanh", std::atanh, nullptr, within_one);
}
Result<BsonView> radians(const Arguments& a) {
    return apply(a, "$degreesToRadians", to_radians, nullptr, any);
}
Result<BsonView> degrees(const Arguments& a) {
    return apply(a, "$radiansToDegrees", to_degrees, nullptr, any);
}

/// Two numbers or an early answer: null when one is nullish.
Result<bool> two_numbers(const Arguments& arguments, std::string_view name) {
    if (arguments[0].is_nullish() || arguments[1].is_nullish()) {
        return false;
    }
    for (const BsonView value : arguments.values) {
        if (!value.is_number()) {
            return not_a_number(name, value);
        }
    }
    return true;
}

Result<BsonView> arc_tangent_2(const Arguments& arguments) {
    TOMBOLO_TRY(const bool numbers, two_numbers(arguments, "$atan2"));
    if (!numbers) {
        return BsonView::null();
    }
    const double result = std::atan2(arguments[0].to_double(), arguments[1].to_double());
    return wider(arguments[0], arguments[1]) == NumberKind::decimal
               ? arguments.evaluation.decimal(decimal_from_double(result))
               : arguments.evaluation.float64(result);
}

Result<BsonView> logarithm(const Arguments& arguments) {
    TOMBOLO_TRY(const bool numbers, two_numbers(arguments, "$log"));
    if (!numbers) {
        return BsonView::null();
    }
    const double number = arguments[0].to_double();
    const double base = arguments[1].to_double();
    if (number <= 0 || base <= 0 || base == 1) {
        return failed("$log takes a positive number and a positive base other than 1");
    }
    if (wider(arguments[0], arguments[1]) == NumberKind::decimal) {
        return arguments.evaluation.decimal(
            divide(natural_log(to_decimal(arguments[0])), natural_log(to_decimal(arguments[1]))));
    }
    return arguments.evaluation.float64(std::log(number) / std::log(base));
}

/// Exact integer power, or false when it does not fit.
bool integer_power(std::int64_t base, std::int64_t exponent, std::int64_t& result) {
    result = 1;
    if (exponent < 0) {
        return base == 1 || base == -1
                   ? integer_power(base, exponent == -exponent ? 0 : -exponent, result)
                   : false;
    }
    while (exponent > 0) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) {
            return false;
        }
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) {
            return false;
        }
    }
    return true;
}

Result<BsonView> raise(const Arguments& arguments) {
    TOMBOLO_TRY(const bool numbers, two_numbers(arguments, "$pow"));
    if (!numbers) {
        return BsonView::null();
    }
    const BsonView base = arguments[0];
    const BsonView exponent = arguments[1];
    if (base.to_double() == 0 && exponent.to_double() < 0) {
        return failed("$pow cannot raise 0 to a negative exponent");
    }
    const NumberKind kind = wider(base, exponent);
    if (kind == NumberKind::decimal) {
        return arguments.evaluation.decimal(power(to_decimal(base), to_decimal(exponent)));
    }
    std::int64_t result = 0;
    if (kind != NumberKind::float64 &&
        integer_power(to_integer(base), to_integer(exponent), result)) {
        return integer_of_kind(arguments.evaluation, result, kind);
    }
    return arguments.evaluation.float64(std::pow(base.to_double(), exponent.to_double()));
}

enum class Bits : std::uint8_t { conjunction, disjunction, difference };

template <Bits kind>
Result<BsonView> combine_bits(const Arguments& arguments) {
    std::int64_t result = kind == Bits::conjunction ? -1 : 0;
    NumberKind widest = NumberKind::int32;
    for (const BsonView value : arguments.values) {
        if (value.is_nullish()) {
            return BsonView::null();
        }
        if (value.type() != BsonType::int32 && value.type() != BsonType::int64) {
            return failed(
                fmt::format("bit operators take int and long, not {}", type_alias(value.type())));
        }
        widest = std::max(widest, kind_of(value));
        const std::int64_t bits = to_integer(value);
        if constexpr (kind == Bits::conjunction) {
            result &= bits;
        } else if constexpr (kind == Bits::disjunction) {
            result |= bits;
        } else {
            result ^= bits;
        }
    }
    return integer_of_kind(arguments.evaluation, result, widest);
}

Result<BsonView> invert_bits(const Arguments& arguments) {
    const BsonView value = arguments[0];
    if (value.is_nullish()) {
        return BsonView::null();
    }
    if (value.type() != BsonType::int32 && value.type() != BsonType::int64) {
        return failed(fmt::format("$bitNot takes int and long, not {}", type_alias(value.type())));
    }
    return integer_of_kind(arguments.evaluation, ~to_integer(value), kind_of(value));
}

constexpr std::array operators = std::to_array<PositionalOperator>({
    {"$sqrt", 1, 1, square_root_of},
    {"$exp", 1, 1, exponential_of},
    {"$ln", 1, 1, natural_log_of},
    {"$log10", 1, 1, common_log_of},
    {"$log", 2, 2, logarithm},
    {"$pow", 2, 2, raise},
    {"$sin", 1, 1, sine},
    {"$cos", 1, 1, cosine},
    {"$tan", 1, 1, tangent},
    {"$asin", 1, 1, arc_sine},
    {"$acos", 1, 1, arc_cosine},
    {"$atan", 1, 1, arc_tangent},
    {"$atan2", 2, 2, arc_tangent_2},
    {"$sinh", 1, 1, hyperbolic_sine},
    {"$cosh", 1, 1, hyperbolic_cosine},
    {"$tanh", 1, 1, hyperbolic_tangent},
    {"$asinh", 1, 1, area_sine},
    {"$acosh", 1, 1, area_cosine},
    {"$atanh", 1, 1, area_tangent},
    {"$degreesToRadians", 1, 1, radians},
    {"$radiansToDegrees", 1, 1, degrees},
    {"$bitAnd", 0, any_count, combine_bits<Bits::conjunction>},
    {"$bitOr", 0, any_count, combine_bits<Bits::disjunction>},
    {"$bitXor", 0, any_count, combine_bits<Bits::difference>},
    {"$bitNot", 1, 1, invert_bits},
});

} // namespace

std::span<const PositionalOperator> math_operators() noexcept {
    return operators;
}

} // namespace tombolo::mql::detail
