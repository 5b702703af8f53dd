#pragma once

// Filters of rules, bound to a user, as texts of the device query language (device-sync-server.md
// 4.4): the same documents match. Comparisons on a list or set ask whether any element does.

#include <string>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::server::sync {

/// Error: unsupported, naming the operator or field, for what the query language cannot say.
Result<std::string> filter_text(mql::BsonDocumentView filter,
                                const schema::ClassSchema& class_schema);

} // namespace tombolo::server::sync
