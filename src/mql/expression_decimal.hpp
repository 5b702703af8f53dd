#pragma once

// The functions of decimals that the expression language needs beyond the four operations of
// core/decimal128.hpp.
//
// Results are rounded to 34 digits. A NaN argument gives NaN. Thread-safety: pure functions.

#include <cstdint>

#include "core/decimal128.hpp"

namespace tombolo::mql {

enum class DecimalRounding : std::uint8_t { half_even, toward_zero, down, up };

/// Rounded so that no digit stands after `place` digits behind the point; a negative place counts
/// before it.
Decimal128 round_decimal(Decimal128 value, std::int64_t place, DecimalRounding rounding);

/// Sign of the dividend, as C's fmod.
Decimal128 remainder(Decimal128 dividend, Decimal128 divisor);

/// With exactly 15 significant digits, as MongoDB converts doubles.
Decimal128 decimal_from_double(double value);

Decimal128 square_root(Decimal128 value);
Decimal128 exponential(Decimal128 value);
Decimal128 natural_log(Decimal128 value);
Decimal128 common_log(Decimal128 value);
Decimal128 power(Decimal128 base, Decimal128 exponent);

} // namespace tombolo::mql
