#pragma once

// Projections as find() takes them: which fields of a document are returned, and computed ones.
//
//   {a: 1, "b.c": 1}     inclusion: these and _id
//   {a: 0}               exclusion: all but these
//   {a: "$b"}            a computed field (any expression but plain numbers and booleans)
//   {a: {$slice: ..}}    part of an array; {a: {$elemMatch: ..}} its first matching element;
//   {"a.$": 1} the element that
//                        the query matched
//
// _id may be excluded from an inclusion and kept in an exclusion; other mixtures are mql_invalid,
// as are paths that contain one another. Paths go into documents and into every element of arrays.
// Kept fields stay in the document's order, computed fields follow in the order of the spec.
//
// Immutable and cheap to copy. Thread-safety: const use from any thread.

#include <memory>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"
#include "mql/filter.hpp"

namespace tombolo::mql {

namespace detail {
struct ProjectionProgram;
}

class Projection {
  public:
    /// Returns documents as they are.
    Projection();

    static Result<Projection> compile(BsonDocumentView spec, const ExpressionOptions& options = {});

    /// `details` is what the query's filter found, for "a.$".
    Result<BsonDocument> apply(BsonDocumentView document, const EvaluationInput& input = {},
                               const MatchDetails& details = {}) const;

    /// True when `details` are needed.
    bool is_positional() const noexcept;

  private:
    explicit Projection(std::shared_ptr<const detail::ProjectionProgram> program) noexcept;

    std::shared_ptr<const detail::ProjectionProgram>
        program_; // shared by the requests of a session
};

} // namespace tombolo::mql
