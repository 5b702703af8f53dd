#pragma once

// MongoDB's updates over BSON documents: compiled once, applied to many documents.
//
//   operators      {$set: {...}, $inc: {...}, ...}: $set $unset $inc $mul $min $max $rename
//   $setOnInsert $currentDate $push $pull
//                  $pullAll $pop $addToSet $bit; paths with $, $[] and $[identifier] (arrayFilters)
//   replacement    a document without operators: replaces everything but _id
//   pipeline       an array of stages: $set/$addFields, $unset/$project, $replaceWith/$replaceRoot
//
// Fields that an update adds come in the order of their paths (numbers by value), as MongoDB 5 and
// later have it. Two operators on one path, or on a path and a part of it, are mql_invalid. An
// update never changes _id.
//
// The spec is checked at compile time (mql_invalid, mql_unsupported); apply fails (mql_failed)
// where a value has the wrong type, with MongoDB's words. The result is checked against
// limits::document_bytes_max and document_depth_max.
//
// An Update owns a copy of its spec and is cheap to copy. Thread-safety: const use from any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_diff.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"
#include "mql/filter.hpp"

namespace tombolo::mql {

struct UpdateOptions {
    /// Documents, one an identifier.
    std::vector<BsonDocumentView> array_filters;
    /// Variables that a pipeline may use.
    ExpressionOptions expression;
};

struct UpdateInput {
    /// What $currentDate writes (evaluation.now_ms), and what a pipeline's expressions see.
    EvaluationInput evaluation;
    /// Counter in the low half of timestamps written by $currentDate.
    std::uint32_t timestamp_increment = 1;
    /// What the filter found: the meaning of `$`.
    MatchDetails match;
    /// The document is about to be inserted: $setOnInsert applies and _id may be set.
    bool insert = false;
};

namespace detail {
struct UpdateProgram;
}

class Update {
  public:
    /// A document or (a pipeline) an array.
    static Result<Update> compile(BsonView spec, const UpdateOptions& options = {});

    /// The document after the update. Compare with diff(): an update that changes nothing gives
    /// equal bytes.
    Result<BsonDocument> apply(BsonDocumentView document, const UpdateInput& input) const;

    /// The document that an upsert inserts when nothing matched: the filter's equalities, then the
    /// update with `insert` set. It has no _id when neither names one.
    Result<BsonDocument> upsert(const Filter& filter, UpdateInput input) const;

    bool is_replacement() const noexcept;
    bool is_pipeline() const noexcept;

  private:
    explicit Update(std::shared_ptr<const detail::UpdateProgram> program) noexcept;

    // Shared: one compiled update is applied by many writers.
    std::shared_ptr<const detail::UpdateProgram> program_;
};

} // namespace tombolo::mql
