#include "query/evaluator.hpp"

#include <algorithm>

namespace tombolo::query {
namespace {

bool is_nan(const Item& item) noexcept {
    if (const auto* narrow = std::get_if<float>(&item.value)) {
        return std::isnan(*narrow);
    }
    if (const auto* wide = std::get_if<double>(&item.value)) {
        return std::isnan(*wide);
    }
    const auto* decimal = std::get_if<Decimal128>(&item.value);
    return decimal && decimal->is_nan();
}

double to_double(const Item& item) noexcept {
    if (const auto* integer = std::get_if<std::int64_t>(&item.value)) {
        return static_cast<double>(*integer);
    }
    if (const auto* narrow = std::get_if<float>(&item.value)) {
        return static_cast<double>(*narrow);
    }
    const auto* wide = std::get_if<double>(&item.value);
    return wide ? *wide : 0;
}

Decimal128 to_decimal(const Item& item) noexcept {
    if (const auto* integer = std::get_if<std::int64_t>(&item.value)) {
        return Decimal128::from_int64(*integer);
    }
    const auto* decimal = std::get_if<Decimal128>(&item.value);
    return decimal ? *decimal : Decimal128::from_double(to_double(item));
}

bool is_decimal(schema::PropertyType type) noexcept {
    return type == schema::PropertyType::decimal128 || type == schema::PropertyType::mixed;
}

} // namespace

void Accumulator::add(const Item& item) noexcept {
    if (item.is_null() || !item.is_scalar() || is_nan(item)) {
        return;
    }
    const bool ordered = op_ == AggregateOperator::min || op_ == AggregateOperator::max;
    if (ordered) {
        const int order = count_ == 0 ? 0 : compare(item.value, extreme_.value);
        if (count_ == 0 || (op_ == AggregateOperator::min ? order < 0 : order > 0)) {
            extreme_ = item;
        }
        ++count_;
        return;
    }
    if (!is_numeric(item.type)) {
        return;
    }
    ++count_;
    if (is_decimal(type_)) {
        decimals_ = tombolo::add(decimals_, to_decimal(item));
    } else if (type_ == schema::PropertyType::integer && op_ == AggregateOperator::sum) {
        const auto* integer = std::get_if<std::int64_t>(&item.value);
        const std::uint64_t next = integer ? static_cast<std::uint64_t>(*integer) : 0;
        integers_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(integers_) + next);
    } else {
        floats_ += to_double(item);
    }
}

Item Accumulator::result() const noexcept {
    if (op_ == AggregateOperator::sum) {
        return is_decimal(type_)                        ? Item(ScalarView(decimals_))
               : type_ == schema::PropertyType::integer ? Item(ScalarView(integers_))
                                                        : Item(ScalarView(floats_));
    }
    if (count_ == 0) {
        return {};
    }
    if (op_ != AggregateOperator::average) {
        return extreme_;
    }
    const auto count = static_cast<std::int64_t>(count_);
    return is_decimal(type_) ? Item(ScalarView(divide(decimals_, Decimal128::from_int64(count))))
                             : Item(ScalarView(floats_ / static_cast<double>(count)));
}

bool is_in_lookup(const std::vector<Item>& lookup, const Item& item) noexcept {
    if (!item.is_scalar()) {
        return false;
    }
    if (is_nan(item)) {
        // All NaNs are equal in a query but ordered by their bits: they are not searched for by
        // order.
        return std::any_of(lookup.begin(), lookup.end(), is_nan);
    }
    const auto found =
        std::lower_bound(lookup.begin(), lookup.end(), item, [](const Item& a, const Item& b) {
            return compare(a.value, b.value) < 0;
        });
    return found != lookup.end() && equal(*found, item);
}

} // namespace tombolo::query
