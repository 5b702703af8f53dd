#pragma once

// One-line text of BSON values for error messages, in the manner of MongoDB's shell: {a: 1, b:
// "x"}. Long values are cut. Not a storage or exchange format.

#include <string>
#include <string_view>

#include "mql/bson_value.hpp"

namespace tombolo::mql {

std::string to_text(BsonView value);

/// {name: value}
std::string to_text(std::string_view name, BsonView value);

} // namespace tombolo::mql
