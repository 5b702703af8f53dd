#pragma once

// What stands for $0, $1, ... in a query: scalars, links, lists of them, shapes; for $K0 a string
// with a key path.

#include <variant>
#include <vector>

#include "core/geo.hpp"
#include "core/value.hpp"

namespace tombolo::query {

using Argument = std::variant<Value, GeoShape>;
using Arguments = std::vector<Argument>;

} // namespace tombolo::query
