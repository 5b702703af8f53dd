#pragma once

// Syntax tree + schema + arguments -> typed tree (database-and-sdk.md 3.2, 3.3).
//
// All that can be wrong with a query is found here or in the parser; a bound query runs on any
// object without errors. Errors are query_invalid (the query does not fit the schema or its
// arguments) or query_unsupported, with the query text, the column, and for types both sides by
// name. Never throws; cost is linear in the query and its arguments.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "query/arguments.hpp"
#include "query/bound.hpp"
#include "query/syntax.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query {

/// (class, name in queries) -> key path. Substituted before the schema is asked, at most 50 times
/// in a chain.
using Aliases = std::map<std::pair<std::string, std::string>, std::string>;

struct BindOptions {
    /// Beyond Property::alias, which always counts. May be null.
    const Aliases* aliases = nullptr;
    /// Of rules, which judge objects that are written: those of asymmetric classes can be judged
    /// though never queried.
    bool judges_writes = false;
};

/// `text` is the text the tree was parsed from, for error messages; may be empty. `schema` must
/// outlive the result.
Result<Query> bind_query(const syntax::Query& query, std::string_view text,
                         const schema::Schema& schema, std::string_view class_name,
                         const Arguments& arguments = {}, const BindOptions& options = {});

/// parse, then bind.
Result<Query> compile(std::string_view text, const schema::Schema& schema,
                      std::string_view class_name, const Arguments& arguments = {},
                      const BindOptions& options = {});

} // namespace tombolo::query
