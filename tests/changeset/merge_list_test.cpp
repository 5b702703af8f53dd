// Rules between edits of one list, and the worked merges of changesets-and-merge.md 4.9.

#include <gtest/gtest.h>

#include "changeset/merge_support.hpp"

namespace tombolo::changeset::test {
namespace {

Edits insert(int index, const char* value, std::uint32_t prior) {
    return [=](ChangesetBuilder& b) { b.array_insert(at("l", {index}), value, prior); };
}
Edits erase(int index, std::uint32_t prior) {
    return [=](ChangesetBuilder& b) { b.array_erase(at("l", {index}), prior); };
}
Edits move(int from, std::uint32_t to, std::uint32_t prior) {
    return [=](ChangesetBuilder& b) { b.array_move(at("l", {from}), to, prior); };
}
Edits set(int index, const char* value, std::uint32_t prior) {
    return [=](ChangesetBuilder& b) { b.update_element(at("l", {index}), value, prior); };
}

TEST(MergeList, worked_1_inserts_at_one_index_end_in_order_of_time_r18) {
    expect_merge(insert(1, "X", 3), insert(1, "Y", 3), insert(1, "X", 4), insert(2, "Y", 4));
}

TEST(MergeList, equal_timestamps_the_lower_ident_is_older_r18) {
    expect_merge(insert(1, "X", 3), insert(1, "Y", 3), insert(2, "X", 4), insert(1, "Y", 4), {7, 9},
                 {7, 8});
}

TEST(MergeList, the_larger_index_shifts_r18) {
    expect_merge(insert(0, "X", 3), insert(2, "Y", 3), insert(0, "X", 4), insert(3, "Y", 4));
}

TEST(MergeList, worked_2_erase_beats_update_of_the_element_r12) {
    expect_merge(erase(1, 3), set(1, "q", 3), erase(1, 3), nothing);
}

TEST(MergeList, update_behind_an_erase_shifts_r12) {
    expect_merge(erase(0, 3), set(2, "q", 3), erase(0, 3), set(1, "q", 2));
}

TEST(MergeList, worked_3_insert_in_front_of_a_move_r19) {
    expect_merge(move(0, 2, 3), insert(0, "X", 3), move(1, 3, 4), insert(0, "X", 3));
}

TEST(MergeList, insert_at_the_target_of_a_move_goes_by_time_r19) {
    expect_merge(move(0, 1, 3), insert(2, "X", 3), move(0, 2, 4), insert(1, "X", 3));
    expect_merge(insert(2, "X", 3), move(0, 1, 3), insert(2, "X", 3), move(0, 1, 4));
}

TEST(MergeList, worked_4_the_newer_of_two_moves_of_an_element_stays_r21) {
    expect_merge(move(0, 2, 3), move(0, 1, 3), nothing, move(2, 1, 3));
}

TEST(MergeList, two_moves_of_an_element_to_one_place_cancel_r21) {
    expect_merge(move(0, 2, 3), move(0, 2, 3), nothing, nothing);
}

TEST(MergeList, moves_of_two_elements_r21) {
    expect_merge(move(0, 2, 4), move(1, 3, 4), move(0, 1, 4), move(0, 3, 4));
}

TEST(MergeList, worked_5_erase_beats_a_move_of_the_element_r22) {
    expect_merge(erase(0, 3), move(0, 2, 3), erase(2, 3), nothing);
}

TEST(MergeList, erase_beside_a_move_r22) {
    expect_merge(erase(2, 3), move(0, 1, 3), erase(2, 3), move(0, 1, 2));
    // Without the element in between the move would go from 0 to 0.
    expect_merge(erase(1, 3), move(0, 1, 3), erase(0, 3), nothing);
}

TEST(MergeList, erases_of_one_element_cancel_r23) {
    expect_merge(erase(1, 3), erase(1, 3), nothing, nothing);
    expect_merge(erase(0, 3), erase(2, 3), erase(0, 2), erase(1, 2));
}

TEST(MergeList, insert_and_erase_r20) {
    expect_merge(insert(1, "X", 3), erase(1, 3), insert(1, "X", 2), erase(2, 4));
    expect_merge(insert(2, "X", 3), erase(1, 3), insert(1, "X", 2), erase(1, 4));
}

TEST(MergeList, update_follows_its_element_r10_r11) {
    expect_merge(set(1, "q", 3), insert(1, "X", 3), set(2, "q", 4), insert(1, "X", 3));
    expect_merge(set(1, "q", 3), move(1, 0, 3), set(0, "q", 3), move(1, 0, 3));
    expect_merge(set(0, "q", 3), move(1, 0, 3), set(1, "q", 3), move(1, 0, 3));
}

TEST(MergeList, the_newer_of_two_updates_of_an_element_stays_r7) {
    expect_merge(set(1, "q", 3), set(1, "r", 3), nothing, set(1, "r", 3));
}

TEST(MergeList, sizes_that_disagree_are_merge_errors) {
    expect_merge_error(insert(1, "X", 3), insert(1, "Y", 4));
    expect_merge_error(insert(1, "X", 3), erase(1, 4));
    expect_merge_error(erase(1, 3), erase(1, 4));
    expect_merge_error(erase(1, 3), move(1, 0, 4));
    expect_merge_error(move(2, 0, 3), move(1, 0, 4));
    expect_merge_error(set(1, "q", 3), insert(1, "X", 4));
    expect_merge_error(set(1, "q", 3), erase(1, 4));
    expect_merge_error(set(1, "q", 3), set(1, "r", 4));
}

TEST(MergeList, indices_outside_the_list_are_merge_errors) {
    expect_merge_error(erase(3, 3), erase(1, 3));
    expect_merge_error(insert(4, "X", 3), erase(1, 3));
    expect_merge_error(set(3, "q", 3), insert(1, "X", 3));
    expect_merge_error(move(0, 3, 3), move(1, 0, 3));
}

TEST(MergeList, indices_never_wrap) {
    expect_merge_error(
        [](ChangesetBuilder& b) { b.array_insert(at("l", {0xFFFF'FFFFU}), "X", 0xFFFF'FFFF); },
        [](ChangesetBuilder& b) { b.array_insert(at("l", {0xFFFF'FFFFU}), "Y", 0xFFFF'FFFF); });
}

TEST(MergeList, worked_8_clear_discards_a_newer_insert) {
    auto clear = [](ChangesetBuilder& b) { b.clear(at("l"), CollectionKind::list); };
    expect_merge(clear, insert(3, "X", 3), clear, nothing);
}

TEST(MergeList, runs_of_edits_shift_one_after_the_other) {
    expect_merge(
        [](ChangesetBuilder& b) {
            b.array_insert(at("l", {0}), "A", 2);
            b.array_insert(at("l", {1}), "B", 3);
            b.array_erase(at("l", {3}), 4);
        },
        [](ChangesetBuilder& b) {
            b.array_insert(at("l", {0}), "X", 2);
            b.array_move(at("l", {0}), 2, 3);
        },
        [](ChangesetBuilder& b) {
            b.array_insert(at("l", {0}), "A", 3);
            b.array_insert(at("l", {1}), "B", 4);
            b.array_erase(at("l", {3}), 5);
        },
        [](ChangesetBuilder& b) {
            b.array_insert(at("l", {2}), "X", 3);
            b.array_move(at("l", {2}), 3, 4);
        });
}

TEST(MergeList, edits_inside_elements_follow_them) {
    auto inner = [](int index) {
        return [=](ChangesetBuilder& b) { b.update(at("l", {index, "name"}), "Bo"); };
    };
    expect_merge(insert(1, "X", 3), inner(1), insert(1, "X", 3), inner(2));
    expect_merge(insert(2, "X", 3), inner(1), insert(2, "X", 3), inner(1));
    expect_merge(erase(0, 3), inner(1), erase(0, 3), inner(0));
    expect_merge(erase(1, 3), inner(1), erase(1, 3), nothing);
}

TEST(MergeList, e1_an_inner_edit_follows_a_move_and_is_reported) {
    auto inner = [](int index) {
        return [=](ChangesetBuilder& b) { b.update(at("l", {index, "name"}), "Bo"); };
    };
    auto edges = expect_merge(move(0, 2, 3), inner(0), move(0, 2, 3), inner(2));
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].edge, KnownEdge::move_over_inner);
    EXPECT_EQ(edges[0].table, "Foo");
    EXPECT_EQ(edges[0].object, PrimaryKey(std::int64_t{1}));
    EXPECT_EQ(edges[0].field, "l");
    MergeOptions as_published;
    as_published.move_over_inner = MoveOverInnerRule::realm_core;
    expect_merge(move(0, 2, 3), inner(0), move(2, 2, 3), inner(0), older_origin, newer_origin,
                 as_published);
}

TEST(MergeList, e7_a_clear_of_an_element_that_an_edit_moves_is_reported) {
    auto clear = [](ChangesetBuilder& b) { b.clear(at("l", {1}), CollectionKind::list); };
    for (const Edits& edit : {insert(1, "X", 3), erase(0, 3), erase(1, 3), move(0, 2, 3)}) {
        auto edges = expect_merge(edit, clear, edit, clear);
        ASSERT_EQ(edges.size(), 1U);
        EXPECT_EQ(edges[0].edge, KnownEdge::cleared_element);
    }
    for (const Edits& edit : {insert(2, "X", 3), erase(2, 3), move(2, 3, 4)}) {
        EXPECT_TRUE(expect_merge(edit, clear, edit, clear).empty());
    }
}

TEST(MergeList, a_name_where_the_other_side_has_an_index_is_a_merge_error) {
    expect_merge_error(insert(0, "X", 3), [](ChangesetBuilder& b) {
        b.update(at("l", {"key", "name"}), "Bo");
    });
}

} // namespace
} // namespace tombolo::changeset::test
