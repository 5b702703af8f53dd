#pragma once

// Query text to syntax tree (database-and-sdk.md 3.1), without schema or arguments.
//
// Hostile input: linear in the text, nesting bounded by limits::query_depth_max, text by
// limits::query_bytes_max, never throws. Errors are query_syntax: "Invalid predicate '<text>':
// expected <what> at column <n>, found '<token>'".

#include <string_view>

#include "core/result.hpp"
#include "query/syntax.hpp"

namespace tombolo::query {

Result<syntax::Query> parse(std::string_view text);

} // namespace tombolo::query
