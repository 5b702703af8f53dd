#include "core/value.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/generators.hpp"
#include "support/show.hpp"

namespace tombolo {
namespace {

constexpr std::int64_t int_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int_min = std::numeric_limits<std::int64_t>::min();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

int sign(int order) {
    return (order > 0) - (order < 0);
}

Decimal128 decimal(const char* text) {
    return *Decimal128::parse(text);
}

TEST(Value, variant_indexes_are_the_payload_type_codes) {
    EXPECT_EQ(Value().type(), ValueType::null);
    EXPECT_EQ(Value(1).type(), ValueType::integer);
    EXPECT_EQ(Value(true).type(), ValueType::boolean);
    EXPECT_EQ(Value("a").type(), ValueType::string);
    EXPECT_EQ(Value(Binary{}).type(), ValueType::binary);
    EXPECT_EQ(Value(Timestamp()).type(), ValueType::timestamp);
    EXPECT_EQ(Value(1.0F).type(), ValueType::float32);
    EXPECT_EQ(Value(1.0).type(), ValueType::float64);
    EXPECT_EQ(Value(Decimal128()).type(), ValueType::decimal128);
    EXPECT_EQ(Value(Link{}).type(), ValueType::link);
    EXPECT_EQ(Value(ObjectId()).type(), ValueType::object_id);
    EXPECT_EQ(Value(Uuid()).type(), ValueType::uuid);
    EXPECT_EQ(Value(Object()).type(), ValueType::object);
}

TEST(Value, t06_types_sort_as_mixed_sorts) {
    const Value ordered[] = {Value(),
                             Value(false),
                             Value(true),
                             Value(nan),
                             Value(-infinity),
                             Value(int_min),
                             Value(-1.5F),
                             Value(0),
                             Value(decimal("0.1")),
                             Value(0.1),
                             Value(3),
                             Value(infinity),
                             Value(""),
                             Value("Z"),
                             Value("a"),
                             Value("\xc3\xa9"),
                             Value(Binary{}),
                             Value(*Timestamp::make(-5, 0)),
                             Value(ObjectId()),
                             Value(Uuid()),
                             Value(Link{"Dog", std::int64_t{1}}),
                             Value(List{}),
                             Value(List{{Value(1)}}),
                             Value(Set{}),
                             Value(Dictionary{}),
                             Value(Object{})};
    for (const Value& left : ordered) {
        for (const Value& right : ordered) {
            const auto expected = &left - &right;
            EXPECT_EQ(sign(compare(left, right)), (expected > 0) - (expected < 0))
                << left << " and " << right;
        }
    }
}

TEST(Value, numbers_of_different_types_compare_exactly) {
    EXPECT_EQ(compare(Value(3), Value(3.0)), 0);
    EXPECT_EQ(compare(Value(3), Value(decimal("3.00"))), 0);
    EXPECT_EQ(compare(Value(0), Value(-0.0)), 0);
    EXPECT_EQ(compare(Value(0.5F), Value(decimal("0.5"))), 0);
    EXPECT_LT(compare(Value(0.1F - 0.0F), Value(decimal("0.11"))), 0);
    EXPECT_GT(compare(Value(0.1F), Value(0.1)), 0);
    EXPECT_GT(compare(Value(0.1), Value(decimal("0.1"))), 0);
    // 2^53 and its neighbours, 2^63 and its neighbours
    EXPECT_GT(compare(Value(std::int64_t{9007199254740993}), Value(9007199254740992.0)), 0);
    EXPECT_LT(compare(Value(int_max), Value(9223372036854775808.0)), 0);
    EXPECT_EQ(compare(Value(int_min), Value(-9223372036854775808.0)), 0);
    EXPECT_GT(compare(Value(int_min), Value(std::nextafter(-9223372036854775808.0, -infinity))), 0);
    EXPECT_EQ(compare(Value(int_max), Value(decimal("9223372036854775807"))), 0);
    EXPECT_LT(compare(Value(int_max), Value(decimal("9223372036854775807.000000000000001"))), 0);
    // the ends of doubles and decimals
    EXPECT_GT(compare(Value(decimal("1.8E308")), Value(std::numeric_limits<double>::max())), 0);
    EXPECT_LT(compare(Value(decimal("1E-6176")), Value(std::numeric_limits<double>::denorm_min())),
              0);
    EXPECT_GT(compare(Value(decimal("1E-6176")), Value(0.0)), 0);
    EXPECT_LT(compare(Value(decimal("9E6144")), Value(infinity)), 0);
    EXPECT_EQ(compare(Value(decimal("Infinity")), Value(infinity)), 0);
    EXPECT_EQ(compare(Value(decimal("-Infinity")), Value(-std::numeric_limits<float>::infinity())),
              0);
}

TEST(Value, true_is_not_one_and_text_is_not_binary) {
    EXPECT_NE(compare(Value(true), Value(1)), 0);
    EXPECT_NE(compare(Value("ab"), Value(Binary{{std::byte{'a'}, std::byte{'b'}}})), 0);
}

TEST(Value, nan_sorts_below_every_number_and_by_bits_among_nans) {
    const Value quiet(std::bit_cast<double>(0x7ff8000000000000));
    const Value payload(std::bit_cast<double>(0x7ff8000000000001));
    EXPECT_LT(compare(quiet, Value(-infinity)), 0);
    EXPECT_LT(compare(quiet, Value(int_min)), 0);
    EXPECT_LT(compare(quiet, Value(decimal("-Infinity"))), 0);
    EXPECT_LT(compare(quiet, payload), 0);
    EXPECT_EQ(compare(quiet, quiet), 0);
    EXPECT_LT(compare(Value(decimal("NaN")), Value(decimal("-Infinity"))), 0);
    EXPECT_LT(compare(Value(decimal("NaN")), Value(-infinity)), 0);
}

TEST(Value, strings_sort_by_unsigned_bytes) {
    EXPECT_LT(compare(Value("ABZ"), Value("abz")), 0);
    EXPECT_LT(compare(Value("z"), Value("\xc3\xa9")), 0);
    EXPECT_LT(compare(Value("a"), Value(std::string("a\0", 2))), 0);
}

TEST(Value, identical_tells_apart_what_compare_calls_equal) {
    EXPECT_FALSE(identical(Value(3), Value(3.0)));
    EXPECT_FALSE(identical(Value(0.0), Value(-0.0)));
    EXPECT_FALSE(identical(Value(decimal("1.0")), Value(decimal("1.00"))));
    EXPECT_TRUE(identical(Value(nan), Value(nan)));
    EXPECT_FALSE(identical(Value(Dictionary{{"a", 1}}), Value(Object{Dictionary{{"a", 1}}})));
    EXPECT_FALSE(identical(Value(Dictionary{{"a", 1}}), Value(Dictionary{{"b", 1}})));
    EXPECT_FALSE(identical(Value(List{{1, 2}}), Value(List{{1}})));
    EXPECT_TRUE(
        identical(Value(Link{"Dog", std::string("x")}), Value(Link{"Dog", std::string("x")})));
}

RC_GTEST_PROP(Value, order_is_a_strict_weak_order, ()) {
    const Value a = *testing::any_value(2);
    const Value b = *testing::any_value(2);
    const Value c = *testing::any_value(2);
    RC_ASSERT(compare(a, a) == 0);
    RC_ASSERT((compare(a, b) < 0) == (compare(b, a) > 0));
    RC_ASSERT((compare(a, b) == 0) == (compare(b, a) == 0));
    if (compare(a, b) <= 0 && compare(b, c) <= 0) {
        RC_ASSERT(compare(a, c) <= 0);
        if (compare(a, b) < 0 || compare(b, c) < 0) {
            RC_ASSERT(compare(a, c) < 0);
        }
    }
}

RC_GTEST_PROP(Value, equal_values_have_equal_hashes, ()) {
    const Value a = *testing::any_value(1);
    const Value b = *testing::any_value(1);
    if (compare(a, b) == 0) {
        RC_ASSERT(hash_value(a) == hash_value(b));
    }
    if (identical(a, b)) {
        RC_ASSERT(compare(a, b) == 0);
    }
}

RC_GTEST_PROP(Value, a_number_hashes_alike_in_every_type_that_holds_it, ()) {
    const double number = *testing::any_double();
    RC_PRE(!std::isnan(number));
    const Value forms[] = {Value(number), Value(Decimal128::from_double(number)),
                           Value(static_cast<float>(number)),
                           Value(std::fabs(number) < 9e18 ? static_cast<std::int64_t>(number) : 0)};
    for (const Value& form : forms) {
        if (compare(form, forms[0]) == 0) {
            RC_ASSERT(hash_value(form) == hash_value(forms[0]));
        }
    }
}

RC_GTEST_PROP(Value, integers_and_decimals_hash_alike, (std::int64_t number, bool negative)) {
    const std::int64_t large = negative ? int_min + (number & 0xffff) : int_max - (number & 0xffff);
    for (const std::int64_t value : {number, large}) {
        const Value as_decimal(Decimal128::from_int64(value));
        RC_ASSERT(compare(Value(value), as_decimal) == 0);
        RC_ASSERT(hash_value(Value(value)) == hash_value(as_decimal));
        const Value as_double(static_cast<double>(value));
        if (compare(as_double, Value(value)) == 0) {
            RC_ASSERT(hash_value(as_double) == hash_value(as_decimal));
        }
    }
}

RC_GTEST_PROP(Value, scalar_views_copy_back_to_the_same_value, ()) {
    const Value value = *testing::any_scalar();
    RC_ASSERT(identical(Value(value.scalar()), value));
}

TEST(Set, t06_numerically_equal_elements_are_one) {
    Set set;
    EXPECT_TRUE(set.insert(3));
    EXPECT_FALSE(set.insert(3.0));
    EXPECT_FALSE(set.insert(decimal("3.00")));
    EXPECT_TRUE(set.insert("3"));
    EXPECT_TRUE(set.insert(Value()));
    EXPECT_EQ(to_text(Value(set)), "Set(null, 3, \"3\")");
    EXPECT_TRUE(set.contains(3.0));
    EXPECT_TRUE(set.erase(3.0));
    EXPECT_FALSE(set.erase(3));
    EXPECT_FALSE(set.contains(3));
    set.clear();
    EXPECT_FALSE(set.erase(3));
}

RC_GTEST_PROP(Set, elements_stay_sorted_and_unique, ()) {
    Set set;
    for (const Value& value : *rc::gen::container<std::vector<Value>>(testing::any_scalar())) {
        const bool known = set.contains(value);
        RC_ASSERT(set.insert(value) == !known);
    }
    for (std::size_t i = 1; i < set.elements().size(); ++i) {
        RC_ASSERT(compare(set.elements()[i - 1], set.elements()[i]) < 0);
    }
}

TEST(Dictionary, t11_keys_are_sorted_and_unique) {
    Dictionary dictionary{{"b", 1}, {"a", 2}, {"b", 3}, {"", 4}};
    EXPECT_EQ(to_text(Value(dictionary)), R"({"": 4, "a": 2, "b": 3})");
    EXPECT_EQ(dictionary.size(), 3U);
    EXPECT_EQ(dictionary.find("c"), nullptr);
    EXPECT_NE(dictionary.find(""), nullptr);
    EXPECT_TRUE(dictionary.erase("a"));
    EXPECT_FALSE(dictionary.erase("a"));
    EXPECT_FALSE(dictionary.erase("zz"));
    dictionary.set("aa", true);
    EXPECT_EQ(to_text(Value(dictionary)), R"({"": 4, "aa": true, "b": 3})");
    dictionary.clear();
    EXPECT_EQ(dictionary.find("aa"), nullptr);
}

TEST(Value, prints_readable_text) {
    EXPECT_EQ(to_text(Value(1.0)), "1.0");
    EXPECT_EQ(to_text(Value(1e300)), "1e+300");
    EXPECT_EQ(to_text(Value(nan)), "NaN");
    EXPECT_EQ(to_text(Value(-infinity)), "-Infinity");
    EXPECT_EQ(to_text(Value(0.5F)), "Float(0.5)");
    EXPECT_EQ(to_text(Value("a\"\n\x01")), R"("a\"\n\u0001")");
    EXPECT_EQ(to_text(Value(Binary{{std::byte{0}, std::byte{255}}})), "Data(00ff)");
    EXPECT_EQ(to_text(Value(decimal("1.50"))), "Decimal128(1.50)");
    EXPECT_EQ(to_text(Value(Link{"Dog", std::string("Rex")})), "Link(Dog, \"Rex\")");
    EXPECT_EQ(to_text(Value(Timestamp())), "Date(1970-01-01T00:00:00Z)");
    EXPECT_EQ(to_text(Value(List{{1, List{}, Object{Dictionary{{"x", true}}}}})),
              R"([1, [], Object{"x": true}])");
}

} // namespace
} // namespace tombolo
