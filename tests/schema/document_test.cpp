// Documents <-> objects (device-sync-server.md 1.3, 1.4, 1.6, 2.6; checklist A3 to A11).

#include <cmath>
#include <functional>
#include <limits>

#include <bson/bson.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/builders.hpp"
#include "schema/document.hpp"

namespace tombolo::schema {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Bytes = std::vector<std::byte>;

Bytes from_json(const std::string& json) {
    bson_error_t error;
    bson_t* bson = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json.data()),
                                      static_cast<ssize_t>(json.size()), &error);
    if (bson == nullptr) {
        ADD_FAILURE() << error.message;
        return {};
    }
    const auto* data = reinterpret_cast<const std::byte*>(bson_get_data(bson));
    Bytes bytes(data, data + bson->len);
    bson_destroy(bson);
    return bytes;
}

std::string to_json(const Bytes& bytes) {
    bson_t bson;
    EXPECT_TRUE(
        bson_init_static(&bson, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    char* text = bson_as_canonical_extended_json(&bson, nullptr);
    std::string json(text == nullptr ? "" : text);
    bson_free(text);
    return json;
}

DocumentSchema everything() {
    DocumentSchema documents;
    documents.schema = everything_schema();
    documents.places["Everything"] = {"mongodb-atlas", "app", "things"};
    documents.places["Other"] = {"mongodb-atlas", "app", "others"};
    return documents;
}

// Class Dog with _id (int) and the given properties; Other is there to link to.
DocumentSchema dog_with(std::vector<Property> properties) {
    DocumentSchema documents = everything();
    ClassSchema dog("Dog", ClassKind::top_level, {primary_key("_id", PropertyType::integer)});
    for (Property& property : properties) {
        dog.add(std::move(property));
    }
    documents.schema.put(std::move(dog));
    documents.places["Dog"] = {"mongodb-atlas", "app", "dogs"};
    return documents;
}

std::vector<std::string> problems_of(const DocumentSchema& documents, const std::string& json,
                                     const ReadOptions& options = {}) {
    std::vector<std::string> texts;
    for (const DocumentProblem& problem :
         document_to_object(documents, "Dog", from_json(json), options).problems) {
        texts.push_back(to_text(problem));
    }
    return texts;
}

Value read_field(const DocumentSchema& documents, const std::string& json,
                 std::string_view field = "f") {
    const ReadDocument read = document_to_object(documents, "Dog", from_json(json));
    for (const DocumentProblem& problem : read.problems) {
        ADD_FAILURE() << to_text(problem);
    }
    const Value* value = read.object.fields.find(field);
    return value == nullptr ? Value() : *value;
}

Object dog(Value value) {
    Object object;
    object.fields.set("_id", Value(1));
    object.fields.set("f", std::move(value));
    return object;
}

std::string written(const DocumentSchema& documents, Value value) {
    return to_json(object_to_document(documents, "Dog", dog(std::move(value))).value().bson);
}

TEST(DocumentMapping, stored_bson_of_each_scalar_type) {
    const auto stored = [](PropertyType type, Value value) {
        return written(dog_with({optional("f", type)}), std::move(value));
    };
    const auto says = [](const std::string& inner) {
        return R"({ "_id" : { "$numberLong" : "1" }, "f" : )" + inner + " }";
    };
    EXPECT_EQ(stored(PropertyType::integer, Value(7)), says(R"({ "$numberLong" : "7" })"));
    EXPECT_EQ(stored(PropertyType::boolean, Value(true)), says("true"));
    EXPECT_EQ(stored(PropertyType::float64, Value(1.5)), says(R"({ "$numberDouble" : "1.5" })"));
    EXPECT_EQ(stored(PropertyType::float32, Value(1.5F)), says(R"({ "$numberDouble" : "1.5" })"));
    EXPECT_EQ(stored(PropertyType::string, Value("x")), says(R"("x")"));
    EXPECT_EQ(stored(PropertyType::binary, Value(Binary{{std::byte{1}}})),
              says(R"({ "$binary" : { "base64" : "AQ==", "subType" : "00" } })"));
    EXPECT_EQ(stored(PropertyType::timestamp, Value(Timestamp::from_unix_ms(1500))),
              says(R"({ "$date" : { "$numberLong" : "1500" } })"));
    EXPECT_EQ(stored(PropertyType::decimal128, Value(Decimal128::parse("1.50").value())),
              says(R"({ "$numberDecimal" : "1.50" })"));
    EXPECT_EQ(stored(PropertyType::object_id, Value(ObjectId{})),
              says(R"({ "$oid" : "000000000000000000000000" })"));
    EXPECT_EQ(
        stored(PropertyType::uuid, Value(Uuid{})),
        says(R"({ "$binary" : { "base64" : "AAAAAAAAAAAAAAAAAAAAAA==", "subType" : "04" } })"));
}

TEST(DocumentMapping, int_is_stored_as_int32_where_it_fits_and_read_from_both) {
    Property narrow = optional("f", PropertyType::integer);
    narrow.int32_in_documents = true;
    const DocumentSchema documents = dog_with({narrow});
    EXPECT_THAT(written(documents, Value(7)), HasSubstr(R"("$numberInt" : "7")"));
    EXPECT_THAT(written(documents, Value(std::int64_t{1} << 40)), HasSubstr("$numberLong"));
    EXPECT_TRUE(
        identical(read_field(documents, R"({"_id": 1, "f": {"$numberLong": "1099511627776"}})"),
                  Value(std::int64_t{1} << 40)));
    EXPECT_TRUE(
        identical(read_field(documents, R"({"_id": {"$numberLong": "1"}, "f": 5})"), Value(5)));
}

TEST(DocumentMapping, collections_links_and_embedded_objects) {
    const DocumentSchema documents = dog_with({
        scalar("list", PropertyType::integer, CollectionKind::list),
        scalar("set", PropertyType::string, CollectionKind::set),
        scalar("map", PropertyType::boolean, CollectionKind::dictionary),
        link("other", "Other"),
        link("others", "Other", CollectionKind::list),
        link("part", "Part"),
        link("parts", "Part", CollectionKind::dictionary),
    });
    const std::string json =
        R"({"_id": 1, "list": [3, 1, 3], "set": ["b", "a", "b"], "map": {"x": true},
            "other": {"$numberLong": "9"}, "others": [9, 8, 9],
            "part": {"note": "n", "maker": 9}, "parts": {"p": {"note": "q"}, "nothing": null}})";
    const ReadDocument read = document_to_object(documents, "Dog", from_json(json));
    ASSERT_TRUE(read.ok()) << to_text(read.problems[0]);
    const Dictionary& fields = read.object.fields;
    EXPECT_EQ(fields.find("list")->get_if<List>()->elements.size(), 3U);
    EXPECT_EQ(fields.find("set")->get_if<Set>()->elements().size(), 2U);
    EXPECT_EQ(fields.find("map")->get_if<Dictionary>()->size(), 1U);
    EXPECT_EQ(*fields.find("other")->link(), (Link{"Other", PrimaryKey(std::int64_t{9})}));
    EXPECT_EQ(fields.find("others")->get_if<List>()->elements.size(), 3U);
    const Object* part = fields.find("part")->get_if<Object>();
    ASSERT_NE(part, nullptr);
    EXPECT_EQ(*part->fields.find("maker")->link(), (Link{"Other", PrimaryKey(std::int64_t{9})}));
    EXPECT_TRUE(part->fields.find("sub")->is_null());
    EXPECT_TRUE(fields.find("parts")->get_if<Dictionary>()->find("nothing")->is_null());

    const WrittenDocument back = object_to_document(documents, "Dog", read.object).value();
    EXPECT_TRUE(back.inexact.empty());
    const ReadDocument again = document_to_object(documents, "Dog", back.bson);
    EXPECT_TRUE(identical(Value(again.object), Value(read.object)));
}

TEST(DocumentMapping, null_and_missing_read_alike) {
    const DocumentSchema documents = dog_with(
        {optional("f", PropertyType::string),
         scalar("list", PropertyType::integer, CollectionKind::list),
         scalar("set", PropertyType::integer, CollectionKind::set),
         scalar("map", PropertyType::integer, CollectionKind::dictionary), link("part", "Part")});
    const ReadDocument missing = document_to_object(documents, "Dog", from_json(R"({"_id": 1})"));
    const ReadDocument nulls = document_to_object(
        documents, "Dog",
        from_json(
            R"({"_id": 1, "f": null, "list": null, "set": null, "map": null, "part": null})"));
    ASSERT_TRUE(missing.ok());
    ASSERT_TRUE(nulls.ok());
    EXPECT_TRUE(identical(Value(missing.object), Value(nulls.object)));
    EXPECT_EQ(missing.object.fields.find("list")->type(), ValueType::list);
    EXPECT_EQ(missing.object.fields.find("set")->type(), ValueType::set);
    EXPECT_EQ(missing.object.fields.find("map")->type(), ValueType::dictionary);
    EXPECT_TRUE(missing.object.fields.find("part")->is_null());
}

TEST(DocumentMapping, mixed_holds_scalars_collections_and_dbrefs) {
    const DocumentSchema documents = dog_with({optional("f", PropertyType::mixed)});
    const Value value = read_field(
        documents,
        R"({"_id": 1, "f": {"a": [1, {"b": [2]}], "ref": {"$ref": "others", "$id": {"$numberInt": "4"}, "$db": "app"}}})");
    const Dictionary* dictionary = value.get_if<Dictionary>();
    ASSERT_NE(dictionary, nullptr);
    EXPECT_EQ(*dictionary->find("ref")->link(), (Link{"Other", PrimaryKey(std::int64_t{4})}));
    EXPECT_EQ(dictionary->find("a")->get_if<List>()->elements[1].type(), ValueType::dictionary);
    EXPECT_THAT(
        written(documents, Value(Link{"Other", PrimaryKey(std::int64_t{4})})),
        HasSubstr(R"({ "$ref" : "others", "$id" : { "$numberLong" : "4" }, "$db" : "app" })"));
}

TEST(DocumentMapping, dbref_to_an_unknown_collection_or_key_reads_as_null) {
    const DocumentSchema documents = dog_with({optional("f", PropertyType::mixed)});
    for (const std::string ref : {R"({"$ref": "cats", "$id": 4, "$db": "app"})",
                                  R"({"$ref": "others", "$id": "text", "$db": "app"})"}) {
        const ReadDocument read =
            document_to_object(documents, "Dog", from_json(R"({"_id": 1, "f": )" + ref + "}"));
        EXPECT_TRUE(read.ok());
        EXPECT_TRUE(read.object.fields.find("f")->is_null());
        ASSERT_EQ(read.unresolved.size(), 1U);
        EXPECT_EQ(to_text(read.unresolved[0]), "(root).f");
    }
}

Bytes nested_bson(int levels) {
    bson_t* inner = bson_new();
    for (int i = 1; i < levels; ++i) {
        bson_t* outer = bson_new();
        bson_append_array(outer, "0", 1, inner);
        bson_destroy(inner);
        inner = outer;
    }
    bson_t* root = bson_new();
    bson_append_int32(root, "_id", -1, 1);
    bson_append_array(root, "f", 1, inner);
    const auto* data = reinterpret_cast<const std::byte*>(bson_get_data(root));
    Bytes bytes(data, data + root->len);
    bson_destroy(inner);
    bson_destroy(root);
    return bytes;
}

TEST(DocumentMapping, mixed_nested_100_levels_is_accepted_101_rejected) {
    const DocumentSchema documents = dog_with({optional("f", PropertyType::mixed)});
    const ReadDocument good = document_to_object(documents, "Dog", nested_bson(100));
    ASSERT_TRUE(good.ok()) << to_text(good.problems[0]);
    EXPECT_TRUE(object_to_document(documents, "Dog", good.object).has_value());
    EXPECT_FALSE(document_to_object(documents, "Dog", nested_bson(101)).ok());
    Value deeper = *good.object.fields.find("f");
    deeper = Value(List{{deeper}});
    EXPECT_EQ(object_to_document(documents, "Dog", dog(deeper)).error().code(),
              ErrorCode::limit_exceeded);
}

TEST(DocumentMapping, sets_stay_free_of_duplicates_from_outside) {
    const DocumentSchema documents =
        dog_with({optional("f", PropertyType::mixed, CollectionKind::set)});
    const Value value = read_field(
        documents, R"({"_id": 1, "f": [3, {"$numberDouble": "3.0"}, "a", "a", null, null]})");
    EXPECT_EQ(value.get_if<Set>()->elements().size(), 3U);
    EXPECT_THAT(problems_of(documents, R"({"_id": 1, "f": [[1]]})"),
                ElementsAre("(root).f: expected scalars in a set, found a collection"));
}

TEST(UnsyncableDocument, field_path_expected_and_found) {
    const DocumentSchema documents =
        dog_with({scalar("age", PropertyType::integer), optional("name", PropertyType::string),
                  scalar("tags", PropertyType::string, CollectionKind::list),
                  link("other", "Other"), link("part", "Part")});
    EXPECT_THAT(
        problems_of(
            documents,
            R"({"_id": "x", "age": 1.5, "name": 3, "tags": ["a", 4, null], "other": "k", "part": {"note": 5, "sub": []}})"),
        ElementsAre(
            "(root)._id: expected long, found string", "(root).age: expected long, found double",
            "(root).name: expected string, found int", "(root).tags.1: expected string, found int",
            "(root).tags.2: expected string, found null",
            "(root).other: expected long (the key of Other), found string",
            "(root).part.note: expected string, found int",
            "(root).part.sub: expected object (SubPart), found array"));
    EXPECT_THAT(problems_of(documents, R"({"age": 3, "tags": {}, "part": {}})"),
                ElementsAre("(root).tags: expected array of string, found object",
                            "(root).part.note: expected string, found nothing (the field is "
                            "required)",
                            "(root)._id: expected long, found nothing (the field is required)"));
}

TEST(UnsyncableDocument, other_numeric_types_are_rejected) {
    EXPECT_THAT(
        problems_of(dog_with({optional("f", PropertyType::float64)}), R"({"_id": 1, "f": 3})"),
        ElementsAre("(root).f: expected double, found int"));
    EXPECT_THAT(problems_of(dog_with({optional("f", PropertyType::integer)}),
                            R"({"_id": 1, "f": {"$numberDouble": "3.0"}})"),
                ElementsAre("(root).f: expected long, found double"));
}

TEST(UnsyncableDocument, binary_and_uuid_are_told_apart) {
    const std::string uuid =
        R"({"_id": 1, "f": {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAA==", "subType": "04"}}})";
    const std::string data = R"({"_id": 1, "f": {"$binary": {"base64": "AAAA", "subType": "00"}}})";
    EXPECT_THAT(problems_of(dog_with({optional("f", PropertyType::binary)}), uuid),
                ElementsAre("(root).f: expected binData, found uuid"));
    EXPECT_THAT(problems_of(dog_with({optional("f", PropertyType::uuid)}), data),
                ElementsAre("(root).f: expected uuid, found binData"));
    const DocumentSchema mixed = dog_with({optional("f", PropertyType::mixed)});
    EXPECT_EQ(read_field(mixed, uuid).type(), ValueType::uuid);
    EXPECT_EQ(read_field(mixed, data).type(), ValueType::binary);
}

TEST(UnsyncableDocument, mixed_cannot_hold_every_bson_type) {
    EXPECT_THAT(problems_of(dog_with({optional("f", PropertyType::mixed)}),
                            R"({"_id": 1, "f": [{"$minKey": 1}]})"),
                ElementsAre("(root).f.0: expected a value that mixed can hold, found minKey"));
}

TEST(UnsyncableDocument, missing_required_value_takes_the_default_or_a_zero_when_asked) {
    Property age = scalar("f", PropertyType::integer);
    EXPECT_EQ(problems_of(dog_with({age}), R"({"_id": 1})").size(), 1U);
    EXPECT_THAT(problems_of(dog_with({age}), R"({"_id": 1})", {true}), IsEmpty());
    age.default_value = Value(42);
    EXPECT_TRUE(identical(read_field(dog_with({age}), R"({"_id": 1, "f": null})"), Value(42)));
}

TEST(UnsyncableDocument, bytes_that_are_no_bson) {
    const DocumentSchema documents = dog_with({optional("f", PropertyType::mixed)});
    EXPECT_FALSE(document_to_object(documents, "Dog", {}).ok());
    Bytes bytes = from_json(R"({"_id": 1, "f": {"a": "text"}})");
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_FALSE(document_to_object(documents, "Dog", cut).ok());
    }
    for (std::size_t at = 4; at < bytes.size(); ++at) {
        Bytes damaged = bytes;
        damaged[at] ^= std::byte{0x55};
        static_cast<void>(document_to_object(documents, "Dog", damaged));
    }
}

TEST(UnsyncableDocument, number_of_problems_is_bounded) {
    std::string json = R"({"_id": 1, "f": [)";
    for (int i = 0; i < 1000; ++i) {
        json += i == 0 ? "\"x\"" : ",\"x\"";
    }
    EXPECT_EQ(problems_of(dog_with({scalar("f", PropertyType::integer, CollectionKind::list)}),
                          json + "]}")
                  .size(),
              ReadDocument::problems_max);
}

TEST(DocumentWriting, required_values_that_are_missing_are_filled) {
    Property age = scalar("age", PropertyType::integer);
    age.default_value = Value(42);
    const DocumentSchema documents = dog_with({scalar("f", PropertyType::string), age});
    Object object;
    object.fields.set("_id", Value(1));
    EXPECT_EQ(to_json(object_to_document(documents, "Dog", object).value().bson),
              R"({ "_id" : { "$numberLong" : "1" }, "f" : "", "age" : { "$numberLong" : "42" } })");
}

TEST(DocumentWriting, values_that_do_not_fit_are_refused_with_their_path) {
    const auto error = [](Property property, Value value) {
        const Error found =
            object_to_document(dog_with({std::move(property)}), "Dog", dog(std::move(value)))
                .error();
        return std::string(error_code_name(found.code())) + " " + found.context();
    };
    EXPECT_EQ(error(scalar("f", PropertyType::integer), Value("x")), "invalid_document (root).f");
    EXPECT_EQ(error(scalar("f", PropertyType::integer), Value()), "invalid_document (root).f");
    EXPECT_EQ(error(scalar("f", PropertyType::integer, CollectionKind::list), Value(3)),
              "invalid_document (root).f");
    EXPECT_EQ(error(scalar("f", PropertyType::integer, CollectionKind::list),
                    Value(List{{Value(1), Value("x")}})),
              "invalid_document (root).f.1");
    EXPECT_EQ(error(link("f", "Other"), Value(Link{"Dog", PrimaryKey(std::int64_t{1})})),
              "invalid_document (root).f");
    EXPECT_EQ(error(optional("f", PropertyType::mixed), Value(Set{Value(1)})),
              "invalid_document (root).f");
    EXPECT_EQ(error(optional("f", PropertyType::mixed), Value(Link{"Nowhere", PrimaryKey()})),
              "invalid_document (root).f");
    EXPECT_EQ(error(optional("f", PropertyType::string), Value("\xff")), "bad_utf8 (root).f");
    EXPECT_EQ(error(optional("f", PropertyType::mixed),
                    Value(Dictionary{{std::string("a\0b", 3), Value(1)}})),
              std::string("invalid_document (root).f.a\0b", 29));
    EXPECT_EQ(object_to_document(dog_with({}), "Dog", Object{}).error().context(), "(root)._id");
    EXPECT_EQ(error(optional("f", PropertyType::string), Value(std::string(17U << 20, 'x'))),
              "limit_exceeded ");
}

struct Exactness {
    WrittenDocument document;
    Object read;
};

Exactness round_trip(const DocumentSchema& documents, const Object& object) {
    Exactness result;
    result.document = object_to_document(documents, "Dog", object).value();
    ReadDocument read = document_to_object(documents, "Dog", result.document.bson);
    EXPECT_TRUE(read.ok());
    result.read = std::move(read.object);
    return result;
}

const Timestamp precise = Timestamp::make(1, 123'456'789).value();

TEST(InexactValues, what_bson_cannot_hold_is_listed_and_put_back) {
    const std::pair<Property, Value> rows[] = {
        {optional("f", PropertyType::timestamp), Value(precise)},
        {optional("f", PropertyType::timestamp),
         Value(Timestamp::make(std::numeric_limits<std::int64_t>::max(), 0).value())},
        {optional("f", PropertyType::mixed), Value(1.5F)},
        {optional("f", PropertyType::mixed), Value(List{{Value(1), Value(precise)}})},
        {optional("f", PropertyType::mixed),
         Value(Dictionary{{"a.b", Value(List{{Value(1.5F)}})}})},
        {optional("f", PropertyType::mixed),
         Value(Dictionary{{"$id", Value(1)}, {"$ref", Value("others")}})},
        {optional("f", PropertyType::mixed),
         Value(Dictionary{{"$id", Value(precise)}, {"$ref", Value("nowhere")}})},
        {scalar("f", PropertyType::timestamp, CollectionKind::list),
         Value(List{{Value(precise), Value(Timestamp{})}})},
        {scalar("f", PropertyType::timestamp, CollectionKind::dictionary),
         Value(Dictionary{{"k", Value(precise)}})},
        {scalar("f", PropertyType::timestamp, CollectionKind::set),
         Value(Set{Value(precise), Value(Timestamp::make(1, 123'000'001).value())})},
        {optional("f", PropertyType::mixed, CollectionKind::set), Value(Set{Value(2.5F)})},
        {link("f", "Part", CollectionKind::list),
         Value(List{{Value(Object{Dictionary{{"born", Value(precise)},
                                             {"maker", Value()},
                                             {"note", Value("n")},
                                             {"sub", Value()}}})}})},
    };
    int row = 0;
    for (const auto& [property, value] : rows) {
        SCOPED_TRACE(row++);
        const DocumentSchema documents = dog_with({property});
        const Object object = dog(value);
        Exactness result = round_trip(documents, object);
        EXPECT_EQ(result.document.inexact.size(), 1U);
        EXPECT_FALSE(identical(Value(result.read), Value(object)));
        EXPECT_EQ(restore_exact(documents, "Dog", result.read, result.document.inexact), 1U);
        EXPECT_TRUE(identical(Value(result.read), Value(object)))
            << to_text(Value(result.read)) << " against " << to_text(Value(object));
    }
}

TEST(InexactValues, exact_values_need_no_sidecar) {
    const std::pair<Property, Value> rows[] = {
        {optional("f", PropertyType::float32), Value(0.1F)},
        {optional("f", PropertyType::float32), Value(-std::numeric_limits<float>::infinity())},
        {optional("f", PropertyType::float64), Value(std::nan(""))},
        {optional("f", PropertyType::mixed), Value(0.1)},
        {optional("f", PropertyType::mixed), Value(Dictionary{{"$id", Value(1)}})},
        {optional("f", PropertyType::mixed), Value(Uuid{})},
        {optional("f", PropertyType::mixed), Value(Binary{})},
        {optional("f", PropertyType::timestamp), Value(Timestamp::make(0, -500'000'000).value())},
        {optional("f", PropertyType::decimal128), Value(Decimal128::parse("-0E+3").value())},
        {optional("f", PropertyType::string), Value(std::string("a\0b", 3))},
        {optional("f", PropertyType::integer), Value(std::numeric_limits<std::int64_t>::min())},
    };
    int row = 0;
    for (const auto& [property, value] : rows) {
        SCOPED_TRACE(row++);
        const Object object = dog(value);
        const Exactness result = round_trip(dog_with({property}), object);
        EXPECT_TRUE(result.document.inexact.empty());
        EXPECT_TRUE(identical(Value(result.read), Value(object)));
    }
}

TEST(InexactValues, link_to_the_null_key) {
    DocumentSchema documents =
        dog_with({link("f", "Cat"), link("list", "Cat", CollectionKind::list)});
    Property key = primary_key("_id", PropertyType::string);
    key.nullable = true;
    documents.schema.add(ClassSchema("Cat", ClassKind::top_level, {key}));
    Object object = dog(Value(Link{"Cat", PrimaryKey()}));
    object.fields.set("list", Value(List{{Value(Link{"Cat", PrimaryKey()})}}));
    Exactness result = round_trip(documents, object);
    ASSERT_EQ(result.document.inexact.size(), 1U);
    EXPECT_EQ(to_text(result.document.inexact[0].path), "(root).f");
    EXPECT_EQ(restore_exact(documents, "Dog", result.read, result.document.inexact), 1U);
    EXPECT_TRUE(identical(Value(result.read), Value(object)));
}

TEST(InexactValues, an_outside_change_wins_over_the_sidecar) {
    const DocumentSchema documents = dog_with({optional("f", PropertyType::timestamp)});
    const WrittenDocument document =
        object_to_document(documents, "Dog", dog(Value(precise))).value();
    Object changed = dog(Value(Timestamp::from_unix_ms(5)));
    EXPECT_EQ(restore_exact(documents, "Dog", changed, document.inexact), 0U);
    EXPECT_TRUE(identical(*changed.fields.find("f"), Value(Timestamp::from_unix_ms(5))));
    Object gone;
    EXPECT_EQ(restore_exact(documents, "Dog", gone, document.inexact), 0U);
}

std::string updated(const DocumentSchema& documents, const std::string& previous,
                    const std::function<void(Object&)>& change) {
    const Bytes bytes = from_json(previous);
    ReadDocument read = document_to_object(documents, "Dog", bytes);
    EXPECT_TRUE(read.ok());
    change(read.object);
    return to_json(update_document(documents, "Dog", read.object, bytes).value().bson);
}

std::string normal(const std::string& json) {
    return to_json(from_json(json));
}

TEST(DocumentUpdate, fields_outside_the_schema_survive_everywhere) {
    const DocumentSchema documents =
        dog_with({optional("name", PropertyType::string), link("part", "Part"),
                  link("parts", "Part", CollectionKind::list),
                  link("map", "Part", CollectionKind::dictionary)});
    const std::string before =
        R"({"_id": 1, "own": {"a": [1]}, "name": "x", "part": {"own": 1, "note": "n"},
            "parts": [{"note": "a", "own": 1}, {"note": "b", "own": 2}], "map": {"k": {"own": 3, "note": "m"}}})";
    EXPECT_EQ(updated(documents, before,
                      [](Object& object) {
                          object.fields.set("name", Value("y"));
                          object.fields.find("part")->get_if<Object>()->fields.set("note",
                                                                                   Value("N"));
                          object.fields.find("map")
                              ->get_if<Dictionary>()
                              ->find("k")
                              ->get_if<Object>()
                              ->fields.set("note", Value("M"));
                          List* parts = object.fields.find("parts")->get_if<List>();
                          Value inserted = parts->elements[0];
                          inserted.get_if<Object>()->fields.set("note", Value("new"));
                          parts->elements.insert(parts->elements.begin() + 1, inserted);
                      }),
              normal(
                  R"({"_id": 1, "own": {"a": [1]}, "name": "y", "part": {"own": 1, "note": "N"},
                     "parts": [{"note": "a", "own": 1}, {"note": "new"}, {"note": "b", "own": 2}], "map": {"k": {"own": 3, "note": "M"}}})"));
}

TEST(DocumentUpdate, unchanged_values_keep_their_bytes) {
    const DocumentSchema documents =
        dog_with({optional("name", PropertyType::string), optional("f", PropertyType::mixed),
                  scalar("list", PropertyType::integer, CollectionKind::list)});
    const std::string before =
        R"({"name": null, "_id": 1, "f": {"$ref": "cats", "$id": 4, "$db": "app"}, "list": [1, {"$numberLong": "2"}]})";
    EXPECT_EQ(updated(documents, before, [](Object&) {}), normal(before));
}

TEST(DocumentUpdate, dangling_key_stays_after_another_field_is_edited) {
    const DocumentSchema documents =
        dog_with({optional("name", PropertyType::string), link("other", "Other"),
                  link("others", "Other", CollectionKind::list)});
    EXPECT_EQ(updated(documents, R"({"_id": 1, "other": 99, "others": [99, 98]})",
                      [](Object& object) { object.fields.set("name", Value("y")); }),
              normal(R"({"_id": 1, "other": 99, "others": [99, 98], "name": "y"})"));
}

TEST(DocumentUpdate, absent_fields_that_say_nothing_new_are_not_added) {
    Property age = scalar("age", PropertyType::integer);
    age.default_value = Value(42);
    const DocumentSchema documents =
        dog_with({age, optional("name", PropertyType::string),
                  scalar("list", PropertyType::integer, CollectionKind::list)});
    EXPECT_EQ(updated(documents, R"({"_id": 1})", [](Object&) {}), normal(R"({"_id": 1})"));
}

TEST(DocumentUpdate, null_removes_the_field) {
    const DocumentSchema documents = dog_with({optional("name", PropertyType::string)});
    EXPECT_EQ(updated(documents, R"({"_id": 1, "name": "x"})",
                      [](Object& object) { object.fields.set("name", Value()); }),
              normal(R"({"_id": 1})"));
}

TEST(DocumentUpdate, properties_that_the_object_lacks_stay) {
    const DocumentSchema documents = dog_with({optional("name", PropertyType::string)});
    EXPECT_EQ(updated(documents, R"({"_id": 1, "name": "x"})",
                      [](Object& object) { object.fields.erase("name"); }),
              normal(R"({"_id": 1, "name": "x"})"));
}

TEST(DocumentUpdate, damaged_previous_document_is_refused) {
    const DocumentSchema documents = dog_with({optional("f", PropertyType::string)});
    Bytes bytes = from_json(R"({"_id": 1, "f": "text"})");
    EXPECT_EQ(update_document(documents, "Dog", dog(Value("x")), Bytes{}).error().code(),
              ErrorCode::bad_bson);
    bytes[4] = std::byte{0x77};
    EXPECT_EQ(update_document(documents, "Dog", dog(Value("x")), bytes).error().code(),
              ErrorCode::bad_bson);
}

TEST(GeoPoint, presence_and_shape_are_checked) {
    const auto point = [](Value type, std::vector<Value> coordinates) {
        return geo_point_problem(Object{Dictionary{{"coordinates", Value(List{coordinates})},
                                                   {"type", std::move(type)}}})
            .value_or("");
    };
    EXPECT_EQ(point("Point", {Value(12.5), Value(55.0)}), "");
    EXPECT_EQ(point("Point", {Value(-180.0), Value(90.0), Value(1e9)}), "");
    EXPECT_THAT(point("Polygon", {Value(1.0), Value(2.0)}), HasSubstr("Point"));
    EXPECT_THAT(point("Point", {Value(1.0)}), HasSubstr("less than two"));
    EXPECT_THAT(point("Point", {Value(180.5), Value(2.0)}), HasSubstr("longitude"));
    EXPECT_THAT(point("Point", {Value(1.0), Value(std::nan(""))}), HasSubstr("latitude"));
    EXPECT_NE(geo_point_problem(Object{}), std::nullopt);
}

} // namespace
} // namespace tombolo::schema
