#pragma once

// Syntax tree to query text: one spelling for each form, the fewest parentheses. parse(print(tree))
// == tree for every tree that parse() can make. Used for the descriptions of queries and in tests;
// bound queries print themselves (query/bound_printer.hpp) with their arguments filled in.

#include <string>

#include "query/syntax.hpp"

namespace tombolo::query {

std::string print(const syntax::Query& query);
std::string print(const syntax::Predicate& predicate);

} // namespace tombolo::query
