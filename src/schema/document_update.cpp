// Whole documents: new ones, changed ones, and the sidecar of what BSON cannot hold.

#include "core/check.hpp"
#include "schema/document.hpp"
#include "schema/document_reader.hpp"
#include "schema/document_writer.hpp"

namespace tombolo::schema {

namespace {

const ClassSchema& class_of(const DocumentSchema& documents, std::string_view class_name) {
    const ClassSchema* class_schema = documents.schema.find(class_name);
    TOMBOLO_CHECK(class_schema != nullptr);
    return *class_schema;
}

Result<WrittenDocument> write(const DocumentSchema& documents, std::string_view class_name,
                              const Object& object, const bson_iter_t* previous) {
    const ClassSchema& class_schema = class_of(documents, class_name);
    WrittenDocument result;
    BsonDocument bson;
    TOMBOLO_TRY_VOID(DocumentWriter(documents, class_schema, result.inexact)
                         .write_fields(bson.get(), class_schema, object, previous));
    TOMBOLO_TRY(result.bson, bson.take_bytes());
    return result;
}

// A value inside an object, with the property that says what it may be.
struct Place {
    Value* value = nullptr;
    const Property* property = nullptr;
    bool element = false; ///< of the property's collection
    bool in_mixed = false;
};

Place step_into(const DocumentSchema& documents, const Place& from, const PathElement& step) {
    Place to = from;
    to.value = nullptr;
    if (List* list = from.value->get_if<List>()) {
        const auto* index = std::get_if<std::uint32_t>(&step);
        if (index != nullptr && *index < list->elements.size()) {
            to.value = &list->elements[*index];
        }
    } else if (const std::string* name = std::get_if<std::string>(&step)) {
        if (Dictionary* dictionary = from.value->get_if<Dictionary>()) {
            to.value = dictionary->find(*name);
        } else if (Object* object = from.value->get_if<Object>()) {
            to.value = object->fields.find(*name);
            to.property = documents.schema.find(from.property->target, *name);
            to.element = false;
            return to.property == nullptr ? Place{} : to;
        }
    }
    to.in_mixed = from.in_mixed || (from.property->type == PropertyType::mixed &&
                                    (from.element || !from.property->is_collection()));
    to.element = from.property->is_collection();
    return to;
}

Place find_place(const DocumentSchema& documents, const ClassSchema& class_schema, Object& object,
                 const FieldPath& path) {
    if (path.empty()) {
        return {};
    }
    const std::string* name = std::get_if<std::string>(&path.front());
    if (name == nullptr) {
        return {};
    }
    Place place;
    place.value = object.fields.find(*name);
    place.property = class_schema.find(*name);
    for (std::size_t i = 1; i < path.size() && place.value != nullptr; ++i) {
        if (place.property == nullptr) {
            return {};
        }
        place = step_into(documents, place, path[i]);
    }
    return place.property == nullptr ? Place{} : place;
}

// What the value reads as once it was written where `place` is: null stands for "nothing".
Value project(const DocumentSchema& documents, const ClassSchema& class_schema, const Place& place,
              const Value& exact) {
    Property property = *place.property;
    property.name.assign(1, 'v'); // from a literal g++ 12 sees an overlap
    property.primary_key = false;
    if (place.in_mixed) {
        property.type = PropertyType::mixed;
    }
    if (place.element || place.in_mixed) {
        property.collection = CollectionKind::none;
    }
    std::vector<InexactValue> ignored;
    BsonDocument bson;
    bson_iter_t iter;
    if (!DocumentWriter(documents, class_schema, ignored)
             .write_property(bson.get(), property, exact, nullptr) ||
        !bson_iter_init(&iter, bson.get()) || !bson_iter_next(&iter)) {
        return {};
    }
    ReadDocument read;
    const ReadOptions options;
    return DocumentReader(documents, class_schema, options, read)
        .read_property(property, iter)
        .value_or(Value());
}

} // namespace

Result<WrittenDocument> object_to_document(const DocumentSchema& documents,
                                           std::string_view class_name, const Object& object) {
    return write(documents, class_name, object, nullptr);
}

Result<WrittenDocument> update_document(const DocumentSchema& documents,
                                        std::string_view class_name, const Object& object,
                                        ByteView previous) {
    bson_t document;
    bson_iter_t iter;
    if (!open_bson(previous, document) || !bson_iter_init(&iter, &document)) {
        return Error(ErrorCode::bad_bson, "the document to change is not BSON");
    }
    return write(documents, class_name, object, &iter);
}

std::size_t restore_exact(const DocumentSchema& documents, std::string_view class_name,
                          Object& object, std::span<const InexactValue> inexact) {
    const ClassSchema& class_schema = class_of(documents, class_name);
    std::size_t restored = 0;
    for (const InexactValue& entry : inexact) {
        const Place place = find_place(documents, class_schema, object, entry.path);
        if (place.value != nullptr &&
            identical(project(documents, class_schema, place, entry.exact), *place.value)) {
            *place.value = entry.exact;
            ++restored;
        }
    }
    return restored;
}

} // namespace tombolo::schema
