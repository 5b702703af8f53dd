#pragma once

// Keys of an app directory that no layout has: typing errors, mostly (admin-api-and-config.md 4.1).
// Looked for in the files whose shape is known and read; what is kept and not run (triggers,
// hosting, GraphQL, services that are no data source, the Data API's settings) is not looked at,
// nor are expressions, queries and values, which may hold anything.
//
// Pure. `tree` is in the kept form (app_layout.hpp). Files that are no JSON, and members of another
// type than they should have, are somebody else's to name. The depth is bounded by the JSON parser.

#include <string>
#include <vector>

#include "server/app/app_tree.hpp"

namespace tombolo::server {

/// "sync/config.json: unknown key 'partition.kye'", a line for each; at most unknown_keys_max.
std::vector<std::string> unknown_keys(const AppTree& tree);

inline constexpr std::size_t unknown_keys_max = 100;

} // namespace tombolo::server
