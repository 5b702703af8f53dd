#pragma once

// What each kind of text-driven case runs (case_runner.hpp).

#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::mql::test {

struct CaseInput {
    std::vector<BsonDocumentView> docs;
    BsonView spec;
    BsonDocumentView options;
};

/// Kind "pipeline".
Result<std::vector<BsonDocument>> run_pipeline(const CaseInput& input);

Result<std::vector<BsonDocument>> run_operation(std::string_view kind, const CaseInput& input);

} // namespace tombolo::mql::test
