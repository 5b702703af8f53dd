// Views, values, validation, order, hash and difference of BSON.

#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "mql/bson_compare.hpp"
#include "mql/bson_diff.hpp"
#include "mql/bson_gen.hpp"
#include "mql/bson_text.hpp"
#include "mql/bson_value.hpp"
#include "mql/case_runner.hpp"
#include "mql/mutable_value.hpp"

namespace tombolo::mql {
namespace {

BsonDocument json(std::string_view text) {
    return *test::from_json(text);
}

BsonDocument every_type() {
    return json(
        R"({"a": 1.5, "b": "x", "c": {"d": [1, {"e": 2}]}, "f": {"$binary": {"base64": "AQI=",
        "subType": "00"}}, "g": {"$undefined": true}, "h": {"$oid": "000000000000000000000001"},
        "i": true, "j": {"$date": {"$numberLong": "5"}}, "k": null,
        "l": {"$regularExpression": {"pattern": "x", "options": "i"}}, "m": {"$symbol": "s"}, "n": 7,
        "o": {"$timestamp": {"t": 1, "i": 2}}, "p": {"$numberLong": "9"},
        "q": {"$numberDecimal": "1.5"}, "r": {"$minKey": 1}, "s": {"$maxKey": 1}})");
}

TEST(BsonValidate, accepts_every_type) {
    const BsonDocument document = every_type();
    EXPECT_TRUE(BsonDocumentView::validate(document.bytes()));
    EXPECT_EQ(document.view().count(), 17U);
}

TEST(BsonValidate, refuses_every_truncation) {
    const BsonDocument document = every_type();
    for (std::size_t size = 0; size < document.bytes().size(); ++size) {
        EXPECT_FALSE(BsonDocumentView::validate(document.bytes().first(size))) << size;
    }
}

TEST(BsonValidate, survives_every_changed_byte) {
    const BsonDocument document = every_type();
    for (std::size_t at = 0; at < document.bytes().size(); ++at) {
        for (const int change : {1, 0x7f, 0x80, 0xff}) {
            std::vector<std::byte> bytes(document.bytes().begin(), document.bytes().end());
            bytes[at] ^= static_cast<std::byte>(change);
            if (const auto view = BsonDocumentView::validate(bytes)) {
                hash_value(view->as_value());
            }
        }
    }
}

TEST(BsonValidate, refuses_too_deep_documents) {
    BsonWriter writer;
    for (std::size_t i = 1; i < limits::document_depth_max; ++i) {
        writer.begin_document("a");
    }
    const BsonDocument deepest = std::move(writer).finish();
    EXPECT_TRUE(BsonDocumentView::validate(deepest.bytes()));
    BsonWriter deeper;
    deeper.append("a", deepest.view().as_value());
    const auto refused = BsonDocumentView::validate(std::move(deeper).finish().bytes());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::limit_exceeded);
}

TEST(BsonValidate, refuses_too_large_documents) {
    const auto refused = BsonDocumentView::validate(every_type().bytes(), 100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::limit_exceeded);
}

TEST(BsonValidate, names_the_offset) {
    const BsonDocument document = every_type();
    std::vector<std::byte> bytes(document.bytes().begin(), document.bytes().end());
    bytes[4] = std::byte{0x55};
    const auto refused = BsonDocumentView::validate(bytes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::bad_bson);
    EXPECT_EQ(refused.error().context(), "offset 7");
}

TEST(BsonView, converts_numbers_to_integers_only_when_exact) {
    const BsonDocument document =
        json(R"({"a": 5.0, "b": 5.5, "c": {"$numberDecimal": "9223372036854775807"},
                 "d": {"$numberDecimal": "9223372036854775808"}, "e": {"$numberDecimal": "5E0"},
                 "f": 1e300, "g": {"$numberDecimal": "0.5"},
                 "h": {"$numberDecimal": "-9223372036854775808"}})");
    std::int64_t out = 0;
    EXPECT_TRUE(document.view().find("a").to_int64(out));
    EXPECT_EQ(out, 5);
    EXPECT_FALSE(document.view().find("b").to_int64(out));
    EXPECT_TRUE(document.view().find("c").to_int64(out));
    EXPECT_EQ(out, INT64_MAX);
    EXPECT_FALSE(document.view().find("d").to_int64(out));
    EXPECT_TRUE(document.view().find("e").to_int64(out));
    EXPECT_EQ(out, 5);
    EXPECT_FALSE(document.view().find("f").to_int64(out));
    EXPECT_FALSE(document.view().find("g").to_int64(out));
    EXPECT_TRUE(document.view().find("h").to_int64(out));
    EXPECT_EQ(out, INT64_MIN);
}

TEST(BsonWriter, numbers_array_keys) {
    BsonWriter writer(true);
    for (int i = 0; i < 12; ++i) {
        writer.append_int32("ignored", i);
    }
    const BsonDocument array = std::move(writer).finish();
    EXPECT_EQ(array.view().begin()->key, "0");
    EXPECT_EQ(array.view().find("11").as_int32(), 11);
}

TEST(BsonText, prints_like_the_shell) {
    EXPECT_EQ(to_text(json(R"({"a": 1, "b": ["x", null], "c": {"d": true}})").view().as_value()),
              R"({a: 1, b: ["x", null], c: {d: true}})");
}

TEST(BsonText, cuts_long_values) {
    EXPECT_LT(to_text(BsonValue::from_string(std::string(10'000, 'x'))).size(), 300U);
}

RC_GTEST_PROP(BsonCompare, is_a_total_order, ()) {
    const BsonValue a = test::any_value(2);
    const BsonValue b = test::any_value(2);
    const BsonValue c = test::any_value(2);
    RC_ASSERT(compare(a, a) == 0);
    RC_ASSERT((compare(a, b) < 0) == (compare(b, a) > 0));
    RC_ASSERT((compare(a, b) == 0) == (compare(b, a) == 0));
    if (compare(a, b) <= 0 && compare(b, c) <= 0) {
        RC_ASSERT(compare(a, c) <= 0);
    }
}

RC_GTEST_PROP(BsonCompare, equal_values_have_equal_hashes, ()) {
    const BsonValue a = test::any_value(1);
    const BsonValue b = test::any_value(1);
    if (compare(a, b) == 0) {
        RC_ASSERT(hash_value(a) == hash_value(b));
    }
}

RC_GTEST_PROP(BsonCompare, identical_values_are_equal, ()) {
    const BsonValue a = test::any_value(2);
    const BsonValue copy{a.view()};
    RC_ASSERT(identical(a, copy));
    RC_ASSERT(equal(a, copy));
}

// Writes the changes of a difference into a copy of the first document.
BsonDocument patched(BsonDocumentView before, const std::vector<FieldChange>& changes) {
    detail::MutableValue root(before.as_value());
    for (const FieldChange& change : changes) {
        detail::MutableValue* node = &root;
        for (std::size_t i = 0; i < change.path.size(); ++i) {
            const bool last = i + 1 == change.path.size();
            if (node->is_array()) {
                node = &node->fields()[std::stoul(std::string(change.path[i]))].value;
            } else if (last && change.after.is_missing()) {
                node->erase(change.path[i]);
                break;
            } else {
                detail::MutableValue* child = node->find(change.path[i]);
                node = child != nullptr ? child : &node->add(change.path[i]);
            }
            if (last) {
                *node = detail::MutableValue(change.after);
            }
        }
    }
    BsonWriter writer;
    root.write_members(writer);
    return std::move(writer).finish();
}

RC_GTEST_PROP(BsonDiff, carries_one_document_into_the_other, ()) {
    const BsonDocument before = test::any_document(2);
    const BsonDocument after = test::any_document(2);
    const BsonDocument result = patched(before, diff(before, after));
    RC_ASSERT(diff(result, after).empty());
    RC_ASSERT(result.view().count() == after.view().count());
}

TEST(BsonDiff, names_the_deepest_path) {
    const BsonDocument before = json(R"({"a": {"b": [1, {"c": 2}], "d": 3}, "e": 4})");
    const BsonDocument after = json(R"({"a": {"b": [1, {"c": 5}], "d": 3}, "f": 6})");
    const std::vector<FieldChange> changes = diff(before, after);
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_EQ(changes[0].path, (std::vector<std::string_view>{"a", "b", "1", "c"}));
    EXPECT_EQ(changes[0].before.as_int32(), 2);
    EXPECT_EQ(changes[0].after.as_int32(), 5);
    EXPECT_EQ(changes[1].path, std::vector<std::string_view>{"e"});
    EXPECT_TRUE(changes[1].after.is_missing());
    EXPECT_EQ(changes[2].path, std::vector<std::string_view>{"f"});
    EXPECT_TRUE(changes[2].before.is_missing());
}

TEST(BsonDiff, does_not_see_the_order_of_fields) {
    EXPECT_TRUE(diff(json(R"({"a": 1, "b": 2})"), json(R"({"b": 2, "a": 1})")).empty());
}

TEST(BsonDiff, sees_a_change_of_type) {
    EXPECT_EQ(diff(json(R"({"a": 1})"), json(R"({"a": 1.0})")).size(), 1U);
}

TEST(BsonDiff, reports_an_array_of_another_length_as_a_whole) {
    const BsonDocument before = json(R"({"a": [1, 2]})");
    const BsonDocument after = json(R"({"a": [1]})");
    const std::vector<FieldChange> changes = diff(before, after);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].path, std::vector<std::string_view>{"a"});
}

} // namespace
} // namespace tombolo::mql
