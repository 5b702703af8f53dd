#include "core/decimal128.hpp"

#include <algorithm>
#include <array>

#include "core/decimal128_bid.hpp"

namespace tombolo {

namespace bid {

namespace {

constexpr std::uint64_t kind_mask = 0x7c00000000000000;
constexpr std::uint64_t steering_bits = 0x6000000000000000;
constexpr std::uint64_t exponent_mask = 0x3fff;
constexpr std::uint64_t coefficient_high_mask = 0x0001ffffffffffff;
// 10^34 - 1
constexpr std::uint64_t max_coefficient_high = 0x0001ed09bead87c0;
constexpr std::uint64_t max_coefficient_low = 0x378d8e63ffffffff;

constexpr int power_count = 78;

std::array<U256, power_count> make_powers() noexcept {
    std::array<U256, power_count> powers;
    powers[0] = 1;
    for (std::size_t i = 1; i < power_count; ++i) {
        powers[i] = powers[i - 1] * 10U;
    }
    return powers;
}

template <class Number>
int count_digits(const Number& value) noexcept {
    if (value == 0) {
        return 0;
    }
    // log10(2) = 0.30103: the estimate is right or one short.
    const auto bits = static_cast<int>(mp::msb(value)) + 1;
    const int estimate = static_cast<int>(static_cast<long>(bits) * 30103 / 100000);
    return value >= Number(power_of_ten(estimate)) ? estimate + 1 : estimate;
}

} // namespace

Parts unpack(const Decimal128& value) noexcept {
    Parts parts;
    parts.negative = (value.high & sign_bit) != 0;
    if ((value.high & steering_bits) == steering_bits) {
        // This form only holds coefficients of 2^113 and more, beyond 10^34.
        parts.exponent = static_cast<int>(value.high >> 47 & exponent_mask) + exponent_min;
        return parts;
    }
    parts.exponent = static_cast<int>(value.high >> 49 & exponent_mask) + exponent_min;
    const std::uint64_t high = value.high & coefficient_high_mask;
    if (high > max_coefficient_high ||
        (high == max_coefficient_high && value.low > max_coefficient_low)) {
        return parts;
    }
    parts.coefficient = high;
    parts.coefficient <<= 64;
    parts.coefficient |= value.low;
    return parts;
}

Decimal128 pack(const Parts& parts) noexcept {
    const auto high = static_cast<std::uint64_t>(parts.coefficient >> 64);
    const auto low = static_cast<std::uint64_t>(parts.coefficient & ~std::uint64_t{0});
    const auto biased = static_cast<std::uint64_t>(parts.exponent - exponent_min);
    return {high | biased << 49 | (parts.negative ? sign_bit : 0), low};
}

Decimal128 infinity(bool negative) noexcept {
    return {infinity_bits | (negative ? sign_bit : 0), 0};
}

Decimal128 nan() noexcept {
    return {nan_bits, 0};
}

const U256& power_of_ten(int exponent) noexcept {
    static const std::array<U256, power_count> powers = make_powers();
    return powers[static_cast<std::size_t>(exponent)];
}

int digit_count(const U256& value) noexcept {
    return count_digits(value);
}
int digit_count(const U128& value) noexcept {
    return count_digits(value);
}

Decimal128 round(bool negative, U256 coefficient, int exponent, bool sticky) noexcept {
    const int digits = digit_count(coefficient);
    int dropped = std::max(digits - digits_max, 0);
    if (exponent + dropped < exponent_min) {
        dropped = exponent_min - exponent; // a subnormal keeps fewer digits
    }
    if (dropped > digits) {
        coefficient = 0; // less than a tenth of the smallest subnormal
        exponent = exponent_min;
    } else if (dropped > 0) {
        const U256& unit = power_of_ten(dropped);
        U256 rest;
        U256 kept;
        mp::divide_qr(coefficient, unit, kept, rest);
        const int order = U256(rest * 2U).compare(unit);
        const bool tie = order == 0 && !sticky;
        if (order > 0 || (order == 0 && sticky) || (tie && mp::bit_test(kept, 0))) {
            ++kept;
        }
        coefficient = kept;
        exponent += dropped;
        if (coefficient == power_of_ten(digits_max)) {
            coefficient = power_of_ten(digits_max - 1);
            ++exponent;
        }
    }
    if (coefficient == 0) {
        exponent = std::clamp(exponent, exponent_min, exponent_max);
    } else if (exponent > exponent_max) {
        // Zeros at the end of the coefficient can stand for a large exponent.
        const int padding = exponent - exponent_max;
        if (padding > digits_max - digit_count(coefficient)) {
            return infinity(negative);
        }
        coefficient *= power_of_ten(padding);
        exponent = exponent_max;
    }
    return pack({negative, exponent, static_cast<U128>(coefficient)});
}

} // namespace bid

bool Decimal128::is_nan() const noexcept {
    return (high & bid::kind_mask) == bid::nan_bits;
}

bool Decimal128::is_infinite() const noexcept {
    return (high & bid::kind_mask) == bid::infinity_bits;
}

bool Decimal128::is_zero() const noexcept {
    return !is_nan() && !is_infinite() && bid::unpack(*this).coefficient == 0;
}

Decimal128 Decimal128::from_int64(std::int64_t value) noexcept {
    const auto bits = static_cast<std::uint64_t>(value);
    const std::uint64_t sign = value < 0 ? bid::sign_bit : 0;
    return {Decimal128{}.high | sign, value < 0 ? 0 - bits : bits};
}

} // namespace tombolo
