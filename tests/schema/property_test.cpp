// Properties: schema -> JSON -> schema and object -> BSON -> object are identities on random valid
// inputs.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "schema/app_mapping.hpp"
#include "schema/builders.hpp"
#include "schema/comparison.hpp"
#include "schema/document.hpp"
#include "schema/facts.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {
namespace {

const Namespace fallback{"mongodb-atlas", "app", ""};

int in_range(int low, int past_high) {
    return *rc::gen::inRange(low, past_high);
}

CollectionKind any_collection() {
    return static_cast<CollectionKind>(in_range(0, 4));
}

Property any_scalar_property(const std::string& name) {
    const auto position =
        static_cast<std::size_t>(in_range(0, static_cast<int>(scalar_types.size())));
    Property property = scalar(name, scalar_types[position], any_collection());
    property.nullable = property.type == PropertyType::mixed || in_range(0, 2) == 1;
    property.int32_in_documents = property.type == PropertyType::integer && in_range(0, 3) == 0;
    return property;
}

// T: top-level classes, E: embedded ones. An embedded class holds only those after it, so there is
// no circle; every one is held.
Property any_property(const std::string& name, int top_count, int embedded_from,
                      int embedded_count) {
    const int choice = in_range(0, 6);
    if (choice == 0) {
        return link(name, "T" + std::to_string(in_range(0, top_count)), any_collection());
    }
    if (choice == 1 && embedded_from < embedded_count) {
        CollectionKind kind = any_collection();
        kind = kind == CollectionKind::set ? CollectionKind::list : kind;
        return link(name, "E" + std::to_string(in_range(embedded_from, embedded_count)), kind);
    }
    return any_scalar_property(name);
}

Schema any_schema() {
    const int top_count = in_range(1, 4);
    const int embedded_count = in_range(0, 4);
    constexpr PropertyType key_types[] = {PropertyType::integer, PropertyType::string,
                                          PropertyType::object_id, PropertyType::uuid};
    Schema schema;
    for (int i = 0; i < top_count; ++i) {
        ClassSchema top("T" + std::to_string(i));
        Property key = primary_key("_id", key_types[in_range(0, 4)]);
        key.nullable = in_range(0, 4) == 0;
        top.add(key);
        for (int p = in_range(0, 6); p > 0; --p) {
            top.add(any_property("p" + std::to_string(p), top_count, 0, embedded_count));
        }
        for (int e = 0; i == 0 && e < embedded_count; ++e) {
            top.add(link("e" + std::to_string(e), "E" + std::to_string(e)));
        }
        schema.add(std::move(top));
    }
    for (int i = 0; i < embedded_count; ++i) {
        ClassSchema embedded("E" + std::to_string(i), ClassKind::embedded);
        for (int p = in_range(0, 5); p > 0; --p) {
            embedded.add(any_property("p" + std::to_string(p), top_count, i + 1, embedded_count));
        }
        schema.add(std::move(embedded));
    }
    return schema;
}

Value any_scalar(PropertyType type) {
    switch (type) {
    case PropertyType::integer:
        return *rc::gen::arbitrary<std::int64_t>();
    case PropertyType::boolean:
        return in_range(0, 2) == 1;
    case PropertyType::string:
        return *rc::gen::string<std::string>() /* may be no UTF-8: made so below */;
    case PropertyType::binary: {
        Binary binary;
        for (int i = in_range(0, 20); i > 0; --i) {
            binary.bytes.push_back(static_cast<std::byte>(in_range(0, 256)));
        }
        return binary;
    }
    case PropertyType::timestamp: {
        const int seconds = in_range(-5, 5);
        const int ns = in_range(0, 1'000'000'000);
        return Timestamp::make(seconds, seconds < 0 ? -ns : ns).value();
    }
    case PropertyType::float32:
        return *rc::gen::arbitrary<float>();
    case PropertyType::float64:
        return *rc::gen::arbitrary<double>();
    case PropertyType::decimal128:
        return Decimal128::from_int64(*rc::gen::arbitrary<std::int64_t>());
    case PropertyType::object_id: {
        ObjectId id;
        id.bytes[11] = static_cast<std::byte>(in_range(0, 256));
        return id;
    }
    case PropertyType::uuid: {
        Uuid id;
        id.bytes[0] = static_cast<std::byte>(in_range(0, 256));
        return id;
    }
    default:
        return {};
    }
}

Value utf8_only(Value value) {
    if (std::string* text = value.get_if<std::string>(); text != nullptr && !is_utf8(*text)) {
        return Value("t" + std::to_string(text->size()));
    }
    return value;
}

Value any_link(const Schema& schema, const std::string& target) {
    const Property& key = *schema.find(target)->primary_key();
    Link made{target, PrimaryKey()};
    if (key.nullable && in_range(0, 4) == 0) {
        return made;
    }
    const Value value = utf8_only(any_scalar(key.type));
    if (const auto* number = value.get_if<std::int64_t>()) {
        made.key = *number;
    } else if (const auto* text = value.get_if<std::string>()) {
        made.key = *text;
    } else if (const auto* id = value.get_if<ObjectId>()) {
        made.key = *id;
    } else {
        made.key = *value.get_if<Uuid>();
    }
    return made;
}

Value any_mixed(const Schema& schema, int depth) {
    const int choice = in_range(0, 16);
    if (choice == 0) {
        return any_link(schema, "T0");
    }
    if (depth > 0 && choice < 3) {
        List list;
        for (int i = in_range(0, 4); i > 0; --i) {
            list.elements.push_back(any_mixed(schema, depth - 1));
        }
        return list;
    }
    if (depth > 0 && choice < 6) {
        Dictionary dictionary;
        constexpr std::string_view keys[] = {"$ref", "$id", "a.b", "", "key", "$db"};
        for (int i = in_range(0, 5); i > 0; --i) {
            dictionary.set(keys[in_range(0, 6)], any_mixed(schema, depth - 1));
        }
        return dictionary;
    }
    const auto position =
        static_cast<std::size_t>(in_range(0, static_cast<int>(scalar_types.size())));
    return utf8_only(any_scalar(scalar_types[position]));
}

Object any_object(const Schema& schema, const ClassSchema& class_schema);

Value any_element(const Schema& schema, const Property& property) {
    if (property.type == PropertyType::mixed) {
        return any_mixed(schema, property.collection == CollectionKind::set ? 0 : 3);
    }
    if (property.nullable && in_range(0, 4) == 0) {
        return {};
    }
    if (!property.is_link()) {
        return utf8_only(any_scalar(property.type));
    }
    const ClassSchema& target = *schema.find(property.target);
    return target.is_embedded() ? Value(any_object(schema, target))
                                : any_link(schema, property.target);
}

Object any_object(const Schema& schema, const ClassSchema& class_schema) {
    Object object;
    for (const Property& property : class_schema.properties()) {
        Value value;
        if (property.collection == CollectionKind::none) {
            value = any_element(schema, property);
        } else if (property.collection == CollectionKind::list) {
            List list;
            for (int i = in_range(0, 4); i > 0; --i) {
                list.elements.push_back(any_element(schema, property));
            }
            value = std::move(list);
        } else if (property.collection == CollectionKind::set) {
            Set set;
            for (int i = in_range(0, 4); i > 0; --i) {
                set.insert(any_element(schema, property));
            }
            value = std::move(set);
        } else {
            Dictionary dictionary;
            for (int i = in_range(0, 4); i > 0; --i) {
                dictionary.set("k" + std::to_string(i), any_element(schema, property));
            }
            value = std::move(dictionary);
        }
        object.fields.set(property.name, std::move(value));
    }
    return object;
}

RC_GTEST_PROP(SchemaProperty, schema_to_json_to_schema_is_identity, ()) {
    const Schema schema = any_schema();
    RC_ASSERT(validate(schema, {SchemaUse::flexible_sync, false}).empty());
    AppSchema app = to_app_schema(schema, {}, fallback).value();
    for (CollectionSchema& collection : app.collections) {
        const std::string text = print_collection_schema(collection);
        collection = parse_collection_schema(text).value();
        RC_ASSERT(print_collection_schema(collection) == text);
    }
    const MappedSchema back = to_object_schema(app);
    RC_ASSERT(back.problems.empty());
    RC_ASSERT(back.documents.schema.classes().size() == schema.classes().size());
    for (const ClassSchema& class_schema : schema.classes()) {
        const ClassSchema* found = back.documents.schema.find(class_schema.name());
        RC_ASSERT(found != nullptr);
        RC_ASSERT(*found == class_schema);
    }
    RC_ASSERT(compare_schemas(schema, back.documents.schema).empty());
}

RC_GTEST_PROP(SchemaProperty, facts_rebuild_the_schema, ()) {
    const Schema schema = any_schema();
    Schema built;
    for (const SchemaFact& fact : facts_of(schema)) {
        RC_ASSERT(apply_fact(built, fact).value());
    }
    RC_ASSERT(facts_beyond(built, schema).empty());
    for (const SchemaChange& change : compare_schemas(schema, built)) {
        RC_ASSERT(change.kind == ChangeKind::document_type_changed);
    }
}

RC_GTEST_PROP(DocumentProperty, object_to_bson_to_object_is_identity_with_the_sidecar, ()) {
    DocumentSchema documents;
    documents.schema = any_schema();
    for (const ClassSchema& class_schema : documents.schema.classes()) {
        documents.places[class_schema.name()] = {"mongodb-atlas", "app", class_schema.name()};
    }
    const Object object = any_object(documents.schema, documents.schema.classes()[0]);
    const WrittenDocument written = object_to_document(documents, "T0", object).value();
    ReadDocument read = document_to_object(documents, "T0", written.bson);
    RC_ASSERT(read.ok());
    RC_ASSERT(restore_exact(documents, "T0", read.object, written.inexact) ==
              written.inexact.size());
    RC_ASSERT(identical(Value(read.object), Value(object)));

    // Changing it to what it says changes no byte.
    const WrittenDocument same = update_document(documents, "T0", object, written.bson).value();
    RC_ASSERT(same.bson == written.bson);
    RC_ASSERT(same.inexact.size() == written.inexact.size());

    // Changing it into another object gives that object.
    Object other = any_object(documents.schema, documents.schema.classes()[0]);
    other.fields.set("_id", *object.fields.find("_id"));
    const WrittenDocument changed = update_document(documents, "T0", other, written.bson).value();
    ReadDocument again = document_to_object(documents, "T0", changed.bson);
    RC_ASSERT(again.ok());
    restore_exact(documents, "T0", again.object, changed.inexact);
    RC_ASSERT(identical(Value(again.object), Value(other)));
}

} // namespace
} // namespace tombolo::schema
