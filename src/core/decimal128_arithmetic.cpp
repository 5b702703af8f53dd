// Addition, subtraction, multiplication, division and order of decimals.
//
// Every operation forms its exact result in 256 bits (two 34-digit coefficients multiply to 226
// bits), or as many digits of it as rounding needs plus one sticky bit, and rounds once.

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/decimal128.hpp"
#include "core/decimal128_bid.hpp"
#include "core/hash.hpp"

namespace tombolo {

namespace {

using bid::Parts;
using bid::U128;
using bid::U256;

/// Digits that an addend is widened to, at most: 34 for the result, 34 in which the other one can
/// lie, one to spare.
constexpr int aligned_digits_max = 69;

Decimal128 add_finite(Parts left, Parts right) noexcept {
    if (left.exponent < right.exponent) {
        std::swap(left, right);
    }
    const int distance = left.exponent - right.exponent;
    U256 high(left.coefficient);
    U256 low(right.coefficient);
    int exponent = right.exponent;
    if (left.coefficient != 0) {
        const int shift = std::min(distance, aligned_digits_max - bid::digit_count(high));
        high *= bid::power_of_ten(shift);
        if (shift < distance) {
            // `low` is less than a fifth of half the last digit kept: it cannot change the result.
            low = 0U;
            exponent = left.exponent - shift;
        }
    }
    if (left.negative == right.negative) {
        return bid::round(left.negative, high + low, exponent, false);
    }
    if (high == low) {
        return bid::round(false, 0U, exponent, false);
    }
    return high > low ? bid::round(left.negative, high - low, exponent, false)
                      : bid::round(right.negative, low - high, exponent, false);
}

int sign_of(int order) noexcept {
    return (order > 0) - (order < 0);
}

/// Order of two finite magnitudes.
int compare_magnitudes(const Parts& left, const Parts& right) noexcept {
    if (left.coefficient == 0 || right.coefficient == 0) {
        return (left.coefficient != 0) - (right.coefficient != 0);
    }
    if (left.exponent == right.exponent) {
        return sign_of(left.coefficient.compare(right.coefficient));
    }
    const int left_top = bid::digit_count(left.coefficient) + left.exponent;
    const int right_top = bid::digit_count(right.coefficient) + right.exponent;
    if (left_top != right_top) {
        return left_top < right_top ? -1 : 1;
    }
    // Equal tops: the exponents are less than 34 apart.
    const int distance = left.exponent - right.exponent;
    U256 left_scaled(left.coefficient);
    U256 right_scaled(right.coefficient);
    (distance > 0 ? left_scaled : right_scaled) *= bid::power_of_ten(std::abs(distance));
    return sign_of(left_scaled.compare(right_scaled));
}

/// -1, 0, 1 by sign; zero of either sign is 0; infinities count as +-2.
int sign_class(const Decimal128& value) noexcept {
    if (value.is_infinite()) {
        return value.is_negative() ? -2 : 2;
    }
    if (value.is_zero()) {
        return 0;
    }
    return value.is_negative() ? -1 : 1;
}

int compare_nans(const Decimal128& left, const Decimal128& right) noexcept {
    if (left.is_nan() != right.is_nan()) {
        return left.is_nan() ? -1 : 1;
    }
    if (left.high != right.high) {
        return left.high < right.high ? -1 : 1;
    }
    return (left.low > right.low) - (left.low < right.low);
}

/// Wide enough for the magnitude of any double times 10^364 (2234 bits) and for 34 digits times
/// 2^1074.
using Wide = bid::Unsigned<2560>;

/// Order of the magnitudes of a finite decimal and a finite double, neither zero.
int compare_magnitudes(const Parts& left, double right) noexcept {
    // A double lies within 4.9e-324 and 1.8e308.
    const int top = bid::digit_count(left.coefficient) + left.exponent; // left < 10^top
    if (top > 309) {
        return 1;
    }
    if (top < -324) {
        return -1;
    }
    int exponent = 0;
    const double fraction = std::frexp(std::fabs(right), &exponent);
    auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
    exponent -= 53;
    Wide left_scaled(left.coefficient);
    Wide right_scaled(mantissa);
    (exponent > 0 ? right_scaled : left_scaled) <<= static_cast<unsigned>(std::abs(exponent));
    Wide& by_ten = left.exponent > 0 ? left_scaled : right_scaled;
    by_ten *= bid::mp::pow(Wide(10U), static_cast<unsigned>(std::abs(left.exponent)));
    return sign_of(left_scaled.compare(right_scaled));
}

int sign_class(double value) noexcept {
    const int magnitude = std::isinf(value) ? 2 : (value != 0 ? 1 : 0);
    return std::signbit(value) ? -magnitude : magnitude;
}

} // namespace

Decimal128 add(Decimal128 left, Decimal128 right) noexcept {
    if (left.is_nan() || right.is_nan()) {
        return bid::nan();
    }
    if (left.is_infinite() || right.is_infinite()) {
        if (left.is_infinite() && right.is_infinite() &&
            left.is_negative() != right.is_negative()) {
            return bid::nan();
        }
        return bid::infinity(left.is_infinite() ? left.is_negative() : right.is_negative());
    }
    return add_finite(bid::unpack(left), bid::unpack(right));
}

Decimal128 subtract(Decimal128 left, Decimal128 right) noexcept {
    return add(left, right.negated());
}

Decimal128 multiply(Decimal128 left, Decimal128 right) noexcept {
    if (left.is_nan() || right.is_nan()) {
        return bid::nan();
    }
    const bool negative = left.is_negative() != right.is_negative();
    if (left.is_infinite() || right.is_infinite()) {
        return left.is_zero() || right.is_zero() ? bid::nan() : bid::infinity(negative);
    }
    const Parts a = bid::unpack(left);
    const Parts b = bid::unpack(right);
    return bid::round(negative, U256(a.coefficient) * U256(b.coefficient), a.exponent + b.exponent,
                      false);
}

Decimal128 divide(Decimal128 left, Decimal128 right) noexcept {
    if (left.is_nan() || right.is_nan() || (left.is_infinite() && right.is_infinite())) {
        return bid::nan();
    }
    const bool negative = left.is_negative() != right.is_negative();
    if (left.is_infinite()) {
        return bid::infinity(negative);
    }
    if (right.is_infinite()) {
        return bid::pack({negative, bid::exponent_min, 0});
    }
    const Parts a = bid::unpack(left);
    const Parts b = bid::unpack(right);
    if (b.coefficient == 0) {
        return a.coefficient == 0 ? bid::nan() : bid::infinity(negative);
    }
    const int ideal_exponent = a.exponent - b.exponent;
    if (a.coefficient == 0) {
        return bid::round(negative, 0U, ideal_exponent, false);
    }
    // A quotient of at least 35 digits, so that the remainder can only be a sticky bit.
    const int shift =
        bid::digits_max + 2 + bid::digit_count(b.coefficient) - bid::digit_count(a.coefficient);
    U256 quotient;
    U256 remainder;
    bid::mp::divide_qr(U256(U256(a.coefficient) * bid::power_of_ten(shift)), U256(b.coefficient),
                       quotient, remainder);
    int exponent = ideal_exponent - shift;
    if (remainder == 0) {
        // Exact: as near to the ideal exponent as the zeros at the end allow.
        while (exponent < ideal_exponent && quotient % 10U == 0) {
            quotient /= 10U;
            ++exponent;
        }
    }
    return bid::round(negative, quotient, exponent, remainder != 0);
}

int compare(Decimal128 left, Decimal128 right) noexcept {
    if (left.same_bits(right)) {
        return 0;
    }
    if (left.is_nan() || right.is_nan()) {
        return compare_nans(left, right);
    }
    const int left_class = sign_class(left);
    const int right_class = sign_class(right);
    if (left_class != right_class) {
        return left_class < right_class ? -1 : 1;
    }
    if (std::abs(left_class) != 1) {
        return 0;
    }
    return left_class * compare_magnitudes(bid::unpack(left), bid::unpack(right));
}

int compare_with_double(Decimal128 left, double right) noexcept {
    if (left.is_nan()) {
        return -1;
    }
    if (std::isnan(right)) {
        return 1;
    }
    const int left_class = sign_class(left);
    const int right_class = sign_class(right);
    if (left_class != right_class) {
        return left_class < right_class ? -1 : 1;
    }
    if (std::abs(left_class) != 1) {
        return 0;
    }
    return left_class * compare_magnitudes(bid::unpack(left), right);
}

std::size_t hash_number(double value) noexcept {
    if (value == 0) {
        value = 0; // -0 equals 0
    }
    return mix_hash(std::bit_cast<std::uint64_t>(value));
}

std::size_t hash_number(Decimal128 value) noexcept {
    if (value.is_nan()) {
        return combine_hash(value.high, value.low);
    }
    const double nearest = value.to_double();
    if (compare_with_double(value, nearest) == 0) {
        return hash_number(nearest);
    }
    // Not a double: one hash for all forms of the number, which differ in the zeros at the end.
    Parts parts = bid::unpack(value);
    while (parts.coefficient % 10U == 0) {
        parts.coefficient /= 10U;
        ++parts.exponent;
    }
    const Decimal128 shortest = {static_cast<std::uint64_t>(parts.coefficient >> 64),
                                 static_cast<std::uint64_t>(parts.coefficient & ~0ULL)};
    const auto scale = static_cast<std::uint64_t>(parts.exponent) * 2 + (parts.negative ? 1 : 0);
    return combine_hash(combine_hash(shortest.high, shortest.low), scale);
}

} // namespace tombolo
