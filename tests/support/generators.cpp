#include "support/generators.hpp"

#include <bit>
#include <limits>

namespace tombolo::testing {

namespace {

using rc::gen::arbitrary;
using rc::gen::element;
using rc::gen::inRange;
using rc::gen::map;
using rc::gen::oneOf;

Value number(int type, double value) {
    switch (type) {
    case 0:
        return static_cast<std::int64_t>(value);
    case 1:
        return static_cast<float>(value);
    case 2:
        return value;
    default:
        return Decimal128::from_double(value);
    }
}

/// Numbers near each other in all four types.
rc::Gen<Value> close_number() {
    return rc::gen::apply(
        [](int type, double base, int offset) { return number(type, base + offset * 0.25); },
        inRange(0, 4),
        element(0.0, 9007199254740992.0, -9007199254740992.0, 16777216.0, 9e18, -9e18),
        inRange(-12, 12));
}

template <std::size_t size>
rc::Gen<std::array<std::byte, size>> byte_array() {
    return map(rc::gen::container<std::vector<std::uint8_t>>(size, arbitrary<std::uint8_t>()),
               [](const std::vector<std::uint8_t>& bytes) {
                   std::array<std::byte, size> array{};
                   for (std::size_t i = 0; i < size; ++i) {
                       array[i] = static_cast<std::byte>(bytes[i]);
                   }
                   return array;
               });
}

rc::Gen<ObjectId> any_object_id() {
    return map(byte_array<12>(),
               [](const std::array<std::byte, 12>& bytes) { return ObjectId{bytes}; });
}

rc::Gen<Uuid> any_uuid() {
    return map(byte_array<16>(),
               [](const std::array<std::byte, 16>& bytes) { return Uuid{bytes}; });
}

rc::Gen<Value> any_binary() {
    return map(arbitrary<std::vector<std::uint8_t>>(), [](const std::vector<std::uint8_t>& bytes) {
        Binary binary;
        for (const std::uint8_t byte : bytes) {
            binary.bytes.push_back(static_cast<std::byte>(byte));
        }
        return Value(std::move(binary));
    });
}

template <class T>
rc::Gen<Value> as_value(rc::Gen<T> gen) {
    return map(std::move(gen), [](T value) { return Value(std::move(value)); });
}

rc::Gen<Value> any_collection(int depth) {
    const auto elements = rc::gen::scale(0.2, rc::gen::container<std::vector<Value>>(rc::gen::lazy(
                                                  [depth] { return any_value(depth - 1); })));
    const auto keys = rc::gen::scale(0.2, rc::gen::container<std::vector<std::string>>(any_text()));
    return rc::gen::apply(
        [](int kind, const std::vector<Value>& values, const std::vector<std::string>& names) {
            if (kind == 0) {
                return Value(List{values});
            }
            Dictionary dictionary;
            for (std::size_t i = 0; i < std::min(values.size(), names.size()); ++i) {
                dictionary.set(names[i], values[i]);
            }
            if (kind == 1) {
                return Value(std::move(dictionary));
            }
            if (kind == 2) {
                return Value(Object{std::move(dictionary)});
            }
            Set set;
            for (const Value& value : values) {
                if (value.is_scalar()) {
                    set.insert(value);
                }
            }
            return Value(std::move(set));
        },
        inRange(0, 4), elements, keys);
}

} // namespace

rc::Gen<Decimal128> any_decimal() {
    const auto coefficient = rc::gen::apply(
        [](std::uint64_t high, std::uint64_t low, int keep, int zeros) {
            // Up to 113 bits, cut to `keep` bits, then decimal zeros while they fit.
            Decimal128 bits{high & 0x0001ffffffffffff, low};
            if (keep <= 64) {
                bits.high = 0;
                bits.low = keep == 0 ? 0 : low >> (64 - keep);
            } else {
                bits.high &= (std::uint64_t{1} << (keep - 64)) - 1;
            }
            while (zeros-- > 0 && bits.high == 0 && bits.low < std::uint64_t{1} << 60) {
                bits.low *= 10;
            }
            const bool too_large = bits.high > 0x0001ed09bead87bf;
            return too_large ? Decimal128{0x0001ed09bead87c0, 0x378d8e63ffffffff} : bits;
        },
        arbitrary<std::uint64_t>(), arbitrary<std::uint64_t>(), inRange(0, 114), inRange(0, 5));
    const auto exponent = oneOf(inRange(6176 - 40, 6176 + 40), inRange(0, 40),
                                inRange(12287 - 40, 12288), inRange(0, 12288));
    const auto finite = rc::gen::apply(
        [](Decimal128 bits, int biased, bool negative) {
            bits.high |= static_cast<std::uint64_t>(biased) << 49;
            return negative ? bits.negated() : bits;
        },
        coefficient, exponent, arbitrary<bool>());
    return rc::gen::weightedOneOf<Decimal128>(
        {{30, finite},
         {1, element(Decimal128{0x7800000000000000, 0}, Decimal128{0xf800000000000000, 0},
                     Decimal128{0x7c00000000000000, 0}, Decimal128{0xfc00000000000000, 0},
                     Decimal128{0x7c00000000000000, 7})}});
}

rc::Gen<double> any_double() {
    using Limits = std::numeric_limits<double>;
    return oneOf(map(inRange(-1000, 1000), [](int value) { return value * 0.125; }),
                 map(arbitrary<std::uint64_t>(),
                     [](std::uint64_t bits) { return std::bit_cast<double>(bits); }),
                 map(arbitrary<std::int64_t>(),
                     [](std::int64_t value) { return static_cast<double>(value); }),
                 element(0.0, -0.0, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                         Limits::denorm_min(), Limits::min(), Limits::max(), Limits::lowest(), 0.1,
                         9223372036854775808.0, -9223372036854775808.0));
}

rc::Gen<Timestamp> any_timestamp() {
    const auto seconds = oneOf(arbitrary<std::int64_t>(), inRange<std::int64_t>(-3, 4),
                               inRange<std::int64_t>(-70'000'000'000, 300'000'000'000));
    return rc::gen::apply(
        [](std::int64_t s, std::int32_t ns) {
            const std::int32_t part = s < 0 ? -ns : ns;
            return *Timestamp::make(s, part);
        },
        seconds, oneOf(inRange(0, 1'000'000'000), element(0, 1, 999'999'999, 500'000'000)));
}

rc::Gen<std::string> any_text() {
    return map(rc::gen::container<std::vector<std::string>>(element<std::string>(
                   "a", "b", "$", ".", "\"", "\\", std::string(1, '\0'), "\n", "\xc3\xa9",
                   "\xe2\x82\xac", "\xf0\x9f\x8f\x9d", "\x7f", "Tombolo")),
               [](const std::vector<std::string>& parts) {
                   std::string text;
                   for (const std::string& part : parts) {
                       text += part;
                   }
                   return text;
               });
}

rc::Gen<PrimaryKey> any_primary_key() {
    return oneOf(
        rc::gen::just(PrimaryKey()),
        map(arbitrary<std::int64_t>(), [](std::int64_t value) { return PrimaryKey(value); }),
        map(any_text(), [](std::string text) { return PrimaryKey(std::move(text)); }),
        map(any_object_id(), [](ObjectId id) { return PrimaryKey(id); }),
        map(any_uuid(), [](Uuid uuid) { return PrimaryKey(uuid); }));
}

rc::Gen<Value> any_scalar() {
    const auto any_float = map(arbitrary<std::uint32_t>(),
                               [](std::uint32_t bits) { return std::bit_cast<float>(bits); });
    const auto any_link = rc::gen::apply(
        [](std::string name, PrimaryKey key) {
            return Value(Link{std::move(name), std::move(key)});
        },
        element<std::string>("Person", "Dog"), any_primary_key());
    return rc::gen::weightedOneOf<Value>({{1, rc::gen::just(Value())},
                                          {2, as_value(arbitrary<bool>())},
                                          {3, as_value(arbitrary<std::int64_t>())},
                                          {3, as_value(any_double())},
                                          {2, as_value(any_float)},
                                          {3, as_value(any_decimal())},
                                          {6, close_number()},
                                          {3, as_value(any_text())},
                                          {2, any_binary()},
                                          {2, as_value(any_timestamp())},
                                          {2, as_value(any_object_id())},
                                          {2, as_value(any_uuid())},
                                          {2, any_link}});
}

rc::Gen<Value> any_value(int depth) {
    if (depth <= 0) {
        return any_scalar();
    }
    return rc::gen::weightedOneOf<Value>({{3, any_scalar()}, {2, any_collection(depth)}});
}

} // namespace tombolo::testing
