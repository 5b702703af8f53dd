#pragma once

// Bound queries as query text: arguments filled in, constants converted, one spelling for each
// form. The text parses and binds to a query that selects the same objects (the one exception: a
// decimal argument compared with a Mixed prints as a double, since the language has no decimal
// literal).

#include <string>

#include "query/bound.hpp"

namespace tombolo::query {

/// What SDKs show as the description of a query, SORT, DISTINCT and LIMIT included.
std::string print(const Query& query);

enum class PrintStyle : std::uint8_t {
    description,
    /// Decimals are marked, so that they differ from doubles. Not to be parsed.
    canonical,
};

/// One condition, without outer parentheses.
std::string print(const Condition& condition, PrintStyle style);
std::string print(const Path& path);

} // namespace tombolo::query
