// Edges of the merge that the random histories found (changesets-and-merge.md 6.4, E7 to E9): the
// rules as published do not bring these pairs to one state. They are pinned here so that a change
// of behaviour is noticed; RandomWriter keeps clear of them.

#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "support/merge_case.hpp"

namespace tombolo::testing {

namespace {

using changeset::ChangesetBuilder;
using changeset::CollectionKind;
using changeset::PayloadType;
using changeset::TableKind;

constexpr std::int64_t key = 1;

/// One object of class A with a list and a set of Mixed; the list holds 5.
MergeCase case_of(ChangesetBuilder& left, ChangesetBuilder& right) {
    ChangesetBuilder base;
    base.add_table("A", TableKind::top_level, "_id", PayloadType::integer, false);
    base.add_column("A", "list", {PayloadType::null, true, CollectionKind::list});
    base.add_column("A", "set", {PayloadType::null, true, CollectionKind::set});
    base.create_object("A", key);
    base.array_insert({"A", key, "list", {0}}, std::int64_t{5}, 0);
    MergeCase built;
    built.base.push_back(*base.finish());
    apply(built.base.front(), built.base_state).value();
    built.left.push_back({*left.finish(), 1, 2});
    built.right.push_back({*right.finish(), 2, 3});
    return built;
}

} // namespace

TEST(KnownEdges, e7_clear_of_a_list_element_does_not_follow_its_element) {
    ChangesetBuilder insert;
    insert.array_insert({"A", key, "list", {0}}, std::int64_t{9}, 1);
    ChangesetBuilder clear;
    clear.clear({"A", key, "list", {0}}, CollectionKind::list);
    EXPECT_TRUE(check_merge_case(case_of(insert, clear)).has_value());
}

TEST(KnownEdges, e7_is_avoided_by_erasing_and_inserting_the_element) {
    ChangesetBuilder insert;
    insert.array_insert({"A", key, "list", {0}}, std::int64_t{9}, 1);
    ChangesetBuilder replace;
    replace.array_erase({"A", key, "list", {0}}, 1);
    replace.array_insert({"A", key, "list", {0}}, PayloadType::list, 0);
    EXPECT_EQ(check_merge_case(case_of(insert, replace)), std::nullopt);
}

TEST(KnownEdges, e8_a_set_keeps_the_one_of_two_equal_values_that_came_first) {
    ChangesetBuilder integer;
    integer.set_insert({"A", key, "set"}, std::int64_t{1});
    ChangesetBuilder floating;
    floating.set_insert({"A", key, "set"}, ScalarView(1.0));
    EXPECT_TRUE(check_merge_case(case_of(integer, floating)).has_value());
}

namespace {

/// As case_of, with the list that a dictionary holds under "k".
MergeCase dictionary_case_of(ChangesetBuilder& left, ChangesetBuilder& right) {
    ChangesetBuilder base;
    base.add_table("A", TableKind::top_level, "_id", PayloadType::integer, false);
    base.add_column("A", "map", {PayloadType::null, true, CollectionKind::dictionary});
    base.create_object("A", key);
    base.update({"A", key, "map", {"k"}}, PayloadType::list);
    MergeCase built;
    built.base.push_back(*base.finish());
    apply(built.base.front(), built.base_state).value();
    built.left.push_back({*left.finish(), 1, 2});
    built.right.push_back({*right.finish(), 2, 3});
    return built;
}

} // namespace

TEST(KnownEdges, e9_clear_under_a_key_meets_an_older_erase_of_the_key) {
    ChangesetBuilder erase;
    erase.update({"A", key, "map", {"k"}}, PayloadType::erased);
    ChangesetBuilder clear;
    clear.clear({"A", key, "map", {"k"}}, CollectionKind::list);
    EXPECT_TRUE(check_merge_case(dictionary_case_of(erase, clear)).has_value());
}

TEST(KnownEdges, e9_is_avoided_by_making_the_collection_before_clearing_it) {
    ChangesetBuilder erase;
    erase.update({"A", key, "map", {"k"}}, PayloadType::erased);
    ChangesetBuilder remake;
    remake.update({"A", key, "map", {"k"}}, PayloadType::list);
    remake.clear({"A", key, "map", {"k"}}, CollectionKind::list);
    EXPECT_EQ(check_merge_case(dictionary_case_of(erase, remake)), std::nullopt);
}

} // namespace tombolo::testing
