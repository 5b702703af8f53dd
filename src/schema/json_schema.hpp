#pragma once

// One App Services schema: the JSON schema dialect with bsonType (device-sync-server.md 1.2), as a
// tree of plain values.
//
// The tree keeps what the text said. What the mapping to classes reads has a member of its own;
// every other keyword, known or not, is kept as JSON text and printed again. Whether the schema
// makes sense is asked of the mapping (app_schema.hpp).
//
// Text form: print_json_schema() has one order of keywords (title, type, required, properties, ...)
// and keeps the order of properties; parse(print(s)) == s, and print(parse(t)) is a fixed point
// after one step.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace tombolo::schema {

struct JsonProperty;

struct JsonSchema {
    enum class Additional : std::uint8_t {
        unset,
        no,     ///< false
        yes,    ///< true
        schema, ///< additional_schema holds one schema
    };
    enum class Items : std::uint8_t {
        unset,
        one,   ///< item_schemas holds one schema, for every element
        tuple, ///< item_schemas holds one schema a position
    };

    std::string title;
    /// Names as written under "bsonType" (or "type"); empty when neither stands there.
    std::vector<std::string> types;
    /// They stood under "type": the names of JSON schema ("boolean", "number").
    bool json_types = false;
    /// They were written as an array, be it of one.
    bool types_in_array = false;
    std::vector<std::string> required;
    bool has_properties = false; ///< true also for an empty "properties"
    std::vector<JsonProperty> properties;
    Additional additional = Additional::unset;
    std::vector<JsonSchema> additional_schema;
    Items items = Items::unset;
    std::vector<JsonSchema> item_schemas;
    bool unique_items = false;
    /// EJSON text; empty when there is no default.
    std::string default_json;
    /// Keyword and JSON text of all others, sorted by keyword.
    std::vector<std::pair<std::string, std::string>> other;

    const JsonSchema* find(std::string_view property_name) const noexcept;
    bool requires_field(std::string_view property_name) const noexcept;

    friend bool operator==(const JsonSchema& left, const JsonSchema& right) noexcept;
};

struct JsonProperty {
    std::string name;
    JsonSchema schema;
};

bool operator==(const JsonProperty& left, const JsonProperty& right) noexcept;

/// True for the keywords of device-sync-server.md 1.2.
bool is_known_keyword(std::string_view keyword) noexcept;

/// Errors: bad_json (not JSON, with the position), invalid_schema (a keyword whose value has
/// another form than the dialect says; the context is the place, e.g. "properties.age.minimum"),
/// limit_exceeded (longer than 16 MiB or nested too deep).
Result<JsonSchema> parse_json_schema(std::string_view text);

enum class JsonStyle : std::uint8_t {
    compact,
    pretty, ///< four spaces a level, one member a line: what exported app directories hold
};

std::string print_json_schema(const JsonSchema& schema, JsonStyle style = JsonStyle::compact);

} // namespace tombolo::schema
