#include "schema/document_writer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/check.hpp"
#include "core/limits.hpp"
#include "schema/default_value.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {

namespace {

int length_of(std::string_view text) noexcept {
    return static_cast<int>(text.size());
}

// Pushes one step of a path for the time it lives.
class Step {
  public:
    Step(FieldPath& path, const std::string& name) : path_(path) { path_.emplace_back(name); }
    Step(FieldPath& path, std::uint32_t index) : path_(path) { path_.emplace_back(index); }
    ~Step() { path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

  private:
    FieldPath& path_;
};

class Level {
  public:
    explicit Level(std::size_t& depth) : depth_(depth) { ++depth_; }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    bool ok() const noexcept { return depth_ <= limits::collection_depth_max; }

  private:
    std::size_t& depth_;
};

// The decimal text of an array index, as arrays name their elements.
class IndexKey {
  public:
    explicit IndexKey(std::uint32_t index) {
        const char* text = nullptr;
        const std::size_t length =
            bson_uint32_to_string(index, &text, buffer_.data(), buffer_.size());
        key_ = {text, length};
    }
    std::string_view text() const noexcept { return key_; }

  private:
    std::array<char, 16> buffer_{};
    std::string_view key_;
};

bool is_reference_like(const Dictionary& dictionary) noexcept {
    const Value* ref = dictionary.find("$ref");
    return ref != nullptr && ref->type() == ValueType::string && dictionary.find("$id") != nullptr;
}

// Does the value, itself or below, read back as another one inside Mixed or a property of its type?
bool is_exact_scalar(const Value& value, bool in_mixed) {
    if (const Timestamp* time = value.get_if<Timestamp>()) {
        return Timestamp::from_unix_ms(time->to_unix_ms()) == *time;
    }
    if (const float* number = value.get_if<float>()) {
        const auto back = static_cast<float>(static_cast<double>(*number));
        return !in_mixed &&
               std::bit_cast<std::uint32_t>(back) == std::bit_cast<std::uint32_t>(*number);
    }
    return true;
}

} // namespace

Result<std::vector<std::byte>> BsonDocument::take_bytes() const {
    if (bson_.len > limits::document_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     "the document has " + std::to_string(bson_.len) + " bytes; at most " +
                         std::to_string(limits::document_bytes_max) + " can be stored");
    }
    const auto* data = reinterpret_cast<const std::byte*>(bson_get_data(&bson_));
    return std::vector<std::byte>(data, data + bson_.len);
}

Error DocumentWriter::error(std::string message) const {
    return Error(ErrorCode::invalid_document, std::move(message), to_text(path_));
}

Result<void> DocumentWriter::write_fields(bson_t* out, const ClassSchema& class_schema,
                                          const Object& object, const bson_iter_t* previous) {
    std::vector<bool> written(class_schema.properties().size(), false);
    if (previous != nullptr) {
        TOMBOLO_TRY_VOID(write_previous(out, class_schema, object, *previous, written));
    }
    for (const bool keys : {true, false}) {
        for (std::size_t i = 0; i < written.size(); ++i) {
            const Property& property = class_schema.properties()[i];
            if (property.primary_key == keys && !property.is_computed() && !written[i]) {
                const Step step(path_, property.name);
                TOMBOLO_TRY_VOID(write_new(out, property, object, previous != nullptr));
            }
        }
    }
    return {};
}

// The fields of the document to change, in their order, each as it was or with its new value.
Result<void> DocumentWriter::write_previous(bson_t* out, const ClassSchema& class_schema,
                                            const Object& object, const bson_iter_t& previous,
                                            std::vector<bool>& written) {
    bson_iter_t iter = previous;
    while (bson_iter_next(&iter)) {
        const std::string_view key(bson_iter_key(&iter), bson_iter_key_len(&iter));
        const Property* property = class_schema.find(key);
        const bool mapped = property != nullptr && !property->is_computed();
        const Value* value = mapped ? object.fields.find(key) : nullptr;
        if (mapped) {
            const auto position =
                static_cast<std::size_t>(property - class_schema.properties().data());
            if (written[position]) {
                continue;
            }
            written[position] = true;
        }
        if (value == nullptr) {
            if (!bson_append_iter(out, key.data(), length_of(key), &iter)) {
                return error("the document is too large");
            }
            continue;
        }
        const Step step(path_, std::string(key));
        if (reads_as(*property, iter, *value) &&
            bson_append_iter(out, key.data(), length_of(key), &iter)) {
            continue;
        }
        TOMBOLO_TRY_VOID(write_property(out, *property, *value, &iter));
    }
    if (iter.err_off != 0) {
        return Error(ErrorCode::bad_bson, "the document to change is damaged", to_text(path_));
    }
    return {};
}

// A field that the document does not have. A changed document does not get fields that say what
// their absence says.
Result<void> DocumentWriter::write_new(bson_t* out, const Property& property, const Object& object,
                                       bool changing) {
    if (const Value* value = object.fields.find(property.name)) {
        const bool absence_says_it =
            property.nullable || property.is_collection()
                ? identical(*value, zero_value(property))
                : !value->is_null() && identical(*value, property.default_value);
        if (changing && absence_says_it && !property.primary_key) {
            return {};
        }
        return write_property(out, property, *value, nullptr);
    }
    if (property.primary_key && path_.size() == 1) {
        return error("the object has no value for its primary key");
    }
    if (property.nullable || property.is_collection()) {
        return {};
    }
    const Value value =
        property.default_value.is_null() ? zero_value(property) : property.default_value;
    return write_property(out, property, value, nullptr);
}

Result<void> DocumentWriter::write_property(bson_t* out, const Property& property,
                                            const Value& value, const bson_iter_t* previous) {
    const auto wrong = [&]() {
        return error("expected " + type_text(property) + ", found " +
                     std::string(tombolo::type_name(value.type())));
    };
    switch (property.collection) {
    case CollectionKind::none:
        if (value.is_null() && (property.nullable || property.type == PropertyType::mixed) &&
            !property.primary_key) {
            return {};
        }
        return write_element(out, property.name, property, value, previous);
    case CollectionKind::list:
        if (const List* list = value.get_if<List>()) {
            return write_elements(out, property.name, &property, list->elements, previous);
        }
        return wrong();
    case CollectionKind::set:
        return value.type() == ValueType::set ? write_set(out, property, value) : wrong();
    case CollectionKind::dictionary:
        return value.type() == ValueType::dictionary
                   ? write_dictionary(out, property.name, &property, value, previous)
                   : wrong();
    }
    return {};
}

Result<void> DocumentWriter::write_element(bson_t* out, std::string_view key,
                                           const Property& property, const Value& value,
                                           const bson_iter_t* previous) {
    if (property.type == PropertyType::mixed) {
        return write_mixed(out, key, value);
    }
    const ClassSchema* target =
        property.is_link() ? documents_.schema.find(property.target) : nullptr;
    if (target != nullptr && target->is_embedded()) {
        if (const Object* object = value.get_if<Object>()) {
            return write_embedded(out, key, *target, *object, previous);
        }
    } else if (const Link* link = value.link();
               link != nullptr && link->class_name == property.target && target != nullptr) {
        const Property* key_property = target->primary_key();
        // The null key reads as null, except where elements cannot be null.
        const bool null_is_null = property.collection == CollectionKind::none ||
                                  property.collection == CollectionKind::dictionary;
        if (link->key.index() == 0 && null_is_null) {
            note_inexact(value);
        }
        return write_key(out, key, link->key,
                         key_property != nullptr && key_property->int32_in_documents);
    } else if (!property.is_link() && !value.is_null() && value.is_scalar() &&
               property_type_of(value.type()) == property.type) {
        if (!is_exact_scalar(value, false) && property.collection != CollectionKind::set) {
            note_inexact(value);
        }
        return write_scalar(out, key, value, property.int32_in_documents);
    }
    if (value.is_null() && property.nullable) {
        return write_scalar(out, key, value, false);
    }
    Property element = property;
    element.collection = CollectionKind::none;
    return error("expected " + type_text(element) + ", found " +
                 std::string(tombolo::type_name(value.type())));
}

Result<void> DocumentWriter::write_embedded(bson_t* out, std::string_view key,
                                            const ClassSchema& class_schema, const Object& object,
                                            const bson_iter_t* previous) {
    const Level level(depth_);
    if (!level.ok()) {
        return Error(ErrorCode::limit_exceeded, "embedded objects are nested too deep",
                     to_text(path_));
    }
    bson_iter_t fields;
    const bool has_previous = previous != nullptr && BSON_ITER_HOLDS_DOCUMENT(previous) &&
                              bson_iter_recurse(previous, &fields);
    bson_t child;
    if (!bson_append_document_begin(out, key.data(), length_of(key), &child)) {
        return error("the document is too large");
    }
    Result<void> result =
        write_fields(&child, class_schema, object, has_previous ? &fields : nullptr);
    bson_append_document_end(out, &child);
    return result;
}

// Would reading the field as it stands give this very value? Then its bytes stay.
bool DocumentWriter::reads_as(const Property& property, const bson_iter_t& previous,
                              const Value& value) const {
    ReadDocument read;
    const ReadOptions options;
    const std::optional<Value> before =
        DocumentReader(documents_, root_, options, read).read_property(property, previous);
    return read.ok() && before && identical(*before, value);
}

// Which old element each new one of a list of embedded objects continues, so that fields outside
// the schema stay with theirs: by position when the length is the same, else what is equal from
// both ends.
std::vector<const DocumentWriter::OldElement*>
DocumentWriter::match_previous(const Property& property, const std::vector<Value>& elements,
                               const std::vector<OldElement>& previous) const {
    std::vector<const OldElement*> matches(elements.size(), nullptr);
    if (elements.size() == previous.size()) {
        for (std::size_t i = 0; i < previous.size(); ++i) {
            matches[i] = &previous[i];
        }
        return matches;
    }
    Property single = property;
    single.collection = CollectionKind::none;
    const std::size_t shorter = std::min(elements.size(), previous.size());
    std::size_t front = 0;
    while (front < shorter && reads_as(single, previous[front].iter, elements[front])) {
        matches[front] = &previous[front];
        ++front;
    }
    for (std::size_t back = 1; back <= shorter - front; ++back) {
        const OldElement& old = previous[previous.size() - back];
        if (!reads_as(single, old.iter, elements[elements.size() - back])) {
            break;
        }
        matches[elements.size() - back] = &old;
    }
    return matches;
}

Result<void> DocumentWriter::write_elements(bson_t* out, std::string_view key,
                                            const Property* property,
                                            const std::vector<Value>& elements,
                                            const bson_iter_t* previous) {
    const Level level(property == nullptr ? mixed_depth_ : depth_);
    if (!level.ok()) {
        return Error(ErrorCode::limit_exceeded,
                     "collections are nested deeper than " +
                         std::to_string(limits::collection_depth_max) + " levels",
                     to_text(path_));
    }
    std::vector<OldElement> old;
    std::vector<const OldElement*> matches(elements.size(), nullptr);
    bson_iter_t iter;
    if (property != nullptr && documents_.schema.is_embedded_place(*property) &&
        previous != nullptr && BSON_ITER_HOLDS_ARRAY(previous) &&
        bson_iter_recurse(previous, &iter)) {
        while (bson_iter_next(&iter)) {
            old.push_back({iter});
        }
        matches = match_previous(*property, elements, old);
    }
    bson_t child;
    if (!bson_append_array_begin(out, key.data(), length_of(key), &child)) {
        return error("the document is too large");
    }
    Result<void> result;
    for (std::uint32_t index = 0; index < elements.size() && result; ++index) {
        const Step step(path_, index);
        const IndexKey index_key(index);
        result = property == nullptr
                     ? write_mixed(&child, index_key.text(), elements[index])
                     : write_element(&child, index_key.text(), *property, elements[index],
                                     matches[index] == nullptr ? nullptr : &matches[index]->iter);
    }
    bson_append_array_end(out, &child);
    return result;
}

Result<void> DocumentWriter::write_set(bson_t* out, const Property& property, const Value& value) {
    const std::vector<Value>& elements = value.get_if<Set>()->elements();
    const std::size_t inexact_before = inexact_.size();
    TOMBOLO_TRY_VOID(write_elements(out, property.name, &property, elements, nullptr));
    bool exact = inexact_.size() == inexact_before;
    for (const Value& element : elements) {
        exact = exact && is_exact_scalar(element, property.type == PropertyType::mixed);
    }
    inexact_.resize(inexact_before);
    if (!exact) {
        note_inexact(value);
    }
    return {};
}

Result<void> DocumentWriter::write_dictionary(bson_t* out, std::string_view key,
                                              const Property* property, const Value& value,
                                              const bson_iter_t* previous) {
    const Level level(property == nullptr ? mixed_depth_ : depth_);
    if (!level.ok()) {
        return Error(ErrorCode::limit_exceeded,
                     "collections are nested deeper than " +
                         std::to_string(limits::collection_depth_max) + " levels",
                     to_text(path_));
    }
    const Dictionary& dictionary = *value.get_if<Dictionary>();
    const std::size_t inexact_before = inexact_.size();
    bson_iter_t old;
    const bool has_previous = property != nullptr && previous != nullptr &&
                              documents_.schema.is_embedded_place(*property) &&
                              BSON_ITER_HOLDS_DOCUMENT(previous);
    bson_t child;
    if (!bson_append_document_begin(out, key.data(), length_of(key), &child)) {
        return error("the document is too large");
    }
    Result<void> result;
    for (const auto& [name, element] : dictionary.entries()) {
        const Step step(path_, name);
        if (name.find('\0') != std::string::npos || !is_utf8(name)) {
            result = error("a dictionary key holds NUL or is not valid UTF-8");
        } else if (property == nullptr) {
            result = write_mixed(&child, name, element);
        } else {
            const bool found = has_previous && bson_iter_recurse(previous, &old) &&
                               bson_iter_find_w_len(&old, name.data(), length_of(name));
            result = write_element(&child, name, *property, element, found ? &old : nullptr);
        }
        if (!result) {
            break;
        }
    }
    bson_append_document_end(out, &child);
    if (result && property == nullptr && is_reference_like(dictionary)) {
        inexact_.resize(inexact_before);
        note_inexact(value);
    }
    return result;
}

Result<void> DocumentWriter::write_mixed(bson_t* out, std::string_view key, const Value& value) {
    switch (value.type()) {
    case ValueType::list:
        return write_elements(out, key, nullptr, value.get_if<List>()->elements, nullptr);
    case ValueType::dictionary:
        return write_dictionary(out, key, nullptr, value, nullptr);
    case ValueType::link:
        return write_reference(out, key, *value.link());
    case ValueType::set:
    case ValueType::object:
        return error("a Mixed cannot hold " + std::string(tombolo::type_name(value.type())));
    default:
        if (!is_exact_scalar(value, true)) {
            note_inexact(value);
        }
        return write_scalar(out, key, value, false);
    }
}

Result<void> DocumentWriter::write_reference(bson_t* out, std::string_view key, const Link& link) {
    const auto place = documents_.places.find(link.class_name);
    const ClassSchema* target = documents_.schema.find(link.class_name);
    if (place == documents_.places.end() || target == nullptr || target->primary_key() == nullptr) {
        return error("a link to class '" + link.class_name + "', which is stored nowhere");
    }
    const Namespace& at = place->second;
    bson_t child;
    bool good =
        bson_append_document_begin(out, key.data(), length_of(key), &child) &&
        bson_append_utf8(&child, "$ref", -1, at.collection.data(), length_of(at.collection));
    if (!good) {
        return error("the document is too large");
    }
    Result<void> result =
        write_key(&child, "$id", link.key, target->primary_key()->int32_in_documents);
    good = bson_append_utf8(&child, "$db", -1, at.database.data(), length_of(at.database)) &&
           bson_append_document_end(out, &child);
    return good ? result : error("the document is too large");
}

Result<void> DocumentWriter::write_key(bson_t* out, std::string_view key,
                                       const PrimaryKey& primary_key, bool int32) {
    if (const auto* number = std::get_if<std::int64_t>(&primary_key)) {
        return write_scalar(out, key, Value(*number), int32);
    }
    if (const auto* text = std::get_if<std::string>(&primary_key)) {
        return write_scalar(out, key, Value(*text), false);
    }
    if (const auto* id = std::get_if<ObjectId>(&primary_key)) {
        return write_scalar(out, key, Value(*id), false);
    }
    if (const auto* id = std::get_if<Uuid>(&primary_key)) {
        return write_scalar(out, key, Value(*id), false);
    }
    if (primary_key.index() == 0) {
        return write_scalar(out, key, Value(), false);
    }
    return error("a link to an object without primary key cannot be stored");
}

Result<void> DocumentWriter::write_scalar(bson_t* out, std::string_view key, const Value& value,
                                          bool int32) {
    const char* name = key.data();
    const int length = length_of(key);
    bool good = false;
    switch (value.type()) {
    case ValueType::null:
        good = bson_append_null(out, name, length);
        break;
    case ValueType::integer: {
        const std::int64_t number = *value.get_if<std::int64_t>();
        const auto narrow = static_cast<std::int32_t>(number);
        good = int32 && narrow == number ? bson_append_int32(out, name, length, narrow)
                                         : bson_append_int64(out, name, length, number);
        break;
    }
    case ValueType::boolean:
        good = bson_append_bool(out, name, length, *value.get_if<bool>());
        break;
    case ValueType::string: {
        const std::string& text = *value.get_if<std::string>();
        if (!is_utf8(text)) {
            return Error(ErrorCode::bad_utf8, "a string is not valid UTF-8", to_text(path_));
        }
        good = bson_append_utf8(out, name, length, text.data(), length_of(text));
        break;
    }
    case ValueType::binary: {
        const std::vector<std::byte>& bytes = value.get_if<Binary>()->bytes;
        static constexpr std::uint8_t nothing = 0; // libbson takes no null pointer
        good = bson_append_binary(
            out, name, length, BSON_SUBTYPE_BINARY,
            bytes.empty() ? &nothing : reinterpret_cast<const std::uint8_t*>(bytes.data()),
            static_cast<std::uint32_t>(bytes.size()));
        break;
    }
    case ValueType::timestamp:
        good = bson_append_date_time(out, name, length, value.get_if<Timestamp>()->to_unix_ms());
        break;
    case ValueType::float32:
        good = bson_append_double(out, name, length, static_cast<double>(*value.get_if<float>()));
        break;
    case ValueType::float64:
        good = bson_append_double(out, name, length, *value.get_if<double>());
        break;
    case ValueType::decimal128: {
        const Decimal128& number = *value.get_if<Decimal128>();
        bson_decimal128_t decimal;
        decimal.high = number.high;
        decimal.low = number.low;
        good = bson_append_decimal128(out, name, length, &decimal);
        break;
    }
    case ValueType::object_id: {
        bson_oid_t id;
        std::memcpy(id.bytes, value.get_if<ObjectId>()->bytes.data(), sizeof(id.bytes));
        good = bson_append_oid(out, name, length, &id);
        break;
    }
    case ValueType::uuid:
        good = bson_append_binary(
            out, name, length, BSON_SUBTYPE_UUID,
            reinterpret_cast<const std::uint8_t*>(value.get_if<Uuid>()->bytes.data()), 16);
        break;
    default:
        return error("a collection stands where one value is expected");
    }
    return good ? Result<void>() : error("the document is too large");
}

} // namespace tombolo::schema
