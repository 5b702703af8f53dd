// App Services schemas: text form, mapping to classes and back (device-sync-server.md 1.1 to 1.6,
// checklist A).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/app_mapping.hpp"
#include "schema/builders.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Namespace fallback{"mongodb-atlas", "app", ""};

std::vector<std::string> codes(const SchemaProblems& problems) {
    std::vector<std::string> names;
    for (const SchemaProblem& problem : problems) {
        names.push_back(std::string(problem_code_name(problem.code)) + " " + problem.class_name +
                        (problem.property.empty() ? "" : "." + problem.property) +
                        (problem.warning ? " (warning)" : ""));
    }
    return names;
}

CollectionSchema collection(std::string_view name, std::string_view schema,
                            std::string_view relationships = "") {
    CollectionSchema result;
    result.place = {"mongodb-atlas", "app", std::string(name)};
    result.schema = parse_json_schema(schema).value();
    result.relationships = parse_relationships(relationships).value();
    return result;
}

MappedSchema map(std::vector<CollectionSchema> collections) {
    return to_object_schema({std::move(collections)});
}

// The class Dog with one more field; relationships may lead to the collection Person.
MappedSchema map_field(std::string_view field_json, std::string_view required = "",
                       std::string_view relationships = "") {
    const std::string schema = R"({"title": "Dog", "bsonType": "object", "required": ["_id")" +
                               std::string(required) +
                               R"(], "properties": {"_id": {"bsonType": "objectId"}, "f": )" +
                               std::string(field_json) + "}}";
    return map(
        {collection("Dog", schema, relationships),
         collection(
             "Person",
             R"({"title": "Person", "required": ["_id"], "properties": {"_id": {"bsonType": "string"}}})")});
}

constexpr std::string_view to_person =
    R"({"f": {"ref": "#/relationship/mongodb-atlas/app/Person", "foreign_key": "_id", "is_list": false}})";
constexpr std::string_view to_people =
    R"({"f": {"ref": "#/relationship/mongodb-atlas/app/Person", "foreign_key": "_id", "is_list": true}})";

Property field_of(const MappedSchema& mapped) {
    EXPECT_THAT(codes(mapped.problems), IsEmpty());
    const Property* property = mapped.documents.schema.find("Dog", "f");
    EXPECT_NE(property, nullptr);
    return property == nullptr ? Property{} : *property;
}

TEST(AppSchemaMapping, scalar_types_of_the_table) {
    const std::pair<std::string_view, PropertyType> rows[] = {
        {"long", PropertyType::integer},       {"int", PropertyType::integer},
        {"bool", PropertyType::boolean},       {"double", PropertyType::float64},
        {"float", PropertyType::float32},      {"decimal", PropertyType::decimal128},
        {"string", PropertyType::string},      {"binData", PropertyType::binary},
        {"binary", PropertyType::binary},      {"date", PropertyType::timestamp},
        {"objectId", PropertyType::object_id}, {"uuid", PropertyType::uuid},
    };
    for (const auto& [name, type] : rows) {
        const std::string json = R"({"bsonType": ")" + std::string(name) + R"("})";
        const Property optional_field = field_of(map_field(json));
        EXPECT_EQ(optional_field.type, type) << name;
        EXPECT_TRUE(optional_field.nullable) << name;
        EXPECT_EQ(optional_field.int32_in_documents, name == "int");
        EXPECT_FALSE(field_of(map_field(json, R"(, "f")")).nullable) << name;
    }
}

TEST(AppSchemaMapping, mixed_is_always_optional) {
    EXPECT_TRUE(field_of(map_field(R"({"bsonType": "mixed"})")).nullable);
    const MappedSchema required = map_field(R"({"bsonType": "mixed"})", R"(, "f")");
    EXPECT_THAT(codes(required.problems), ElementsAre("cannot_be_required Dog.f (warning)"));
    EXPECT_TRUE(required.ok());
}

TEST(AppSchemaMapping, lists_sets_and_dictionaries) {
    const Property list =
        field_of(map_field(R"({"bsonType": "array", "items": {"bsonType": "long"}})"));
    EXPECT_EQ(type_text(list), "List<Int>");
    const Property set = field_of(map_field(
        R"({"bsonType": "array", "uniqueItems": true, "items": {"bsonType": "string"}})"));
    EXPECT_EQ(type_text(set), "Set<String>");
    const Property dictionary = field_of(
        map_field(R"({"bsonType": "object", "additionalProperties": {"bsonType": "date"}})"));
    EXPECT_EQ(type_text(dictionary), "Dictionary<Date>");
    EXPECT_EQ(
        type_text(field_of(map_field(R"({"bsonType": "object", "additionalProperties": true})"))),
        "Dictionary<Mixed>");
}

TEST(AppSchemaMapping, additional_properties_with_empty_properties_is_a_dictionary) {
    EXPECT_EQ(
        type_text(field_of(map_field(
            R"({"bsonType": "object", "properties": {}, "additionalProperties": {"bsonType": "mixed"}})"))),
        "Dictionary<Mixed>");
}

TEST(AppSchemaMapping, nullable_elements_are_an_extension) {
    const Property list =
        field_of(map_field(R"({"bsonType": "array", "items": {"bsonType": ["long", "null"]}})"));
    EXPECT_EQ(type_text(list), "List<Int?>");
}

TEST(AppSchemaMapping, embedded_object_is_named_by_its_title_or_after_its_field) {
    const MappedSchema titled = map_field(
        R"({"bsonType": "object", "title": "Address", "required": ["street"], "properties": {"street": {"bsonType": "string"}}})");
    EXPECT_EQ(field_of(titled).target, "Address");
    const ClassSchema* address = titled.documents.schema.find("Address");
    ASSERT_NE(address, nullptr);
    EXPECT_TRUE(address->is_embedded());
    EXPECT_FALSE(address->find("street")->nullable);
    const MappedSchema untitled = map_field(
        R"({"bsonType": "array", "items": {"bsonType": "object", "properties": {"n": {"bsonType": "int"}}}})");
    EXPECT_EQ(type_text(field_of(untitled)), "List<Dog_f>");
    EXPECT_NE(untitled.documents.schema.find("Dog_f"), nullptr);
}

TEST(AppSchemaMapping, links_in_every_form) {
    EXPECT_EQ(type_text(field_of(map_field(R"({"bsonType": "string"})", "", to_person))), "Person");
    EXPECT_EQ(type_text(field_of(map_field(
                  R"({"bsonType": "array", "items": {"bsonType": "string"}})", "", to_people))),
              "List<Person>");
    EXPECT_EQ(type_text(field_of(map_field(
                  R"({"bsonType": "array", "uniqueItems": true, "items": {"bsonType": "string"}})",
                  "", to_people))),
              "Set<Person>");
    EXPECT_EQ(type_text(field_of(map_field(
                  R"({"bsonType": "object", "additionalProperties": {"bsonType": "string"}})", "",
                  to_people))),
              "Dictionary<Person>");
}

TEST(AppSchemaMapping, link_inside_a_list_of_embedded_objects) {
    const MappedSchema mapped = map_field(
        R"({"bsonType": "array", "items": {"bsonType": "object", "title": "Pet", "properties": {"brand": {"bsonType": "string"}}}})",
        "",
        R"({"f.[].brand": {"ref": "#/relationship/mongodb-atlas/app/Person", "foreign_key": "_id", "is_list": false}})");
    EXPECT_THAT(codes(mapped.problems), IsEmpty());
    EXPECT_EQ(mapped.documents.schema.find("Pet", "brand")->target, "Person");
}

TEST(AppSchemaMapping, relationship_on_id_on_a_required_field_or_by_another_key_is_refused) {
    EXPECT_THAT(codes(map_field(R"({"bsonType": "string"})", R"(, "f")", to_person).problems),
                ElementsAre("relationship_required Dog.f"));
    EXPECT_THAT(
        codes(
            map_field(
                R"({"bsonType": "string"})", "",
                R"({"f": {"ref": "#/relationship/mongodb-atlas/app/Person", "foreign_key": "name", "is_list": false}})")
                .problems),
        ElementsAre("relationship_foreign_key Dog.f"));
    EXPECT_THAT(
        codes(
            map_field(
                R"({"bsonType": "string"})", "",
                R"({"_id": {"ref": "#/relationship/mongodb-atlas/app/Person", "foreign_key": "_id", "is_list": false}})")
                .problems),
        ElementsAre("relationship_on_id Dog._id"));
}

TEST(AppSchemaMapping, wrong_relationships_are_named) {
    EXPECT_THAT(codes(map_field(R"({"bsonType": "long"})", "", to_person).problems),
                ElementsAre("relationship_type_mismatch Dog.f"));
    EXPECT_THAT(codes(map_field(R"({"bsonType": "string"})", "", to_people).problems),
                ElementsAre("relationship_is_list_mismatch Dog.f"));
    EXPECT_THAT(
        codes(
            map_field(R"({"bsonType": "string"})", "",
                      R"({"f": {"ref": "#/relationship/mongodb-atlas/app/Cat", "is_list": false}})")
                .problems),
        ElementsAre("relationship_unknown_target Dog.f"));
    EXPECT_THAT(
        codes(map_field(
                  R"({"bsonType": "string"})", "",
                  R"({"g": {"ref": "#/relationship/mongodb-atlas/app/Person", "is_list": false}})")
                  .problems),
        ElementsAre("relationship_without_field Dog.g"));
}

TEST(AppSchemaMapping, types_that_devices_cannot_hold_are_refused) {
    for (const std::string_view name : {"null", "regex", "timestamp", "number", "minKey"}) {
        EXPECT_THAT(codes(map_field(R"({"bsonType": ")" + std::string(name) + R"("})").problems),
                    ElementsAre("type_not_syncable Dog.f"))
            << name;
    }
    EXPECT_THAT(codes(map_field(R"({"bsonType": "integer"})").problems),
                ElementsAre("unknown_type Dog.f"));
    EXPECT_THAT(codes(map_field(R"({})").problems), ElementsAre("unknown_type Dog.f"));
    EXPECT_THAT(codes(map_field(R"({"bsonType": ["string", "long"]})").problems),
                ElementsAre("conflicting_types Dog.f"));
    EXPECT_THAT(codes(map_field(R"({"bsonType": "object"})").problems),
                ElementsAre("unsupported_form Dog.f"));
    EXPECT_THAT(codes(map_field(R"({"bsonType": "array"})").problems),
                ElementsAre("unsupported_form Dog.f"));
    EXPECT_THAT(
        codes(
            map_field(
                R"({"bsonType": "array", "items": {"bsonType": "array", "items": {"bsonType": "long"}}})")
                .problems),
        ElementsAre("unsupported_form Dog.f"));
}

TEST(AppSchemaMapping, json_type_names_are_understood) {
    EXPECT_EQ(field_of(map_field(R"({"type": "boolean"})")).type, PropertyType::boolean);
    EXPECT_EQ(field_of(map_field(R"({"type": "string"})")).type, PropertyType::string);
}

TEST(AppSchemaMapping, defaults_of_the_right_type_are_kept_others_warned_about) {
    const auto value = [](std::string_view type, std::string_view json) {
        return field_of(map_field(R"({"bsonType": ")" + std::string(type) + R"(", "default": )" +
                                  std::string(json) + "}"))
            .default_value;
    };
    EXPECT_TRUE(identical(value("long", "7"), Value(7)));
    EXPECT_TRUE(identical(value("long", R"({"$numberLong": "8"})"), Value(8)));
    EXPECT_TRUE(identical(value("double", "1"), Value(1.0)));
    EXPECT_TRUE(identical(value("string", R"("x")"), Value("x")));
    EXPECT_TRUE(identical(value("date", R"({"$date": {"$numberLong": "1500"}})"),
                          Value(Timestamp::from_unix_ms(1500))));
    EXPECT_TRUE(identical(value("date", R"({"$date": "1970-01-01T00:00:01.5Z"})"),
                          Value(Timestamp::from_unix_ms(1500))));
    const MappedSchema wrong = map_field(R"({"bsonType": "long", "default": "seven"})");
    EXPECT_THAT(codes(wrong.problems), ElementsAre("ignored_default Dog.f (warning)"));
    EXPECT_TRUE(wrong.documents.schema.find("Dog", "f")->default_value.is_null());
}

TEST(AppSchemaMapping, equal_titles_are_rejected_across_databases) {
    constexpr std::string_view dog =
        R"({"title": "Dog", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"}}})";
    CollectionSchema second = collection("Hounds", dog);
    second.place.database = "other";
    EXPECT_THAT(codes(map({collection("Dogs", dog), second}).problems),
                ElementsAre("duplicate_title Dog"));
}

TEST(AppSchemaMapping, title_of_57_bytes_accepted_58_rejected) {
    const auto problems = [](std::size_t length) {
        return map({collection(
                       "Dogs",
                       R"({"title": ")" + std::string(length, 'x') +
                           R"(", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"}}})")})
            .problems.size();
    };
    EXPECT_EQ(problems(57), 0U);
    EXPECT_EQ(problems(58), 1U);
}

TEST(AppSchemaMapping, root_is_an_object_with_title_and_id) {
    EXPECT_THAT(codes(map({collection("Dogs", R"({"bsonType": "array"})")}).problems),
                ElementsAre("missing_title Dogs", "root_not_object Dogs"));
    EXPECT_THAT(codes(map({collection("Dogs", R"({"title": "Dog", "properties": {}})")}).problems),
                ElementsAre("missing_id Dog"));
}

TEST(AppSchemaMapping, nullable_id_is_accepted_and_its_type_checked) {
    const MappedSchema nullable = map(
        {collection("Dogs", R"({"title": "Dog", "properties": {"_id": {"bsonType": "uuid"}}})")});
    EXPECT_THAT(codes(nullable.problems), IsEmpty());
    EXPECT_TRUE(nullable.documents.schema.find("Dog", "_id")->nullable);
    EXPECT_THAT(
        codes(
            map({collection("Dogs",
                            R"({"title": "Dog", "properties": {"_id": {"bsonType": "double"}}})")})
                .problems),
        ElementsAre("bad_primary_key_type Dog._id"));
}

TEST(AppSchemaMapping, a_warning_does_not_hide_an_error_of_the_same_field) {
    EXPECT_THAT(
        codes(
            map({collection(
                    "Dogs",
                    R"({"title": "Dog", "properties": {"_id": {"bsonType": "double", "x": 1}}})")})
                .problems),
        ElementsAre("unknown_keyword Dog._id (warning)", "bad_primary_key_type Dog._id"));
}

TEST(AppSchemaMapping, f12_the_transaction_field_of_app_services_is_no_property) {
    const MappedSchema mapped = map({collection(
        "Dogs", R"({"title": "Dog", "required": ["_id"], "properties": {"_id": {"bsonType": "uuid"},
                    "name": {"bsonType": "string"}, "_id__baas_transaction": {"bsonType": "long"}}})")});
    EXPECT_TRUE(mapped.ok());
    EXPECT_EQ(mapped.documents.schema.find("Dog")->properties().size(), 2U);
}

TEST(AppSchemaMapping, reserved_names_are_warned_of_with_case_rule) {
    const auto problems = [](std::string_view name) {
        return codes(
            map({collection(
                    "Dogs",
                    R"({"title": "Dog", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"}, ")" +
                        std::string(name) + R"(": {"bsonType": "string"}}})")})
                .problems);
    };
    EXPECT_THAT(problems("True"), IsEmpty());
    EXPECT_THAT(problems("TRUE"), ElementsAre("reserved_name Dog.TRUE (warning)"));
    EXPECT_THAT(problems("DeSc"), ElementsAre("reserved_name Dog.DeSc (warning)"));
    EXPECT_THAT(problems("a.b"), ElementsAre("invalid_property_name Dog.a.b"));
    EXPECT_THAT(problems("$a"), ElementsAre("invalid_property_name Dog.$a"));
}

TEST(AppSchemaMapping, embedded_schemas_of_one_title_must_be_equal) {
    const auto problems = [](std::string_view second) {
        return codes(
            map({collection(
                    "Dogs",
                    R"({"title": "Dog", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"},
                        "a": {"bsonType": "object", "title": "Part", "properties": {"x": {"bsonType": "long"}, "y": {"bsonType": "long"}}},
                        "b": {"bsonType": "object", "title": "Part", "properties": )" +
                        std::string(second) + "}}}")})
                .problems);
    };
    EXPECT_THAT(problems(R"({"y": {"bsonType": "long"}, "x": {"bsonType": "long"}})"), IsEmpty());
    EXPECT_THAT(problems(R"({"x": {"bsonType": "long"}})"),
                ElementsAre("embedded_title_conflict Dog.b"));
}

TEST(AppSchemaMapping, database_names_are_checked_and_collections_may_have_spaces) {
    CollectionSchema dogs = collection(
        "Dog test-1",
        R"({"title": "Dog", "required": ["_id"], "properties": {"_id": {"bsonType": "objectId"}}})");
    EXPECT_THAT(codes(map({dogs}).problems), IsEmpty());
    dogs.place.database = "my app";
    EXPECT_THAT(codes(map({dogs}).problems), ElementsAre("bad_namespace Dog"));
    dogs.place.database = "app";
    EXPECT_THAT(codes(map({dogs, dogs}).problems), Contains("duplicate_namespace Dog"));
}

TEST(AppSchemaMapping, all_problems_are_reported_together) {
    const MappedSchema mapped = map({collection(
        "Dogs",
        R"({"title": "Dog", "required": ["_id", "ghost"], "properties": {"_id": {"bsonType": "objectId"},
             "a": {"bsonType": "regex"}, "b": {"bsonType": "what"}, "limit": {"bsonType": "long", "sync_type": 1}}})")});
    EXPECT_THAT(codes(mapped.problems),
                ElementsAre("type_not_syncable Dog.a", "unknown_type Dog.b",
                            "reserved_name Dog.limit (warning)",
                            "unknown_keyword Dog.limit (warning)", "unknown_required Dog.ghost"));
    EXPECT_THAT(to_error(mapped.problems).message(),
                AllOf(HasSubstr("3 problems"), HasSubstr("'Dog.a'"), HasSubstr("'Dog.ghost'")));
}

TEST(AppSchemaGeneration, every_type_round_trips) {
    const Schema schema = everything_schema();
    const AppSchema app = to_app_schema(schema, {}, fallback).value();
    EXPECT_EQ(app.collections.size(), 2U);
    const MappedSchema back = to_object_schema(app);
    EXPECT_THAT(codes(back.problems), IsEmpty());
    for (const ClassSchema& class_schema : schema.classes()) {
        ASSERT_NE(back.documents.schema.find(class_schema.name()), nullptr);
        EXPECT_EQ(*back.documents.schema.find(class_schema.name()), class_schema)
            << class_schema.name();
    }
    EXPECT_EQ(back.documents.schema.classes().size(), schema.classes().size());
}

TEST(AppSchemaGeneration, development_mode_schema_of_a_class) {
    Schema schema;
    schema.add(ClassSchema("Dog", ClassKind::top_level,
                           {primary_key("_id", PropertyType::object_id),
                            scalar("age", PropertyType::integer),
                            optional("name", PropertyType::string), link("owner", "Person"),
                            backlinks("pups", "Dog", "mother"), link("mother", "Dog")}));
    schema.add(
        ClassSchema("Person", ClassKind::top_level, {primary_key("_id", PropertyType::string)}));
    const AppSchema app =
        to_app_schema(schema, {{"Person", {"mongodb-atlas", "old", "people"}}}, fallback).value();
    ASSERT_EQ(app.collections.size(), 2U);
    EXPECT_EQ(app.collections[0].place.collection, "Dog");
    EXPECT_EQ(app.collections[1].place.database, "old");
    EXPECT_EQ(
        print_json_schema(app.collections[0].schema),
        R"({"title":"Dog","bsonType":"object","required":["_id","age"],"properties":{"_id":{"bsonType":"objectId"},"age":{"bsonType":"long"},"name":{"bsonType":"string"},"owner":{"bsonType":"string"},"mother":{"bsonType":"objectId"}}})");
    EXPECT_EQ(
        print_relationships(app.collections[0].relationships),
        R"({"owner":{"ref":"#/relationship/mongodb-atlas/old/people","foreign_key":"_id","is_list":false},"mother":{"ref":"#/relationship/mongodb-atlas/app/Dog","foreign_key":"_id","is_list":false}})");
}

TEST(AppSchemaGeneration, invalid_and_exploding_schemas_are_refused) {
    Schema bad;
    bad.add(ClassSchema("Dog", ClassKind::top_level, {scalar("a", PropertyType::string)}));
    EXPECT_EQ(to_app_schema(bad, {}, fallback).error().code(), ErrorCode::invalid_schema);

    Schema wide;
    wide.add(ClassSchema("Root", ClassKind::top_level,
                         {primary_key("_id", PropertyType::object_id), link("a", "E0")}));
    for (int i = 0; i < 40; ++i) {
        const std::string next = "E" + std::to_string(i + 1);
        wide.add(ClassSchema("E" + std::to_string(i), ClassKind::embedded,
                             {link("a", next), link("b", next), link("c", next)}));
    }
    wide.add(ClassSchema("E40", ClassKind::embedded, {scalar("x", PropertyType::integer)}));
    EXPECT_EQ(to_app_schema(wide, {}, fallback).error().code(), ErrorCode::limit_exceeded);

    Schema deep;
    deep.add(ClassSchema("Root", ClassKind::top_level,
                         {primary_key("_id", PropertyType::object_id), link("a", "E0")}));
    for (int i = 0; i < 120; ++i) {
        deep.add(ClassSchema("E" + std::to_string(i), ClassKind::embedded,
                             {link("a", "E" + std::to_string(i + 1))}));
    }
    deep.add(ClassSchema("E120", ClassKind::embedded, {scalar("x", PropertyType::integer)}));
    EXPECT_EQ(to_app_schema(deep, {}, fallback).error().code(), ErrorCode::limit_exceeded);
}

TEST(JsonSchemaText, keywords_are_printed_in_one_order_and_kept) {
    constexpr std::string_view text =
        R"({"required": ["a"], "x-own": [1, {"b": 2}], "properties": {"a": {"minLength": {"$numberInt": "3"}, "bsonType": "string", "validate": {"%%this": 1}}}, "bsonType": "object", "title": "T"})";
    const JsonSchema schema = parse_json_schema(text).value();
    const std::string printed = print_json_schema(schema);
    EXPECT_EQ(
        printed,
        R"({"title":"T","bsonType":"object","required":["a"],"properties":{"a":{"bsonType":"string","minLength":{"$numberInt":"3"},"validate":{"%%this":1}}},"x-own":[1,{"b":2}]})");
    EXPECT_EQ(parse_json_schema(printed).value(), schema);
    EXPECT_EQ(parse_json_schema(print_json_schema(schema, JsonStyle::pretty)).value(), schema);
}

TEST(JsonSchemaText, pretty_form_has_one_member_a_line) {
    const JsonSchema schema =
        parse_json_schema(R"({"bsonType": "object", "required": ["_id"], "properties": {}})")
            .value();
    EXPECT_EQ(print_json_schema(schema, JsonStyle::pretty),
              "{\n    \"bsonType\": \"object\",\n    \"required\": [\n        \"_id\"\n    ],\n"
              "    \"properties\": {}\n}\n");
}

TEST(JsonSchemaText, errors_say_where) {
    const auto error = [](std::string_view text) { return parse_json_schema(text).error(); };
    EXPECT_EQ(error("{\n  \"a\": }").code(), ErrorCode::bad_json);
    EXPECT_THAT(error("{\n  \"a\": }").context(), HasSubstr("line 2"));
    EXPECT_EQ(error("{").code(), ErrorCode::bad_json);
    EXPECT_EQ(error("{} x").code(), ErrorCode::bad_json);
    EXPECT_EQ(error("[]").code(), ErrorCode::invalid_schema);
    EXPECT_EQ(error(R"({"properties": {"a": {"items": 3}}})").context(), "properties.a.items");
    EXPECT_EQ(error(R"({"properties": {"a": {"minimum": "x"}}})").context(),
              "properties.a.minimum");
    EXPECT_THAT(error(R"({"required": "a"})").message(), HasSubstr("an array of strings"));
    EXPECT_EQ(error(R"({"type": "string", "bsonType": "string"})").code(),
              ErrorCode::invalid_schema);
    EXPECT_EQ(error(R"({"title": 3})").context(), "title");
}

TEST(JsonSchemaText, depth_and_size_are_bounded) {
    std::string deep;
    for (int i = 0; i < 500; ++i) {
        deep += R"({"items":)";
    }
    EXPECT_EQ(parse_json_schema(deep).error().code(), ErrorCode::limit_exceeded);
    EXPECT_EQ(parse_json_schema(std::string(17U << 20, ' ')).error().code(),
              ErrorCode::limit_exceeded);
}

TEST(RelationshipText, parses_and_prints) {
    constexpr std::string_view text =
        R"({"pets.[].brand":{"ref":"#/relationship/mongodb-atlas/app/a/b","foreign_key":"_id","source_key":"s","is_list":true}})";
    const std::vector<Relationship> relationships = parse_relationships(text).value();
    ASSERT_EQ(relationships.size(), 1U);
    EXPECT_EQ(relationships[0].path, "pets.[].brand");
    EXPECT_EQ(relationships[0].target, (Namespace{"mongodb-atlas", "app", "a/b"}));
    EXPECT_TRUE(relationships[0].is_list);
    EXPECT_EQ(print_relationships(relationships), text);
    EXPECT_TRUE(parse_relationships("null").value().empty());
    EXPECT_TRUE(parse_relationships(" ").value().empty());
}

TEST(RelationshipText, errors_name_the_path) {
    EXPECT_EQ(parse_relationships(R"({"a": {"is_list": true}})").error().context(),
              "relationships.a");
    EXPECT_EQ(parse_relationships(R"({"a": {"ref": "#/relationship/x/y"}})").error().context(),
              "relationships.a.ref");
    EXPECT_EQ(parse_relationships(R"({"a": {"ref": 3}})").error().context(), "relationships.a.ref");
    EXPECT_EQ(parse_relationships(R"({"a": {"what": 3}})").error().context(),
              "relationships.a.what");
    EXPECT_EQ(parse_relationships("[]").error().code(), ErrorCode::invalid_schema);
}

TEST(CollectionSchemaText, admin_form_round_trips) {
    constexpr std::string_view text =
        R"({"_id":"1","metadata":{"data_source":"mongodb-atlas","database":"app","collection":"Canine"},"schema":{"title":"Dog","bsonType":"object"},"relationships":{"owner":{"ref":"#/relationship/mongodb-atlas/app/Person","foreign_key":"_id","is_list":false}}})";
    const CollectionSchema schema = parse_collection_schema(text).value();
    EXPECT_EQ(schema.place, (Namespace{"mongodb-atlas", "app", "Canine"}));
    EXPECT_EQ(schema.schema.title, "Dog");
    EXPECT_EQ(print_collection_schema(schema), text);
    EXPECT_EQ(
        parse_collection_schema(
            R"({"metadata":{"data_source":"a","database":"b","collection":"c"},"schema":{},"relationships":null})")
            .value()
            .relationships.size(),
        0U);
    EXPECT_EQ(parse_collection_schema(R"({"schema":{}})").error().code(),
              ErrorCode::invalid_schema);
    EXPECT_EQ(
        parse_collection_schema(
            R"({"metadata":{"data_source":"a","database":"b","collection":"c"},"schema":{"title":1}})")
            .error()
            .context(),
        "schema: title");
}

TEST(AppSchemaLookup, by_place_and_by_title_in_a_data_source) {
    AppSchema app;
    app.collections.push_back(collection("Dogs", R"({"title": "Dog"})"));
    EXPECT_EQ(app.find({"mongodb-atlas", "app", "Dogs"}), app.collections.data());
    EXPECT_EQ(app.find({"mongodb-atlas", "app", "Cats"}), nullptr);
    EXPECT_EQ(app.find_title("mongodb-atlas", "Dog"), app.collections.data());
    EXPECT_EQ(app.find_title("other", "Dog"), nullptr);
}

} // namespace
} // namespace tombolo::schema
