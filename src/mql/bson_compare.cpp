#include "mql/bson_compare.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>

#include "core/value.hpp"

namespace tombolo::mql {

namespace {

template <class T>
int three_way(T left, T right) noexcept {
    return left < right ? -1 : (right < left ? 1 : 0);
}

int compare_text(std::string_view left, std::string_view right) noexcept {
    const int order = left.compare(right);
    return three_way(order, 0);
}

int compare_bytes(ByteView left, ByteView right) noexcept {
    return compare_text(as_text(left), as_text(right));
}

int compare_doubles(double left, double right) noexcept {
    if (left < right) {
        return -1;
    }
    if (left > right) {
        return 1;
    }
    if (left == right) {
        return 0;
    }
    return three_way(std::isnan(right), std::isnan(left)); // NaN is below everything
}

int compare_int_double(std::int64_t left, double right) noexcept {
    if (std::isnan(right)) {
        return 1;
    }
    if (right >= 0x1p63) {
        return -1;
    }
    if (right < -0x1p63) {
        return 1;
    }
    const double whole = std::trunc(right);
    const int order = three_way(left, static_cast<std::int64_t>(whole));
    return order != 0 ? order : three_way(whole, right);
}

bool is_nan(BsonView value) noexcept {
    return (value.type() == BsonType::float64 && std::isnan(value.as_double())) ||
           (value.type() == BsonType::decimal128 && value.as_decimal().is_nan());
}

ScalarView to_scalar(BsonView value) noexcept {
    switch (value.type()) {
    case BsonType::int32:
        return std::int64_t{value.as_int32()};
    case BsonType::int64:
        return value.as_int64();
    case BsonType::decimal128:
        return value.as_decimal();
    default:
        return value.as_double();
    }
}

bool is_integer(BsonView value) noexcept {
    return value.type() == BsonType::int32 || value.type() == BsonType::int64;
}

std::int64_t integer(BsonView value) noexcept {
    return value.type() == BsonType::int32 ? value.as_int32() : value.as_int64();
}

int compare_elements(BsonDocumentView left, BsonDocumentView right, bool names) noexcept {
    auto l = left.begin();
    auto r = right.begin();
    const auto l_end = left.end();
    const auto r_end = right.end();
    for (; l != l_end && r != r_end; ++l, ++r) {
        const int types = canonical_type(l->value.type()) - canonical_type(r->value.type());
        if (types != 0) {
            return three_way(types, 0);
        }
        if (const int order = names ? compare_text(l->key, r->key) : 0; order != 0) {
            return order;
        }
        if (const int order = compare(l->value, r->value); order != 0) {
            return order;
        }
    }
    return three_way(l != l_end, r != r_end);
}

int compare_binary(BsonBinaryView left, BsonBinaryView right) noexcept {
    if (const int order = three_way(left.bytes.size(), right.bytes.size()); order != 0) {
        return order;
    }
    if (const int order = three_way(left.subtype, right.subtype); order != 0) {
        return order;
    }
    return compare_bytes(left.bytes, right.bytes);
}

int compare_regex(BsonRegexView left, BsonRegexView right) noexcept {
    const int order = compare_text(left.pattern, right.pattern);
    return order != 0 ? order : compare_text(left.options, right.options);
}

// REQUIRES: equal canonical types.
int compare_same_kind(BsonView left, BsonView right) noexcept {
    switch (left.type()) {
    case BsonType::string:
    case BsonType::symbol:
    case BsonType::code:
        return compare_text(left.as_string(), right.as_string());
    case BsonType::document:
        return compare_elements(left.as_document(), right.as_document(), true);
    case BsonType::array:
        return compare_elements(left.as_document(), right.as_document(), false);
    case BsonType::binary:
        return compare_binary(left.as_binary(), right.as_binary());
    case BsonType::object_id:
        return compare_bytes(left.bytes(), right.bytes());
    case BsonType::boolean:
        return three_way(left.as_bool(), right.as_bool());
    case BsonType::date:
        return three_way(left.as_date_ms(), right.as_date_ms());
    case BsonType::timestamp:
        return three_way(left.as_timestamp(), right.as_timestamp());
    case BsonType::regex:
        return compare_regex(left.as_regex(), right.as_regex());
    case BsonType::db_pointer: {
        const int order = three_way(left.bytes().size(), right.bytes().size());
        return order != 0 ? order : compare_bytes(left.bytes(), right.bytes());
    }
    case BsonType::code_with_scope: {
        const int order = compare_text(left.as_string(), right.as_string());
        return order != 0 ? order : compare_elements(left.as_document(), right.as_document(), true);
    }
    case BsonType::int32:
    case BsonType::int64:
    case BsonType::float64:
    case BsonType::decimal128:
        return compare_numbers(left, right);
    default:
        return 0; // missing, undefined, null, min_key, max_key
    }
}

void mix(std::size_t& seed, std::size_t value) noexcept {
    seed ^= value + 0x9e3779b97f4a7c15U + (seed << 6U) + (seed >> 2U);
}

std::size_t hash_text(std::string_view text) noexcept {
    return std::hash<std::string_view>{}(text);
}

} // namespace

int canonical_type(BsonType type) noexcept {
    switch (type) {
    case BsonType::min_key:
        return -1;
    case BsonType::missing:
    case BsonType::undefined:
        return 0;
    case BsonType::null:
        return 5;
    case BsonType::int32:
    case BsonType::int64:
    case BsonType::float64:
    case BsonType::decimal128:
        return 10;
    case BsonType::string:
    case BsonType::symbol:
        return 15;
    case BsonType::document:
        return 20;
    case BsonType::array:
        return 25;
    case BsonType::binary:
        return 30;
    case BsonType::object_id:
        return 35;
    case BsonType::boolean:
        return 40;
    case BsonType::date:
        return 45;
    case BsonType::timestamp:
        return 47;
    case BsonType::regex:
        return 50;
    case BsonType::db_pointer:
        return 55;
    case BsonType::code:
        return 60;
    case BsonType::code_with_scope:
        return 65;
    case BsonType::max_key:
        return 127;
    }
    return 127;
}

int compare_numbers(BsonView left, BsonView right) noexcept {
    const bool left_integer = is_integer(left);
    const bool right_integer = is_integer(right);
    if (left_integer && right_integer) {
        return three_way(integer(left), integer(right));
    }
    if (left.type() == BsonType::decimal128 || right.type() == BsonType::decimal128) {
        if (is_nan(left) || is_nan(right)) {
            return three_way(is_nan(right), is_nan(left));
        }
        return tombolo::compare(to_scalar(left), to_scalar(right));
    }
    if (left_integer) {
        return compare_int_double(integer(left), right.as_double());
    }
    if (right_integer) {
        return -compare_int_double(integer(right), left.as_double());
    }
    return compare_doubles(left.as_double(), right.as_double());
}

int compare(BsonView left, BsonView right) noexcept {
    const int types = canonical_type(left.type()) - canonical_type(right.type());
    return types != 0 ? three_way(types, 0) : compare_same_kind(left, right);
}

int compare(BsonDocumentView left, BsonDocumentView right) noexcept {
    return compare_elements(left, right, true);
}

bool identical(BsonView left, BsonView right) noexcept {
    return left.type() == right.type() && compare_bytes(left.bytes(), right.bytes()) == 0;
}

std::size_t hash_value(BsonView value) noexcept {
    std::size_t seed = static_cast<std::size_t>(canonical_type(value.type())) + 1;
    switch (value.type()) {
    case BsonType::int32:
    case BsonType::int64:
    case BsonType::float64:
    case BsonType::decimal128: {
        // Equal numbers of any type have the same nearest double; -0 and NaN are brought to one
        // form.
        const double number = value.to_double();
        mix(seed, std::isnan(number) ? 1 : std::hash<double>{}(number == 0 ? 0.0 : number));
        break;
    }
    case BsonType::string:
    case BsonType::symbol:
    case BsonType::code:
        mix(seed, hash_text(value.as_string()));
        break;
    case BsonType::document:
    case BsonType::array:
    case BsonType::code_with_scope:
        if (value.type() == BsonType::code_with_scope) {
            mix(seed, hash_text(value.as_string()));
        }
        for (const BsonElement& element : value.as_document()) {
            mix(seed, value.is_array() ? 0 : hash_text(element.key));
            mix(seed, hash_value(element.value));
        }
        break;
    case BsonType::null:
    case BsonType::undefined:
    case BsonType::missing:
    case BsonType::min_key:
    case BsonType::max_key:
        break;
    default:
        mix(seed, hash_text(as_text(value.bytes())));
        break;
    }
    return seed;
}

} // namespace tombolo::mql
