#include "schema/document_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.hpp"
#include "core/limits.hpp"
#include "schema/default_value.hpp"

namespace tombolo::schema {

namespace {

// Enters a level of nesting; ok() is false when it is one too many.
class Level {
  public:
    Level(std::size_t& depth, std::size_t limit) : depth_(depth), ok_(depth < limit) { ++depth_; }
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    bool ok() const noexcept { return ok_; }

  private:
    std::size_t& depth_;
    bool ok_;
};

bool is_nullish(const bson_iter_t& iter) noexcept {
    const bson_type_t type = bson_iter_type(&iter);
    return type == BSON_TYPE_NULL || type == BSON_TYPE_UNDEFINED;
}

std::string_view key_of(const bson_iter_t& iter) noexcept {
    return {bson_iter_key(&iter), bson_iter_key_len(&iter)};
}

std::string_view text_of(const bson_iter_t& iter) noexcept {
    std::uint32_t length = 0;
    const char* text = bson_iter_utf8(&iter, &length);
    return {text, length};
}

ByteView binary_of(const bson_iter_t& iter, bson_subtype_t& subtype) noexcept {
    std::uint32_t length = 0;
    const std::uint8_t* data = nullptr;
    bson_iter_binary(&iter, &subtype, &length, &data);
    return {reinterpret_cast<const std::byte*>(data), length};
}

ObjectId object_id_of(const bson_iter_t& iter) noexcept {
    ObjectId id;
    std::memcpy(id.bytes.data(), bson_iter_oid(&iter)->bytes, id.bytes.size());
    return id;
}

Decimal128 decimal_of(const bson_iter_t& iter) noexcept {
    bson_decimal128_t decimal;
    bson_iter_decimal128(&iter, &decimal);
    return {decimal.high, decimal.low};
}

Binary to_binary(ByteView bytes) {
    return Binary{{bytes.begin(), bytes.end()}};
}

std::optional<Value> uuid_from(ByteView bytes) {
    if (bytes.size() != 16) {
        return std::nullopt;
    }
    Uuid id;
    std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
    return Value(id);
}

} // namespace

std::string_view bson_type_of(const bson_iter_t& iter) noexcept {
    switch (bson_iter_type(&iter)) {
    case BSON_TYPE_DOUBLE:
        return "double";
    case BSON_TYPE_UTF8:
        return "string";
    case BSON_TYPE_DOCUMENT:
        return "object";
    case BSON_TYPE_ARRAY:
        return "array";
    case BSON_TYPE_BINARY: {
        bson_subtype_t subtype = BSON_SUBTYPE_BINARY;
        binary_of(iter, subtype);
        return subtype == BSON_SUBTYPE_UUID ? "uuid" : "binData";
    }
    case BSON_TYPE_UNDEFINED:
        return "undefined";
    case BSON_TYPE_OID:
        return "objectId";
    case BSON_TYPE_BOOL:
        return "bool";
    case BSON_TYPE_DATE_TIME:
        return "date";
    case BSON_TYPE_NULL:
        return "null";
    case BSON_TYPE_REGEX:
        return "regex";
    case BSON_TYPE_DBPOINTER:
        return "dbPointer";
    case BSON_TYPE_CODE:
        return "javascript";
    case BSON_TYPE_SYMBOL:
        return "symbol";
    case BSON_TYPE_CODEWSCOPE:
        return "javascriptWithScope";
    case BSON_TYPE_INT32:
        return "int";
    case BSON_TYPE_TIMESTAMP:
        return "timestamp";
    case BSON_TYPE_INT64:
        return "long";
    case BSON_TYPE_DECIMAL128:
        return "decimal";
    case BSON_TYPE_MAXKEY:
        return "maxKey";
    case BSON_TYPE_MINKEY:
        return "minKey";
    case BSON_TYPE_EOD:
        break;
    }
    return "unknown";
}

std::optional<PrimaryKey> key_from(const Value& value) {
    if (value.is_null()) {
        return PrimaryKey();
    }
    if (const auto* number = value.get_if<std::int64_t>()) {
        return PrimaryKey(*number);
    }
    if (const auto* text = value.get_if<std::string>()) {
        return PrimaryKey(*text);
    }
    if (const auto* id = value.get_if<ObjectId>()) {
        return PrimaryKey(*id);
    }
    if (const auto* id = value.get_if<Uuid>()) {
        return PrimaryKey(*id);
    }
    return std::nullopt;
}

bool open_bson(ByteView bytes, bson_t& document) noexcept {
    constexpr std::size_t shortest = 5; // length and end mark
    return bytes.size() >= shortest && bytes.size() <= limits::document_bytes_max &&
           bson_init_static(&document, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                            bytes.size());
}

bool looks_like_reference(bson_iter_t document) noexcept {
    bool has_ref = false;
    bool has_id = false;
    while (bson_iter_next(&document)) {
        const std::string_view key = key_of(document);
        has_ref = has_ref || (key == "$ref" && BSON_ITER_HOLDS_UTF8(&document));
        has_id = has_id || key == "$id";
    }
    return has_ref && has_id;
}

void DocumentReader::problem(std::string expected, std::string found) {
    if (result_.problems.size() < ReadDocument::problems_max) {
        result_.problems.push_back({path_, std::move(expected), std::move(found)});
    }
}

std::string DocumentReader::expected_text(const Property& property, bool of_element) const {
    const auto element = [&]() -> std::string {
        if (!property.is_link()) {
            return std::string(property.int32_in_documents ? "int" : bson_type_name(property.type));
        }
        const ClassSchema* target = documents_.schema.find(property.target);
        if (target == nullptr || target->is_embedded() || target->primary_key() == nullptr) {
            return "object (" + property.target + ")";
        }
        return std::string(bson_type_name(target->primary_key()->type)) + " (the key of " +
               property.target + ")";
    };
    switch (of_element ? CollectionKind::none : property.collection) {
    case CollectionKind::list:
    case CollectionKind::set:
        return "array of " + element();
    case CollectionKind::dictionary:
        return "object with values of " + element();
    case CollectionKind::none:
        break;
    }
    return element();
}

std::nullopt_t DocumentReader::mismatch(const Property& property, const bson_iter_t& iter,
                                        bool of_element) {
    problem(expected_text(property, of_element), std::string(bson_type_of(iter)));
    return std::nullopt;
}

std::optional<Value> DocumentReader::read_missing(const Property& property) {
    if (property.is_collection() || property.nullable || property.type == PropertyType::mixed) {
        return zero_value(property);
    }
    if (!property.default_value.is_null()) {
        return property.default_value;
    }
    if (options_.fill_required) {
        return zero_value(property);
    }
    problem(expected_text(property, false), "nothing (the field is required)");
    return std::nullopt;
}

Object DocumentReader::read_fields(const ClassSchema& class_schema, bson_iter_t iter) {
    const std::vector<Property>& properties = class_schema.properties();
    std::vector<std::optional<Value>> values(properties.size());
    std::vector<bool> seen(properties.size(), false);
    while (bson_iter_next(&iter)) {
        const Property* property = class_schema.find(key_of(iter));
        if (property == nullptr || property->is_computed()) {
            continue;
        }
        const auto position = static_cast<std::size_t>(property - properties.data());
        if (is_nullish(iter)) {
            seen[position] = false;
            values[position].reset();
            continue;
        }
        seen[position] = true;
        path_.emplace_back(property->name);
        const std::size_t problems_before = result_.problems.size();
        values[position] = read_property(*property, iter);
        path_.pop_back();
        if (property->was_retyped && result_.problems.size() > problems_before) {
            result_.problems.resize(problems_before);
            values[position].reset();
            seen[position] = false;
        }
    }
    if (iter.err_off != 0) {
        problem("BSON", "damaged bytes");
    }
    std::vector<Dictionary::Entry> fields;
    fields.reserve(properties.size());
    for (std::size_t i = 0; i < properties.size(); ++i) {
        if (properties[i].is_computed()) {
            continue;
        }
        if (!seen[i]) {
            path_.emplace_back(properties[i].name);
            values[i] = read_missing(properties[i]);
            path_.pop_back();
        }
        if (values[i]) {
            fields.emplace_back(properties[i].name, *std::move(values[i]));
        }
    }
    std::sort(fields.begin(), fields.end(),
              [](const auto& left, const auto& right) { return left.first < right.first; });
    Object object;
    object.fields = Dictionary::from_sorted(std::move(fields));
    return object;
}

std::optional<Value> DocumentReader::read_property(const Property& property,
                                                   const bson_iter_t& iter) {
    if (is_nullish(iter)) {
        return read_missing(property);
    }
    switch (property.collection) {
    case CollectionKind::none:
        return read_element(property, iter);
    case CollectionKind::list:
        return BSON_ITER_HOLDS_ARRAY(&iter) ? read_list(&property, iter)
                                            : mismatch(property, iter, false);
    case CollectionKind::set:
        return BSON_ITER_HOLDS_ARRAY(&iter) ? read_set(property, iter)
                                            : mismatch(property, iter, false);
    case CollectionKind::dictionary:
        return BSON_ITER_HOLDS_DOCUMENT(&iter) ? read_dictionary(&property, iter)
                                               : mismatch(property, iter, false);
    }
    return std::nullopt;
}

std::optional<Value> DocumentReader::read_element(const Property& property,
                                                  const bson_iter_t& iter) {
    if (property.type == PropertyType::mixed) {
        return read_mixed(iter);
    }
    if (property.is_link()) {
        return read_link(property, iter);
    }
    if (is_nullish(iter) && property.nullable) {
        return Value();
    }
    std::optional<Value> value = read_scalar(property.type, iter);
    if (!value) {
        mismatch(property, iter, true);
    }
    return value;
}

std::optional<Value> DocumentReader::read_scalar(PropertyType type, const bson_iter_t& iter) {
    const bson_type_t found = bson_iter_type(&iter);
    switch (type) {
    case PropertyType::integer:
        if (found == BSON_TYPE_INT32 || found == BSON_TYPE_INT64) {
            return Value(bson_iter_as_int64(&iter));
        }
        return std::nullopt;
    case PropertyType::boolean:
        return found == BSON_TYPE_BOOL ? std::optional<Value>(Value(bson_iter_bool(&iter)))
                                       : std::nullopt;
    case PropertyType::string:
        return found == BSON_TYPE_UTF8 && is_utf8(text_of(iter))
                   ? std::optional<Value>(Value(text_of(iter)))
                   : std::nullopt;
    case PropertyType::timestamp:
        return found == BSON_TYPE_DATE_TIME
                   ? std::optional<Value>(
                         Value(Timestamp::from_unix_ms(bson_iter_date_time(&iter))))
                   : std::nullopt;
    case PropertyType::float32:
        return found == BSON_TYPE_DOUBLE
                   ? std::optional<Value>(Value(static_cast<float>(bson_iter_double(&iter))))
                   : std::nullopt;
    case PropertyType::float64:
        return found == BSON_TYPE_DOUBLE ? std::optional<Value>(Value(bson_iter_double(&iter)))
                                         : std::nullopt;
    case PropertyType::decimal128:
        return found == BSON_TYPE_DECIMAL128 ? std::optional<Value>(Value(decimal_of(iter)))
                                             : std::nullopt;
    case PropertyType::object_id:
        return found == BSON_TYPE_OID ? std::optional<Value>(Value(object_id_of(iter)))
                                      : std::nullopt;
    case PropertyType::binary:
    case PropertyType::uuid: {
        if (found != BSON_TYPE_BINARY) {
            return std::nullopt;
        }
        bson_subtype_t subtype = BSON_SUBTYPE_BINARY;
        const ByteView bytes = binary_of(iter, subtype);
        if (type == PropertyType::uuid) {
            return subtype == BSON_SUBTYPE_UUID ? uuid_from(bytes) : std::nullopt;
        }
        return subtype == BSON_SUBTYPE_UUID || subtype == BSON_SUBTYPE_UUID_DEPRECATED
                   ? std::nullopt
                   : std::optional<Value>(Value(to_binary(bytes)));
    }
    case PropertyType::mixed:
    case PropertyType::link:
    case PropertyType::linking_objects:
        return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Value> DocumentReader::read_link(const Property& property, const bson_iter_t& iter) {
    const ClassSchema* target = documents_.schema.find(property.target);
    TOMBOLO_CHECK(target != nullptr);
    if (target->is_embedded()) {
        if (is_nullish(iter) && property.collection == CollectionKind::dictionary) {
            return Value();
        }
        if (!BSON_ITER_HOLDS_DOCUMENT(&iter)) {
            return mismatch(property, iter, true);
        }
        const Level level(depth_, limits::document_depth_max);
        bson_iter_t inner;
        if (!level.ok() || !bson_iter_recurse(&iter, &inner)) {
            problem("at most " + std::to_string(limits::collection_depth_max) +
                        " levels of nesting",
                    "more");
            return std::nullopt;
        }
        return Value(read_fields(*target, inner));
    }
    const Property* key_property = target->primary_key();
    TOMBOLO_CHECK(key_property != nullptr);
    if (is_nullish(iter)) {
        if (property.collection == CollectionKind::dictionary) {
            return Value();
        }
        return key_property->nullable
                   ? std::optional<Value>(Value(Link{property.target, PrimaryKey()}))
                   : mismatch(property, iter, true);
    }
    const std::optional<Value> value = read_scalar(key_property->type, iter);
    if (!value) {
        return mismatch(property, iter, true);
    }
    return Value(Link{property.target, key_from(*value).value()});
}

std::optional<Value> DocumentReader::read_mixed(const bson_iter_t& iter) {
    switch (bson_iter_type(&iter)) {
    case BSON_TYPE_NULL:
    case BSON_TYPE_UNDEFINED:
        return Value();
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
        return Value(bson_iter_as_int64(&iter));
    case BSON_TYPE_BOOL:
        return Value(bson_iter_bool(&iter));
    case BSON_TYPE_UTF8:
        if (!is_utf8(text_of(iter))) {
            problem("valid UTF-8", "other bytes");
            return std::nullopt;
        }
        return Value(text_of(iter));
    case BSON_TYPE_DATE_TIME:
        return Value(Timestamp::from_unix_ms(bson_iter_date_time(&iter)));
    case BSON_TYPE_DOUBLE:
        return Value(bson_iter_double(&iter));
    case BSON_TYPE_DECIMAL128:
        return Value(decimal_of(iter));
    case BSON_TYPE_OID:
        return Value(object_id_of(iter));
    case BSON_TYPE_BINARY: {
        bson_subtype_t subtype = BSON_SUBTYPE_BINARY;
        const ByteView bytes = binary_of(iter, subtype);
        if (std::optional<Value> id = uuid_from(bytes); id && subtype == BSON_SUBTYPE_UUID) {
            return id;
        }
        return Value(to_binary(bytes));
    }
    case BSON_TYPE_ARRAY:
        return read_list(nullptr, iter);
    case BSON_TYPE_DOCUMENT: {
        bson_iter_t inner;
        if (bson_iter_recurse(&iter, &inner) && looks_like_reference(inner)) {
            return read_reference(inner);
        }
        return read_dictionary(nullptr, iter);
    }
    default:
        problem("a value that mixed can hold", std::string(bson_type_of(iter)));
        return std::nullopt;
    }
}

std::optional<Value> DocumentReader::read_reference(const bson_iter_t& document) {
    std::string_view collection;
    std::string_view database;
    bson_iter_t key{};
    bson_iter_t iter = document;
    while (bson_iter_next(&iter)) {
        const std::string_view name = key_of(iter);
        if (name == "$ref" && BSON_ITER_HOLDS_UTF8(&iter)) {
            collection = text_of(iter);
        } else if (name == "$db" && BSON_ITER_HOLDS_UTF8(&iter)) {
            database = text_of(iter);
        } else if (name == "$id") {
            key = iter;
        }
    }
    if (database.empty()) {
        const auto own = documents_.places.find(root_.name());
        database = own == documents_.places.end() ? std::string_view() : own->second.database;
    }
    const ClassSchema* target = documents_.class_at(database, collection);
    const Property* key_property = target == nullptr ? nullptr : target->primary_key();
    if (key_property != nullptr) {
        if (is_nullish(key) && key_property->nullable) {
            return Value(Link{target->name(), PrimaryKey()});
        }
        if (const std::optional<Value> value = read_scalar(key_property->type, key)) {
            return Value(Link{target->name(), key_from(*value).value()});
        }
    }
    if (result_.unresolved.size() < ReadDocument::problems_max) {
        result_.unresolved.push_back(path_);
    }
    return Value();
}

// `property` is null for a list inside Mixed; so below.
std::optional<Value> DocumentReader::read_list(const Property* property, const bson_iter_t& iter) {
    const Level level(property == nullptr ? mixed_depth_ : depth_, limits::collection_depth_max);
    bson_iter_t inner;
    if (!level.ok() || !bson_iter_recurse(&iter, &inner)) {
        problem("at most " + std::to_string(limits::collection_depth_max) + " levels of nesting",
                "more");
        return std::nullopt;
    }
    List list;
    bool good = true;
    for (std::uint32_t index = 0; bson_iter_next(&inner); ++index) {
        path_.emplace_back(index);
        std::optional<Value> element =
            property == nullptr ? read_mixed(inner) : read_element(*property, inner);
        path_.pop_back();
        good = good && element.has_value();
        if (good) {
            list.elements.push_back(*std::move(element));
        }
    }
    if (inner.err_off != 0) {
        problem("BSON", "damaged bytes");
        return std::nullopt;
    }
    return good ? std::optional<Value>(Value(std::move(list))) : std::nullopt;
}

std::optional<Value> DocumentReader::read_set(const Property& property, const bson_iter_t& iter) {
    std::optional<Value> value = read_list(&property, iter);
    if (!value) {
        return std::nullopt;
    }
    std::vector<Value>& elements = value->get_if<List>()->elements;
    for (const Value& element : elements) {
        if (!element.is_scalar()) {
            problem("scalars in a set", "a collection");
            return std::nullopt;
        }
    }
    // In order each element is appended; of equal ones the first stays.
    std::stable_sort(elements.begin(), elements.end(), [](const Value& left, const Value& right) {
        return compare(left, right) < 0;
    });
    Set set;
    for (Value& element : elements) {
        set.insert(std::move(element));
    }
    return Value(std::move(set));
}

std::optional<Value> DocumentReader::read_dictionary(const Property* property,
                                                     const bson_iter_t& iter) {
    const Level level(property == nullptr ? mixed_depth_ : depth_, limits::collection_depth_max);
    bson_iter_t inner;
    if (!level.ok() || !bson_iter_recurse(&iter, &inner)) {
        problem("at most " + std::to_string(limits::collection_depth_max) + " levels of nesting",
                "more");
        return std::nullopt;
    }
    std::vector<Dictionary::Entry> entries;
    bool good = true;
    while (bson_iter_next(&inner)) {
        const std::string_view key = key_of(inner);
        path_.emplace_back(std::string(key));
        std::optional<Value> value;
        if (!is_utf8(key)) {
            problem("a key of valid UTF-8", "other bytes");
        } else {
            value = property == nullptr ? read_mixed(inner) : read_element(*property, inner);
        }
        path_.pop_back();
        good = good && value.has_value();
        if (good) {
            entries.emplace_back(std::string(key), *std::move(value));
        }
    }
    if (inner.err_off != 0) {
        problem("BSON", "damaged bytes");
        return std::nullopt;
    }
    if (!good) {
        return std::nullopt;
    }
    // In key order each entry is appended; of equal keys the last counts.
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
    Dictionary dictionary;
    for (auto& [key, value] : entries) {
        dictionary.set(key, std::move(value));
    }
    return Value(std::move(dictionary));
}

} // namespace tombolo::schema
