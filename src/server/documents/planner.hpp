#pragma once

// Which documents to look at for a filter: those of some ids, those in a range of one index, or
// all. The result always holds every match; whoever reads it still applies the filter.
//
// Only what is certain is used: equalities, $in and one-sided or bracketed ranges with scalar
// values that are not null, at the top of the filter and inside $and. Ranges with two given bounds
// use one of them: two elements of an array may meet one each. Pure.

#include <optional>
#include <string>
#include <vector>

#include "mql/bson_value.hpp"
#include "server/store/store.hpp"

namespace tombolo::documents {

struct Plan {
    enum class Kind : std::uint8_t { scan, keys, index };
    Kind kind = Kind::scan;
    std::vector<std::string> keys; ///< of `keys`: document keys, ascending, distinct
    std::string index;
    std::vector<store::IndexRange> ranges;

    /// For logs and tests: "scan", "keys 3", "index by_owner 1".
    std::string to_string() const;
};

/// A plan for documents that match all of the filters.
Plan make_plan(const std::vector<mql::BsonDocumentView>& filters,
               const std::vector<store::IndexSpec>& indexes);

} // namespace tombolo::documents
