#include "core/bson.hpp"

#include <algorithm>

#include <bson/bson.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/limits.hpp"
#include "support/generators.hpp"
#include "support/show.hpp"

namespace tombolo {
namespace {

BsonBuffer bytes(const char* hex) {
    return *from_hex(hex);
}

/// What a value becomes when BSON has carried it.
Value after_bson(const Value& value) {
    if (const float* number = value.get_if<float>()) {
        return static_cast<double>(*number);
    }
    if (const Timestamp* time = value.get_if<Timestamp>()) {
        return Timestamp::from_unix_ms(time->to_unix_ms());
    }
    const auto list_of = [](const std::vector<Value>& elements) {
        List list;
        for (const Value& element : elements) {
            list.elements.push_back(after_bson(element));
        }
        return Value(std::move(list));
    };
    const auto dictionary_of = [](const Dictionary& source) {
        Dictionary dictionary;
        for (const auto& [key, element] : source.entries()) {
            dictionary.set(key, after_bson(element));
        }
        return Value(std::move(dictionary));
    };
    if (const List* list = value.get_if<List>()) {
        return list_of(list->elements);
    }
    if (const Set* set = value.get_if<Set>()) {
        return list_of(set->elements());
    }
    if (const Dictionary* dictionary = value.get_if<Dictionary>()) {
        return dictionary_of(*dictionary);
    }
    if (const Object* object = value.get_if<Object>()) {
        return dictionary_of(object->fields);
    }
    return value;
}

bool has_nul_key(const Value& value) {
    const auto in_entries = [](const Dictionary& dictionary) {
        for (const auto& [key, element] : dictionary.entries()) {
            if (key.find('\0') != std::string::npos || has_nul_key(element)) {
                return true;
            }
        }
        return false;
    };
    if (const List* list = value.get_if<List>()) {
        return std::any_of(list->elements.begin(), list->elements.end(), has_nul_key);
    }
    if (const Dictionary* dictionary = value.get_if<Dictionary>()) {
        return in_entries(*dictionary);
    }
    const Object* object = value.get_if<Object>();
    return object != nullptr && in_entries(object->fields);
}

RC_GTEST_PROP(Bson, values_come_back_as_the_table_says, ()) {
    const Value value = *testing::any_value(3);
    const auto wrapped = wrap_in_bson(value);
    if (has_nul_key(value)) {
        RC_ASSERT(!wrapped);
        RC_ASSERT(wrapped.error().code() == ErrorCode::invalid_argument);
    } else {
        const auto back = unwrap_from_bson(*wrapped);
        RC_ASSERT(back.has_value());
        RC_ASSERT(identical(*back, after_bson(value)));
        RC_ASSERT(*wrap_in_bson(*back) == *wrap_in_bson(after_bson(value)));
    }
}

TEST(Bson, documents_and_arrays_are_values) {
    const Value value = Dictionary{{"a", 1}, {"b", List{{true, Value()}}}};
    const auto document = value_to_bson(value);
    ASSERT_TRUE(document);
    EXPECT_EQ(to_hex(*document), "1f000000"
                                 "126100"
                                 "0100000000000000"
                                 "046200"
                                 "0c000000"
                                 "083000"
                                 "01"
                                 "0a3100"
                                 "00"
                                 "00");
    EXPECT_TRUE(identical(*bson_to_value(*document), value));
    const Value list = List{{"x", 2.5}};
    EXPECT_TRUE(identical(*bson_array_to_value(*value_to_bson(list)), list));
    EXPECT_EQ(value_to_bson(Value(3)).error().code(), ErrorCode::type_mismatch);
}

TEST(Bson, links_are_dbrefs) {
    const Value link = Link{"Dog", std::string("Rex")};
    const auto document = value_to_bson(link);
    ASSERT_TRUE(document);
    EXPECT_TRUE(identical(*bson_to_value(*document), link));
    EXPECT_EQ(value_to_bson(Value(Link{"Dog", GlobalKey{1, 2}})).error().code(),
              ErrorCode::unsupported);
    EXPECT_EQ(wrap_in_bson(Value(Link{"Dog", GlobalKey{1, 2}})).error().code(),
              ErrorCode::unsupported);
}

TEST(Bson, only_ref_id_and_db_in_this_order_make_a_link) {
    const auto parse = [](auto fill) {
        bson_t bson = BSON_INITIALIZER;
        fill(&bson);
        const auto* data = reinterpret_cast<const std::byte*>(bson_get_data(&bson));
        Value value = *bson_to_value({data, bson.len});
        bson_destroy(&bson);
        return value;
    };
    EXPECT_NE(parse([](bson_t* b) {
                  BSON_APPEND_UTF8(b, "$ref", "Dog");
                  BSON_APPEND_INT32(b, "$id", 7);
                  BSON_APPEND_UTF8(b, "$db", "pets");
              }).link(),
              nullptr);
    EXPECT_EQ(parse([](bson_t* b) {
                  BSON_APPEND_INT32(b, "$id", 7);
                  BSON_APPEND_UTF8(b, "$ref", "Dog");
              }).link(),
              nullptr);
    EXPECT_EQ(parse([](bson_t* b) {
                  BSON_APPEND_UTF8(b, "$ref", "Dog");
                  BSON_APPEND_DOUBLE(b, "$id", 7);
              }).link(),
              nullptr);
    EXPECT_EQ(parse([](bson_t* b) {
                  BSON_APPEND_UTF8(b, "$ref", "Dog");
                  BSON_APPEND_INT32(b, "$id", 7);
                  BSON_APPEND_UTF8(b, "x", "pets");
              }).link(),
              nullptr);
}

TEST(Bson, int32_and_other_binary_subtypes_are_read) {
    EXPECT_TRUE(identical(*unwrap_from_bson(bytes("0c000000"
                                                  "106100"
                                                  "05000000"
                                                  "00")),
                          Value(5)));
    EXPECT_TRUE(identical(*unwrap_from_bson(bytes("0e000000"
                                                  "056100"
                                                  "01000000"
                                                  "80"
                                                  "ff"
                                                  "00")),
                          Value(Binary{{std::byte{255}}})));
    // a UUID of the wrong size is plain bytes
    EXPECT_EQ(unwrap_from_bson(bytes("0e000000"
                                     "056100"
                                     "01000000"
                                     "04"
                                     "ff"
                                     "00"))
                  ->type(),
              ValueType::binary);
}

TEST(Bson, types_without_a_value_are_unsupported_with_their_path) {
    bson_t bson = BSON_INITIALIZER;
    bson_t list;
    bson_t inner;
    BSON_APPEND_ARRAY_BEGIN(&bson, "tags", &list);
    BSON_APPEND_INT32(&list, "0", 1);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "1", &inner);
    BSON_APPEND_REGEX(&inner, "name", "a", "i");
    bson_append_document_end(&list, &inner);
    bson_append_array_end(&bson, &list);
    const auto value =
        bson_to_value({reinterpret_cast<const std::byte*>(bson_get_data(&bson)), bson.len});
    bson_destroy(&bson);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code(), ErrorCode::unsupported);
    EXPECT_EQ(value.error().context(), "tags[1].name");
}

TEST(Bson, damaged_bytes_are_refused) {
    for (const char* hex : {"", "00", "05000000", "0500000000ff", "0600000000", "0400000000",
                            "ffffffff00", "0500000001",
                            "07000000"
                            "0a61"
                            "00", // null under an unterminated key
                            "0c000000"
                            "126100"
                            "05000000"
                            "00", // int64 cut short
                            "0e000000"
                            "026100"
                            "ff000000"
                            "6100"
                            "00", // string longer than the document
                            "0e000000"
                            "026100"
                            "00000000"
                            "6100"
                            "00", // string without its NUL
                            "0e000000"
                            "026100"
                            "02000000"
                            "6162"
                            "00", // string not ended by NUL
                            "0d000000"
                            "036100"
                            "ff00000000"
                            "00", // inner document longer than the outer one
                            "0d000000"
                            "036100"
                            "0300000000"
                            "00", // inner document too short to be one
                            "09000000"
                            "086100"
                            "02"
                            "00", // bool that is neither
                            "08000000"
                            "556100"
                            "00", // unknown type
                            "0d000000"
                            "0a6100"
                            "00"
                            "0a6200"
                            "00"
                            "00"}) {
        const auto value = bson_to_value(bytes(hex));
        ASSERT_FALSE(value) << hex << " " << to_text(*value);
        EXPECT_EQ(value.error().code(), ErrorCode::bad_bson) << hex;
    }
}

TEST(Bson, text_that_is_not_utf8_is_refused) {
    const auto value = bson_to_value(bytes("0e000000"
                                           "026100"
                                           "02000000"
                                           "ff00"
                                           "00"));
    EXPECT_EQ(value.error().code(), ErrorCode::bad_utf8);
    EXPECT_EQ(value.error().context(), "a");
    EXPECT_EQ(bson_to_value(bytes("08000000"
                                  "0aff00"
                                  "00"))
                  .error()
                  .code(),
              ErrorCode::bad_utf8);
    EXPECT_EQ(value_to_bson(Value(Dictionary{{"a", "\xff"}})).error().code(), ErrorCode::bad_utf8);
    EXPECT_EQ(value_to_bson(Value(Dictionary{{"\xff", 1}})).error().code(), ErrorCode::bad_utf8);
}

TEST(Bson, a_key_twice_is_refused) {
    const auto value = bson_to_value(bytes("0b000000"
                                           "0a6100"
                                           "0a6100"
                                           "00"));
    EXPECT_EQ(value.error().code(), ErrorCode::bad_bson);
}

Value nested_lists(std::size_t levels) {
    Value value = List{};
    for (std::size_t i = 1; i < levels; ++i) {
        value = List{{std::move(value)}};
    }
    return value;
}

TEST(Bson, t07_a_field_holds_100_levels_but_not_101) {
    const auto deep = value_to_bson(Value(Dictionary{{"a", nested_lists(100)}}));
    ASSERT_TRUE(deep);
    EXPECT_TRUE(bson_to_value(*deep));
    const auto deeper = value_to_bson(Value(Dictionary{{"a", nested_lists(101)}}));
    ASSERT_FALSE(deeper);
    EXPECT_EQ(deeper.error().code(), ErrorCode::limit_exceeded);
}

TEST(Bson, hostile_depth_is_refused) {
    BsonBuffer document = bytes("0500000000");
    for (int i = 0; i < 5000; ++i) {
        const auto size = static_cast<std::uint32_t>(document.size() + 7);
        BsonBuffer outer;
        for (std::size_t j = 0; j < 4; ++j) {
            outer.push_back(static_cast<std::byte>(size >> (8 * j) & 0xff));
        }
        outer.push_back(std::byte{3});
        outer.push_back(std::byte{0});
        outer.insert(outer.end(), document.begin(), document.end());
        outer.push_back(std::byte{0});
        document = std::move(outer);
    }
    EXPECT_EQ(bson_to_value(document).error().code(), ErrorCode::limit_exceeded);
}

TEST(Bson, sizes_beyond_the_limit_are_refused) {
    EXPECT_EQ(bson_to_value(BsonBuffer(limits::document_bytes_max + 1)).error().code(),
              ErrorCode::limit_exceeded);
    const Value large = std::string(limits::document_bytes_max, 'x');
    EXPECT_EQ(wrap_in_bson(large).error().code(), ErrorCode::limit_exceeded);
    const Value half = std::string(limits::document_bytes_max / 2, 'x');
    EXPECT_EQ(value_to_bson(Value(List{{half, half}})).error().code(), ErrorCode::limit_exceeded);
}

RC_GTEST_PROP(Bson, any_bytes_are_parsed_or_refused, ()) {
    const Value value = *testing::any_value(2);
    RC_PRE(!has_nul_key(value));
    BsonBuffer damaged = *wrap_in_bson(value);
    const int flips = *rc::gen::inRange(1, 4);
    for (int i = 0; i < flips; ++i) {
        damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] ^=
            std::byte{*rc::gen::element<unsigned char>(1, 2, 16, 128, 255)};
    }
    if (const auto back = unwrap_from_bson(damaged)) {
        RC_ASSERT(wrap_in_bson(*back).has_value());
    }
}

} // namespace
} // namespace tombolo
