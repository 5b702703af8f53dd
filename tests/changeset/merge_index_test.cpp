// The indexed merge against the full grid, on random changesets and on long lists.

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "changeset/changeset_generator.hpp"
#include "changeset/merge_agreement.hpp"
#include "changeset/merge_support.hpp"

namespace tombolo::changeset::test {
namespace {

std::vector<Changeset> random_side(std::mt19937& random, const GeneratorOptions& options) {
    std::vector<Changeset> side;
    for (std::size_t i = 0, count = random() % 2 + 1; i < count; ++i) {
        std::vector<std::uint8_t> bytes(options.instructions_max * 12);
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(random());
        }
        ByteSource source(bytes);
        side.push_back(make_changeset(source, options));
    }
    return side;
}

void check_random_pairs(int pairs, int merged_min, const GeneratorOptions& options,
                        MoveOverInnerRule rule) {
    std::mt19937 random(20'260'101);
    int merged_count = 0;
    for (int i = 0; i < pairs; ++i) {
        std::vector<Changeset> left = random_side(random, options);
        std::vector<Changeset> right = random_side(random, options);
        bool merged = false;
        ASSERT_EQ(disagreement(left, right, rule, merged), "") << "pair " << i;
        merged_count += merged ? 1 : 0;
    }
    EXPECT_GE(merged_count, merged_min);
}

TEST(MergeIndex, equals_the_full_grid_on_random_pairs) {
    GeneratorOptions options;
    options.schema_erasure = false;
    check_random_pairs(4'000, 1'000, options, MoveOverInnerRule::sensible);
}

TEST(MergeIndex, equals_the_full_grid_on_longer_pairs) {
    GeneratorOptions options;
    options.instructions_max = 60;
    options.schema_erasure = false;
    options.wrong_sizes = false;
    check_random_pairs(500, 50, options, MoveOverInnerRule::realm_core);
}

TEST(MergeIndex, equals_the_full_grid_with_schema_erasure) {
    check_random_pairs(2'000, 500, {}, MoveOverInnerRule::sensible);
}

TEST(MergeIndex, many_additions_of_one_class_meet_whatever_their_key_fields) {
    auto additions = [](std::string_view key_field) {
        return build([key_field](ChangesetBuilder& b) {
            for (int i = 0; i < 9; ++i) {
                b.add_table("Foo", TableKind::top_level, key_field, PayloadType::integer, false);
            }
        });
    };
    std::vector<Changeset> left;
    std::vector<Changeset> right;
    left.push_back(additions("_id"));
    right.push_back(additions("key"));
    bool merged = true;
    EXPECT_EQ(disagreement(left, right, MoveOverInnerRule::sensible, merged), "");
    EXPECT_FALSE(merged);
}

/// Random edits of one list, as if executed on it.
Changeset list_edits(std::mt19937& random, std::size_t count, std::uint32_t size) {
    return build([&](ChangesetBuilder& b) {
        for (std::size_t i = 0; i < count; ++i) {
            auto from = static_cast<std::uint32_t>(random() % size);
            auto to = static_cast<std::uint32_t>(random() % size);
            std::uint64_t kind = random() % 4;
            if (kind == 0 || size < 3) {
                auto index = static_cast<std::uint32_t>(random() % (size + 1));
                b.array_insert(at("l", {index}), "x", size);
                ++size;
            } else if (kind == 1) {
                b.array_erase(at("l", {from}), size);
                --size;
            } else if (kind == 2 || from == to) {
                b.update_element(at("l", {from}), random() % 2 == 0 ? "p" : "q", size);
            } else {
                b.array_move(at("l", {from}), to, size);
            }
        }
    });
}

TEST(MergeIndex, equals_the_full_grid_on_one_hot_list) {
    std::mt19937 random(7);
    for (int i = 0; i < 300; ++i) {
        auto size = static_cast<std::uint32_t>(random() % 12 + 3);
        std::vector<Changeset> left;
        std::vector<Changeset> right;
        left.push_back(list_edits(random, random() % 60 + 1, size));
        right.push_back(list_edits(random, random() % 60 + 1, size));
        bool merged = false;
        ASSERT_EQ(disagreement(left, right, MoveOverInnerRule::sensible, merged), "")
            << "pair " << i;
        EXPECT_TRUE(merged);
    }
}

} // namespace
} // namespace tombolo::changeset::test
