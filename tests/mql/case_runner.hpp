#pragma once

// Runs one text-driven case of tests/cases/mql/*.jsonl. Used by the tests and by the tool mql_eval,
// whose answers the comparison with mingo reads.
//
// One JSON object a line:
//   name      unique in its file
//   kind      "filter", "update", "projection", "sort" or "pipeline"
//   docs      the input documents, as Extended JSON
//   spec      the filter, update, projection, sort or pipeline
//   options   update: {"filter": .., "arrayFilters": [..], "upsert": bool, "now": date};
//   projection: {"filter": ..} expect    an array: the resulting documents, or (elements that are
//   no documents) their _id in order;
//             an object {"error": text}: it fails and the message contains the text

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::mql::test {

/// A JSON object in Extended JSON, any form.
Result<BsonDocument> from_json(std::string_view json);

/// Canonical Extended JSON.
std::string to_json(BsonDocumentView document);
/// The value alone, as JSON.
std::string to_json(BsonView value);

/// The documents that the case's operation gives.
Result<std::vector<BsonDocument>> run_case(BsonDocumentView test_case);

/// Empty when the result is what the case expects, else what differs.
std::string check_case(BsonDocumentView test_case);

} // namespace tombolo::mql::test
