#include "mql/bson_gen.hpp"

#include <array>
#include <limits>
#include <string>

namespace tombolo::mql::test {

namespace {

std::int64_t any_integer() {
    return *rc::gen::element<std::int64_t>(0, 1, -1, 2, 7, 1LL << 31, (1LL << 53) + 1, 1LL << 53,
                                           std::numeric_limits<std::int64_t>::max(),
                                           std::numeric_limits<std::int64_t>::min());
}

BsonValue any_number() {
    switch (*rc::gen::inRange(0, 4)) {
    case 0:
        return BsonValue::from_int32(*rc::gen::inRange(-3, 4));
    case 1:
        return BsonValue::from_int64(any_integer());
    case 2:
        return BsonValue::from_double(*rc::gen::element(
            0.0, -0.0, 0.1, 0.5, 1.0, -1.0, 0x1p53, 0x1p63, 1e300,
            std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()));
    default:
        return BsonValue::from_decimal(*Decimal128::parse(*rc::gen::element<std::string>(
            "0", "-0", "0.1", "0.10", "0.5", "1", "1E+1", "9007199254740993", "9223372036854775807",
            "9223372036854775808", "1E+6000", "NaN", "Infinity", "-Infinity", "0.3333333")));
    }
}

BsonValue any_scalar() {
    static constexpr std::array<std::byte, 3> bytes{std::byte{1}, std::byte{0}, std::byte{255}};
    switch (*rc::gen::inRange(0, 10)) {
    case 0:
    case 1:
    case 2:
        return any_number();
    case 3:
        return BsonValue::from_string(
            *rc::gen::element<std::string>("", "a", "ab", "b", "\xc3\xa9", std::string("a\0b", 3)));
    case 4:
        return BsonValue::from_bool(*rc::gen::arbitrary<bool>());
    case 5:
        return BsonValue::from_date_ms(any_integer());
    case 6: {
        ObjectId id;
        id.bytes[11] = static_cast<std::byte>(*rc::gen::inRange(0, 3));
        return BsonValue::from_object_id(id);
    }
    case 7:
        return BsonValue::from_binary(static_cast<std::uint8_t>(*rc::gen::element(0, 4, 5)),
                                      ByteView(bytes).first(*rc::gen::inRange<std::size_t>(0, 4)));
    case 8:
        return BsonValue::from_timestamp(*rc::gen::inRange<std::uint64_t>(0, 3));
    default:
        return BsonValue(BsonView(*rc::gen::element(BsonType::null, BsonType::undefined,
                                                    BsonType::min_key, BsonType::max_key),
                                  {}));
    }
}

} // namespace

BsonValue any_value(int depth) {
    const int kind = depth > 0 ? *rc::gen::inRange(0, 4) : 0;
    if (kind < 2) {
        return any_scalar();
    }
    if (kind == 2) {
        return any_document(depth - 1).into_value();
    }
    BsonWriter writer(true);
    for (int count = *rc::gen::inRange(0, 4); count > 0; --count) {
        writer.append({}, any_value(depth - 1));
    }
    return std::move(writer).finish().into_array_value();
}

BsonDocument any_document(int depth) {
    BsonWriter writer;
    std::string used;
    for (int count = *rc::gen::inRange(0, 5); count > 0; --count) {
        const char name = *rc::gen::element('a', 'b', 'c', 'd', 'e');
        if (used.find(name) == std::string::npos) {
            used += name;
            writer.append(std::string(1, name), any_value(depth));
        }
    }
    return std::move(writer).finish();
}

} // namespace tombolo::mql::test
