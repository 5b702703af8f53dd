// Order, identity and hash of values.

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "core/hash.hpp"
#include "core/value.hpp"

namespace tombolo {

namespace {

template <class T>
int three_way(const T& left, const T& right) noexcept {
    return (right < left) - (left < right);
}

/// Place of a type in the order of Mixed (database-and-sdk.md 1.4); the numeric types share one.
int rank(ValueType type) noexcept {
    switch (type) {
    case ValueType::null:
        return 0;
    case ValueType::boolean:
        return 1;
    case ValueType::integer:
    case ValueType::float32:
    case ValueType::float64:
    case ValueType::decimal128:
        return 2;
    case ValueType::string:
        return 3;
    case ValueType::binary:
        return 4;
    case ValueType::timestamp:
        return 5;
    case ValueType::object_id:
        return 6;
    case ValueType::uuid:
        return 7;
    case ValueType::link:
        return 8;
    case ValueType::list:
        return 9;
    case ValueType::set:
        return 10;
    case ValueType::dictionary:
        return 11;
    case ValueType::object:
        return 12;
    }
    return 13;
}

/// The double of a float; unlike a conversion it keeps every bit of a NaN.
double widen(float value) noexcept {
    if (!std::isnan(value)) {
        return value;
    }
    const std::uint64_t bits = std::bit_cast<std::uint32_t>(value);
    return std::bit_cast<double>((bits >> 31) << 63 | 0x7ff0000000000000 | (bits & 0x7fffff) << 29);
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
    const bool left_nan = std::isnan(left);
    if (left_nan != std::isnan(right)) {
        return left_nan ? -1 : 1;
    }
    return three_way(std::bit_cast<std::uint64_t>(left), std::bit_cast<std::uint64_t>(right));
}

int compare_int_with_double(std::int64_t left, double right) noexcept {
    constexpr double two_to_63 = 9223372036854775808.0;
    if (std::isnan(right) || right < -two_to_63) {
        return 1;
    }
    if (right >= two_to_63) {
        return -1;
    }
    const double whole = std::trunc(right);
    const int order = three_way(left, static_cast<std::int64_t>(whole));
    return order != 0 ? order : three_way(whole, right);
}

/// Numbers of different types. Floats are compared as the doubles they are.
int compare_mixed_numbers(const ScalarView& left, const ScalarView& right) noexcept {
    if (const float* number = std::get_if<float>(&left)) {
        return compare_mixed_numbers(widen(*number), right);
    }
    if (const float* number = std::get_if<float>(&right)) {
        return compare_mixed_numbers(left, widen(*number));
    }
    if (const double* number = std::get_if<double>(&left)) {
        if (const double* other = std::get_if<double>(&right)) {
            return compare_doubles(*number, *other);
        }
        return -compare_mixed_numbers(right, left);
    }
    if (const std::int64_t* number = std::get_if<std::int64_t>(&left)) {
        if (const double* other = std::get_if<double>(&right)) {
            return compare_int_with_double(*number, *other);
        }
        return compare(Decimal128::from_int64(*number), *std::get_if<Decimal128>(&right));
    }
    const Decimal128& number = *std::get_if<Decimal128>(&left);
    if (const double* other = std::get_if<double>(&right)) {
        return compare_with_double(number, *other);
    }
    return compare(number, Decimal128::from_int64(*std::get_if<std::int64_t>(&right)));
}

int compare_bytes(ByteView left, ByteView right) noexcept {
    return three_way(as_text(left), as_text(right));
}

template <class T>
const T& get(const ScalarView& value) noexcept {
    return *std::get_if<T>(&value);
}

int compare_same_type(const ScalarView& left, const ScalarView& right) noexcept {
    switch (type_of(left)) {
    case ValueType::integer:
        return three_way(get<std::int64_t>(left), get<std::int64_t>(right));
    case ValueType::boolean:
        return three_way(get<bool>(left), get<bool>(right));
    case ValueType::string:
        return get<std::string_view>(left).compare(get<std::string_view>(right));
    case ValueType::binary:
        return compare_bytes(get<BinaryView>(left).bytes, get<BinaryView>(right).bytes);
    case ValueType::timestamp:
        return three_way(get<Timestamp>(left), get<Timestamp>(right));
    case ValueType::float32:
        return compare_doubles(widen(get<float>(left)), widen(get<float>(right)));
    case ValueType::float64:
        return compare_doubles(get<double>(left), get<double>(right));
    case ValueType::decimal128:
        return compare(get<Decimal128>(left), get<Decimal128>(right));
    case ValueType::link: {
        const auto& a = get<LinkView>(left);
        const auto& b = get<LinkView>(right);
        const int order = a.class_name.compare(b.class_name);
        return order != 0 ? order : three_way(a.key, b.key);
    }
    case ValueType::object_id:
        return three_way(get<ObjectId>(left), get<ObjectId>(right));
    case ValueType::uuid:
        return three_way(get<Uuid>(left), get<Uuid>(right));
    default:
        return 0;
    }
}

using Elements = std::vector<Value>;
using Entries = std::vector<Dictionary::Entry>;

const Elements* elements_of(const Value& value) noexcept {
    if (const List* list = value.get_if<List>()) {
        return &list->elements;
    }
    const Set* set = value.get_if<Set>();
    return set != nullptr ? &set->elements() : nullptr;
}

const Entries* entries_of(const Value& value) noexcept {
    if (const Dictionary* dictionary = value.get_if<Dictionary>()) {
        return &dictionary->entries();
    }
    const Object* object = value.get_if<Object>();
    return object != nullptr ? &object->fields.entries() : nullptr;
}

int compare_elements(const Elements& left, const Elements& right) noexcept {
    const std::size_t common = std::min(left.size(), right.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (const int order = compare(left[i], right[i]); order != 0) {
            return order;
        }
    }
    return three_way(left.size(), right.size());
}

int compare_entries(const Entries& left, const Entries& right) noexcept {
    const std::size_t common = std::min(left.size(), right.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (const int order = left[i].first.compare(right[i].first); order != 0) {
            return order;
        }
        if (const int order = compare(left[i].second, right[i].second); order != 0) {
            return order;
        }
    }
    return three_way(left.size(), right.size());
}

bool identical_scalars(const ScalarView& left, const ScalarView& right) noexcept {
    switch (type_of(left)) {
    case ValueType::float32:
        return std::bit_cast<std::uint32_t>(get<float>(left)) ==
               std::bit_cast<std::uint32_t>(get<float>(right));
    case ValueType::float64:
        return std::bit_cast<std::uint64_t>(get<double>(left)) ==
               std::bit_cast<std::uint64_t>(get<double>(right));
    case ValueType::decimal128:
        return get<Decimal128>(left).same_bits(get<Decimal128>(right));
    default:
        return compare_same_type(left, right) == 0;
    }
}

struct ScalarHash {
    std::uint64_t operator()(std::monostate) const noexcept { return 0x6e756c6c; }
    std::uint64_t operator()(std::int64_t value) const noexcept {
        // An integer that is a double hashes as that double; others equal no double.
        const auto nearest = static_cast<double>(value);
        return compare_int_with_double(value, nearest) == 0
                   ? hash_number(nearest)
                   : hash_number(Decimal128::from_int64(value));
    }
    std::uint64_t operator()(bool value) const noexcept { return value ? 0x74727565 : 0x66616c73; }
    std::uint64_t operator()(std::string_view value) const noexcept {
        return std::hash<std::string_view>{}(value);
    }
    std::uint64_t operator()(const BinaryView& value) const noexcept {
        return combine_hash(4, std::hash<std::string_view>{}(as_text(value.bytes)));
    }
    std::uint64_t operator()(const Timestamp& value) const noexcept {
        return combine_hash(static_cast<std::uint64_t>(value.seconds()),
                            static_cast<std::uint64_t>(value.nanoseconds()));
    }
    std::uint64_t operator()(float value) const noexcept { return hash_number(widen(value)); }
    std::uint64_t operator()(double value) const noexcept { return hash_number(value); }
    std::uint64_t operator()(const Decimal128& value) const noexcept { return hash_number(value); }
    std::uint64_t operator()(const LinkView& value) const noexcept {
        return combine_hash(std::hash<std::string_view>{}(value.class_name), hash_value(value.key));
    }
    std::uint64_t operator()(const ObjectId& value) const noexcept {
        return combine_hash(10, std::hash<std::string_view>{}(as_text(value.bytes)));
    }
    std::uint64_t operator()(const Uuid& value) const noexcept {
        return combine_hash(11, std::hash<std::string_view>{}(as_text(value.bytes)));
    }
};

} // namespace

int compare(const ScalarView& left, const ScalarView& right) noexcept {
    if (left.index() == right.index()) {
        return compare_same_type(left, right);
    }
    const int left_rank = rank(type_of(left));
    const int right_rank = rank(type_of(right));
    if (left_rank != right_rank) {
        return left_rank < right_rank ? -1 : 1;
    }
    return compare_mixed_numbers(left, right);
}

std::size_t hash_value(const ScalarView& value) noexcept {
    return std::visit(ScalarHash{}, value);
}

int compare(const Value& left, const Value& right) noexcept {
    if (left.is_scalar() && right.is_scalar()) {
        return compare(left.scalar(), right.scalar());
    }
    if (left.type() != right.type()) {
        return rank(left.type()) < rank(right.type()) ? -1 : 1;
    }
    if (const Elements* elements = elements_of(left)) {
        return compare_elements(*elements, *elements_of(right));
    }
    return compare_entries(*entries_of(left), *entries_of(right));
}

bool identical(const Value& left, const Value& right) noexcept {
    if (left.type() != right.type()) {
        return false;
    }
    if (left.is_scalar()) {
        return identical_scalars(left.scalar(), right.scalar());
    }
    if (const Elements* elements = elements_of(left)) {
        const Elements& others = *elements_of(right);
        return std::equal(elements->begin(), elements->end(), others.begin(), others.end(),
                          identical);
    }
    const Entries& entries = *entries_of(left);
    const Entries& others = *entries_of(right);
    return std::equal(entries.begin(), entries.end(), others.begin(), others.end(),
                      [](const Dictionary::Entry& a, const Dictionary::Entry& b) {
                          return a.first == b.first && identical(a.second, b.second);
                      });
}

std::size_t hash_value(const Value& value) noexcept {
    if (value.is_scalar()) {
        return hash_value(value.scalar());
    }
    std::uint64_t hash = static_cast<std::uint64_t>(value.type());
    if (const Elements* elements = elements_of(value)) {
        for (const Value& element : *elements) {
            hash = combine_hash(hash, hash_value(element));
        }
        return hash;
    }
    for (const auto& [key, element] : *entries_of(value)) {
        hash = combine_hash(hash, std::hash<std::string_view>{}(key));
        hash = combine_hash(hash, hash_value(element));
    }
    return hash;
}

} // namespace tombolo
