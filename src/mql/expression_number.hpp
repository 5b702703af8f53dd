#pragma once

// Numbers of the four BSON types under one promotion rule: int32 < int64 < double < decimal128.
//
// Thread-safety: values; nothing shared.

#include <cstdint>

#include "core/decimal128.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::mql::detail {

class Evaluation;

/// In promotion order.
enum class NumberKind : std::uint8_t { int32, int64, float64, decimal };

// REQUIRES for each: is_number().
NumberKind kind_of(BsonView number) noexcept;
NumberKind wider(BsonView left, BsonView right) noexcept;
bool is_integer(BsonView number) noexcept;
/// REQUIRES: is_integer(number).
std::int64_t to_integer(BsonView number) noexcept;
Decimal128 to_decimal(BsonView number) noexcept;

/// An int32 when `kind` is int32 and the value fits, else an int64.
BsonView integer_of_kind(Evaluation& evaluation, std::int64_t value, NumberKind kind);

/// A running sum. `compensated` carries the rounding error of doubles along ($sum, $avg); without
/// it doubles are added left to right ($add).
class NumberSum {
  public:
    explicit NumberSum(bool compensated) noexcept : compensated_(compensated) {}

    void add(BsonView number) noexcept;
    BsonValue result() const;
    BsonView result(Evaluation& evaluation) const;
    /// The sum as a double, whatever its kind.
    double as_double() const noexcept;
    Decimal128 as_decimal() const noexcept;
    NumberKind kind() const noexcept { return kind_; }

  private:
    void add_double(double value) noexcept;

    bool compensated_;
    NumberKind kind_ = NumberKind::int32;
    std::int64_t integers_ = 0;
    double floats_ = 0;
    double correction_ = 0;
    Decimal128 decimals_;
};

} // namespace tombolo::mql::detail
