#include "mql/bson_text.hpp"

#include <fmt/format.h>

namespace tombolo::mql {

namespace {

constexpr std::size_t text_bytes_max = 200;

void print(std::string& out, BsonView value);

void print_members(std::string& out, BsonView value) {
    const bool names = value.is_document();
    out += names ? '{' : '[';
    bool first = true;
    for (const BsonElement& element : value.as_document()) {
        out += first ? "" : ", ";
        first = false;
        if (out.size() > text_bytes_max) {
            out += "...";
            break;
        }
        if (names) {
            out += element.key.substr(0, text_bytes_max);
            out += ": ";
        }
        print(out, element.value);
    }
    out += names ? '}' : ']';
}

void print_text(std::string& out, std::string_view text) {
    out += '"';
    out += text.substr(0, text_bytes_max);
    out += text.size() > text_bytes_max ? "...\"" : "\"";
}

void print(std::string& out, BsonView value) {
    switch (value.type()) {
    case BsonType::float64:
        out += fmt::format("{}", value.as_double());
        break;
    case BsonType::int32:
        out += std::to_string(value.as_int32());
        break;
    case BsonType::int64:
        out += std::to_string(value.as_int64());
        break;
    case BsonType::decimal128:
        out += value.as_decimal().to_string();
        break;
    case BsonType::string:
    case BsonType::symbol:
    case BsonType::code:
        print_text(out, value.as_string());
        break;
    case BsonType::document:
    case BsonType::array:
        print_members(out, value);
        break;
    case BsonType::boolean:
        out += value.as_bool() ? "true" : "false";
        break;
    case BsonType::object_id:
        out += "ObjectId('" + value.as_object_id().to_string() + "')";
        break;
    case BsonType::date:
        out += fmt::format("Date({})", value.as_date_ms());
        break;
    case BsonType::regex: {
        const BsonRegexView regex = value.as_regex();
        out += '/';
        out += regex.pattern.substr(0, text_bytes_max);
        out += '/';
        out += regex.options;
        break;
    }
    default:
        out += type_alias(value.type());
        break;
    }
}

} // namespace

std::string to_text(BsonView value) {
    std::string out;
    print(out, value);
    return out;
}

std::string to_text(std::string_view name, BsonView value) {
    std::string out = "{";
    out += name.substr(0, text_bytes_max);
    out += ": ";
    print(out, value);
    out += '}';
    return out;
}

} // namespace tombolo::mql
