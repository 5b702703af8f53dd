#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/object_id.hpp"
#include "core/primary_key.hpp"
#include "core/uuid.hpp"
#include "support/generators.hpp"

namespace tombolo {
namespace {

TEST(ObjectId, text_round_trips_in_lower_case) {
    EXPECT_EQ(ObjectId::parse("507F1f77bcf86cd799439011")->to_string(), "507f1f77bcf86cd799439011");
}

TEST(ObjectId, refuses_other_texts) {
    for (const char* text : {"", "507f1f77bcf86cd79943901", "507f1f77bcf86cd7994390111",
                             "507f1f77bcf86cd79943901g", "507f1f77bcf86cd79943901 "}) {
        EXPECT_EQ(ObjectId::parse(text).error().code(), ErrorCode::bad_object_id) << text;
    }
}

TEST(ObjectId, is_made_of_seconds_random_and_counter) {
    const ObjectId id = ObjectId::from_parts(0x01020304, 0xff05060708090a0b, 0xff0c0d0e);
    EXPECT_EQ(id.to_string(), "01020304"
                              "0708090a0b"
                              "0c0d0e");
    EXPECT_EQ(id.unix_seconds(), 0x01020304U);
}

TEST(ObjectId, orders_bytes_as_unsigned) {
    EXPECT_LT(*ObjectId::parse("7f0000000000000000000000"),
              *ObjectId::parse("800000000000000000000000"));
}

TEST(Uuid, text_round_trips_in_lower_case) {
    EXPECT_EQ(Uuid::parse("3B241101-e2bb-4255-8caf-4136c566a962")->to_string(),
              "3b241101-e2bb-4255-8caf-4136c566a962");
}

TEST(Uuid, refuses_other_texts) {
    for (const char* text :
         {"", "3b241101e2bb42558caf4136c566a962", "3b241101-e2bb-4255-8caf-4136c566a96",
          "3b241101-e2bb-4255-8caf-4136c566a96g", "3b241101-e2bb-4255-8caf-4136c566a9622",
          "3b2411-01e2bb-4255-8caf-4136c566a962", "{b241101-e2bb-4255-8caf-4136c566a96}"}) {
        EXPECT_EQ(Uuid::parse(text).error().code(), ErrorCode::bad_uuid) << text;
    }
}

TEST(PrimaryKey, prints_as_compensating_writes_name_keys) {
    EXPECT_EQ(to_text(PrimaryKeyView()), "null");
    EXPECT_EQ(to_text(PrimaryKeyView(std::int64_t{123456})), "123456");
    EXPECT_EQ(to_text(PrimaryKeyView(std::string_view("short"))), "\"short\"");
    EXPECT_EQ(to_text(PrimaryKeyView(*ObjectId::parse("64f0a1b2c3d4e5f601234567"))),
              "ObjectID(\"64f0a1b2c3d4e5f601234567\")");
    EXPECT_EQ(to_text(PrimaryKeyView(*Uuid::parse("01234567-9abc-4def-9012-3456789abcde"))),
              "UUID(01234567-9abc-4def-9012-3456789abcde)");
    EXPECT_EQ(to_text(PrimaryKeyView(GlobalKey{1, 255})), "GlobalKey(1-ff)");
}

TEST(PrimaryKey, keys_of_different_types_differ) {
    EXPECT_NE(PrimaryKeyView(std::string_view("1")), PrimaryKeyView(std::int64_t{1}));
    EXPECT_NE(PrimaryKeyView(), PrimaryKeyView(std::int64_t{0}));
}

RC_GTEST_PROP(PrimaryKey, view_and_owned_form_are_the_same_key, ()) {
    const PrimaryKey key = *testing::any_primary_key();
    const PrimaryKey copy = to_owned(to_view(key));
    RC_ASSERT(copy == key);
    RC_ASSERT(hash_value(to_view(copy)) == hash_value(to_view(key)));
}

} // namespace
} // namespace tombolo
