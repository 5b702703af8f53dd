#pragma once

// The index entries of a document: for each combination of the values at the index's paths, their
// value keys in a row.
//
// As in MongoDB: a path crosses embedded documents, and arrays of them; an array at its end gives
// an entry an element; a missing field, and an empty array, count as null. Only one field of an
// index may meet an array in one document, which bounds the entries by the longest array.

#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/store/types.hpp"

namespace tombolo::store {

/// Distinct, in key order. invalid_argument when two fields meet arrays; limit_exceeded beyond
/// limits::index_entries_max entries or limits::index_key_bytes_max bytes in one.
Result<std::vector<std::string>> index_keys(const IndexSpec& spec, mql::BsonDocumentView document);

/// invalid_argument, naming the field, when a spec is not one.
Result<void> check_index_spec(const IndexSpec& spec);

} // namespace tombolo::store
