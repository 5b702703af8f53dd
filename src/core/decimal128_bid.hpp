#pragma once

// The parts of a decimal128 and its rounding: shared by the decimal128_*.cpp files, of no use
// elsewhere.

#include <cstddef>
#include <cstdint>

#include <boost/multiprecision/cpp_int.hpp>

#include "core/decimal128.hpp"

namespace tombolo::bid {

namespace mp = boost::multiprecision;

/// Fixed widths that neither allocate nor throw.
template <unsigned bits>
using Unsigned =
    mp::number<mp::cpp_int_backend<bits, bits, mp::unsigned_magnitude, mp::unchecked, void>>;
using U128 = Unsigned<128>;
using U256 = Unsigned<256>;

inline constexpr int digits_max = 34;
inline constexpr int exponent_min = -6176;
inline constexpr int exponent_max = 6111;
inline constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;
inline constexpr std::uint64_t infinity_bits = 0x7800000000000000;
inline constexpr std::uint64_t nan_bits = 0x7c00000000000000;

/// value = (-1)^negative * coefficient * 10^exponent, coefficient < 10^34.
struct Parts {
    bool negative = false;
    int exponent = 0;
    U128 coefficient = 0;
};

/// REQUIRES: finite. A coefficient of 10^34 or more is not canonical and counts as 0, as IEEE 754
/// has it.
Parts unpack(const Decimal128& value) noexcept;

/// REQUIRES: coefficient < 10^34 and the exponent within its range.
Decimal128 pack(const Parts& parts) noexcept;

Decimal128 infinity(bool negative) noexcept;
Decimal128 nan() noexcept;

/// 10^exponent, for exponents 0..77.
const U256& power_of_ten(int exponent) noexcept;

/// Number of decimal digits; 0 of 0.
int digit_count(const U256& value) noexcept;
int digit_count(const U128& value) noexcept;

/// The decimal nearest to (-1)^negative * (coefficient + e) * 10^exponent, half to even, where 0 <
/// e < 1 if `sticky`, else e = 0. REQUIRES: if sticky, the coefficient has more than 34 digits, so
/// that e alone never decides a digit.
Decimal128 round(bool negative, U256 coefficient, int exponent, bool sticky) noexcept;

} // namespace tombolo::bid
