// Rules between schema, object, value, dictionary and set instructions; multi-changeset sides.

#include <limits>

#include <gtest/gtest.h>

#include "changeset/merge_support.hpp"

namespace tombolo::changeset::test {
namespace {

constexpr std::int64_t one = 1;

Edits update(const char* value, bool is_default = false) {
    return [=](ChangesetBuilder& b) { b.update(at("v"), value, is_default); };
}
Edits update_command(PayloadType command) {
    return [=](ChangesetBuilder& b) { b.update(at("v"), command); };
}
Edits update_integer(std::int64_t value, bool is_default = false) {
    return [=](ChangesetBuilder& b) { b.update(at("v"), value, is_default); };
}
Edits add(std::int64_t addend) {
    return [=](ChangesetBuilder& b) { b.add_integer(at("v"), addend); };
}
void create(ChangesetBuilder& b) {
    b.create_object("Foo", one);
}
void erase(ChangesetBuilder& b) {
    b.erase_object("Foo", one);
}
void clear_list(ChangesetBuilder& b) {
    b.clear(at("v"), CollectionKind::list);
}

Edits add_class(const char* name, PayloadType key_type = PayloadType::integer) {
    return [=](ChangesetBuilder& b) {
        b.add_table(name, TableKind::top_level, "_id", key_type, false);
    };
}
Edits add_field(const char* field, const ColumnDefinition& definition) {
    return [=](ChangesetBuilder& b) { b.add_column("Foo", field, definition); };
}

TEST(MergeSchema, equal_classes_cancel_others_are_an_error_r1) {
    expect_merge(add_class("Foo"), add_class("Foo"), nothing, nothing);
    expect_merge(add_class("Foo"), add_class("Bar"), add_class("Foo"), add_class("Bar"));
    expect_merge_error(add_class("Foo"), add_class("Foo", PayloadType::string));
    expect_merge_error(add_class("Foo"), [](ChangesetBuilder& b) { b.add_embedded_table("Foo"); });
}

TEST(MergeSchema, erased_class_beats_added_one_and_everything_in_it_r2_r3) {
    auto erase_class = [](ChangesetBuilder& b) { b.erase_table("Foo"); };
    expect_merge(erase_class, add_class("Foo"), erase_class, nothing);
    expect_merge(erase_class, erase_class, nothing, nothing);
    expect_merge(erase_class, update("x"), erase_class, nothing);
    expect_merge(erase_class, create, erase_class, nothing);
    expect_merge(erase_class, add_field("f", {PayloadType::string}), erase_class, nothing);
}

TEST(MergeSchema, link_property_to_an_erased_class_leaves_an_erase_column_r4) {
    auto erase_class = [](ChangesetBuilder& b) { b.erase_table("Bar"); };
    auto add_link = [](ChangesetBuilder& b) {
        b.add_column("Foo", "bar", {PayloadType::link, true, CollectionKind::single, "Bar"});
        b.update(at("bar"), PayloadView(ScalarView(LinkView{"Bar", one})));
        b.update(at("v"), "kept");
    };
    expect_merge(
        erase_class, add_link,
        [](ChangesetBuilder& b) {
            b.erase_column("Foo", "bar");
            b.erase_table("Bar");
        },
        update("kept"));
}

TEST(MergeSchema, equal_properties_cancel_others_are_an_error_r15) {
    expect_merge(add_field("f", {PayloadType::string}), add_field("f", {PayloadType::string}),
                 nothing, nothing);
    expect_merge_error(add_field("f", {PayloadType::string}),
                       add_field("f", {PayloadType::string, true}));
    expect_merge_error(add_field("f", {PayloadType::link, true, CollectionKind::single, "Bar"}),
                       add_field("f", {PayloadType::link, true, CollectionKind::single, "Baz"}));
}

TEST(MergeSchema, erased_property_r9_r16_r17) {
    auto erase_field = [](ChangesetBuilder& b) { b.erase_column("Foo", "v"); };
    expect_merge(erase_field, add_field("v", {PayloadType::string}), erase_field, nothing);
    expect_merge(erase_field, erase_field, nothing, nothing);
    expect_merge(erase_field, update("x"), erase_field, nothing);
}

TEST(MergeSchema, an_unrelated_erase_does_not_change_other_results) {
    auto with_erase = [](const Edits& edits) {
        return [=](ChangesetBuilder& b) {
            b.erase_table("Other");
            b.erase_column("Third", "f");
            edits(b);
        };
    };
    expect_merge(with_erase(update("x")), update("y"), with_erase(nothing), update("y"));
    expect_merge(update("x"), with_erase(update("y")), nothing, with_erase(update("y")));
}

TEST(MergeObject, creations_are_both_kept) {
    expect_merge(create, create, create, create);
}

TEST(MergeObject, erase_beats_creation_and_updates_whatever_the_times_r5) {
    expect_merge(erase, create, erase, nothing);
    expect_merge(create, erase, nothing, erase);
    expect_merge(erase, update("x"), erase, nothing);
    expect_merge(update("x"), erase, nothing, erase);
    expect_merge(add(5), erase, nothing, erase);
}

TEST(MergeObject, the_newer_of_two_erases_stays_r6) {
    expect_merge(erase, erase, nothing, erase);
    auto recreate = [](ChangesetBuilder& b) {
        erase(b);
        create(b);
    };
    expect_merge(erase, recreate, nothing, recreate);
    expect_merge(recreate, erase, nothing, erase);
}

TEST(MergeObject, other_objects_and_classes_are_left_alone) {
    auto other_key = [](ChangesetBuilder& b) { b.erase_object("Foo", std::int64_t{2}); };
    auto other_class = [](ChangesetBuilder& b) { b.erase_object("Bar", one); };
    auto other_type = [](ChangesetBuilder& b) { b.erase_object("Foo", std::string_view("1")); };
    for (const Edits& other : {Edits(other_key), Edits(other_class), Edits(other_type)}) {
        expect_merge(other, update("x"), other, update("x"));
    }
}

TEST(MergeValue, the_newer_update_stays_r7) {
    expect_merge(update("x"), update("y"), nothing, update("y"));
    expect_merge(update("x"), update("x"), nothing, update("x"));
    expect_merge(update("x"), update("y"), update("x"), nothing, newer_origin, older_origin);
}

TEST(MergeValue, default_loses_whatever_the_times_r7) {
    expect_merge(update("x"), update("y", true), update("x"), nothing);
    expect_merge(update("x", true), update("y", true), nothing, update("y", true));
}

TEST(MergeValue, embedded_object_loses_to_another_value_r7) {
    expect_merge(update("x"), update_command(PayloadType::object_value), update("x"), nothing);
}

TEST(MergeValue, worked_9_both_sides_make_a_list_and_inserts_merge) {
    auto make = [](const char* value, int index, std::uint32_t prior) {
        return [=](ChangesetBuilder& b) {
            b.update(at("v"), PayloadType::list);
            b.array_insert(at("v", {index}), value, prior);
        };
    };
    expect_merge(make("1", 0, 0), make("2", 0, 0), make("1", 0, 1), make("2", 1, 1));
}

TEST(MergeValue, worked_10_the_newer_kind_of_collection_wins_with_its_contents) {
    auto list = [](ChangesetBuilder& b) {
        b.update(at("v"), PayloadType::list);
        b.array_insert(at("v", {0}), "1", 0);
    };
    auto dictionary = [](ChangesetBuilder& b) { b.update(at("v"), PayloadType::dictionary); };
    auto edges = expect_merge(list, dictionary, nothing, dictionary);
    ASSERT_EQ(edges.size(), 1U); // E6, should the dictionary have been there already
    EXPECT_EQ(edges[0].edge, KnownEdge::redundant_collection);
}

TEST(MergeValue, update_above_beats_edits_below_except_of_its_own_kind) {
    auto in_list = [](ChangesetBuilder& b) { b.array_insert(at("v", {0}), "1", 0); };
    auto in_dictionary = [](ChangesetBuilder& b) { b.update(at("v", {"k"}), "1"); };
    expect_merge(update("x"), in_list, update("x"), nothing);
    auto list = update_command(PayloadType::list);
    auto dictionary = update_command(PayloadType::dictionary);
    auto object = update_command(PayloadType::object_value);
    expect_merge(list, in_list, list, in_list);
    expect_merge(list, in_dictionary, list, nothing);
    expect_merge(dictionary, in_dictionary, dictionary, in_dictionary);
    expect_merge(dictionary, in_list, dictionary, nothing);
    expect_merge(object, in_dictionary, object, in_dictionary);
    expect_merge(add(5), in_list, add(5), nothing);
}

TEST(MergeValue, worked_6_addition_is_carried_into_a_newer_default_or_older_update_r8) {
    expect_merge(update_integer(10), add(5), update_integer(15), add(5));
    expect_merge(add(5), update_integer(10), nothing, update_integer(10));
    expect_merge(add(5), update_integer(10, true), add(5), update_integer(15, true));
    expect_merge(update("text"), add(5), update("text"), nothing);
    auto null = update_command(PayloadType::null);
    expect_merge(null, add(5), null, add(5));
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    expect_merge(update_integer(most), add(1), update_integer(least), add(1));
}

TEST(MergeValue, additions_are_both_kept) {
    expect_merge(add(5), add(-3), add(5), add(-3));
}

TEST(MergeValue, clear_r13_r14_r24) {
    auto list = update_command(PayloadType::list);
    expect_merge(clear_list, list, clear_list, list);
    expect_merge(clear_list, update_command(PayloadType::dictionary), nothing,
                 update_command(PayloadType::dictionary));
    expect_merge(update("x"), clear_list, nothing, clear_list);
    expect_merge(clear_list, add(5), clear_list, nothing);
    expect_merge(clear_list, clear_list, nothing, clear_list);
}

TEST(MergeDictionary, a_key_is_a_register) {
    auto entry = [](const char* key, const PayloadView& value) {
        return [=](ChangesetBuilder& b) { b.update(at("d", {key}), value); };
    };
    expect_merge(entry("a", "x"), entry("a", PayloadType::erased), nothing,
                 entry("a", PayloadType::erased));
    expect_merge(entry("a", "x"), entry("b", "y"), entry("a", "x"), entry("b", "y"));
}

TEST(MergeDictionary, e9_a_clear_that_beats_the_erase_of_its_key_is_reported) {
    auto erase = [](ChangesetBuilder& b) { b.update(at("d", {"a"}), PayloadType::erased); };
    auto clear = [](ChangesetBuilder& b) { b.clear(at("d", {"a"}), CollectionKind::list); };
    auto edges = expect_merge(erase, clear, nothing, clear);
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].edge, KnownEdge::cleared_key);
    EXPECT_TRUE(expect_merge(clear, erase, nothing, erase).empty());
}

TEST(MergeDictionary, e4_embedded_objects_under_one_key_are_reported) {
    auto object = [](ChangesetBuilder& b) { b.update(at("d", {"a"}), PayloadType::object_value); };
    auto inner = [](ChangesetBuilder& b) { b.update(at("d", {"a", "name"}), "x"); };
    auto edges = expect_merge(object, object, nothing, object);
    ASSERT_EQ(edges.size(), 1U);
    EXPECT_EQ(edges[0].edge, KnownEdge::dictionary_object);
    ASSERT_EQ(edges[0].path.size(), 1U);
    EXPECT_EQ(std::get<std::string>(edges[0].path[0]), "a");
    EXPECT_EQ(expect_merge(object, inner, object, inner).size(), 1U);
    auto in_field = update_command(PayloadType::object_value);
    EXPECT_TRUE(expect_merge(in_field, in_field, nothing, in_field).empty());
}

TEST(MergeSet, equal_elements_the_newer_stays_r27_r28_r29) {
    using Operation = void (ChangesetBuilder::*)(const Place&, const PayloadView&);
    auto edit = [](Operation operation, const ScalarView& value) {
        return [=](ChangesetBuilder& b) { (b.*operation)(at("s"), value); };
    };
    constexpr Operation insert = &ChangesetBuilder::set_insert;
    constexpr Operation erase_element = &ChangesetBuilder::set_erase;
    for (Operation left : {insert, erase_element}) {
        for (Operation right : {insert, erase_element}) {
            const std::string_view aa = "aa";
            const std::string_view bb = "bb";
            expect_merge(edit(left, aa), edit(right, aa), nothing, edit(right, aa));
            // R29 by content: two texts of one length are two elements (E5).
            expect_merge(edit(left, aa), edit(right, bb), edit(left, aa), edit(right, bb));
            const ScalarView zero = 0.0;
            const ScalarView minus_zero = -0.0;
            const ScalarView nan = std::numeric_limits<double>::quiet_NaN();
            expect_merge(edit(left, zero), edit(right, minus_zero), nothing,
                         edit(right, minus_zero));
            expect_merge(edit(left, nan), edit(right, nan), edit(left, nan), edit(right, nan));
            const ScalarView short_decimal = *Decimal128::parse("1.0");
            const ScalarView long_decimal = *Decimal128::parse("1.00");
            expect_merge(edit(left, short_decimal), edit(right, long_decimal), nothing,
                         edit(right, long_decimal));
            const ScalarView link = LinkView{"Bar", std::string_view("k")};
            const ScalarView other_link = LinkView{"Bar", std::string_view("l")};
            expect_merge(edit(left, link), edit(right, link), nothing, edit(right, link));
            expect_merge(edit(left, link), edit(right, other_link), edit(left, link),
                         edit(right, other_link));
        }
    }
}

TEST(MergeSet, clear_beats_newer_edits_r25_r26) {
    auto clear = [](ChangesetBuilder& b) { b.clear(at("s"), CollectionKind::set); };
    expect_merge(
        clear, [](ChangesetBuilder& b) { b.set_insert(at("s"), "x"); }, clear, nothing);
    expect_merge(
        clear, [](ChangesetBuilder& b) { b.set_erase(at("s"), "x"); }, clear, nothing);
}

TEST(Merge, sides_of_several_changesets_meet_in_one_call) {
    Changeset first = build(update("x"));
    Changeset second = build(add(5));
    Changeset third = build([](ChangesetBuilder& b) { b.array_insert(at("l", {0}), "a", 0); });
    Changeset theirs_1 = build(update("y"));
    Changeset theirs_2 = build([](ChangesetBuilder& b) { b.array_insert(at("l", {0}), "b", 0); });
    std::vector<MergeInput> ours = {{&first, 1, 2}, {&second, 4, 2}, {&third, 5, 2}};
    std::vector<MergeInput> theirs = {{&theirs_1, 3, 3}, {&theirs_2, 3, 3}};
    ASSERT_TRUE(merge(ours, theirs));
    EXPECT_TRUE(first.empty());
    EXPECT_FALSE(theirs_1.empty());
    EXPECT_TRUE(ours[0].modified);
    EXPECT_TRUE(ours[2].modified);
    EXPECT_TRUE(theirs[1].modified);
    EXPECT_EQ(third.path(third.instructions()[0])[0].index(), 1U); // newer, so it goes behind
    EXPECT_EQ(theirs_2.path(theirs_2.instructions()[0])[0].index(), 0U);
    EXPECT_TRUE(second.empty()) << "the addition meets a text";
}

TEST(Merge, more_pairs_than_allowed_are_refused) {
    Changeset left = build(update("x"));
    Changeset right = build(update("y"));
    MergeInput ours{&left, 1, 2};
    MergeInput theirs{&right, 2, 3};
    MergeOptions none;
    none.meetings_max = 0;
    Result<MergeReport> refused = merge({&ours, 1}, {&theirs, 1}, none);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::limit_exceeded);
    EXPECT_FALSE(left.empty());
    EXPECT_FALSE(merge_full_grid({&ours, 1}, {&theirs, 1}, none));
}

TEST(Merge, empty_sides_are_fine) {
    Changeset empty;
    Changeset right = build(update("y"));
    MergeInput ours{&empty, 1, 2};
    MergeInput theirs{&right, 2, 3};
    EXPECT_TRUE(merge({&ours, 1}, {&theirs, 1}));
    EXPECT_TRUE(merge({}, {&theirs, 1}));
    EXPECT_FALSE(theirs.modified);
}

} // namespace
} // namespace tombolo::changeset::test
