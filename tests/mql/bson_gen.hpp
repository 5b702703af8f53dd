#pragma once

// Random BSON for properties.

#include <rapidcheck.h>

#include "mql/bson_value.hpp"

namespace tombolo::mql::test {

/// A value of any type, containers up to `depth` levels. Numbers and strings come from small sets
/// so that equal values are common.
BsonValue any_value(int depth);

/// A document with up to five fields of single-letter names.
BsonDocument any_document(int depth);

} // namespace tombolo::mql::test
