#include "core/timestamp.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/generators.hpp"

namespace tombolo {
namespace {

constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t min = std::numeric_limits<std::int64_t>::min();

TEST(Timestamp, t04_parts_of_opposite_sign_or_too_many_nanoseconds_are_refused) {
    for (const auto& [s, ns] : {std::pair<std::int64_t, std::int32_t>{1, -1},
                                {-1, 1},
                                {0, 1'000'000'000},
                                {0, -1'000'000'000},
                                {min, std::numeric_limits<std::int32_t>::max()}}) {
        EXPECT_EQ(Timestamp::make(s, ns).error().code(), ErrorCode::bad_timestamp);
    }
    EXPECT_TRUE(Timestamp::make(0, -999'999'999));
    EXPECT_TRUE(Timestamp::make(max, 999'999'999));
    EXPECT_TRUE(Timestamp::make(min, -999'999'999));
}

TEST(Timestamp, t04_orders_by_seconds_then_nanoseconds) {
    const Timestamp ordered[] = {*Timestamp::make(-1, -1), *Timestamp::make(-1, 0),
                                 *Timestamp::make(0, -1),  Timestamp(),
                                 *Timestamp::make(0, 1),   *Timestamp::make(1, 999'999'999)};
    for (std::size_t i = 1; i < std::size(ordered); ++i) {
        EXPECT_LT(ordered[i - 1], ordered[i]) << i;
    }
}

TEST(Timestamp, milliseconds_truncate_towards_the_past) {
    EXPECT_EQ(Timestamp::make(0, 1'999'999)->to_unix_ms(), 1);
    EXPECT_EQ(Timestamp::make(0, -1)->to_unix_ms(), -1);
    EXPECT_EQ(Timestamp::make(-1, -1)->to_unix_ms(), -1001);
    EXPECT_EQ(Timestamp::make(-1, -500'000'000)->to_unix_ms(), -1500);
}

TEST(Timestamp, milliseconds_saturate) {
    EXPECT_EQ(Timestamp::make(max, 0)->to_unix_ms(), max);
    EXPECT_EQ(Timestamp::make(min, 0)->to_unix_ms(), min);
    EXPECT_EQ(Timestamp::make(max / 1000, 999'000'000)->to_unix_ms(), max);
    EXPECT_EQ(Timestamp::make(min / 1000, -999'000'000)->to_unix_ms(), min);
}

RC_GTEST_PROP(Timestamp, milliseconds_round_trip, (std::int64_t ms)) {
    const Timestamp time = Timestamp::from_unix_ms(ms);
    RC_ASSERT(Timestamp::is_valid(time.seconds(), time.nanoseconds()));
    RC_ASSERT(time.to_unix_ms() == ms);
}

TEST(Timestamp, milliseconds_round_trip_at_the_ends) {
    EXPECT_EQ(Timestamp::from_unix_ms(max).to_unix_ms(), max);
    EXPECT_EQ(Timestamp::from_unix_ms(min).to_unix_ms(), min);
}

TEST(Timestamp, prints_utc) {
    EXPECT_EQ(Timestamp().to_string(), "1970-01-01T00:00:00Z");
    EXPECT_EQ(Timestamp::make(1714566600, 123456789)->to_string(),
              "2024-05-01T12:30:00.123456789Z");
    EXPECT_EQ(Timestamp::make(951782400, 500'000'000)->to_string(), "2000-02-29T00:00:00.500Z");
    EXPECT_EQ(Timestamp::make(0, -500'000'000)->to_string(), "1969-12-31T23:59:59.500Z");
    EXPECT_EQ(Timestamp::make(-62135596800, 0)->to_string(), "0001-01-01T00:00:00Z");
    EXPECT_EQ(Timestamp::make(253402300799, 999'999'999)->to_string(),
              "9999-12-31T23:59:59.999999999Z");
}

TEST(Timestamp, prints_seconds_and_nanoseconds_beyond_four_digit_years) {
    EXPECT_EQ(Timestamp::make(253402300800, 5)->to_string(), "T253402300800:5");
    EXPECT_EQ(Timestamp::make(-62135596800, -1)->to_string(), "T-62135596800:-1");
    EXPECT_EQ(Timestamp::make(min, -1)->to_string(), "T-9223372036854775808:-1");
}

TEST(Timestamp, parses_iso_8601_as_extended_json_writes_it) {
    EXPECT_EQ(*Timestamp::parse_iso_8601("2024-05-01T12:30:00.123456789Z"),
              *Timestamp::make(1714566600, 123456789));
    EXPECT_EQ(*Timestamp::parse_iso_8601("2024-05-01T14:30:00.5+02:00"),
              *Timestamp::make(1714566600, 500'000'000));
    EXPECT_EQ(*Timestamp::parse_iso_8601("2024-05-01T12:30:00-0000"),
              *Timestamp::make(1714566600, 0));
    EXPECT_EQ(*Timestamp::parse_iso_8601("1969-12-31T23:59:59.500Z"),
              *Timestamp::make(0, -500'000'000));
    EXPECT_EQ(*Timestamp::parse_iso_8601("2024-05-01T12:30Z"), *Timestamp::make(1714566600, 0));
}

TEST(Timestamp, refuses_texts_that_are_no_time) {
    for (const char* text : {"",
                             "2024",
                             "2024-05-01",
                             "2024-05-01T12:30:00",
                             "2024-02-30T00:00:00Z",
                             "2023-02-29T00:00:00Z",
                             "2024-13-01T00:00:00Z",
                             "2024-00-01T00:00:00Z",
                             "2024-01-00T00:00:00Z",
                             "2024-01-01T24:00:00Z",
                             "2024-01-01T00:60:00Z",
                             "2024-01-01T00:00:61Z",
                             "2024-01-01T00:00:00.Z",
                             "2024-01-01T00:00:00.1234567890Z",
                             "2024-01-01T00:00:00Zx",
                             "2024-01-01T00:00:00+1",
                             "2024-01-01T00:00:00+25:00",
                             "-024-01-01T00:00:00Z",
                             "2024-01-01t00:00:00z ",
                             "20240101T000000Z",
                             "0000-01-01T00:00:00Z"}) {
        const auto time = Timestamp::parse_iso_8601(text);
        ASSERT_FALSE(time) << text;
        EXPECT_EQ(time.error().code(), ErrorCode::bad_timestamp);
    }
}

RC_GTEST_PROP(Timestamp, printable_text_parses_back, ()) {
    const Timestamp time = *testing::any_timestamp();
    const std::string text = time.to_string();
    RC_PRE(text.front() != 'T');
    RC_ASSERT(*Timestamp::parse_iso_8601(text) == time);
}

} // namespace
} // namespace tombolo
