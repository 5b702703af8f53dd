#pragma once

// IEEE 754-2008 decimal128 in the BID encoding that BSON uses: 34 significant digits, exponents
// -6176..6111, +-Inf, NaN.
//
// The type is its 128 bits. Arithmetic rounds half to even to 34 digits and never traps: overflow
// gives an infinity, an invalid operation gives NaN, underflow a subnormal or a signed zero.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo {

struct Decimal128 {
    std::uint64_t high =
        0x3040000000000000; ///< sign, exponent, top of the coefficient; default is 0
    std::uint64_t low = 0;

    static Decimal128 from_int64(std::int64_t value) noexcept;
    /// Exact when the double has at most 34 significant decimal digits, else rounded half to even.
    /// The result has the fewest digits that hold the value: 1.5 is 15E-1, 100.0 is 100E0.
    static Decimal128 from_double(double value) noexcept;

    /// "1.5", "-12E-3", "Infinity", "-inf", "NaN", any case; bad_number otherwise. Rounds as
    /// arithmetic does: digits beyond 34 half to even, "1E9999" is an infinity, "1E-9999" a zero.
    static Result<Decimal128> parse(std::string_view text);

    /// As MongoDB prints decimals: "1.50", "1.2E+7", "Infinity", "-Infinity", "NaN". Parses back to
    /// the same bits for every canonical value.
    std::string to_string() const;

    /// Nearest double.
    double to_double() const noexcept;

    bool is_nan() const noexcept;
    bool is_infinite() const noexcept;
    bool is_negative() const noexcept { return (high >> 63) != 0; }
    bool is_zero() const noexcept;

    /// Same bits. Numerically equal values can have different bits (1.0 and 1.00): see compare.
    bool same_bits(const Decimal128& other) const noexcept {
        return high == other.high && low == other.low;
    }

    Decimal128 negated() const noexcept { return {high ^ (std::uint64_t{1} << 63), low}; }
};

Decimal128 add(Decimal128 left, Decimal128 right) noexcept;
Decimal128 subtract(Decimal128 left, Decimal128 right) noexcept;
Decimal128 multiply(Decimal128 left, Decimal128 right) noexcept;
Decimal128 divide(Decimal128 left, Decimal128 right) noexcept;

/// Numeric order as Mixed has it: negative, zero or positive. NaN sorts below every number; two
/// NaNs by their bits; -0 equals 0.
int compare(Decimal128 left, Decimal128 right) noexcept;

/// Exact, without rounding either side; a double NaN sorts between the decimal NaNs and the
/// numbers.
int compare_with_double(Decimal128 left, double right) noexcept;

/// Equal values (by compare) have equal hashes.
std::size_t hash_number(Decimal128 value) noexcept;
std::size_t hash_number(double value) noexcept; ///< the same as of the equal Decimal128

} // namespace tombolo
