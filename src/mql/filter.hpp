#pragma once

// MongoDB's filter language over BSON documents: compiled once, matched against many documents.
//
//     TOMBOLO_TRY(const Filter filter, Filter::compile(spec));
//     TOMBOLO_TRY(const bool yes, filter.matches(document));
//
// Operators: implicit equality and regular expressions, $eq $ne $gt $gte $lt $lte $in $nin, $and
// $or $nor $not, $exists $type, $regex/$options $mod $expr $comment, $all $elemMatch $size,
// $bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear, $geoWithin $within $geoIntersects $near
// $nearSphere on points. Any other operator is mql_unsupported, with its name and the path it
// stands at; a wrong operand is mql_invalid. Paths through arrays: mql/path.hpp. Comparisons only
// match values of the operand's type class ("type bracketing"), numbers across types exactly.
//
// Matching allocates nothing for scalar predicates; $expr and captures of $regex may. It fails
// (mql_failed) only where a regular expression exceeds its limits or an $expr cannot be evaluated.
//
// A Filter owns a copy of its spec and is cheap to copy. Thread-safety: const use from any thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/expression.hpp"

namespace tombolo::mql {

struct FilterOptions {
    /// Variables that $expr may use.
    ExpressionOptions expression;
};

/// What a match found on its way.
struct MatchDetails {
    /// Position of the element that matched in the outermost array of the last predicate that went
    /// through one, or -1: what the positional operator `$` of updates and projections stands for.
    std::int32_t array_index = -1;
};

namespace detail {
struct FilterProgram;
}

class Filter {
  public:
    /// Matches everything.
    Filter();

    static Result<Filter> compile(BsonDocumentView spec, const FilterOptions& options = {});

    Result<bool> matches(BsonDocumentView document, const EvaluationInput& input = {},
                         MatchDetails* details = nullptr) const;

    /// True when the filter has a $near or $nearSphere; its caller sorts the matches by distance.
    bool has_near() const noexcept;
    /// The least distance from the document's points to the $near centre: metres on the sphere,
    /// plain units for legacy flat coordinates. Nothing when the document has no point. REQUIRES:
    /// has_near().
    std::optional<double> near_distance(BsonDocumentView document) const;

    /// The spec as it was compiled.
    BsonDocumentView spec() const noexcept;

  private:
    explicit Filter(std::shared_ptr<const detail::FilterProgram> program) noexcept;

    // Shared: the filters of rules and subscriptions are copied into every session that uses them.
    std::shared_ptr<const detail::FilterProgram> program_;
};

} // namespace tombolo::mql
