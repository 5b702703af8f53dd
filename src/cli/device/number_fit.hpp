#pragma once

// Numbers as people type them, for the fields they are typed into: 2 in a field of doubles is 2.0.
// Pure.

#include "changeset/applier.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::cli {

/// The document with whole numbers in fields of floats and doubles as doubles, in lists, sets,
/// dictionaries and embedded objects too. Everything else stays, right or wrong.
mql::BsonDocument fit_numbers(mql::BsonDocumentView document, const changeset::ClassInfo& info,
                              const changeset::ClassSource& classes);

} // namespace tombolo::cli
