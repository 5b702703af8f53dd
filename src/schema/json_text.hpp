#pragma once

// Boost.JSON as this layer uses it: bounded parsing with errors of ours, and two styles of
// printing. Only for .cpp files.

#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "core/result.hpp"
#include "schema/json_schema.hpp"

namespace tombolo::schema {

/// Levels of JSON: an embedded object of a document costs at most four ("properties", name,
/// "items", object).
inline constexpr std::size_t schema_json_depth_max = 410;

/// bad_json with line and column, limit_exceeded for size and depth. `what` names the text in
/// messages: "the schema".
Result<boost::json::value> parse_json(std::string_view text, std::string_view what);

std::string print_json(const boost::json::value& value, JsonStyle style);

/// REQUIRES: nested at most schema_json_depth_max levels.
Result<JsonSchema> json_schema_from(const boost::json::value& value);
boost::json::value json_from(const JsonSchema& schema);

/// "a string", "an array", ... as messages name what was found.
std::string_view json_kind(const boost::json::value& value) noexcept;

} // namespace tombolo::schema
