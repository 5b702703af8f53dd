#include "query/bson_documents.hpp"

#include <cstring>

#include <bson/bson.h>

namespace tombolo::query::test {
namespace {

using schema::Property;
using schema::PropertyType;

void append(bson_t* out, const std::string& name, const Value& value, bool mixed);

int length_of(const std::string& text) {
    return static_cast<int>(text.size());
}

void append_key(bson_t* out, const std::string& name, const PrimaryKey& key) {
    if (const auto* integer = std::get_if<std::int64_t>(&key)) {
        append(out, name, Value(*integer), false);
    } else if (const auto* text = std::get_if<std::string>(&key)) {
        append(out, name, Value(*text), false);
    } else if (const auto* id = std::get_if<ObjectId>(&key)) {
        append(out, name, Value(*id), false);
    } else if (const auto* uuid = std::get_if<Uuid>(&key)) {
        append(out, name, Value(*uuid), false);
    } else {
        append(out, name, Value(), false);
    }
}

void append_elements(bson_t* out, const std::vector<Value>& elements, bool mixed) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
        append(out, std::to_string(i), elements[i], mixed);
    }
}

void append_entries(bson_t* out, const Dictionary& dictionary, bool mixed) {
    for (const auto& [key, value] : dictionary.entries()) {
        append(out, key, value, mixed);
    }
}

void append_binary(bson_t* out, const std::string& name, bson_subtype_t subtype,
                   std::span<const std::byte> bytes) {
    bson_append_binary(out, name.c_str(), length_of(name), subtype,
                       reinterpret_cast<const std::uint8_t*>(bytes.data()),
                       static_cast<std::uint32_t>(bytes.size()));
}

void append_link(bson_t* out, const std::string& name, const Link& link, bool mixed) {
    if (!mixed) {
        append_key(out, name, link.key);
        return;
    }
    bson_t reference;
    bson_append_document_begin(out, name.c_str(), length_of(name), &reference);
    append(&reference, "$ref", Value(link.class_name), false);
    append_key(&reference, "$id", link.key);
    bson_append_document_end(out, &reference);
}

void append_scalar_value(bson_t* out, const std::string& name, const Value& value, bool mixed) {
    const char* key = name.c_str();
    const int length = length_of(name);
    switch (value.type()) {
    case ValueType::integer: {
        const std::int64_t number = *value.get_if<std::int64_t>();
        // Both widths occur in documents.
        if (number % 2 == 0 && number > -1000 && number < 1000) {
            bson_append_int32(out, key, length, static_cast<std::int32_t>(number));
        } else {
            bson_append_int64(out, key, length, number);
        }
        break;
    }
    case ValueType::boolean:
        bson_append_bool(out, key, length, *value.get_if<bool>());
        break;
    case ValueType::string: {
        const std::string& text = *value.get_if<std::string>();
        bson_append_utf8(out, key, length, text.data(), length_of(text));
        break;
    }
    case ValueType::binary:
        append_binary(out, name, BSON_SUBTYPE_BINARY, value.get_if<Binary>()->bytes);
        break;
    case ValueType::timestamp:
        bson_append_date_time(out, key, length, value.get_if<Timestamp>()->to_unix_ms());
        break;
    case ValueType::float32:
        bson_append_double(out, key, length, static_cast<double>(*value.get_if<float>()));
        break;
    case ValueType::float64:
        bson_append_double(out, key, length, *value.get_if<double>());
        break;
    case ValueType::decimal128: {
        bson_decimal128_t decimal;
        decimal.high = value.get_if<Decimal128>()->high;
        decimal.low = value.get_if<Decimal128>()->low;
        bson_append_decimal128(out, key, length, &decimal);
        break;
    }
    case ValueType::link:
        append_link(out, name, *value.link(), mixed);
        break;
    case ValueType::object_id: {
        bson_oid_t id;
        std::memcpy(id.bytes, value.get_if<ObjectId>()->bytes.data(), 12);
        bson_append_oid(out, key, length, &id);
        break;
    }
    case ValueType::uuid:
        append_binary(out, name, BSON_SUBTYPE_UUID, value.get_if<Uuid>()->bytes);
        break;
    default:
        bson_append_null(out, key, length);
    }
}

void append(bson_t* out, const std::string& name, const Value& value, bool mixed) {
    const char* key = name.c_str();
    const int length = length_of(name);
    bson_t inner;
    if (const List* list = value.get_if<List>()) {
        bson_append_array_begin(out, key, length, &inner);
        append_elements(&inner, list->elements, mixed);
        bson_append_array_end(out, &inner);
    } else if (const Set* set = value.get_if<Set>()) {
        bson_append_array_begin(out, key, length, &inner);
        append_elements(&inner, set->elements(), mixed);
        bson_append_array_end(out, &inner);
    } else if (const Dictionary* dictionary = value.get_if<Dictionary>()) {
        bson_append_document_begin(out, key, length, &inner);
        append_entries(&inner, *dictionary, mixed);
        bson_append_document_end(out, &inner);
    } else if (const Object* object = value.get_if<Object>()) {
        bson_append_document_begin(out, key, length, &inner);
        append_entries(&inner, object->fields, false);
        bson_append_document_end(out, &inner);
    } else {
        append_scalar_value(out, name, value, mixed);
    }
}

} // namespace

std::vector<std::byte> encode_document(const ObjectRef& object) {
    bson_t document = BSON_INITIALIZER;
    for (const Property& property : object.object_class->properties()) {
        if (const Value* value = object.fields->fields.find(property.name)) {
            append(&document, property.name, *value, property.type == PropertyType::mixed);
        }
    }
    const auto* data = reinterpret_cast<const std::byte*>(bson_get_data(&document));
    std::vector<std::byte> out(data, data + document.len);
    bson_destroy(&document);
    return out;
}

DocumentStore::DocumentStore(const ObjectStore& store) {
    for (const schema::ClassSchema& object_class : store.schema().classes()) {
        for (const ObjectRef& object : store.objects(object_class.name())) {
            documents_[object_class.name()].push_back(encode_document(object));
        }
    }
}

ByteView DocumentStore::document(std::string_view class_name, const PrimaryKeyView& key) const {
    for (const auto& document : documents(class_name)) {
        if (primary_key_of(ByteView(document)) == key) {
            return document;
        }
    }
    return {};
}

bool DocumentStore::for_each(std::string_view class_name, FunctionRef<bool(ByteView)> f) const {
    for (const auto& document : documents(class_name)) {
        if (!f(document)) {
            return false;
        }
    }
    return true;
}

const std::vector<std::vector<std::byte>>&
DocumentStore::documents(std::string_view class_name) const {
    static const std::vector<std::vector<std::byte>> none;
    const auto found = documents_.find(class_name);
    return found == documents_.end() ? none : found->second;
}

} // namespace tombolo::query::test
