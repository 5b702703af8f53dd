#include "core/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/generators.hpp"

namespace tombolo {
namespace {

std::vector<std::byte> bytes_of(const std::vector<std::uint8_t>& numbers) {
    std::vector<std::byte> bytes;
    bytes.reserve(numbers.size());
    for (const std::uint8_t number : numbers) {
        bytes.push_back(static_cast<std::byte>(number));
    }
    return bytes;
}

TEST(Hex, accepts_both_cases_and_prints_lower) {
    EXPECT_EQ(to_hex(*from_hex("00fFAb")), "00ffab");
    EXPECT_TRUE(from_hex("")->empty());
}

TEST(Hex, refuses_odd_length_and_other_characters) {
    EXPECT_EQ(from_hex("abc").error().code(), ErrorCode::bad_hex);
    const auto bad = from_hex("ab0g");
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code(), ErrorCode::bad_hex);
    EXPECT_EQ(bad.error().context(), "offset 3");
    EXPECT_FALSE(from_hex(std::string_view("\0\0", 2)));
}

TEST(Base64, prints_the_rfc_4648_examples) {
    EXPECT_EQ(to_base64(as_bytes("")), "");
    EXPECT_EQ(to_base64(as_bytes("f")), "Zg==");
    EXPECT_EQ(to_base64(as_bytes("fo")), "Zm8=");
    EXPECT_EQ(to_base64(as_bytes("foobar")), "Zm9vYmFy");
    EXPECT_EQ(to_base64url(bytes_of({0xfb, 0xff})), "-_8");
}

TEST(Base64, accepts_missing_padding) {
    EXPECT_EQ(as_text(*from_base64("Zg")), "f");
    EXPECT_EQ(as_text(*from_base64("Zm8")), "fo");
    EXPECT_EQ(as_text(*from_base64url("Zm8=")), "fo");
}

TEST(Base64, refuses_everything_else) {
    for (const char* text : {"Z", "=", "==", "====", "Zg=", "Zg===", "Z===", "Zm9v=", "Zm 8",
                             "Zm8\n", "Zh==", "Zm9=", "-_8=", "Zg==Zg=="}) {
        const auto bytes = from_base64(text);
        ASSERT_FALSE(bytes) << text;
        EXPECT_EQ(bytes.error().code(), ErrorCode::bad_base64);
    }
    EXPECT_FALSE(from_base64url("+/8"));
}

RC_GTEST_PROP(Base64, round_trips, (const std::vector<std::uint8_t>& numbers)) {
    const auto bytes = bytes_of(numbers);
    RC_ASSERT(*from_base64(to_base64(bytes)) == bytes);
    RC_ASSERT(*from_base64url(to_base64url(bytes)) == bytes);
    RC_ASSERT(*from_hex(to_hex(bytes)) == bytes);
}

TEST(Utf8, accepts_well_formed_text) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
    EXPECT_TRUE(is_utf8("long enough for the fast path \xc3\xa9 and on \xf4\x8f\xbf\xbf."));
    EXPECT_TRUE(is_utf8("\xee\x80\x80\xed\x9f\xbf\xef\xbf\xbf"));
}

TEST(Utf8, refuses_ill_formed_text) {
    for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
                             "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
                             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82",
                             "\xf0\x9f\x8f", "abcdefgh\xc3", "\xc3g", "\xe2\x28\xa1"}) {
        EXPECT_FALSE(is_utf8(text)) << to_hex(as_bytes(text));
    }
}

/// Decodes code points the slow way.
bool is_utf8_reference(const std::vector<std::uint8_t>& bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        const std::uint32_t lead = bytes[i];
        const std::size_t more = lead < 0x80   ? 0
                                 : lead < 0xc0 ? 9
                                 : lead < 0xe0 ? 1
                                 : lead < 0xf0 ? 2
                                 : lead < 0xf8 ? 3
                                               : 9;
        if (more == 9 || bytes.size() - i <= more) {
            return false;
        }
        std::uint32_t point = more == 0 ? lead : lead & (0x3fU >> more);
        for (std::size_t j = 1; j <= more; ++j) {
            if ((bytes[i + j] & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (bytes[i + j] & 0x3fU);
        }
        const std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return false;
        }
        i += more + 1;
    }
    return true;
}

RC_GTEST_PROP(Utf8, agrees_with_a_slow_decoder, ()) {
    const auto byte =
        rc::gen::element<std::uint8_t>(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc3, 0xe0,
                                       0xe2, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5);
    const auto bytes = *rc::gen::container<std::vector<std::uint8_t>>(byte);
    const auto raw = bytes_of(bytes);
    RC_ASSERT(is_utf8(as_text(raw)) == is_utf8_reference(bytes));
}

} // namespace
} // namespace tombolo
