#include "schema/json_schema.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "schema/json_text.hpp"

namespace tombolo::schema {

namespace {

namespace json = boost::json;

enum class Form : std::uint8_t { any, text, number, boolean, array, object, schema_or_boolean };

struct Keyword {
    std::string_view name;
    Form form;
};

// Keywords without a member of their own: kept as text, checked for their form only. Sorted.
constexpr std::array other_keywords = {
    Keyword{"additionalItems", Form::schema_or_boolean},
    Keyword{"dependencies", Form::object},
    Keyword{"description", Form::text},
    Keyword{"enum", Form::array},
    Keyword{"exclusiveMaximum", Form::boolean},
    Keyword{"exclusiveMinimum", Form::boolean},
    Keyword{"maxItems", Form::number},
    Keyword{"maxLength", Form::number},
    Keyword{"maxProperties", Form::number},
    Keyword{"maximum", Form::number},
    Keyword{"minItems", Form::number},
    Keyword{"minLength", Form::number},
    Keyword{"minProperties", Form::number},
    Keyword{"minimum", Form::number},
    Keyword{"multipleOf", Form::number},
    Keyword{"pattern", Form::text},
    Keyword{"patternProperties", Form::object},
    Keyword{"validate", Form::any},
};

constexpr std::array<std::string_view, 9> modelled_keywords = {
    "title", "bsonType",    "type",    "required", "properties", "additionalProperties",
    "items", "uniqueItems", "default",
};

const Keyword* find_other(std::string_view name) noexcept {
    const auto* const found =
        std::find_if(other_keywords.begin(), other_keywords.end(),
                     [&](const Keyword& keyword) { return keyword.name == name; });
    return found == other_keywords.end() ? nullptr : &*found;
}

// A number, or EJSON's form of one: {"$numberInt": "3"}.
bool is_number(const json::value& value) {
    if (value.is_number()) {
        return true;
    }
    const json::object* object = value.if_object();
    return object != nullptr && object->size() == 1 &&
           std::string_view(object->begin()->key()).substr(0, 7) == "$number" &&
           object->begin()->value().is_string();
}

bool has_form(const json::value& value, Form form) {
    switch (form) {
    case Form::any:
        return true;
    case Form::text:
        return value.is_string();
    case Form::number:
        return is_number(value);
    case Form::boolean:
        return value.is_bool();
    case Form::array:
        return value.is_array();
    case Form::object:
        return value.is_object();
    case Form::schema_or_boolean:
        return value.is_object() || value.is_bool();
    }
    return false;
}

std::string_view form_text(Form form) noexcept {
    switch (form) {
    case Form::any:
        return "any value";
    case Form::text:
        return "a string";
    case Form::number:
        return "a number";
    case Form::boolean:
        return "true or false";
    case Form::array:
        return "an array";
    case Form::object:
        return "an object";
    case Form::schema_or_boolean:
        return "a schema, true or false";
    }
    return "any value";
}

// Reads one tree; the place is kept for messages. Depth is bounded by the JSON parser.
class Reader {
  public:
    Result<JsonSchema> read(const json::value& value) {
        const json::object* object = value.if_object();
        if (object == nullptr) {
            return wrong("a schema (an object)", value);
        }
        JsonSchema schema;
        for (const auto& member : *object) {
            const std::size_t length = enter(member.key());
            TOMBOLO_TRY_VOID(read_keyword(schema, member.key(), member.value()));
            place_.resize(length);
        }
        if (object->contains("bsonType") && object->contains("type")) {
            return Error(ErrorCode::invalid_schema,
                         "a schema has both \"bsonType\" and \"type\"; keep one of them", place_);
        }
        std::sort(schema.other.begin(), schema.other.end());
        return schema;
    }

  private:
    std::size_t enter(std::string_view part) {
        const std::size_t length = place_.size();
        place_ += place_.empty() ? "" : ".";
        place_ += part;
        return length;
    }

    Error wrong(std::string_view expected, const json::value& found) const {
        return Error(ErrorCode::invalid_schema,
                     "expected " + std::string(expected) + ", found " +
                         std::string(json_kind(found)),
                     place_);
    }

    Result<std::vector<std::string>> read_names(const json::value& value) const {
        const json::array* array = value.if_array();
        if (array == nullptr) {
            return wrong("an array of strings", value);
        }
        std::vector<std::string> names;
        for (const json::value& element : *array) {
            if (!element.is_string()) {
                return wrong("an array of strings", element);
            }
            names.emplace_back(std::string_view(element.get_string()));
        }
        return names;
    }

    Result<void> read_types(JsonSchema& schema, const json::value& value) const {
        schema.types_in_array = value.is_array();
        if (value.is_string()) {
            schema.types.emplace_back(std::string_view(value.get_string()));
            return {};
        }
        TOMBOLO_TRY(schema.types, read_names(value));
        return {};
    }

    Result<void> read_properties(JsonSchema& schema, const json::value& value) {
        const json::object* object = value.if_object();
        if (object == nullptr) {
            return wrong("an object of schemas", value);
        }
        schema.has_properties = true;
        for (const auto& member : *object) {
            const std::size_t length = enter(member.key());
            TOMBOLO_TRY(JsonSchema child, read(member.value()));
            schema.properties.push_back({std::string(member.key()), std::move(child)});
            place_.resize(length);
        }
        return {};
    }

    Result<void> read_items(JsonSchema& schema, const json::value& value) {
        if (const json::array* array = value.if_array()) {
            schema.items = JsonSchema::Items::tuple;
            for (const json::value& element : *array) {
                TOMBOLO_TRY(JsonSchema child, read(element));
                schema.item_schemas.push_back(std::move(child));
            }
            return {};
        }
        schema.items = JsonSchema::Items::one;
        TOMBOLO_TRY(JsonSchema child, read(value));
        schema.item_schemas.push_back(std::move(child));
        return {};
    }

    Result<void> read_additional(JsonSchema& schema, const json::value& value) {
        if (const bool* flag = value.if_bool()) {
            schema.additional = *flag ? JsonSchema::Additional::yes : JsonSchema::Additional::no;
            return {};
        }
        schema.additional = JsonSchema::Additional::schema;
        TOMBOLO_TRY(JsonSchema child, read(value));
        schema.additional_schema.push_back(std::move(child));
        return {};
    }

    Result<void> read_keyword(JsonSchema& schema, std::string_view name, const json::value& value) {
        if (name == "properties") {
            return read_properties(schema, value);
        }
        if (name == "items") {
            return read_items(schema, value);
        }
        if (name == "additionalProperties") {
            return read_additional(schema, value);
        }
        if (name == "bsonType" || name == "type") {
            schema.json_types = name == "type";
            return read_types(schema, value);
        }
        if (name == "required") {
            TOMBOLO_TRY(schema.required, read_names(value));
            return {};
        }
        if (name == "title") {
            if (!value.is_string()) {
                return wrong("a string", value);
            }
            schema.title = value.get_string();
            return {};
        }
        if (name == "uniqueItems") {
            if (!value.is_bool()) {
                return wrong("true or false", value);
            }
            schema.unique_items = value.get_bool();
            return {};
        }
        if (name == "default") {
            schema.default_json = json::serialize(value);
            return {};
        }
        if (const Keyword* known = find_other(name);
            known != nullptr && !has_form(value, known->form)) {
            return wrong(form_text(known->form), value);
        }
        schema.other.emplace_back(std::string(name), json::serialize(value));
        return {};
    }

    std::string place_;
};

json::array names_to_json(const std::vector<std::string>& names) {
    json::array array;
    for (const std::string& name : names) {
        array.emplace_back(name);
    }
    return array;
}

// Text that parse_json_schema kept; a caller may have put something else there, which is then
// printed as a string.
json::value kept_json(const std::string& text) {
    Result<json::value> parsed = parse_json(text, "a keyword");
    return parsed ? *std::move(parsed) : json::value(text);
}

} // namespace

const JsonSchema* JsonSchema::find(std::string_view property_name) const noexcept {
    for (const JsonProperty& property : properties) {
        if (property.name == property_name) {
            return &property.schema;
        }
    }
    return nullptr;
}

bool JsonSchema::requires_field(std::string_view property_name) const noexcept {
    return std::find(required.begin(), required.end(), property_name) != required.end();
}

bool operator==(const JsonSchema& left, const JsonSchema& right) noexcept {
    return left.title == right.title && left.types == right.types &&
           left.json_types == right.json_types && left.types_in_array == right.types_in_array &&
           left.required == right.required && left.has_properties == right.has_properties &&
           left.properties == right.properties && left.additional == right.additional &&
           left.additional_schema == right.additional_schema && left.items == right.items &&
           left.item_schemas == right.item_schemas && left.unique_items == right.unique_items &&
           left.default_json == right.default_json && left.other == right.other;
}

bool operator==(const JsonProperty& left, const JsonProperty& right) noexcept {
    return left.name == right.name && left.schema == right.schema;
}

bool is_known_keyword(std::string_view keyword) noexcept {
    return find_other(keyword) != nullptr ||
           std::find(modelled_keywords.begin(), modelled_keywords.end(), keyword) !=
               modelled_keywords.end();
}

Result<JsonSchema> json_schema_from(const json::value& value) {
    return Reader().read(value);
}

json::value json_from(const JsonSchema& schema) {
    json::object object;
    if (!schema.title.empty()) {
        object["title"] = schema.title;
    }
    if (!schema.types.empty() || schema.types_in_array) {
        json::value types = schema.types_in_array || schema.types.size() != 1
                                ? json::value(names_to_json(schema.types))
                                : json::value(schema.types.front());
        object[schema.json_types ? "type" : "bsonType"] = std::move(types);
    }
    if (!schema.required.empty()) {
        object["required"] = names_to_json(schema.required);
    }
    if (schema.has_properties || !schema.properties.empty()) {
        json::object properties;
        for (const JsonProperty& property : schema.properties) {
            properties[property.name] = json_from(property.schema);
        }
        object["properties"] = std::move(properties);
    }
    if (schema.additional == JsonSchema::Additional::schema) {
        object["additionalProperties"] = json_from(schema.additional_schema.at(0));
    } else if (schema.additional != JsonSchema::Additional::unset) {
        object["additionalProperties"] = schema.additional == JsonSchema::Additional::yes;
    }
    if (schema.unique_items) {
        object["uniqueItems"] = true;
    }
    if (schema.items == JsonSchema::Items::one) {
        object["items"] = json_from(schema.item_schemas.at(0));
    } else if (schema.items == JsonSchema::Items::tuple) {
        json::array tuple;
        for (const JsonSchema& item : schema.item_schemas) {
            tuple.push_back(json_from(item));
        }
        object["items"] = std::move(tuple);
    }
    if (!schema.default_json.empty()) {
        object["default"] = kept_json(schema.default_json);
    }
    for (const auto& [keyword, text] : schema.other) {
        object[keyword] = kept_json(text);
    }
    return object;
}

Result<JsonSchema> parse_json_schema(std::string_view text) {
    TOMBOLO_TRY(const json::value value, parse_json(text, "the schema"));
    return json_schema_from(value);
}

std::string print_json_schema(const JsonSchema& schema, JsonStyle style) {
    return print_json(json_from(schema), style);
}

} // namespace tombolo::schema
