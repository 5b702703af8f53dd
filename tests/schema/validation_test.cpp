// Validation of object schemas: database-and-sdk.md 6.4, one test a rule.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/builders.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr ValidationOptions synced{SchemaUse::flexible_sync, false};

std::vector<std::string> codes(const SchemaProblems& problems) {
    std::vector<std::string> names;
    for (const SchemaProblem& problem : problems) {
        names.push_back(std::string(problem_code_name(problem.code)) + " " + problem.class_name +
                        (problem.property.empty() ? "" : "." + problem.property));
    }
    return names;
}

// Problems of a local schema that has class Dog next to the class with the property.
std::vector<std::string> problems_of(const Property& property) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {scalar("name", PropertyType::string)}));
    schema.add(ClassSchema("Tag", ClassKind::embedded, {scalar("text", PropertyType::string)}));
    schema.add(ClassSchema("Person", ClassKind::top_level, {property}));
    return codes(validate(schema));
}

TEST(SchemaValidation, schema_with_every_type_and_collection_is_valid) {
    EXPECT_THAT(codes(validate(everything_schema(), synced)), IsEmpty());
    EXPECT_TRUE(check_schema(everything_schema(), synced).has_value());
}

TEST(SchemaValidation, duplicate_class) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {scalar("a", PropertyType::string)}));
    schema.add(ClassSchema("Dog", ClassKind::top_level, {scalar("b", PropertyType::string)}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("duplicate_class Dog"));
}

TEST(SchemaValidation, class_name_has_1_to_57_bytes) {
    const auto with_name = [](std::string name) {
        Schema schema;
        schema.add(ClassSchema(std::move(name), ClassKind::top_level,
                               {scalar("a", PropertyType::string)}));
        return validate(schema).size();
    };
    EXPECT_EQ(with_name(std::string(57, 'x')), 0U);
    EXPECT_EQ(with_name(std::string(58, 'x')), 1U);
    EXPECT_EQ(with_name(""), 1U);
    EXPECT_EQ(with_name("\xff"), 1U);
}

TEST(SchemaValidation, property_name_has_1_to_63_bytes) {
    EXPECT_THAT(problems_of(scalar(std::string(63, 'x'), PropertyType::string)), IsEmpty());
    EXPECT_THAT(problems_of(scalar(std::string(64, 'x'), PropertyType::string)),
                ElementsAre("invalid_property_name Person." + std::string(64, 'x')));
    EXPECT_EQ(problems_of(scalar("", PropertyType::string)).size(), 1U);
}

TEST(SchemaValidation, duplicate_property) {
    Schema schema;
    schema.add(
        ClassSchema("Dog", ClassKind::top_level,
                    {scalar("name", PropertyType::string), scalar("name", PropertyType::integer)}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("duplicate_property Dog.name"));
}

TEST(SchemaValidation, duplicate_alias) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level,
                           {with_alias(scalar("a", PropertyType::string), "x"),
                            with_alias(scalar("b", PropertyType::string), "x")}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("duplicate_alias Dog.b"));
}

TEST(SchemaValidation, alias_equals_another_property) {
    Schema schema;
    schema.add(ClassSchema(
        "Dog", ClassKind::top_level,
        {with_alias(scalar("a", PropertyType::string), "b"), scalar("b", PropertyType::string)}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("alias_is_property_name Dog.a"));
}

TEST(SchemaValidation, linking_objects_must_be_a_list) {
    Schema schema;
    Property owners = backlinks("owners", "Person", "dog");
    owners.collection = CollectionKind::none;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {owners}));
    schema.add(ClassSchema("Person", ClassKind::top_level, {link("dog", "Dog")}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("linking_objects_not_list Dog.owners"));
}

TEST(SchemaValidation, linking_objects_need_an_origin) {
    Schema schema;
    schema.add(
        ClassSchema("Dog", ClassKind::top_level, {backlinks("owners", "Person", "missing")}));
    schema.add(ClassSchema("Person", ClassKind::top_level, {link("dog", "Dog")}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("linking_objects_without_origin Dog.owners"));
}

TEST(SchemaValidation, linking_objects_of_an_unknown_class) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {backlinks("owners", "Person", "dog")}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("unknown_target Dog.owners"));
}

TEST(SchemaValidation, linking_objects_origin_must_be_a_link) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {backlinks("owners", "Person", "age")}));
    schema.add(ClassSchema("Person", ClassKind::top_level, {scalar("age", PropertyType::integer)}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("linking_objects_origin_not_link Dog.owners"));
}

TEST(SchemaValidation, linking_objects_origin_must_lead_here) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {backlinks("owners", "Person", "boss")}));
    schema.add(ClassSchema("Person", ClassKind::top_level, {link("boss", "Person")}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("linking_objects_wrong_target Dog.owners"));
}

TEST(SchemaValidation, single_link_must_be_nullable) {
    Property dog = link("dog", "Dog");
    dog.nullable = false;
    EXPECT_THAT(problems_of(dog), ElementsAre("link_not_nullable Person.dog"));
}

TEST(SchemaValidation, list_and_set_of_objects_must_not_be_nullable) {
    for (const CollectionKind kind : {CollectionKind::list, CollectionKind::set}) {
        Property dogs = link("dogs", "Dog", kind);
        EXPECT_THAT(problems_of(dogs), IsEmpty());
        dogs.nullable = true;
        EXPECT_THAT(problems_of(dogs), ElementsAre("nullable_list_of_objects Person.dogs"));
    }
}

TEST(SchemaValidation, dictionary_of_objects_must_be_nullable) {
    Property dogs = link("dogs", "Dog", CollectionKind::dictionary);
    EXPECT_THAT(problems_of(dogs), IsEmpty());
    dogs.nullable = false;
    EXPECT_THAT(problems_of(dogs), ElementsAre("dictionary_of_objects_not_nullable Person.dogs"));
}

TEST(SchemaValidation, mixed_must_be_nullable) {
    Property any = scalar("any", PropertyType::mixed);
    EXPECT_THAT(problems_of(any), ElementsAre("mixed_not_nullable Person.any"));
    any.collection = CollectionKind::list;
    EXPECT_THAT(problems_of(any), ElementsAre("mixed_not_nullable Person.any"));
    any.collection = CollectionKind::dictionary;
    EXPECT_THAT(problems_of(any), IsEmpty());
}

TEST(SchemaValidation, primary_key_is_int_string_object_id_or_uuid) {
    for (const PropertyType type : scalar_types) {
        Property key = primary_key("_id", type);
        key.nullable = type == PropertyType::mixed;
        const bool good = type == PropertyType::integer || type == PropertyType::string ||
                          type == PropertyType::object_id || type == PropertyType::uuid;
        EXPECT_EQ(problems_of(key).empty(), good) << type_name(type);
    }
    Property list = primary_key("_id", PropertyType::integer);
    list.collection = CollectionKind::list;
    EXPECT_THAT(problems_of(list), ElementsAre("bad_primary_key_type Person._id"));
}

TEST(SchemaValidation, nullable_primary_key_is_allowed) {
    Property key = primary_key("_id", PropertyType::string);
    key.nullable = true;
    EXPECT_THAT(problems_of(key), IsEmpty());
}

TEST(SchemaValidation, two_primary_keys) {
    Schema schema;
    schema.add(ClassSchema(
        "Dog", ClassKind::top_level,
        {primary_key("a", PropertyType::string), primary_key("b", PropertyType::integer)}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("two_primary_keys Dog.b"));
}

TEST(SchemaValidation, embedded_class_has_no_primary_key) {
    Schema schema;
    schema.add(
        ClassSchema("Tag", ClassKind::embedded, {primary_key("_id", PropertyType::object_id)}));
    EXPECT_THAT(codes(validate(schema)), ElementsAre("embedded_with_primary_key Tag._id"));
}

TEST(SchemaValidation, index_types) {
    for (const PropertyType type : scalar_types) {
        Property indexed = scalar("p", type);
        indexed.indexed = true;
        indexed.nullable = true;
        const bool bad = type == PropertyType::float32 || type == PropertyType::float64 ||
                         type == PropertyType::decimal128 || type == PropertyType::binary;
        EXPECT_EQ(problems_of(indexed).size(), bad ? 1U : 0U) << type_name(type);
        indexed.collection = CollectionKind::list;
        EXPECT_EQ(problems_of(indexed).empty(), type == PropertyType::string) << type_name(type);
    }
    Property dog = link("dog", "Dog");
    dog.indexed = true;
    EXPECT_THAT(problems_of(dog), ElementsAre("bad_index_type Person.dog"));
}

TEST(SchemaValidation, full_text_index_needs_a_plain_string) {
    Property text = scalar("text", PropertyType::string);
    text.full_text = true;
    EXPECT_THAT(problems_of(text), IsEmpty());
    Property both = text;
    both.indexed = true;
    EXPECT_THAT(problems_of(both), ElementsAre("bad_full_text_type Person.text"));
    Property key = text;
    key.primary_key = true;
    EXPECT_THAT(problems_of(key), ElementsAre("bad_full_text_type Person.text"));
    Property list = text;
    list.collection = CollectionKind::list;
    EXPECT_THAT(problems_of(list), ElementsAre("bad_full_text_type Person.text"));
    Property number = scalar("n", PropertyType::integer);
    number.full_text = true;
    EXPECT_THAT(problems_of(number), ElementsAre("bad_full_text_type Person.n"));
}

TEST(SchemaValidation, unknown_target_class) {
    EXPECT_THAT(problems_of(link("cat", "Cat")), ElementsAre("unknown_target Person.cat"));
    EXPECT_THAT(problems_of(link("cat", "")), ElementsAre("unknown_target Person.cat"));
}

TEST(SchemaValidation, only_links_name_a_target) {
    Property number = scalar("n", PropertyType::integer);
    number.target = "Dog";
    EXPECT_THAT(problems_of(number), ElementsAre("unexpected_target Person.n"));
    Property dog = link("dog", "Dog");
    dog.origin = "x";
    EXPECT_THAT(problems_of(dog), ElementsAre("unexpected_target Person.dog"));
}

TEST(SchemaValidation, set_of_embedded) {
    EXPECT_THAT(problems_of(link("tags", "Tag", CollectionKind::set)),
                ElementsAre("set_of_embedded Person.tags"));
    EXPECT_THAT(problems_of(link("tags", "Tag", CollectionKind::list)), IsEmpty());
}

Schema with_asymmetric() {
    Schema schema;
    schema.add(ClassSchema("Measurement", ClassKind::asymmetric,
                           {primary_key("_id", PropertyType::object_id)}));
    return schema;
}

TEST(SchemaValidation, link_to_asymmetric) {
    Schema schema = with_asymmetric();
    schema.add(
        ClassSchema("Person", ClassKind::top_level,
                    {primary_key("_id", PropertyType::object_id), link("last", "Measurement")}));
    EXPECT_THAT(codes(validate(schema, synced)), ElementsAre("link_to_asymmetric Person.last"));
}

TEST(SchemaValidation, asymmetric_class_only_with_flexible_sync) {
    EXPECT_THAT(codes(validate(with_asymmetric())),
                ElementsAre("asymmetric_not_allowed Measurement"));
    EXPECT_THAT(codes(validate(with_asymmetric(), {SchemaUse::partition_sync, false})),
                ElementsAre("asymmetric_not_allowed Measurement"));
    EXPECT_THAT(codes(validate(with_asymmetric(), synced)), IsEmpty());
}

TEST(SchemaValidation, asymmetric_class_may_link_to_ordinary_ones) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {primary_key("_id", PropertyType::uuid)}));
    schema.add(ClassSchema("Event", ClassKind::asymmetric,
                           {primary_key("_id", PropertyType::object_id), link("dog", "Dog"),
                            link("dogs", "Dog", CollectionKind::list),
                            link("by_name", "Dog", CollectionKind::dictionary)}));
    EXPECT_THAT(codes(validate(schema, synced)), IsEmpty());
}

TEST(SchemaValidation, synced_class_needs_primary_key_named_id) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level, {scalar("name", PropertyType::string)}));
    schema.add(
        ClassSchema("Cat", ClassKind::top_level, {primary_key("key", PropertyType::string)}));
    EXPECT_THAT(codes(validate(schema)), IsEmpty());
    EXPECT_THAT(codes(validate(schema, synced)),
                ElementsAre("missing_primary_key Dog", "primary_key_not_id Cat.key"));
}

TEST(SchemaValidation, embedded_cycle) {
    Schema schema;
    schema.add(ClassSchema("A", ClassKind::embedded, {link("b", "B", CollectionKind::list)}));
    schema.add(ClassSchema("B", ClassKind::embedded, {link("a", "A")}));
    schema.add(ClassSchema("Self", ClassKind::embedded, {link("self", "Self")}));
    const SchemaProblems problems = validate(schema);
    EXPECT_THAT(codes(problems), ElementsAre("embedded_cycle A.b", "embedded_cycle Self.self"));
    EXPECT_THAT(problems[0].text, HasSubstr("A.b -> B.a -> A"));
}

TEST(SchemaValidation, link_back_to_a_top_level_class_is_no_cycle) {
    Schema schema;
    schema.add(ClassSchema("Person", ClassKind::top_level, {link("home", "Home")}));
    schema.add(ClassSchema("Home", ClassKind::embedded, {link("owner", "Person")}));
    EXPECT_THAT(codes(validate(schema)), IsEmpty());
}

TEST(SchemaValidation, embedded_orphan_only_when_classes_were_listed) {
    Schema schema;
    schema.add(ClassSchema("Person", ClassKind::top_level, {link("home", "Home")}));
    schema.add(ClassSchema("Home", ClassKind::embedded, {link("door", "Door")}));
    schema.add(ClassSchema("Door", ClassKind::embedded, {scalar("no", PropertyType::integer)}));
    schema.add(ClassSchema("Lost", ClassKind::embedded, {link("inner", "Inner")}));
    schema.add(ClassSchema("Inner", ClassKind::embedded, {scalar("no", PropertyType::integer)}));
    EXPECT_THAT(codes(validate(schema)), IsEmpty());
    EXPECT_THAT(codes(validate(schema, {SchemaUse::local, true})),
                ElementsAre("embedded_orphan Lost", "embedded_orphan Inner"));
}

TEST(SchemaValidation, default_of_another_type) {
    Property age = scalar("age", PropertyType::integer);
    age.default_value = Value(7);
    EXPECT_THAT(problems_of(age), IsEmpty());
    age.default_value = Value("seven");
    EXPECT_THAT(problems_of(age), ElementsAre("bad_default Person.age"));
}

TEST(SchemaValidation, all_problems_in_one_error_each_naming_class_and_property) {
    Schema schema;
    Property any = scalar("any", PropertyType::mixed);
    schema.add(ClassSchema("Person", ClassKind::top_level, {any, link("cat", "Cat")}));
    schema.add(ClassSchema("Tag", ClassKind::embedded, {primary_key("_id", PropertyType::string)}));
    const Result<void> checked = check_schema(schema);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code(), ErrorCode::invalid_schema);
    EXPECT_EQ(checked.error().context(), "Person.any");
    EXPECT_THAT(checked.error().message(), HasSubstr("3 problems"));
    EXPECT_THAT(checked.error().message(), HasSubstr("'Person.any'"));
    EXPECT_THAT(checked.error().message(), HasSubstr("'Person.cat'"));
    EXPECT_THAT(checked.error().message(), HasSubstr("'Tag._id'"));
}

TEST(SchemaNames, reserved_names_with_their_case_rule) {
    EXPECT_FALSE(is_reserved_name("True"));
    EXPECT_TRUE(is_reserved_name("TRUE"));
    EXPECT_TRUE(is_reserved_name("true"));
    EXPECT_TRUE(is_reserved_name("DeSc"));
    EXPECT_TRUE(is_reserved_name("TruePredicate"));
    EXPECT_TRUE(is_reserved_name("oid"));
    EXPECT_FALSE(is_reserved_name("OID"));
    EXPECT_FALSE(is_reserved_name("name"));
    EXPECT_FALSE(is_reserved_name(""));
    EXPECT_FALSE(is_reserved_name("truepredicatetruepredicate"));
}

TEST(QueryableFields, scalars_lists_of_scalars_and_geo_points) {
    const Schema schema = everything_schema();
    const auto eligible = [&](std::string_view field) {
        return !queryable_problem(schema, "Everything", field).has_value();
    };
    EXPECT_TRUE(eligible("_id"));
    EXPECT_TRUE(eligible("string_one"));
    EXPECT_TRUE(eligible("string_list"));
    EXPECT_TRUE(eligible("location"));
    EXPECT_FALSE(eligible("string_set"));
    EXPECT_FALSE(eligible("string_dictionary"));
    EXPECT_FALSE(eligible("mixed_one"));
    EXPECT_FALSE(eligible("other"));
    EXPECT_FALSE(eligible("part"));
    EXPECT_FALSE(eligible("missing"));
    EXPECT_FALSE(queryable_problem(schema, "Other", "_id").has_value());
    EXPECT_TRUE(queryable_problem(schema, "Part", "note").has_value());
    EXPECT_TRUE(queryable_problem(schema, "Nothing", "_id").has_value());
}

TEST(QueryableFields, global_ones_and_those_of_a_class) {
    QueryableFields fields;
    fields.global = {"team"};
    fields.by_class["Person"] = {"age"};
    EXPECT_TRUE(fields.contains("Person", "_id"));
    EXPECT_TRUE(fields.contains("Dog", "team"));
    EXPECT_TRUE(fields.contains("Person", "age"));
    EXPECT_FALSE(fields.contains("Dog", "age"));
}

TEST(ObjectSchema, first_of_equal_names_is_found_and_removal_finds_the_next) {
    ClassSchema dog("Dog");
    dog.add(scalar("b", PropertyType::string));
    dog.add(scalar("a", PropertyType::integer));
    dog.add(scalar("b", PropertyType::integer));
    ASSERT_NE(dog.find("b"), nullptr);
    EXPECT_EQ(dog.find("b")->type, PropertyType::string);
    EXPECT_TRUE(dog.remove("b"));
    EXPECT_EQ(dog.find("b")->type, PropertyType::integer);
    EXPECT_TRUE(dog.remove("b"));
    EXPECT_EQ(dog.find("b"), nullptr);
    EXPECT_FALSE(dog.remove("b"));
    EXPECT_EQ(dog.find("a")->type, PropertyType::integer);
    dog.put(scalar("a", PropertyType::uuid));
    EXPECT_EQ(dog.find("a")->type, PropertyType::uuid);
    EXPECT_EQ(dog.properties().size(), 1U);
}

TEST(ObjectSchema, alias_is_the_name_in_code) {
    ClassSchema dog("Dog");
    dog.add(with_alias(scalar("stored", PropertyType::string), "coded"));
    ASSERT_NE(dog.find_in_code("coded"), nullptr);
    EXPECT_EQ(dog.find_in_code("coded")->name, "stored");
    EXPECT_EQ(dog.find_in_code("stored"), dog.find("stored"));
    EXPECT_EQ(dog.find("coded"), nullptr);
}

TEST(ObjectSchema, type_texts) {
    EXPECT_EQ(type_text(scalar("a", PropertyType::integer)), "Int");
    Property optional = scalar("a", PropertyType::string);
    optional.nullable = true;
    EXPECT_EQ(type_text(optional), "String?");
    EXPECT_EQ(type_text(link("a", "Dog")), "Dog");
    EXPECT_EQ(type_text(link("a", "Dog", CollectionKind::dictionary)), "Dictionary<Dog>");
    EXPECT_EQ(type_text(backlinks("a", "Person", "dog")), "LinkingObjects<Person.dog>");
}

} // namespace
} // namespace tombolo::schema
