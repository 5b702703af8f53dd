#pragma once

// The order of $sort, $sortArray, $topN and $setWindowFields' kin: one or more paths, each
// ascending or descending.
//
// A path through arrays leads to several values: the smallest counts when ascending, the largest
// when descending; an empty array sorts before null, a missing field as null. Thread-safety: const
// use from any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/path.hpp"

namespace tombolo::mql {

class SortKey {
  public:
    /// {"path": 1 | -1, ...}, or 1 | -1 alone for the values themselves. At most 32 paths.
    static Result<SortKey> compile(BsonView spec);

    /// Negative, zero or positive. REQUIRES for documents sorted by paths: views of whole values.
    int compare(BsonView left, BsonView right) const noexcept;

    /// One value a path, to be compared by compare_keys: cheaper when a value takes part in many
    /// comparisons. The views borrow from `value`.
    std::vector<BsonView> key_of(BsonView value) const;
    int compare_keys(const std::vector<BsonView>& left,
                     const std::vector<BsonView>& right) const noexcept;

  private:
    struct Part {
        Path path;
        bool descending = false;
    };
    static BsonView part_value(const Part& part, BsonView value) noexcept;

    std::vector<Part> parts_;
};

} // namespace tombolo::mql
