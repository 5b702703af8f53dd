#include "mql/expression_number.hpp"

#include <algorithm>
#include <cmath>

#include "mql/expression_decimal.hpp"
#include "mql/expression_node.hpp"

namespace tombolo::mql::detail {

NumberKind kind_of(BsonView number) noexcept {
    switch (number.type()) {
    case BsonType::int32:
        return NumberKind::int32;
    case BsonType::int64:
        return NumberKind::int64;
    case BsonType::decimal128:
        return NumberKind::decimal;
    default:
        return NumberKind::float64;
    }
}

NumberKind wider(BsonView left, BsonView right) noexcept {
    return std::max(kind_of(left), kind_of(right));
}

bool is_integer(BsonView number) noexcept {
    return number.type() == BsonType::int32 || number.type() == BsonType::int64;
}

std::int64_t to_integer(BsonView number) noexcept {
    return number.type() == BsonType::int32 ? number.as_int32() : number.as_int64();
}

Decimal128 to_decimal(BsonView number) noexcept {
    switch (kind_of(number)) {
    case NumberKind::decimal:
        return number.as_decimal();
    case NumberKind::float64:
        return decimal_from_double(number.as_double());
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    return Decimal128::from_int64(to_integer(number));
}

BsonView integer_of_kind(Evaluation& evaluation, std::int64_t value, NumberKind kind) {
    return kind == NumberKind::int32 ? evaluation.integer(value) : evaluation.int64(value);
}

void NumberSum::add_double(double value) noexcept {
    const double sum = floats_ + value;
    if (compensated_ && std::isfinite(sum)) {
        // Neumaier: what the addition lost, whichever operand is larger.
        correction_ += std::abs(floats_) >= std::abs(value) ? (floats_ - sum) + value
                                                            : (value - sum) + floats_;
    }
    floats_ = sum;
}

void NumberSum::add(BsonView number) noexcept {
    kind_ = std::max(kind_, kind_of(number));
    switch (kind_of(number)) {
    case NumberKind::decimal:
        decimals_ = tombolo::add(decimals_, number.as_decimal());
        return;
    case NumberKind::float64:
        add_double(number.as_double());
        return;
    case NumberKind::int64:
    case NumberKind::int32:
        break;
    }
    std::int64_t sum = 0;
    if (__builtin_add_overflow(integers_, to_integer(number), &sum)) {
        kind_ = std::max(kind_, NumberKind::float64);
        add_double(number.to_double());
        return;
    }
    integers_ = sum;
}

double NumberSum::as_double() const noexcept {
    if (kind_ == NumberKind::decimal) {
        return as_decimal().to_double();
    }
    const double floats = std::isfinite(floats_) ? floats_ + correction_ : floats_;
    return static_cast<double>(integers_) + floats;
}

Decimal128 NumberSum::as_decimal() const noexcept {
    Decimal128 total = tombolo::add(decimals_, Decimal128::from_int64(integers_));
    if (floats_ != 0 || correction_ != 0) {
        total = tombolo::add(total, decimal_from_double(floats_ + correction_));
    }
    return total;
}

BsonValue NumberSum::result() const {
    switch (kind_) {
    case NumberKind::decimal:
        return BsonValue::from_decimal(as_decimal());
    case NumberKind::float64:
        return BsonValue::from_double(as_double());
    case NumberKind::int64:
        return BsonValue::from_int64(integers_);
    case NumberKind::int32:
        break;
    }
    const auto narrow = static_cast<std::int32_t>(integers_);
    return narrow == integers_ ? BsonValue::from_int32(narrow) : BsonValue::from_int64(integers_);
}

BsonView NumberSum::result(Evaluation& evaluation) const {
    return evaluation.scratch().keep(result());
}

} // namespace tombolo::mql::detail
