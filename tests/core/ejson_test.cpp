#include "core/ejson.hpp"

#include <bson/bson.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/limits.hpp"
#include "support/generators.hpp"
#include "support/show.hpp"

namespace tombolo {
namespace {

std::string canonical(const char* text) {
    const auto bson = ejson_to_wrapped_bson(text);
    return bson ? *wrapped_bson_to_ejson(*bson, EjsonForm::canonical) : bson.error().what();
}

std::string relaxed(const char* text) {
    const auto bson = ejson_to_wrapped_bson(text);
    return bson ? *wrapped_bson_to_ejson(*bson, EjsonForm::relaxed) : bson.error().what();
}

TEST(Ejson, numbers_take_the_smallest_type_that_holds_them) {
    EXPECT_EQ(canonical("1"), R"({"$numberInt":"1"})");
    EXPECT_EQ(canonical("-2147483648"), R"({"$numberInt":"-2147483648"})");
    EXPECT_EQ(canonical("2147483648"), R"({"$numberLong":"2147483648"})");
    EXPECT_EQ(canonical("9223372036854775807"), R"({"$numberLong":"9223372036854775807"})");
    EXPECT_EQ(canonical("9223372036854775808"), R"({"$numberDouble":"9223372036854775808.0"})");
    EXPECT_EQ(canonical("1.0"), R"({"$numberDouble":"1.0"})");
    EXPECT_EQ(canonical("1e2"), R"({"$numberDouble":"100.0"})");
    EXPECT_EQ(canonical("-0"), R"({"$numberDouble":"-0.0"})");
    EXPECT_EQ(canonical("1e-400"), R"({"$numberDouble":"0.0"})");
}

TEST(Ejson, every_type_survives_the_canonical_form) {
    for (const char* text :
         {R"({"$oid":"507f1f77bcf86cd799439011"})",
          R"({"$numberInt":"-5"})",
          R"({"$numberLong":"-5"})",
          R"({"$numberDouble":"0.1"})",
          R"({"$numberDouble":"NaN"})",
          R"({"$numberDouble":"-Infinity"})",
          R"({"$numberDecimal":"1.50"})",
          R"({"$numberDecimal":"NaN"})",
          R"({"$date":{"$numberLong":"-1"}})",
          R"({"$binary":{"base64":"","subType":"00"}})",
          R"({"$binary":{"base64":"AQID","subType":"80"}})",
          R"({"$binary":{"base64":"AQID","subType":"02"}})",
          R"({"$binary":{"base64":"OyQRAeK7QlWMr0E2xWapYg==","subType":"04"}})",
          R"({"$timestamp":{"t":4294967295,"i":1}})",
          R"({"$regularExpression":{"pattern":"a\"b","options":"im"}})",
          R"({"$symbol":"s"})",
          R"({"$code":"f(1)x"})",
          R"({"$code":"f(1)x","$scope":{"x":{"$numberInt":"1"}}})",
          R"({"$dbPointer":{"$ref":"c","$id":{"$oid":"507f1f77bcf86cd799439011"}}})",
          R"({"$minKey":1})",
          R"({"$maxKey":1})",
          R"({"$undefined":true})",
          "true",
          "false",
          "null",
          R"("a\u0000b")",
          "[]",
          "{}",
          R"([{"$numberInt":"1"},[null]])",
          R"({"b":true,"a":{"":null}})"}) {
        EXPECT_EQ(canonical(text), text);
    }
}

TEST(Ejson, relaxed_form_is_how_people_write) {
    EXPECT_EQ(relaxed(R"({"$numberLong":"42"})"), "42");
    EXPECT_EQ(relaxed(R"({"$numberInt":"42"})"), "42");
    EXPECT_EQ(relaxed(R"({"$numberDouble":"42"})"), "42.0");
    EXPECT_EQ(relaxed(R"({"$numberDouble":"NaN"})"), R"({"$numberDouble":"NaN"})");
    EXPECT_EQ(relaxed(R"({"$date":{"$numberLong":"1714566600000"}})"),
              R"({"$date":"2024-05-01T12:30:00Z"})");
    EXPECT_EQ(relaxed(R"({"$date":{"$numberLong":"1714566600120"}})"),
              R"({"$date":"2024-05-01T12:30:00.120Z"})");
    EXPECT_EQ(relaxed(R"({"$date":{"$numberLong":"-1"}})"), R"({"$date":{"$numberLong":"-1"}})");
    EXPECT_EQ(relaxed(R"({"$date":{"$numberLong":"253402300800000"}})"),
              R"({"$date":{"$numberLong":"253402300800000"}})");
}

TEST(Ejson, other_spellings_are_read) {
    EXPECT_EQ(canonical(R"({"$uuid":"3b241101-e2bb-4255-8caf-4136c566a962"})"),
              R"({"$binary":{"base64":"OyQRAeK7QlWMr0E2xWapYg==","subType":"04"}})");
    EXPECT_EQ(canonical(R"({"$binary":"AQID","$type":"0"})"),
              R"({"$binary":{"base64":"AQID","subType":"00"}})");
    EXPECT_EQ(canonical(R"({"$binary":{"subType":"05","base64":"AQID"}})"),
              R"({"$binary":{"base64":"AQID","subType":"05"}})");
    EXPECT_EQ(canonical(R"({"$date":"2024-05-01T14:30:00+0200"})"),
              R"({"$date":{"$numberLong":"1714566600000"}})");
    EXPECT_EQ(canonical(R"({"$date":5})"), R"({"$date":{"$numberLong":"5"}})");
    EXPECT_EQ(
        canonical(R"({"$timestamp":{"t":{"$numberLong":"4294967295"},"i":{"$numberInt":"2"}}})"),
        R"({"$timestamp":{"t":4294967295,"i":2}})");
    EXPECT_EQ(canonical(R"([{"$minKey":{"$numberInt":"1"}},{"$maxKey":{"$numberInt":"1"}}])"),
              R"([{"$minKey":1},{"$maxKey":1}])");
    EXPECT_EQ(canonical(" \t\r\n[ 1 , { \"a\" : \"\\ud83d\\udE00\\/\" } ] "),
              "[{\"$numberInt\":\"1\"},{\"a\":\"\xf0\x9f\x98\x80/\"}]");
}

TEST(Ejson, operators_and_dbrefs_are_ordinary_documents) {
    EXPECT_EQ(relaxed(R"({"$in":[1]})"), R"({"$in":[1]})");
    EXPECT_EQ(relaxed(R"({"$regex":"^a","$options":"i"})"), R"({"$regex":"^a","$options":"i"})");
    EXPECT_EQ(relaxed(R"({"$type":"string"})"), R"({"$type":"string"})");
    EXPECT_EQ(relaxed(R"({"a":1,"$oid":2})"), R"({"a":1,"$oid":2})");
    EXPECT_EQ(relaxed(R"({"$ref":"Dog","$id":1})"), R"({"$ref":"Dog","$id":1})");
}

TEST(Ejson, uuid_and_dbref_become_values) {
    EXPECT_TRUE(identical(*ejson_to_value(R"({"$uuid":"3b241101-e2bb-4255-8caf-4136c566a962"})"),
                          Value(*Uuid::parse("3b241101-e2bb-4255-8caf-4136c566a962"))));
    EXPECT_TRUE(identical(*ejson_to_value(R"({"$ref":"Dog","$id":1})"),
                          Value(Link{"Dog", std::int64_t{1}})));
    EXPECT_EQ(ejson_to_value(R"([{"a":{"$minKey":1}}])").error().code(), ErrorCode::unsupported);
}

TEST(Ejson, field_order_is_kept_between_text_and_bson) {
    const char* text = R"({"z":1,"a":{"y":2,"b":3},"m":[4]})";
    EXPECT_EQ(*bson_to_ejson(*ejson_to_bson(text), EjsonForm::relaxed), text);
    EXPECT_EQ(*bson_array_to_ejson(*ejson_array_to_bson("[1,[2]]"), EjsonForm::relaxed), "[1,[2]]");
}

TEST(Ejson, top_level_must_be_what_the_caller_asked_for) {
    EXPECT_EQ(ejson_to_bson("[]").error().code(), ErrorCode::bad_json);
    EXPECT_EQ(ejson_array_to_bson("{}").error().code(), ErrorCode::bad_json);
    EXPECT_TRUE(ejson_to_wrapped_bson("3"));
    EXPECT_EQ(wrapped_bson_to_ejson(*ejson_to_bson("{}"), EjsonForm::relaxed).error().code(),
              ErrorCode::bad_bson);
    EXPECT_EQ(wrapped_bson_to_ejson(*ejson_to_bson(R"({"a":1,"b":2})"), EjsonForm::relaxed)
                  .error()
                  .code(),
              ErrorCode::bad_bson);
}

TEST(Ejson, text_that_is_not_json_is_refused) {
    for (const char* text : {"",
                             " ",
                             "{",
                             "[",
                             "}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "[1,]",
                             "[1 2]",
                             "{a:1}",
                             "{'a':1}",
                             "tru",
                             "truex",
                             "nul",
                             "01",
                             "-",
                             "1.",
                             ".5",
                             "1e",
                             "+1",
                             "0x10",
                             "NaN",
                             "Infinity",
                             "\"",
                             "\"\\",
                             "\"\\x\"",
                             "\"\\u12\"",
                             "\"\\u12g4\"",
                             "\"\\ud800\"",
                             "\"\\ud800\\u0041\"",
                             "\"\\udc00\"",
                             "\"\x01\"",
                             "\"\xff\"",
                             "\"\xc3\"",
                             "1 1",
                             "{} {}",
                             "// c\n1",
                             "1e999",
                             "-1e999",
                             "[1}",
                             "{\"a\":1]",
                             "\"a\nb\"",
                             "\xef\xbb\xbf{}",
                             "-a"}) {
        const auto bson = ejson_to_wrapped_bson(text);
        ASSERT_FALSE(bson) << text;
        EXPECT_EQ(bson.error().code(), ErrorCode::bad_json) << text;
    }
    EXPECT_FALSE(ejson_to_wrapped_bson(std::string_view("1\0", 2)));
    EXPECT_FALSE(ejson_to_wrapped_bson(std::string_view("\0", 1)));
}

TEST(Ejson, wrong_forms_of_types_are_refused) {
    for (const char* text : {R"({"$oid":5})",
                             R"({"$oid":"zz"})",
                             R"({"$oid":"507f1f77bcf86cd799439011","x":1})",
                             R"({"$numberInt":5})",
                             R"({"$numberInt":"2147483648"})",
                             R"({"$numberInt":"5.0"})",
                             R"({"$numberInt":" 5"})",
                             R"({"$numberLong":""})",
                             R"({"$numberLong":"9223372036854775808"})",
                             R"({"$numberDouble":"x"})",
                             R"({"$numberDouble":""})",
                             R"({"$numberDouble":"1 "})",
                             R"({"$numberDouble":" 1"})",
                             R"({"$numberDouble":1.5})",
                             R"({"$numberDecimal":"1,5"})",
                             R"({"$date":"yesterday"})",
                             R"({"$date":1.5})",
                             R"({"$date":{"$numberInt":"5"}})",
                             R"({"$date":{"$numberLong":"5","x":1}})",
                             R"({"$binary":"AQID"})",
                             R"({"$binary":{"base64":"A","subType":"00"}})",
                             R"({"$binary":{"base64":"AQID","subType":"100"}})",
                             R"({"$binary":{"base64":"AQID","subType":""}})",
                             R"({"$binary":5})",
                             R"({"$uuid":"x"})",
                             R"({"$timestamp":{"t":-1,"i":0}})",
                             R"({"$timestamp":{"t":4294967296,"i":0}})",
                             R"({"$timestamp":{"i":0,"t":0}})",
                             R"({"$timestamp":{"t":{"$numberInt":"-1"},"i":0}})",
                             R"({"$timestamp":{"t":{"$numberDouble":"1"},"i":0}})",
                             R"({"$minKey":{"$numberInt":"1","x":1}})",
                             R"({"$regularExpression":"a"})",
                             R"({"$regularExpression":{"pattern":"a\u0000b","options":""}})",
                             R"({"$code":"\u0000"})",
                             R"({"$code":"x","y":1})",
                             R"({"$minKey":2})",
                             R"({"$undefined":false})",
                             R"({"$dbPointer":{"$ref":"c","$id":{"$oid":"zz"}}})",
                             "{\"a\\u0000b\":1}"}) {
        const auto bson = ejson_to_wrapped_bson(text);
        ASSERT_FALSE(bson) << text;
        EXPECT_EQ(bson.error().code(), ErrorCode::bad_ejson) << text << ": " << bson.error().what();
    }
}

TEST(Ejson, errors_name_line_and_column) {
    EXPECT_EQ(ejson_to_bson("{\"a\": 1,\n  \"b\": x}").error().context(), "line 2, column 8");
    EXPECT_EQ(ejson_to_bson("{\"a\": {\"$oid\": \"zz\"}}").error().context(), "line 1, column 16");
    EXPECT_EQ(ejson_to_bson("[").error().context(), "line 1, column 1");
}

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

TEST(Ejson, depth_is_limited) {
    EXPECT_TRUE(ejson_array_to_bson(nested(101)));
    EXPECT_EQ(ejson_array_to_bson(nested(102)).error().code(), ErrorCode::limit_exceeded);
    EXPECT_EQ(ejson_array_to_bson(std::string(1'000'000, '[')).error().code(),
              ErrorCode::limit_exceeded);
    std::string scopes;
    for (int i = 0; i < 5000; ++i) {
        scopes += R"({"a":{"$code":"","$scope":)";
    }
    EXPECT_EQ(ejson_to_bson(scopes).error().code(), ErrorCode::limit_exceeded);
}

TEST(Ejson, size_is_limited) {
    EXPECT_EQ(ejson_to_bson(std::string(limits::ejson_bytes_max + 1, ' ')).error().code(),
              ErrorCode::limit_exceeded);
    std::string many = "[0";
    for (int i = 0; i < 2'000'000; ++i) {
        many += ",0";
    }
    EXPECT_EQ(ejson_array_to_bson(many + "]").error().code(), ErrorCode::limit_exceeded);
}

bool is_lossless(const Value& value) {
    return identical(*unwrap_from_bson(*wrap_in_bson(value)), value);
}

RC_GTEST_PROP(Ejson, canonical_text_round_trips, ()) {
    const Value value = *testing::any_value(3);
    const auto wrapped = wrap_in_bson(value);
    RC_PRE(wrapped.has_value());
    const std::string text = *wrapped_bson_to_ejson(*wrapped, EjsonForm::canonical);
    // A NaN's payload has no text.
    const std::string again =
        *wrapped_bson_to_ejson(*ejson_to_wrapped_bson(text), EjsonForm::canonical);
    RC_ASSERT(again == text);
    if (text.find("NaN") == std::string::npos) {
        RC_ASSERT(*ejson_to_wrapped_bson(text) == *wrapped);
        if (is_lossless(value)) {
            RC_ASSERT(
                identical(*ejson_to_value(*value_to_ejson(value, EjsonForm::canonical)), value));
        }
    }
}

RC_GTEST_PROP(Ejson, relaxed_text_keeps_numbers_equal, ()) {
    const Value value = *testing::any_value(3);
    const auto text = value_to_ejson(value, EjsonForm::relaxed);
    RC_PRE(text.has_value());
    RC_PRE(text->find("NaN") == std::string::npos);
    const Value expected = *unwrap_from_bson(*wrap_in_bson(value));
    RC_ASSERT(compare(*ejson_to_value(*text), expected) == 0);
}

RC_GTEST_PROP(Ejson, libbson_reads_what_we_write_and_we_what_it_writes, ()) {
    const Value value = Dictionary{{"v", *testing::any_value(2)}};
    const auto bytes = value_to_bson(value);
    RC_PRE(bytes.has_value());
    const std::string ours = *bson_to_ejson(*bytes, EjsonForm::canonical);
    RC_PRE(ours.find("NaN") == std::string::npos);
    bson_t theirs;
    bson_error_t error;
    RC_ASSERT(bson_init_from_json(&theirs, ours.data(), static_cast<ssize_t>(ours.size()), &error));
    const auto* data = reinterpret_cast<const std::byte*>(bson_get_data(&theirs));
    const bool same = BsonBuffer(data, data + theirs.len) == *bytes;
    std::size_t length = 0;
    char* text = bson_as_canonical_extended_json(&theirs, &length);
    const auto back = ejson_to_bson({text, length});
    bson_free(text);
    bson_destroy(&theirs);
    RC_ASSERT(same);
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == *bytes);
}

RC_GTEST_PROP(Ejson, damaged_text_is_read_or_refused, ()) {
    const Value value = *testing::any_value(2);
    const auto text = value_to_ejson(value, EjsonForm::canonical);
    RC_PRE(text.has_value());
    std::string damaged = *text;
    damaged[*rc::gen::inRange<std::size_t>(0, damaged.size())] =
        *rc::gen::element('"', '{', '}', '[', ']', ',', ':', '\\', '0', '$', '\0', '\xff', ' ');
    if (const auto bson = ejson_to_wrapped_bson(damaged)) {
        RC_ASSERT(wrapped_bson_to_ejson(*bson, EjsonForm::canonical).has_value());
    } else {
        RC_ASSERT(bson.error().context().substr(0, 5) == "line ");
    }
}

} // namespace
} // namespace tombolo
