// Applying changesets to the in-memory reference state: what the vectors (apply.jsonl) do not say.

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "changeset/memory_state.hpp"

namespace tombolo::changeset {

namespace {

Changeset built(ChangesetBuilder& builder) {
    return *builder.finish();
}

/// Class A (int key) with an int, a list of int, a Mixed, a set of double, a link to B and a link
/// to anything; B (string key).
MemoryState sample() {
    ChangesetBuilder builder;
    builder.add_table("B", TableKind::top_level, "_id", PayloadType::string, false);
    builder.add_table("A", TableKind::top_level, "_id", PayloadType::integer, false);
    builder.add_column("A", "n", {PayloadType::integer, false, CollectionKind::single});
    builder.add_column("A", "list", {PayloadType::integer, false, CollectionKind::list});
    builder.add_column("A", "mixed", {PayloadType::null, true, CollectionKind::single});
    builder.add_column("A", "set", {PayloadType::null, true, CollectionKind::set});
    builder.add_column("A", "link", {PayloadType::link, true, CollectionKind::single, "B"});
    builder.add_column("A", "any", {PayloadType::link, true, CollectionKind::single, ""});
    builder.create_object("A", std::int64_t{1});
    builder.array_insert({"A", std::int64_t{1}, "list", {0}}, std::int64_t{10}, 0);
    builder.array_insert({"A", std::int64_t{1}, "list", {1}}, std::int64_t{20}, 1);
    MemoryState state;
    apply(built(builder), state).value();
    return state;
}

Place field(std::string_view name) {
    return {"A", std::int64_t{1}, name};
}

const Value& value(const MemoryState& state, std::string_view name) {
    return *state.find_object("A", std::int64_t{1})->fields.find(name);
}

ErrorCode error_of(ChangesetBuilder& builder, MemoryState state) {
    const auto applied = apply(built(builder), state);
    return applied ? ErrorCode::internal : applied.error().code();
}

} // namespace

TEST(Applier, failure_rolls_the_whole_changeset_back) {
    MemoryState state = sample();
    const MemoryState before = state;
    ChangesetBuilder builder;
    builder.add_column("A", "more", {PayloadType::string, false, CollectionKind::single});
    builder.create_object("A", std::int64_t{2});
    builder.update(field("n"), std::int64_t{7});
    builder.update(field("absent"), std::int64_t{7});
    EXPECT_FALSE(apply(built(builder), state));
    EXPECT_TRUE(identical(state, before));
}

TEST(Applier, error_names_the_instruction_and_the_reason) {
    MemoryState state = sample();
    ChangesetBuilder builder;
    builder.update(field("n"), std::int64_t{7});
    builder.update(field("absent"), std::int64_t{7});
    const auto applied = apply(built(builder), state);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), ErrorCode::bad_changeset);
    EXPECT_NE(applied.error().message().find("'absent'"), std::string::npos);
    EXPECT_EQ(applied.error().context().find("instruction 1: Update"), 0U);
}

TEST(Applier, list_update_with_a_wrong_prior_size_is_applied_and_reported) {
    MemoryState state = sample();
    ChangesetBuilder builder;
    builder.update_element({"A", std::int64_t{1}, "list", {1}}, std::int64_t{5}, 9);
    const auto applied = apply(built(builder), state);
    ASSERT_TRUE(applied);
    EXPECT_EQ(applied->prior_size_mismatches, 1U);
    EXPECT_TRUE(identical(value(state, "list").get_if<List>()->elements.at(1), 5));
}

TEST(Applier, link_resolves_again_when_its_target_is_created_again) {
    MemoryState state = sample();
    const Link link{"B", std::string("b")};
    ChangesetBuilder first;
    first.create_object("B", "b");
    first.update(field("link"), Value(link).scalar());
    apply(built(first), state).value();
    EXPECT_TRUE(state.is_live(link));
    ChangesetBuilder second;
    second.erase_object("B", "b");
    apply(built(second), state).value();
    EXPECT_FALSE(state.is_live(link));
    EXPECT_EQ(*value(state, "link").link(), link);
    ChangesetBuilder third;
    third.create_object("B", "b");
    apply(built(third), state).value();
    EXPECT_TRUE(state.is_live(link));
}

TEST(Applier, link_without_a_fixed_class_leads_to_any_top_level_class) {
    MemoryState state = sample();
    ChangesetBuilder builder;
    builder.update(field("any"), Value(Link{"A", std::int64_t{9}}).scalar());
    builder.update(field("any"), Value(Link{"B", std::string("b")}).scalar());
    EXPECT_TRUE(apply(built(builder), state));
    ChangesetBuilder unknown;
    unknown.update(field("any"), Value(Link{"C", std::int64_t{9}}).scalar());
    EXPECT_EQ(error_of(unknown, state), ErrorCode::bad_changeset);
}

TEST(Applier, link_whose_key_is_not_of_the_target_type_is_bad) {
    ChangesetBuilder builder;
    builder.update(field("link"), Value(Link{"B", std::int64_t{9}}).scalar());
    EXPECT_EQ(error_of(builder, sample()), ErrorCode::bad_changeset);
}

TEST(Applier, set_of_mixed_holds_numerically_equal_values_once) {
    MemoryState state = sample();
    ChangesetBuilder builder;
    builder.set_insert(field("set"), std::int64_t{3});
    builder.set_insert(field("set"), ScalarView(3.0));
    builder.set_insert(field("set"), ScalarView("3"));
    apply(built(builder), state).value();
    EXPECT_EQ(value(state, "set").get_if<Set>()->elements().size(), 2U);
}

TEST(Applier, column_that_contradicts_the_existing_one_in_nullability_is_bad) {
    ChangesetBuilder builder;
    builder.add_column("A", "n", {PayloadType::integer, true, CollectionKind::single});
    EXPECT_EQ(error_of(builder, sample()), ErrorCode::bad_changeset);
}

TEST(Applier, column_named_as_the_primary_key_is_bad) {
    ChangesetBuilder builder;
    builder.add_column("A", "_id", {PayloadType::integer, false, CollectionKind::single});
    EXPECT_EQ(error_of(builder, sample()), ErrorCode::bad_changeset);
}

TEST(Applier, added_column_gives_embedded_objects_its_default) {
    MemoryState state = sample();
    ChangesetBuilder builder;
    builder.add_embedded_table("E");
    builder.add_column("A", "inner", {PayloadType::link, false, CollectionKind::list, "E"});
    builder.array_insert({"A", std::int64_t{1}, "inner", {0}}, PayloadType::object_value, 0);
    builder.add_column("E", "s", {PayloadType::string, false, CollectionKind::single});
    builder.update({"A", std::int64_t{1}, "inner", {0, "s"}}, "x");
    apply(built(builder), state).value();
    const Value& inner = value(state, "inner").get_if<List>()->elements.at(0);
    EXPECT_TRUE(identical(*inner.get_if<Object>()->fields.find("s"), "x"));
}

TEST(Applier, collections_nest_inside_mixed) {
    MemoryState state = sample();
    const auto at = [](std::vector<PathStep> path) {
        return Place{"A", std::int64_t{1}, "mixed", std::move(path)};
    };
    ChangesetBuilder builder;
    builder.update(at({}), PayloadType::dictionary);
    builder.update(at({"k"}), PayloadType::list);
    builder.array_insert(at({"k", 0}), PayloadType::dictionary, 0);
    builder.update(at({"k", 0, "deep"}), std::int64_t{1});
    builder.update(at({"k"}), PayloadType::list); // keeps what is there
    apply(built(builder), state).value();
    const Value expected = Dictionary{{"k", List{{Dictionary{{"deep", 1}}}}}};
    EXPECT_TRUE(identical(value(state, "mixed"), expected));
}

TEST(Applier, path_longer_than_the_limit_is_bad) {
    ChangesetBuilder builder;
    Place place = field("mixed");
    for (int i = 0; i < 300; ++i) {
        place.path.emplace_back(0);
    }
    builder.update_element(place, std::int64_t{1}, 1);
    EXPECT_EQ(error_of(builder, sample()), ErrorCode::bad_changeset);
}

TEST(Applier, states_that_differ_in_one_bit_are_not_identical) {
    MemoryState left = sample();
    MemoryState right = sample();
    EXPECT_TRUE(identical(left, right));
    ChangesetBuilder integer;
    integer.update(field("mixed"), std::int64_t{3});
    apply(built(integer), left).value();
    ChangesetBuilder floating;
    floating.update(field("mixed"), ScalarView(3.0));
    apply(built(floating), right).value();
    EXPECT_FALSE(identical(left, right));
}

} // namespace tombolo::changeset
