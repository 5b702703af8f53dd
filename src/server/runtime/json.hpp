#pragma once

// JSON from outside: bounded, and with errors that say where.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/result.hpp"

namespace tombolo::server {

/// bad_json with line and column; limit_exceeded beyond limits::document_depth_max levels.
Result<boost::json::value> parse_json(std::string_view text);
/// The same, for what must be an object.
Result<boost::json::object> parse_json_object(std::string_view text);

/// The members of a JSON object as they stand in the text: for values that are to be read by
/// another parser (Extended JSON), exactly. bad_json and limit_exceeded as above; views into
/// `text`.
Result<std::vector<std::pair<std::string, std::string_view>>> json_members(std::string_view text);

/// 4-space indent and a final newline, keys in their order: how app directories are written.
std::string pretty_json(const boost::json::value& value);

/// The member when it is there and of that type; otherwise the fallback.
std::string string_or(const boost::json::object& object, std::string_view key,
                      std::string_view fallback = {});
bool bool_or(const boost::json::object& object, std::string_view key, bool fallback);
/// The member when it is there and an object; otherwise an empty one.
const boost::json::object& object_or_empty(const boost::json::object& object, std::string_view key);

} // namespace tombolo::server
