#pragma once

// What differs between two versions of a document: the least set of fields whose values must be
// written, for minimal sync changesets and change events.
//
// Documents are compared field by field and arrays of equal length element by element; anything
// else that differs is one change at its path. The order of fields is not looked at. Values are the
// same when type and bytes are (1 and 1.0 differ).

#include <string>
#include <string_view>
#include <vector>

#include "mql/bson_value.hpp"

namespace tombolo::mql {

struct FieldChange {
    /// Field names and array positions from the top. Borrowed from the documents, positions as
    /// well.
    std::vector<std::string_view> path;
    BsonView before; ///< missing when the field was added
    BsonView after;  ///< missing when the field was removed
};

/// Changes in the order of `before`'s fields, added fields after them. Everything borrows from the
/// two documents.
std::vector<FieldChange> diff(BsonDocumentView before, BsonDocumentView after);

} // namespace tombolo::mql
