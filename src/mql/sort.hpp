#pragma once

// Sort specifications over BSON: {field: 1, "other.field": -1, ...}.
//
// The key of a field is the value its path leads to; missing counts as null. Of an array ascending
// order takes the least element and descending order the greatest; an empty array is below null.
// Keys compare in BSON order (bson_compare.hpp).
//
// Immutable; thread-safety: const use from any thread. Keys borrow from the document.

#include <span>
#include <vector>

#include "core/result.hpp"
#include "mql/bson_value.hpp"
#include "mql/path.hpp"

namespace tombolo::mql {

class SortOrder {
  public:
    /// mql_invalid when a direction is not 1 or -1, a path is not valid, or there are more than 32
    /// fields; mql_unsupported for {$meta: ...}.
    static Result<SortOrder> compile(BsonDocumentView spec);

    bool empty() const noexcept { return fields_.empty(); }

    /// One key a field. A value that is no document has a null key for every field.
    std::vector<BsonView> keys(BsonView document) const;

    /// Order of two keys() results: negative, zero or positive.
    int compare(std::span<const BsonView> left, std::span<const BsonView> right) const noexcept;

    /// Stable.
    void sort(std::vector<BsonView>& documents) const;

  private:
    struct Field {
        Path path;
        bool descending;
    };
    std::vector<Field> fields_;
};

} // namespace tombolo::mql
