#include "schema/default_value.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include <bson/bson.h>

#include "schema/json_text.hpp"

namespace tombolo::schema {

namespace {

namespace json = boost::json;

// {"$name": value}: the value, or null.
const json::value* wrapped(const json::value& value, std::string_view name) {
    const json::object* object = value.if_object();
    return object != nullptr && object->size() == 1 ? object->if_contains(name) : nullptr;
}

const std::string_view* text_of(const json::value* value, std::string_view& text) {
    if (value == nullptr || !value->is_string()) {
        return nullptr;
    }
    text = value->get_string();
    return &text;
}

std::optional<std::int64_t> integer_text(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::int64_t> integer_from(const json::value& value) {
    if (const std::int64_t* number = value.if_int64()) {
        return *number;
    }
    std::string_view text;
    if (text_of(wrapped(value, "$numberLong"), text) != nullptr ||
        text_of(wrapped(value, "$numberInt"), text) != nullptr) {
        return integer_text(text);
    }
    return std::nullopt;
}

std::optional<double> double_from(const json::value& value) {
    if (value.is_number()) {
        return value.is_double()  ? value.get_double()
               : value.is_int64() ? static_cast<double>(value.get_int64())
                                  : static_cast<double>(value.get_uint64());
    }
    std::string_view text;
    if (text_of(wrapped(value, "$numberDouble"), text) == nullptr) {
        return std::nullopt;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) {
        return number;
    }
    return std::nullopt;
}

std::optional<Value> date_from(const json::value& value) {
    const json::value* inner = wrapped(value, "$date");
    if (inner == nullptr) {
        return std::nullopt;
    }
    if (const std::optional<std::int64_t> ms = integer_from(*inner)) {
        return Value(Timestamp::from_unix_ms(*ms));
    }
    if (!inner->is_string()) {
        return std::nullopt;
    }
    // ISO 8601 text: libbson reads it.
    json::object document;
    document["v"] = value;
    const std::string text = json::serialize(document);
    bson_t bson;
    if (!bson_init_from_json(&bson, text.data(), static_cast<ssize_t>(text.size()), nullptr)) {
        return std::nullopt;
    }
    std::optional<Value> result;
    bson_iter_t iter;
    if (bson_iter_init_find(&iter, &bson, "v") && BSON_ITER_HOLDS_DATE_TIME(&iter)) {
        result = Value(Timestamp::from_unix_ms(bson_iter_date_time(&iter)));
    }
    bson_destroy(&bson);
    return result;
}

template <class T>
std::optional<Value> parsed(Result<T> result) {
    return result ? std::optional<Value>(Value(*std::move(result))) : std::nullopt;
}

std::optional<Value> binary_from(const json::value& value, bool uuid) {
    const json::value* inner = wrapped(value, "$binary");
    const json::object* object = inner == nullptr ? nullptr : inner->if_object();
    std::string_view base64;
    std::string_view subtype;
    if (object == nullptr || text_of(object->if_contains("base64"), base64) == nullptr ||
        text_of(object->if_contains("subType"), subtype) == nullptr) {
        return std::nullopt;
    }
    Result<std::vector<std::byte>> bytes = from_base64(base64);
    const bool is_uuid = subtype == "04" || subtype == "4";
    if (!bytes || is_uuid != uuid || (uuid && bytes->size() != 16)) {
        return std::nullopt;
    }
    if (!uuid) {
        return Value(Binary{*std::move(bytes)});
    }
    Uuid id;
    std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
    return Value(id);
}

std::optional<Value> value_of_type(const json::value& value, PropertyType type) {
    std::string_view text;
    switch (type) {
    case PropertyType::integer:
        if (const auto number = integer_from(value)) {
            return Value(*number);
        }
        return std::nullopt;
    case PropertyType::boolean:
        return value.is_bool() ? std::optional<Value>(Value(value.get_bool())) : std::nullopt;
    case PropertyType::string:
        return text_of(&value, text) != nullptr ? std::optional<Value>(Value(text)) : std::nullopt;
    case PropertyType::binary:
        return binary_from(value, false);
    case PropertyType::timestamp:
        return date_from(value);
    case PropertyType::float32:
    case PropertyType::float64:
        if (const auto number = double_from(value)) {
            return type == PropertyType::float64 ? Value(*number)
                                                 : Value(static_cast<float>(*number));
        }
        return std::nullopt;
    case PropertyType::decimal128:
        return text_of(wrapped(value, "$numberDecimal"), text) != nullptr
                   ? parsed(Decimal128::parse(text))
                   : std::nullopt;
    case PropertyType::object_id:
        return text_of(wrapped(value, "$oid"), text) != nullptr ? parsed(ObjectId::parse(text))
                                                                : std::nullopt;
    case PropertyType::uuid:
        return text_of(wrapped(value, "$uuid"), text) != nullptr ? parsed(Uuid::parse(text))
                                                                 : binary_from(value, true);
    case PropertyType::mixed:
    case PropertyType::link:
    case PropertyType::linking_objects:
        return std::nullopt;
    }
    return std::nullopt;
}

// In a Mixed the text itself has to say the type.
std::optional<Value> value_for_mixed(const json::value& value) {
    if (value.is_double()) {
        return Value(value.get_double());
    }
    for (const PropertyType type :
         {PropertyType::integer, PropertyType::boolean, PropertyType::string, PropertyType::binary,
          PropertyType::timestamp, PropertyType::float64, PropertyType::decimal128,
          PropertyType::object_id, PropertyType::uuid}) {
        if (std::optional<Value> found = value_of_type(value, type)) {
            return found;
        }
    }
    return std::nullopt;
}

json::value wrap(std::string_view name, json::value value) {
    json::object object;
    object[name] = std::move(value);
    return object;
}

json::value double_json(double value) {
    if (std::isnan(value)) {
        return wrap("$numberDouble", "NaN");
    }
    if (std::isinf(value)) {
        return wrap("$numberDouble", value > 0 ? "Infinity" : "-Infinity");
    }
    return value;
}

json::value binary_json(ByteView bytes, std::string_view subtype) {
    json::object inner;
    inner["base64"] = to_base64(bytes);
    inner["subType"] = subtype;
    return wrap("$binary", std::move(inner));
}

} // namespace

std::optional<Value> parse_default(std::string_view ejson, const Property& property) {
    const Result<json::value> value = parse_json(ejson, "a default");
    if (!value || property.is_collection()) {
        return std::nullopt;
    }
    return property.type == PropertyType::mixed ? value_for_mixed(*value)
                                                : value_of_type(*value, property.type);
}

std::string print_default(const Value& value) {
    const auto print = [](const json::value& result) {
        return print_json(result, JsonStyle::compact);
    };
    switch (value.type()) {
    case ValueType::integer:
        return print(*value.get_if<std::int64_t>());
    case ValueType::boolean:
        return print(*value.get_if<bool>());
    case ValueType::string:
        return print(json::value(*value.get_if<std::string>()));
    case ValueType::binary:
        return print(binary_json(value.get_if<Binary>()->bytes, "00"));
    case ValueType::timestamp:
        return print(wrap(
            "$date", wrap("$numberLong",
                          json::value(std::to_string(value.get_if<Timestamp>()->to_unix_ms())))));
    case ValueType::float32:
        return print(double_json(static_cast<double>(*value.get_if<float>())));
    case ValueType::float64:
        return print(double_json(*value.get_if<double>()));
    case ValueType::decimal128:
        return print(wrap("$numberDecimal", json::value(value.get_if<Decimal128>()->to_string())));
    case ValueType::object_id:
        return print(wrap("$oid", json::value(value.get_if<ObjectId>()->to_string())));
    case ValueType::uuid:
        return print(binary_json(value.get_if<Uuid>()->bytes, "04"));
    default:
        return "null";
    }
}

Value zero_value(const Property& property) {
    switch (property.collection) {
    case CollectionKind::list:
        return List{};
    case CollectionKind::dictionary:
        return Dictionary{};
    case CollectionKind::set:
        return Set{};
    case CollectionKind::none:
        break;
    }
    if (property.nullable) {
        return {};
    }
    switch (property.type) {
    case PropertyType::integer:
        return std::int64_t{0};
    case PropertyType::boolean:
        return false;
    case PropertyType::string:
        return std::string();
    case PropertyType::binary:
        return Binary{};
    case PropertyType::timestamp:
        return Timestamp{};
    case PropertyType::float32:
        return 0.0F;
    case PropertyType::float64:
        return 0.0;
    case PropertyType::decimal128:
        return Decimal128{};
    case PropertyType::object_id:
        return ObjectId{};
    case PropertyType::uuid:
        return Uuid{};
    case PropertyType::mixed:
    case PropertyType::link:
    case PropertyType::linking_objects:
        break;
    }
    return {};
}

} // namespace tombolo::schema
