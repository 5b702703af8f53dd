#pragma once

// The people, dogs and places that query tests ask about (tests/cases/query.txt), with a label for
// each object.

#include <string>
#include <string_view>
#include <vector>

#include "core/geo.hpp"
#include "query/arguments.hpp"
#include "query/binder.hpp"
#include "query/object_store.hpp"
#include "query/results.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::query::test {

/// Person, Dog, Vet, Place, Address and GeoPoint as database-and-sdk.md 3.7 describes them, and
/// Account (sync).
const schema::Schema& fixture_schema();

/// All objects; built once.
const ObjectStore& fixture_store();

/// "ann", "rex", "near", ...: found by primary key.
std::string label_of(const ObjectRef& object);

/// Labels of the results separated by blanks, in result order when the query sorts, else
/// alphabetically; or "error: <message>".
std::string run_labels(std::string_view class_name, std::string_view text,
                       const Arguments& arguments = {}, const BindOptions& options = {});

/// A constant, list or shape in query syntax, as an argument.
Argument parse_argument(std::string_view text);

ObjectId person_id(int last_byte);

} // namespace tombolo::query::test
