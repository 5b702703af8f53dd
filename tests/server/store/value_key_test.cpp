#include "server/store/value_key.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mql/bson_compare.hpp"
#include "server/store/store.hpp"

namespace tombolo::store {
namespace {

using mql::BsonValue;

std::string key(const BsonValue& value) {
    std::string out;
    append_value_key(out, value.view());
    return out;
}

int sign(int value) {
    return (value > 0) - (value < 0);
}

BsonValue decimal(const char* text) {
    return BsonValue::from_decimal(Decimal128::parse(text).value());
}

// Values near each other in every way that could confuse an encoding.
std::vector<BsonValue> awkward_values() {
    std::vector<BsonValue> values;
    for (const double number :
         {0.0, -0.0, 1.0, -1.0, 0.5, 0.1, -0.1, 1e300, -1e300, 5e-324, -5e-324, 9007199254740992.0,
          9223372036854775808.0, -9223372036854775808.0, std::numeric_limits<double>::infinity(),
          -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(),
          std::numeric_limits<double>::max()}) {
        values.push_back(BsonValue::from_double(number));
    }
    for (const std::int64_t number :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{9007199254740992},
          std::int64_t{9007199254740993}, std::int64_t{-9007199254740993},
          std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::max() - 1,
          std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min() + 1}) {
        values.push_back(BsonValue::from_int64(number));
    }
    values.push_back(BsonValue::from_int32(1));
    values.push_back(BsonValue::from_int32(-7));
    for (const char* text : {"0",
                             "-0",
                             "1",
                             "1.0",
                             "0.1",
                             "-0.1",
                             "0.10000000000000000000000000000000001",
                             "0.1000000000000000055511151231257827",
                             "9007199254740993",
                             "9007199254740992.5",
                             "9223372036854775807",
                             "9223372036854775807.5",
                             "1E400",
                             "-1E400",
                             "1E6000",
                             "1E-6000",
                             "-1E-6000",
                             "NaN",
                             "Infinity",
                             "-Infinity",
                             "12345678901234567890.12345"}) {
        values.push_back(decimal(text));
    }
    for (const std::string_view text :
         {std::string_view(""), std::string_view("a"), std::string_view("ab"),
          std::string_view("a\0b", 3), std::string_view("a\0", 2), std::string_view("\xff"),
          std::string_view("a\x01")}) {
        values.push_back(BsonValue::from_string(text));
    }
    values.push_back(BsonValue::from_null());
    values.push_back(BsonValue::from_bool(false));
    values.push_back(BsonValue::from_bool(true));
    values.push_back(BsonValue::from_date_ms(-1));
    values.push_back(BsonValue::from_date_ms(0));
    values.push_back(BsonValue::from_date_ms(1));
    values.push_back(BsonValue::from_timestamp(std::uint64_t{1} << 63));
    values.push_back(BsonValue::from_object_id(ObjectId{}));
    values.push_back(BsonValue::from_binary(0, as_bytes("abc")));
    values.push_back(BsonValue::from_binary(0, as_bytes("zz")));
    values.push_back(BsonValue::from_binary(4, as_bytes("abc")));
    return values;
}

TEST(ValueKey, byte_order_is_the_comparison_order_of_awkward_values) {
    const std::vector<BsonValue> values = awkward_values();
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = 0; j < values.size(); ++j) {
            EXPECT_EQ(sign(key(values[i]).compare(key(values[j]))),
                      sign(mql::compare(values[i].view(), values[j].view())))
                << i << " against " << j;
        }
    }
}

BsonValue random_value(int depth) {
    const std::vector<BsonValue>& leaves = []() -> const std::vector<BsonValue>& {
        static const std::vector<BsonValue> values = awkward_values();
        return values;
    }();
    const int kind = *rc::gen::inRange(0, depth > 0 ? 6 : 4);
    if (kind == 0) {
        return BsonValue::from_int64(*rc::gen::arbitrary<std::int64_t>());
    }
    if (kind == 1) {
        return BsonValue::from_double(*rc::gen::arbitrary<double>());
    }
    if (kind < 4) {
        return leaves[*rc::gen::inRange<std::size_t>(0, leaves.size())];
    }
    const bool array = kind == 4;
    mql::BsonWriter writer(array);
    const int count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) {
        const std::string name(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)));
        writer.append(name, random_value(depth - 1).view());
    }
    mql::BsonDocument made = std::move(writer).finish();
    return array ? std::move(made).into_array_value() : std::move(made).into_value();
}

RC_GTEST_PROP(ValueKey, byte_order_is_the_comparison_order, ()) {
    const BsonValue left = random_value(3);
    const BsonValue right = random_value(3);
    RC_ASSERT(sign(key(left).compare(key(right))) == sign(mql::compare(left.view(), right.view())));
}

RC_GTEST_PROP(ValueKey, encodings_end_where_they_say, ()) {
    const std::string first = key(random_value(3));
    const std::string second = key(random_value(2));
    RC_ASSERT(value_key_size(first + second) == first.size());
    RC_ASSERT(value_key_size(first) == first.size());
    // No beginning of an encoding is one.
    RC_ASSERT(value_key_size(std::string_view(first).substr(0, first.size() - 1)) == 0u);
}

RC_GTEST_PROP(ValueKey, arbitrary_bytes_never_read_outside, (const std::string& bytes)) {
    RC_ASSERT(value_key_size(bytes) <= bytes.size());
}

} // namespace
} // namespace tombolo::store
