#pragma once

// The order of $sort, $sortArray, $topN and their kin: a SortOrder over paths, or the values
// themselves.
//
// How a path through arrays sorts: mql/sort.hpp. Thread-safety: const use from any thread.

#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/sort.hpp"

namespace tombolo::mql {

class SortKey {
  public:
    /// {"path": 1 | -1, ...}, or 1 | -1 alone for the values themselves.
    static Result<SortKey> compile(BsonView spec);

    /// Negative, zero or positive.
    int compare(BsonView left, BsonView right) const;

    /// What compare_keys compares: cheaper when a value takes part in many comparisons. The views
    /// borrow from `value`.
    std::vector<BsonView> key_of(BsonView value) const;
    int compare_keys(const std::vector<BsonView>& left,
                     const std::vector<BsonView>& right) const noexcept;

  private:
    SortOrder order_;
    bool whole_values_ = false;
    bool descending_ = false; ///< of whole values
};

} // namespace tombolo::mql
