// The binary form: integers, records, payloads, errors with their offsets, hostile bytes, memory
// bound.

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "changeset/changeset_generator.hpp"
#include "changeset/codec.hpp"
#include "changeset/integer_codec.hpp"
#include "core/limits.hpp"

namespace tombolo::changeset::test {
namespace {

std::vector<std::byte> hex(std::string_view text) {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
                 [](char c) { return c != ' '; });
    return *from_hex(digits);
}

std::string error_of(std::string_view text) {
    Result<Changeset> result = decode(hex(text));
    return result ? "decoded" : result.error().what();
}

struct IntegerCase {
    std::int64_t value;
    const char* bytes;
};

TEST(IntegerCodec, the_table_of_the_chapter_holds_both_ways) {
    constexpr IntegerCase cases[] = {
        {0, "00"},
        {-1, "40"},
        {1, "01"},
        {-2, "41"},
        {63, "3f"},
        {-64, "7f"},
        {64, "c000"},
        {-65, "c040"},
        {127, "ff00"},
        {-100, "e340"},
        {128, "8001"},
        {-8192, "ff7f"},
        {8191, "ff3f"},
        {-8193, "80c040"},
        {8192, "80c000"},
        {std::int64_t{1} << 31, "8080808008"},
        {std::numeric_limits<std::int64_t>::max(), "ffffffffffffffffff00"},
        {std::numeric_limits<std::int64_t>::min(), "ffffffffffffffffff40"},
    };
    for (const IntegerCase& item : cases) {
        std::vector<std::byte> bytes;
        append_signed(bytes, item.value);
        EXPECT_EQ(to_hex(bytes), item.bytes) << item.value;
        const std::byte* at = bytes.data();
        UnsignedParts parts;
        EXPECT_EQ(read_parts(at, bytes.data() + bytes.size(), 63, parts), nullptr);
        EXPECT_EQ(join_sign(parts), item.value);
        EXPECT_EQ(at, bytes.data() + bytes.size());
    }
    std::vector<std::byte> largest;
    append_unsigned(largest, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(to_hex(largest), "ffffffffffffffffff01");
}

ReadFailure read(std::string_view text, unsigned value_bits, UnsignedParts& parts) {
    std::vector<std::byte> bytes = hex(text);
    const std::byte* at = bytes.data();
    return read_parts(at, at + bytes.size(), value_bits, parts);
}

TEST(IntegerCodec, length_limits_are_10_5_and_2_bytes) {
    UnsignedParts parts;
    EXPECT_EQ(read("80808080808080808000", 64, parts), nullptr);
    EXPECT_NE(read("8080808080808080808000", 64, parts), nullptr);
    EXPECT_EQ(read("80808080808080808000", 63, parts), nullptr);
    EXPECT_EQ(read("8180808000", 32, parts), nullptr);
    EXPECT_EQ(parts.magnitude, 1U);
    EXPECT_NE(read("808080808000", 32, parts), nullptr);
    EXPECT_EQ(read("8100", 8, parts), nullptr);
    EXPECT_NE(read("818000", 8, parts), nullptr);
}

TEST(IntegerCodec, bits_that_do_not_fit_are_refused) {
    UnsignedParts parts;
    EXPECT_NE(read("ffffffffffffffffff02", 64, parts), nullptr);
    EXPECT_NE(read("ffffffffffffffffff01", 63, parts), nullptr);
    EXPECT_EQ(read("ffffffff0f", 32, parts), nullptr);
    EXPECT_EQ(parts.magnitude, 0xFFFF'FFFFU);
    EXPECT_NE(read("ffffffff10", 32, parts), nullptr);
    EXPECT_NE(read("8004", 8, parts), nullptr);
    EXPECT_NE(read("ff", 8, parts), nullptr);
    EXPECT_NE(read("", 8, parts), nullptr);
}

TEST(Decode, empty_input_is_no_change) {
    Result<Changeset> result = decode(ByteView());
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->empty());
    EXPECT_TRUE(encode(*result).empty());
}

TEST(Decode, worked_example_a) {
    auto bytes = hex("3f0003466f6f 3f01035f6964 3f020178 000000010100 060002010000 02000105"
                     "0400010502 00012a00");
    Result<Changeset> result = decode(ByteView(bytes));
    ASSERT_TRUE(result) << result.error().what();
    ASSERT_EQ(result->instructions().size(), 4U);
    const Instruction& update = result->instructions()[3];
    EXPECT_EQ(result->table(update), "Foo");
    EXPECT_EQ(result->field(update), "x");
    EXPECT_EQ(result->object(update), PrimaryKeyView(std::int64_t{5}));
    EXPECT_EQ(std::get<std::int64_t>(result->scalar(update)), 42);
    EXPECT_EQ(encode(*result), bytes);
}

TEST(Decode, live_shape_is_reencoded_table_first) {
    Result<Changeset> result = decode(hex("3f0001410200 0100 3f010162 02010101"));
    ASSERT_TRUE(result) << result.error().what();
    EXPECT_EQ(to_hex(encode(*result)), "3f0001413f0101620200010002010101");
}

TEST(Decode, strings_without_instructions_encode_to_nothing) {
    Result<Changeset> result = decode(hex("3f000141"));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->string_count(), 1U);
    EXPECT_TRUE(encode(*result).empty());
}

TEST(Decode, errors_name_the_offset_and_the_reason) {
    EXPECT_EQ(error_of("0e"), "cannot read changeset: unknown opcode (offset 0)");
    EXPECT_EQ(error_of("40"),
              "cannot read changeset: negative number in an unsigned field (offset 0)");
    EXPECT_EQ(error_of("3f010141"),
              "cannot read changeset: interned string out of order (offset 1)");
    EXPECT_EQ(error_of("3f000141 3f010141"),
              "cannot read changeset: string interned twice (offset 6)");
    EXPECT_EQ(error_of("3f000241"), "cannot read changeset: input ends inside a string (offset 2)");
    EXPECT_EQ(error_of("0100"), "cannot read changeset: undefined interned string (offset 1)");
    EXPECT_EQ(error_of("3f000141 000003"), "cannot read changeset: unknown table kind (offset 6)");
    EXPECT_EQ(error_of("3f000141 000000000200"),
              "cannot read changeset: type cannot be a primary key (offset 8)");
    EXPECT_EQ(error_of("3f000141 0b00000000 04"),
              "cannot read changeset: unknown collection kind (offset 9)");
}

/// An Update of A[null].A with the payload given in hex, default 0.
std::string update_with(std::string_view payload) {
    return "3f000141 04 00 00 00 00" + std::string(payload) + "00";
}

TEST(Decode, payload_codes_from_minus_6_to_11_except_minus_1) {
    for (const char* payload :
         {"45", "44", "43", "42", "41", "00", "0101", "0201", "0303616263", "04020000",
          "0580e2cfaa06959aef3a", "060000c03f", "07000000000000f83f", "080f4000", "09000107",
          "0a507f1f77bcf86cd799439011", "0b3b241101e2bb42558caf4136c566a962"}) {
        auto bytes = hex(update_with(payload));
        Result<Changeset> result = decode(ByteView(bytes));
        ASSERT_TRUE(result) << payload << ": " << result.error().what();
        EXPECT_EQ(encode(*result), bytes) << payload;
    }
    EXPECT_NE(error_of(update_with("46")), "decoded");
    EXPECT_NE(error_of(update_with("0c")), "decoded");
    EXPECT_NE(error_of(update_with("400000")), "decoded");
    EXPECT_EQ(error_of("3f000141 0200 400102"), "decoded") << "a GlobalKey as primary key";
}

TEST(Decode, timestamps_are_strict) {
    EXPECT_EQ(error_of(update_with("05 00 ff93ebdc03")), "decoded"); // 0 s, 999999999 ns
    EXPECT_NE(error_of(update_with("05 00 8094ebdc03")), "decoded"); // 10^9 ns
    EXPECT_NE(error_of(update_with("05 01 40")), "decoded");         // 1 s, -1 ns
    EXPECT_NE(error_of(update_with("05 40 01")), "decoded");         // -1 s, 1 ns
    EXPECT_EQ(error_of(update_with("05 40 ffc9b5ee41")), "decoded"); // -1.5 s
}

TEST(Decode, array_instructions_need_an_index_at_the_end) {
    EXPECT_NE(error_of("3f000141 08 00 00 00 00 0000"), "decoded");
    EXPECT_NE(error_of("3f000141 0a 00 00 00 01 4000 00"), "decoded");
    EXPECT_EQ(error_of("3f000141 0a 00 00 00 01 00 01"), "decoded");
}

TEST(Decode, update_of_an_element_ends_in_prior_size_others_in_default) {
    auto element = *decode(hex("3f000141 04 00 00 00 01 02 00 c000"));
    EXPECT_TRUE(element.is_array_update(element.instructions()[0]));
    EXPECT_EQ(element.instructions()[0].prior_size, 64U);
    auto entry = *decode(hex("3f000141 04 00 00 00 01 4000 00 01"));
    EXPECT_TRUE(entry.instructions()[0].is_default());
}

TEST(Decode, decimals_keep_their_bits) {
    const Decimal128 cases[] = {
        {0x7800000000000000, 0},                                       // Infinity
        {0xF800000000000000, 0},                                       // -Infinity
        {0x7C00000000000000, 0},                                       // NaN
        {0x0000000000000000, 1},                                       // exponent -6176
        {0x5FFE000000000000 | 0x0000ED09BEAD87C0, 0x378D8E63FFFFFFFF}, // 34 nines, exponent 6111
        {0x3041FFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF},                      // all 113 bits
        *Decimal128::parse("-12345678901234567890E3"),
    };
    for (const Decimal128& value : cases) {
        ChangesetBuilder builder;
        builder.update({"Foo", std::int64_t{1}, "x"}, PayloadView(ScalarView(value)));
        auto bytes = encode(*builder.finish());
        auto back = *decode(ByteView(bytes));
        EXPECT_TRUE(std::get<Decimal128>(back.scalar(back.instructions()[0])).same_bits(value));
        EXPECT_EQ(encode(back), bytes);
    }
    EXPECT_EQ(error_of(update_with("08 ffffffffffffffffffffffffffffffff01 00 00")), "decoded");
    EXPECT_NE(error_of(update_with("08 ffffffffffffffffffffffffffffffff02 00 00")), "decoded");
    EXPECT_NE(error_of(update_with("08 8080808080808080808080808080808080 00 00 00")), "decoded");
    EXPECT_NE(error_of(update_with("08 01 c0e0ff ff")), "decoded");
}

TEST(Decode, strings_over_the_database_limit_are_refused) {
    std::vector<std::byte> bytes = hex("3f00");
    append_unsigned(bytes, limits::string_bytes_max + 1);
    bytes.resize(bytes.size() + limits::string_bytes_max + 1);
    EXPECT_FALSE(decode(ByteView(bytes)));
}

TEST(Decode, every_truncation_and_every_flipped_bit_is_an_error_or_a_changeset) {
    std::mt19937 random(3);
    for (int round = 0; round < 40; ++round) {
        std::vector<std::uint8_t> seed(150);
        std::generate(seed.begin(), seed.end(),
                      [&random] { return static_cast<std::uint8_t>(random()); });
        ByteSource source(seed);
        const std::vector<std::byte> bytes = encode(make_changeset(source));
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            static_cast<void>(decode(ByteView(bytes).first(size)));
        }
        for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
            std::vector<std::byte> damaged = bytes;
            damaged[bit / 8] ^= std::byte{1} << (bit % 8);
            if (Result<Changeset> result = decode(ByteView(damaged))) {
                auto again = encode(*result);
                Result<Changeset> second = decode(ByteView(again));
                ASSERT_TRUE(second) << second.error().what();
                EXPECT_TRUE(same_instructions(*result, *second));
                EXPECT_EQ(encode(*second), again);
            }
        }
    }
}

TEST(Decode, encode_then_decode_is_the_identity_on_random_changesets) {
    std::mt19937 random(5);
    for (int round = 0; round < 2'000; ++round) {
        std::vector<std::uint8_t> seed(200);
        std::generate(seed.begin(), seed.end(),
                      [&random] { return static_cast<std::uint8_t>(random()); });
        ByteSource source(seed);
        Changeset changeset = make_changeset(source);
        std::vector<std::byte> bytes = encode(changeset);
        Result<Changeset> back = decode(ByteView(bytes));
        ASSERT_TRUE(back) << back.error().what();
        EXPECT_TRUE(same_instructions(changeset, *back));
        EXPECT_EQ(encode(*back), bytes);
    }
}

std::size_t memory_of(const Changeset& changeset) {
    const ChangesetParts& parts = changeset.parts();
    return parts.bytes.capacity() + parts.keys.capacity() * sizeof(Key) +
           parts.path_elements.capacity() * sizeof(PathElement) +
           parts.instructions.capacity() * sizeof(Instruction) + parts.strings.memory_bytes();
}

TEST(Decode, memory_stays_below_the_stated_multiple_of_the_input) {
    auto repeat = [](const char* head, const char* unit, std::size_t count) {
        std::vector<std::byte> bytes = hex(head);
        std::vector<std::byte> part = hex(unit);
        for (std::size_t i = 0; i < count; ++i) {
            bytes.insert(bytes.end(), part.begin(), part.end());
        }
        return bytes;
    };
    std::vector<std::vector<std::byte>> inputs;
    inputs.push_back(repeat("3f000141", "0100", 50'000));            // EraseTable
    inputs.push_back(repeat("3f000141", "0200000200 0101", 30'000)); // two keys in turn
    inputs.push_back(repeat("3f000141", "0b 00 00 00 08 0000000000000000 00", 10'000)); // paths
    std::vector<std::byte> strings;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        append_unsigned(strings, 63);
        append_unsigned(strings, i);
        append_unsigned(strings, 2);
        strings.push_back(static_cast<std::byte>(i));
        strings.push_back(static_cast<std::byte>(i >> 8));
    }
    inputs.push_back(strings);
    for (const std::vector<std::byte>& input : inputs) {
        Result<Changeset> result = decode(ByteView(input));
        ASSERT_TRUE(result) << result.error().what();
        // At the last growth of an array its predecessor, at most as large as what is kept, was
        // there too.
        EXPECT_LE(2 * memory_of(*result) - input.size(),
                  decode_memory_factor * input.size() + decode_memory_base);
    }
}

TEST(Builder, refuses_what_cannot_stand_in_a_changeset) {
    const Place field{"Foo", std::int64_t{1}, "x"};
    const Place element{"Foo", std::int64_t{1}, "x", {0}};
    auto refused = [](const auto& edits) {
        ChangesetBuilder builder;
        edits(builder);
        return !builder.finish().has_value();
    };
    const std::string long_name(64, 'n');
    EXPECT_TRUE(
        refused([&](auto& b) { b.erase_table(std::string_view(long_name).substr(0, 58)); }));
    EXPECT_FALSE(
        refused([&](auto& b) { b.erase_table(std::string_view(long_name).substr(0, 57)); }));
    EXPECT_TRUE(refused([&](auto& b) { b.erase_column("Foo", long_name); }));
    EXPECT_TRUE(refused([&](auto& b) { b.update(element, "x"); }));
    EXPECT_TRUE(refused([&](auto& b) { b.update_element(field, "x", 1); }));
    EXPECT_TRUE(refused([&](auto& b) { b.array_insert(field, "x", 1); }));
    EXPECT_TRUE(refused([&](auto& b) { b.array_move(field, 1, 2); }));
    EXPECT_TRUE(refused([&](auto& b) { b.array_erase(field, 1); }));
    EXPECT_TRUE(refused([&](auto& b) { b.update(field, PayloadType::global_key); }));
    EXPECT_TRUE(refused([&](auto& b) { b.update(field, PayloadType::integer); }));
    EXPECT_TRUE(refused([&](auto& b) { b.set_insert(field, PayloadType::list); }));
    EXPECT_TRUE(refused([&](auto& b) { b.add_column("Foo", "x", {PayloadType::list}); }));
    EXPECT_TRUE(refused([&](auto& b) {
        b.add_table("Foo", TableKind::top_level, "_id", PayloadType::boolean, false);
    }));
}

TEST(Builder, copies_instructions_between_changesets) {
    std::mt19937 random(11);
    for (int round = 0; round < 500; ++round) {
        std::vector<std::uint8_t> seed(200);
        std::generate(seed.begin(), seed.end(),
                      [&random] { return static_cast<std::uint8_t>(random()); });
        ByteSource source(seed);
        Changeset changeset = make_changeset(source);
        ChangesetBuilder builder;
        for (const Instruction& instruction : changeset.instructions()) {
            builder.append(changeset, instruction);
        }
        EXPECT_TRUE(same_instructions(changeset, *builder.finish()));
    }
}

} // namespace
} // namespace tombolo::changeset::test
