#pragma once

// The "default" keyword of a schema: one scalar as EJSON text (relaxed or canonical form). Only for
// this layer's .cpp files.

#include <optional>
#include <string>
#include <string_view>

#include "schema/object_schema.hpp"

namespace tombolo::schema {

/// The value for a property of that type, or nothing when the text holds none of that type. Never
/// null.
std::optional<Value> parse_default(std::string_view ejson, const Property& property);

/// REQUIRES: a scalar that is neither null nor a link.
std::string print_default(const Value& value);

/// What an object gets for a property that nobody gave a value: 0, "", false, the epoch, a zero id;
/// null when nullable. An empty collection for collections.
Value zero_value(const Property& property);

} // namespace tombolo::schema
