#include "query/item.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "query/text_match.hpp"

namespace tombolo::query {
namespace {

using syntax::ArithmeticOperator;
using syntax::ComparisonOperator;

bool is_nan(const Item& item) noexcept {
    switch (item.type) {
    case ValueType::float32:
        return std::isnan(*std::get_if<float>(&item.value));
    case ValueType::float64:
        return std::isnan(*std::get_if<double>(&item.value));
    case ValueType::decimal128:
        return std::get_if<Decimal128>(&item.value)->is_nan();
    default:
        return false;
    }
}

bool holds(ComparisonOperator op, int order) noexcept {
    switch (op) {
    case ComparisonOperator::less:
        return order < 0;
    case ComparisonOperator::less_or_equal:
        return order <= 0;
    case ComparisonOperator::greater:
        return order > 0;
    case ComparisonOperator::greater_or_equal:
        return order >= 0;
    default:
        return false;
    }
}

bool relational(ComparisonOperator op, const Item& left, const Item& right) noexcept {
    if (left.type == ValueType::integer && right.type == ValueType::integer) {
        const std::int64_t a = *std::get_if<std::int64_t>(&left.value);
        const std::int64_t b = *std::get_if<std::int64_t>(&right.value);
        return holds(op, a < b ? -1 : a > b ? 1 : 0);
    }
    if (left.is_null() || right.is_null() || !left.is_scalar() || !right.is_scalar()) {
        return false;
    }
    const bool comparable = left.type == right.type
                                ? left.type != ValueType::link
                                : is_numeric(left.type) && is_numeric(right.type);
    if (!comparable || is_nan(left) || is_nan(right)) {
        return false;
    }
    return holds(op, compare(left.value, right.value));
}

/// The bytes of a string or binary; nothing for other types.
bool text_of(const Item& item, std::string_view& text) noexcept {
    if (const auto* string = std::get_if<std::string_view>(&item.value)) {
        text = *string;
        return true;
    }
    if (const auto* binary = std::get_if<BinaryView>(&item.value)) {
        text = as_text(binary->bytes);
        return true;
    }
    return false;
}

bool equal_ignoring_case(const Item& left, const Item& right) noexcept {
    std::string_view a;
    std::string_view b;
    if (left.type == right.type && text_of(left, a) && text_of(right, b)) {
        return equals_ignoring_case(a, b);
    }
    return equal(left, right);
}

bool match_text(ComparisonOperator op, bool ignore_case, const Item& subject,
                const Item& needle) noexcept {
    if (needle.is_null()) {
        if (op == ComparisonOperator::like) {
            return subject.is_null();
        }
        return true;
    }
    std::string_view text;
    std::string_view pattern;
    if (subject.type != needle.type || !text_of(subject, text) || !text_of(needle, pattern)) {
        return false;
    }
    switch (op) {
    case ComparisonOperator::begins_with:
        return begins_with(text, pattern, ignore_case);
    case ComparisonOperator::ends_with:
        return ends_with(text, pattern, ignore_case);
    case ComparisonOperator::contains:
        return contains(text, pattern, ignore_case);
    default:
        return like(text, pattern, ignore_case, subject.type == ValueType::binary);
    }
}

double to_double(const Item& item) noexcept {
    switch (item.type) {
    case ValueType::integer:
        return static_cast<double>(*std::get_if<std::int64_t>(&item.value));
    case ValueType::float32:
        return static_cast<double>(*std::get_if<float>(&item.value));
    default:
        return *std::get_if<double>(&item.value);
    }
}

Decimal128 to_decimal(const Item& item) noexcept {
    switch (item.type) {
    case ValueType::integer:
        return Decimal128::from_int64(*std::get_if<std::int64_t>(&item.value));
    case ValueType::decimal128:
        return *std::get_if<Decimal128>(&item.value);
    default:
        return Decimal128::from_double(to_double(item));
    }
}

Item calculate_integers(ArithmeticOperator op, std::int64_t a, std::int64_t b) noexcept {
    const auto ua = static_cast<std::uint64_t>(a);
    const auto ub = static_cast<std::uint64_t>(b);
    switch (op) {
    case ArithmeticOperator::add:
        return Item(ScalarView(static_cast<std::int64_t>(ua + ub)));
    case ArithmeticOperator::subtract:
        return Item(ScalarView(static_cast<std::int64_t>(ua - ub)));
    case ArithmeticOperator::multiply:
        return Item(ScalarView(static_cast<std::int64_t>(ua * ub)));
    case ArithmeticOperator::divide:
        break;
    }
    if (b == 0) {
        return {};
    }
    // The one quotient that does not fit wraps like the other operators.
    return Item(ScalarView(b == -1 ? static_cast<std::int64_t>(0 - ua) : a / b));
}

template <class Float>
Float calculate_floats(ArithmeticOperator op, Float a, Float b) noexcept {
    switch (op) {
    case ArithmeticOperator::add:
        return a + b;
    case ArithmeticOperator::subtract:
        return a - b;
    case ArithmeticOperator::multiply:
        return a * b;
    case ArithmeticOperator::divide:
        if (b == 0) {
            // Spelled out: dividing by zero is undefined for the language, not for IEEE 754.
            return a == 0 || std::isnan(a)              ? std::numeric_limits<Float>::quiet_NaN()
                   : std::signbit(a) == std::signbit(b) ? std::numeric_limits<Float>::infinity()
                                                        : -std::numeric_limits<Float>::infinity();
        }
        return a / b;
    }
    return a;
}

Decimal128 calculate_decimals(ArithmeticOperator op, Decimal128 a, Decimal128 b) noexcept {
    switch (op) {
    case ArithmeticOperator::add:
        return add(a, b);
    case ArithmeticOperator::subtract:
        return subtract(a, b);
    case ArithmeticOperator::multiply:
        return multiply(a, b);
    case ArithmeticOperator::divide:
        return divide(a, b);
    }
    return a;
}

constexpr TypeMask bit(ValueType type) noexcept {
    return TypeMask{1} << static_cast<unsigned>(type);
}

constexpr TypeMask numeric_mask = bit(ValueType::integer) | bit(ValueType::float32) |
                                  bit(ValueType::float64) | bit(ValueType::decimal128);

constexpr std::array<std::pair<std::string_view, TypeMask>, 36> type_name_table = {{
    {"null", bit(ValueType::null)},
    {"int", bit(ValueType::integer)},
    {"integer", bit(ValueType::integer)},
    {"int16", bit(ValueType::integer)},
    {"int32", bit(ValueType::integer)},
    {"int64", bit(ValueType::integer)},
    {"short", bit(ValueType::integer)},
    {"long", bit(ValueType::integer)},
    {"byte", bit(ValueType::integer)},
    {"char", bit(ValueType::integer)},
    {"bool", bit(ValueType::boolean)},
    {"boolean", bit(ValueType::boolean)},
    {"string", bit(ValueType::string)},
    {"binary", bit(ValueType::binary)},
    {"data", bit(ValueType::binary)},
    {"bytearray", bit(ValueType::binary)},
    {"byte[]", bit(ValueType::binary)},
    {"bindata", bit(ValueType::binary)},
    {"date", bit(ValueType::timestamp)},
    {"datetimeoffset", bit(ValueType::timestamp)},
    {"timestamp", bit(ValueType::timestamp)},
    {"float", bit(ValueType::float32)},
    {"double", bit(ValueType::float64)},
    {"decimal", bit(ValueType::decimal128)},
    {"decimal128", bit(ValueType::decimal128)},
    {"objectid", bit(ValueType::object_id)},
    {"uuid", bit(ValueType::uuid)},
    {"guid", bit(ValueType::uuid)},
    {"objectlink", bit(ValueType::link)},
    {"link", bit(ValueType::link)},
    {"object", bit(ValueType::dictionary)},
    {"dictionary", bit(ValueType::dictionary)},
    {"array", bit(ValueType::list)},
    {"list", bit(ValueType::list)},
    {"collection", bit(ValueType::list) | bit(ValueType::dictionary)},
    {"numeric", numeric_mask},
}};

} // namespace

bool is_numeric(ValueType type) noexcept {
    return type == ValueType::integer || type == ValueType::float32 || type == ValueType::float64 ||
           type == ValueType::decimal128;
}

bool equal(const Item& left, const Item& right) noexcept {
    if (left.type == right.type) {
        switch (left.type) {
        case ValueType::null:
            return true;
        case ValueType::integer:
            return *std::get_if<std::int64_t>(&left.value) ==
                   *std::get_if<std::int64_t>(&right.value);
        case ValueType::string:
            return *std::get_if<std::string_view>(&left.value) ==
                   *std::get_if<std::string_view>(&right.value);
        case ValueType::list:
        case ValueType::set:
        case ValueType::dictionary:
        case ValueType::object:
            return false;
        default:
            break;
        }
    } else if (!is_numeric(left.type) || !is_numeric(right.type)) {
        return false;
    }
    if (is_nan(left) || is_nan(right)) {
        return is_nan(left) && is_nan(right);
    }
    return compare(left.value, right.value) == 0;
}

bool relate(ComparisonOperator op, bool ignore_case, const Item& left, const Item& right) noexcept {
    switch (op) {
    case ComparisonOperator::equal:
    case ComparisonOperator::in:
        return ignore_case ? equal_ignoring_case(left, right) : equal(left, right);
    case ComparisonOperator::not_equal:
        return ignore_case ? !equal_ignoring_case(left, right) : !equal(left, right);
    case ComparisonOperator::less:
    case ComparisonOperator::less_or_equal:
    case ComparisonOperator::greater:
    case ComparisonOperator::greater_or_equal:
        return relational(op, left, right);
    case ComparisonOperator::text:
        return false;
    default:
        return match_text(op, ignore_case, left, right);
    }
}

Item calculate(ArithmeticOperator op, const Item& left, const Item& right) noexcept {
    if (!is_numeric(left.type) || !is_numeric(right.type)) {
        return {};
    }
    if (left.type == ValueType::decimal128 || right.type == ValueType::decimal128) {
        return Item(ScalarView(calculate_decimals(op, to_decimal(left), to_decimal(right))));
    }
    if (left.type == ValueType::float64 || right.type == ValueType::float64) {
        return Item(ScalarView(calculate_floats(op, to_double(left), to_double(right))));
    }
    if (left.type == ValueType::float32 || right.type == ValueType::float32) {
        return Item(ScalarView(calculate_floats(op, static_cast<float>(to_double(left)),
                                                static_cast<float>(to_double(right)))));
    }
    return calculate_integers(op, *std::get_if<std::int64_t>(&left.value),
                              *std::get_if<std::int64_t>(&right.value));
}

int order(const Item& left, const Item& right) noexcept {
    if (left.through_null_link != right.through_null_link) {
        return left.through_null_link ? 1 : -1;
    }
    if (left.is_scalar() && right.is_scalar()) {
        return compare(left.value, right.value);
    }
    return left.type < right.type ? -1 : left.type > right.type ? 1 : 0;
}

TypeMask type_mask(ValueType type) noexcept {
    switch (type) {
    case ValueType::object: // an embedded object is reached by a link
        return bit(ValueType::link);
    case ValueType::set:
        return bit(ValueType::list);
    default:
        return bit(type);
    }
}

TypeMask type_mask_of_name(std::string_view name) noexcept {
    for (const auto& [known, mask] : type_name_table) {
        const bool same =
            std::equal(name.begin(), name.end(), known.begin(), known.end(), [](char a, char b) {
                return (a >= 'A' && a <= 'Z' ? static_cast<char>(a | 0x20) : a) == b;
            });
        if (same) {
            return mask;
        }
    }
    return 0;
}

std::string_view type_mask_name(TypeMask mask) noexcept {
    for (const auto& [name, known] : type_name_table) {
        if (known == mask) {
            return name;
        }
    }
    return "null";
}

std::string type_names() {
    std::string out;
    for (const auto& [name, mask] : type_name_table) {
        out += out.empty() ? "" : ", ";
        out += name;
    }
    return out;
}

} // namespace tombolo::query
