// Extended JSON for the text-driven cases, canonical and relaxed. An object is a typed value only
// if it has exactly the keys of that form, so that filters like {"$type": 16} and {"$regex": "x"}
// stay documents.

#include <cstdlib>
#include <optional>
#include <string>

#include <boost/json.hpp>
#include <bson/bson.h>

#include "mql/case_runner.hpp"

namespace tombolo::mql::test {

namespace {

namespace json = boost::json;

std::string_view text_of(const json::value* value) {
    return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                  : std::string_view();
}

std::optional<BsonValue> number_value(std::string_view key, const std::string& text) {
    if (key == "$numberInt") {
        return BsonValue::from_int32(
            static_cast<std::int32_t>(std::strtol(text.c_str(), nullptr, 10)));
    }
    if (key == "$numberLong") {
        return BsonValue::from_int64(std::strtoll(text.c_str(), nullptr, 10));
    }
    if (key == "$numberDouble") {
        return BsonValue::from_double(std::strtod(text.c_str(), nullptr));
    }
    const auto parsed = Decimal128::parse(text);
    return parsed ? std::optional(BsonValue::from_decimal(*parsed)) : std::nullopt;
}

std::vector<std::byte> c_string(std::string_view text) {
    std::vector<std::byte> out(as_bytes(text).begin(), as_bytes(text).end());
    out.push_back(std::byte{0});
    return out;
}

// {"$date": ...}, {"$regularExpression": ...} and others whose content is an object or number.
std::optional<BsonValue> object_form(std::string_view key, const json::value& content) {
    if (key == "$undefined" || key == "$minKey" || key == "$maxKey") {
        return BsonValue(BsonView(key == "$undefined" ? BsonType::undefined
                                  : key == "$minKey"  ? BsonType::min_key
                                                      : BsonType::max_key,
                                  {}));
    }
    const json::object* object = content.if_object();
    if (object == nullptr) {
        return std::nullopt;
    }
    if (key == "$date") {
        const std::string ms(text_of(object->if_contains("$numberLong")));
        return BsonValue::from_date_ms(std::strtoll(ms.c_str(), nullptr, 10));
    }
    if (key == "$timestamp") {
        return BsonValue::from_timestamp((object->at("t").to_number<std::uint64_t>() << 32) |
                                         object->at("i").to_number<std::uint64_t>());
    }
    if (key == "$regularExpression") {
        std::vector<std::byte> bytes = c_string(text_of(object->if_contains("pattern")));
        const std::vector<std::byte> options = c_string(text_of(object->if_contains("options")));
        bytes.insert(bytes.end(), options.begin(), options.end());
        return BsonValue(BsonView(BsonType::regex, bytes));
    }
    if (key == "$binary") {
        const auto bytes = from_base64(text_of(object->if_contains("base64")));
        const auto subtype = from_hex(text_of(object->if_contains("subType")));
        if (!bytes || !subtype || subtype->size() != 1) {
            return std::nullopt;
        }
        return BsonValue::from_binary(static_cast<std::uint8_t>((*subtype)[0]), *bytes);
    }
    return std::nullopt;
}

std::optional<BsonValue> typed_value(const json::object& object) {
    if (object.size() != 1 || !object.begin()->key().starts_with('$')) {
        return std::nullopt;
    }
    const std::string_view key = object.begin()->key();
    const json::value& content = object.begin()->value();
    if (content.is_string()) {
        const std::string text(text_of(&content));
        if (key.starts_with("$number")) {
            return number_value(key, text);
        }
        if (key == "$oid") {
            const auto id = ObjectId::parse(text);
            return id ? std::optional(BsonValue::from_object_id(*id)) : std::nullopt;
        }
        if (key == "$symbol") {
            return BsonValue(
                BsonView(BsonType::symbol, BsonValue::from_string(text).view().bytes()));
        }
    }
    return object_form(key, content);
}

void append(BsonWriter& writer, std::string_view key, const json::value& value);

void append_object(BsonWriter& writer, std::string_view key, const json::object& object) {
    if (const auto typed = typed_value(object)) {
        writer.append(key, typed->view());
        return;
    }
    writer.begin_document(key);
    for (const auto& member : object) {
        append(writer, member.key(), member.value());
    }
    writer.end();
}

void append(BsonWriter& writer, std::string_view key, const json::value& value) {
    switch (value.kind()) {
    case json::kind::null:
        return writer.append_null(key);
    case json::kind::bool_:
        return writer.append_bool(key, value.get_bool());
    case json::kind::int64:
        if (value.get_int64() >= INT32_MIN && value.get_int64() <= INT32_MAX) {
            return writer.append_int32(key, static_cast<std::int32_t>(value.get_int64()));
        }
        return writer.append_int64(key, value.get_int64());
    case json::kind::uint64:
        return writer.append_double(key, static_cast<double>(value.get_uint64()));
    case json::kind::double_:
        return writer.append_double(key, value.get_double());
    case json::kind::string:
        return writer.append_string(key, text_of(&value));
    case json::kind::array:
        writer.begin_array(key);
        for (const json::value& element : value.get_array()) {
            append(writer, {}, element);
        }
        return writer.end();
    case json::kind::object:
        return append_object(writer, key, value.get_object());
    }
}

} // namespace

Result<BsonDocument> from_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = limits::document_depth_max;
    boost::system::error_code error;
    const json::value parsed = json::parse({text.data(), text.size()}, error, {}, options);
    if (error || !parsed.is_object()) {
        return Error(ErrorCode::bad_ejson, error ? error.message() : "not a JSON object");
    }
    BsonWriter writer;
    for (const auto& member : parsed.get_object()) {
        append(writer, member.key(), member.value());
    }
    return std::move(writer).finish();
}

std::string to_json(BsonDocumentView document) {
    bson_t view;
    if (!bson_init_static(&view, reinterpret_cast<const std::uint8_t*>(document.bytes().data()),
                          document.size())) {
        return "<no BSON>";
    }
    char* text = bson_as_canonical_extended_json(&view, nullptr);
    std::string out = text == nullptr ? "<no JSON>" : text;
    bson_free(text);
    return out;
}

std::string to_json(BsonView value) {
    BsonWriter writer;
    writer.append("", value);
    const std::string wrapped = to_json(std::move(writer).finish().view());
    const std::size_t colon = wrapped.find(':');
    return colon == std::string::npos ? "<missing>"
                                      : wrapped.substr(colon + 2, wrapped.size() - colon - 4);
}

} // namespace tombolo::mql::test
