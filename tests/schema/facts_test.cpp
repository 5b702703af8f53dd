// Schemas as facts of changesets (changesets-and-merge.md 2.3) and comparison of versions
// (device-sync-server.md 2.4).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/builders.hpp"
#include "schema/comparison.hpp"
#include "schema/facts.hpp"

namespace tombolo::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SchemaFacts, each_fact_follows_those_it_needs) {
    const Schema schema = everything_schema();
    Schema built;
    for (const SchemaFact& fact : facts_of(schema)) {
        EXPECT_EQ(check_fact(built, fact).verdict, FactVerdict::additive)
            << check_fact(built, fact).text;
        EXPECT_TRUE(apply_fact(built, fact).value());
        EXPECT_EQ(check_fact(built, fact).verdict, FactVerdict::equal);
        EXPECT_FALSE(apply_fact(built, fact).value());
    }
    for (const ClassSchema& class_schema : schema.classes()) {
        ASSERT_NE(built.find(class_schema.name()), nullptr);
        EXPECT_EQ(*built.find(class_schema.name()), class_schema);
    }
    EXPECT_THAT(facts_beyond(built, schema), IsEmpty());
}

TEST(SchemaFacts, larger_schema_yields_only_what_is_new) {
    Schema larger = everything_schema();
    larger.find("Other")->add(scalar("age", PropertyType::integer));
    larger.add(
        ClassSchema("Extra", ClassKind::top_level, {primary_key("_id", PropertyType::uuid)}));
    const std::vector<SchemaFact> facts = facts_beyond(everything_schema(), larger);
    ASSERT_EQ(facts.size(), 2U);
    EXPECT_EQ(std::get<ClassFact>(facts[0]).name, "Extra");
    EXPECT_EQ(std::get<PropertyFact>(facts[1]).name, "age");
}

Schema dogs() {
    Schema schema;
    schema.add(ClassSchema(
        "Dog", ClassKind::top_level,
        {primary_key("_id", PropertyType::object_id), optional("name", PropertyType::string),
         scalar("list", PropertyType::integer, CollectionKind::list), link("owner", "Person")}));
    schema.add(
        ClassSchema("Person", ClassKind::top_level, {primary_key("_id", PropertyType::string)}));
    schema.add(ClassSchema("Tag", ClassKind::embedded, {optional("t", PropertyType::string)}));
    return schema;
}

std::string conflict(const SchemaFact& fact) {
    const FactCheck check = check_fact(dogs(), fact);
    EXPECT_EQ(check.verdict, FactVerdict::conflicting);
    Schema schema = dogs();
    EXPECT_EQ(apply_fact(schema, fact).error().code(), ErrorCode::incompatible_schema);
    EXPECT_EQ(schema, dogs());
    return check.text;
}

TEST(SchemaFacts, class_must_match_in_kind_and_primary_key) {
    const PropertyType id = PropertyType::object_id;
    EXPECT_EQ(check_fact(dogs(), ClassFact{"Dog", ClassKind::top_level, "_id", id, false}).verdict,
              FactVerdict::equal);
    EXPECT_EQ(check_fact(dogs(), ClassFact{"Tag", ClassKind::embedded, "", id, false}).verdict,
              FactVerdict::equal);
    EXPECT_THAT(conflict(ClassFact{"Dog", ClassKind::embedded, "", id, false}),
                HasSubstr("is top-level, not embedded"));
    EXPECT_THAT(conflict(ClassFact{"Dog", ClassKind::asymmetric, "_id", id, false}),
                HasSubstr("is top-level, not asymmetric"));
    EXPECT_THAT(conflict(ClassFact{"Dog", ClassKind::top_level, "key", id, false}),
                HasSubstr("primary key '_id', not 'key'"));
    EXPECT_THAT(conflict(ClassFact{"Dog", ClassKind::top_level, "", id, false}),
                HasSubstr("has the primary key '_id'"));
    EXPECT_THAT(conflict(ClassFact{"Dog", ClassKind::top_level, "_id", id, true}),
                HasSubstr("ObjectId, not ObjectId?"));
    EXPECT_THAT(conflict(ClassFact{"Dog", ClassKind::top_level, "_id", PropertyType::uuid, false}),
                HasSubstr("ObjectId, not UUID"));
}

TEST(SchemaFacts, new_class_must_be_valid) {
    EXPECT_THAT(conflict(ClassFact{std::string(58, 'x'), ClassKind::top_level, "_id",
                                   PropertyType::uuid, false}),
                HasSubstr("57"));
    EXPECT_THAT(
        conflict(ClassFact{"New", ClassKind::top_level, "_id", PropertyType::float64, false}),
        HasSubstr("primary key"));
}

PropertyFact dog_fact(std::string name, PropertyType type,
                      CollectionKind collection = CollectionKind::none, bool nullable = true,
                      std::string target = "") {
    return {"Dog", std::move(name), type, collection, nullable, std::move(target)};
}

TEST(SchemaFacts, property_must_match_in_type_collection_target_and_nullability) {
    EXPECT_EQ(check_fact(dogs(), dog_fact("name", PropertyType::string)).verdict,
              FactVerdict::equal);
    EXPECT_THAT(conflict(dog_fact("name", PropertyType::integer)),
                HasSubstr("of type String?, not Int?"));
    EXPECT_THAT(conflict(dog_fact("name", PropertyType::string, CollectionKind::list)),
                HasSubstr("String?, not List<String?>"));
    EXPECT_THAT(conflict(dog_fact("owner", PropertyType::link, CollectionKind::none, true, "Dog")),
                HasSubstr("of type Person, not Dog"));
    EXPECT_THAT(conflict(dog_fact("name", PropertyType::string, CollectionKind::none, false)),
                HasSubstr("is optional, not required"));
    EXPECT_THAT(conflict(dog_fact("_id", PropertyType::object_id)), HasSubstr("primary key"));
    EXPECT_THAT(
        conflict(PropertyFact{"Cat", "a", PropertyType::string, CollectionKind::none, true, ""}),
        HasSubstr("does not exist"));
}

TEST(SchemaFacts, element_nullability_is_the_clients_word) {
    Schema schema = dogs();
    const PropertyFact fact = dog_fact("list", PropertyType::integer, CollectionKind::list, true);
    const FactCheck check = check_fact(schema, fact);
    EXPECT_EQ(check.verdict, FactVerdict::equal);
    EXPECT_TRUE(check.declares_element_nullability);
    EXPECT_TRUE(apply_fact(schema, fact).value());
    EXPECT_TRUE(schema.find("Dog", "list")->nullable);
}

TEST(SchemaFacts, new_property_must_be_valid) {
    EXPECT_THAT(conflict(dog_fact("cat", PropertyType::link, CollectionKind::none, true, "Cat")),
                HasSubstr("not in the schema"));
    EXPECT_THAT(conflict(dog_fact("any", PropertyType::mixed, CollectionKind::none, false)),
                HasSubstr("Mixed"));
    EXPECT_THAT(conflict(dog_fact("tags", PropertyType::link, CollectionKind::set, false, "Tag")),
                HasSubstr("set of embedded"));
    EXPECT_THAT(conflict(PropertyFact{"Tag", "self", PropertyType::link, CollectionKind::none, true,
                                      "Tag"}),
                HasSubstr("hold itself"));
    Schema chain = dogs();
    chain.add(ClassSchema("Inner", ClassKind::embedded, {link("tag", "Tag")}));
    const PropertyFact back{"Tag", "inner", PropertyType::link, CollectionKind::list,
                            false, "Inner"};
    EXPECT_THAT(check_fact(chain, back).text, HasSubstr("hold itself through class 'Inner'"));
    EXPECT_THAT(conflict(dog_fact(std::string(64, 'x'), PropertyType::string)), HasSubstr("63"));
}

TEST(SchemaFacts, additive_texts_are_those_that_clients_know) {
    EXPECT_EQ(check_fact(dogs(), dog_fact("age", PropertyType::integer)).text,
              "adding \"Int\" column at field \"age\" in schema \"Dog\"");
    EXPECT_EQ(check_fact(dogs(), dog_fact("oid2", PropertyType::object_id)).text,
              "adding \"ObjectID\" column at field \"oid2\" in schema \"Dog\"");
    EXPECT_EQ(
        check_fact(dogs(), ClassFact{"Cat", ClassKind::top_level, "_id", PropertyType::uuid, false})
            .text,
        "adding schema for Realm table \"Cat\"");
}

std::vector<std::string> changes(const Schema& after) {
    std::vector<std::string> texts;
    const std::string_view names[] = {"none", "additive", "breaking"};
    for (const SchemaChange& change : compare_schemas(dogs(), after)) {
        texts.push_back(std::string(change_kind_name(change.kind)) + " " + change.class_name +
                        (change.property.empty() ? "" : "." + change.property) + " server " +
                        std::string(names[static_cast<std::size_t>(change.on_server)]) +
                        " client " +
                        std::string(names[static_cast<std::size_t>(change.on_client)]));
        EXPECT_THAT(change.text, HasSubstr(change.class_name));
    }
    return texts;
}

std::vector<std::string> changes_of_dog(Property property) {
    Schema after = dogs();
    after.find("Dog")->put(std::move(property));
    return changes(after);
}

TEST(SchemaComparison, equal_schemas_have_no_changes) {
    EXPECT_THAT(changes(dogs()), IsEmpty());
    Schema reordered;
    const Schema original = dogs();
    for (auto it = original.classes().rbegin(); it != original.classes().rend(); ++it) {
        reordered.add(*it);
    }
    EXPECT_THAT(changes(reordered), IsEmpty());
}

TEST(SchemaComparison, adding_a_class_or_property_is_additive) {
    Schema after = dogs();
    after.add(ClassSchema("Cat", ClassKind::top_level, {primary_key("_id", PropertyType::uuid)}));
    EXPECT_THAT(changes(after), ElementsAre("class_added Cat server additive client additive"));
    EXPECT_THAT(changes_of_dog(optional("x", PropertyType::integer)),
                ElementsAre("property_added Dog.x server additive client additive"));
    EXPECT_THAT(changes_of_dog(scalar("x", PropertyType::integer)),
                ElementsAre("property_added Dog.x server additive client additive"));
    Schema required = dogs();
    required.find("Dog")->add(scalar("x", PropertyType::integer));
    EXPECT_THAT(compare_schemas(dogs(), required)[0].text, HasSubstr("until it is filled"));
}

TEST(SchemaComparison, removing_breaks_the_server_only) {
    Schema after = dogs();
    after.remove("Tag");
    after.find("Dog")->remove("name");
    EXPECT_THAT(changes(after),
                ElementsAre("property_removed Dog.name server breaking client additive",
                            "class_removed Tag server breaking client additive"));
}

TEST(SchemaComparison, type_nullability_collection_and_target_break_both) {
    EXPECT_THAT(changes_of_dog(optional("name", PropertyType::integer)),
                ElementsAre("type_changed Dog.name server breaking client breaking"));
    EXPECT_THAT(changes_of_dog(scalar("name", PropertyType::string)),
                ElementsAre("nullability_changed Dog.name server breaking client breaking"));
    EXPECT_THAT(changes_of_dog(scalar("list", PropertyType::integer, CollectionKind::set)),
                ElementsAre("collection_changed Dog.list server breaking client breaking"));
    EXPECT_THAT(changes_of_dog(link("owner", "Dog")),
                ElementsAre("target_changed Dog.owner server breaking client breaking"));
    EXPECT_THAT(changes_of_dog(primary_key("_id", PropertyType::uuid)),
                ElementsAre("type_changed Dog._id server breaking client breaking"));
}

TEST(SchemaComparison, class_kind_and_primary_key_break_both) {
    Schema asymmetric = dogs();
    asymmetric.find("Dog")->set_kind(ClassKind::asymmetric);
    EXPECT_THAT(changes(asymmetric),
                ElementsAre("class_kind_changed Dog server breaking client breaking"));
    Schema renamed = dogs();
    renamed.find("Person")->remove("_id");
    renamed.find("Person")->add(primary_key("key", PropertyType::string));
    EXPECT_THAT(changes(renamed),
                ElementsAre("primary_key_changed Person server breaking client breaking",
                            "property_added Person.key server additive client additive",
                            "property_removed Person._id server breaking client additive"));
}

TEST(SchemaComparison, defaults_are_additive_and_indexes_are_nothing) {
    Property name = optional("name", PropertyType::string);
    name.default_value = Value("Rex");
    EXPECT_THAT(changes_of_dog(name),
                ElementsAre("default_changed Dog.name server additive client none"));
    Property indexed = optional("name", PropertyType::string);
    indexed.indexed = true;
    EXPECT_THAT(changes_of_dog(indexed),
                ElementsAre("index_changed Dog.name server none client none"));
    EXPECT_THAT(changes_of_dog(backlinks("pups", "Dog", "owner")),
                ElementsAre("property_added Dog.pups server none client none"));
}

TEST(SchemaComparison, words_for_people) {
    Schema after = dogs();
    after.find("Dog")->put(scalar("name", PropertyType::integer));
    const std::vector<SchemaChange> found = compare_schemas(dogs(), after);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].text, "property 'Dog.name' changes its type from String? to Int");
    EXPECT_TRUE(breaks_server(found));
    EXPECT_TRUE(breaks_client(found));
    EXPECT_FALSE(breaks_server({}));
}

TEST(SchemaComparison, collection_binding_and_keywords_of_apps) {
    AppSchema before;
    CollectionSchema collection;
    collection.place = {"mongodb-atlas", "app", "dogs"};
    collection.schema =
        parse_json_schema(
            R"({"title": "Dog", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"}}})")
            .value();
    before.collections.push_back(collection);

    AppSchema moved = before;
    moved.collections[0].place.collection = "hounds";
    const std::vector<SchemaChange> found = compare_apps(before, moved);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, ChangeKind::place_changed);
    EXPECT_TRUE(breaks_server(found));

    AppSchema described = before;
    described.collections[0].schema.other.emplace_back("description", "\"a dog\"");
    const std::vector<SchemaChange> keywords = compare_apps(before, described);
    ASSERT_EQ(keywords.size(), 1U);
    EXPECT_EQ(keywords[0].kind, ChangeKind::keywords_changed);
    EXPECT_FALSE(breaks_server(keywords));
    EXPECT_THAT(compare_apps(before, before), IsEmpty());
}

} // namespace
} // namespace tombolo::schema
