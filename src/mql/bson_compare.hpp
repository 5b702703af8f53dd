#pragma once

// BSON comparison order (MongoDB manual, "Comparison/Sort Order"): by canonical type, then within
// it.
//
//   MinKey < missing = undefined < null < numbers < string = symbol < object < array < binary <
//   ObjectId < bool < date < timestamp < regex < DBPointer < code < code with scope < MaxKey
//
// Numbers are compared exactly across int32, int64, double and decimal128; NaN equals NaN and is
// below every other number; -0 equals 0. Documents are compared field by field: canonical type of
// the values, then the names, then the values; a prefix is smaller. Binary: length, subtype, bytes.
// Recursion is bounded by the depth of validated BSON. All functions are pure, noexcept and do not
// allocate.

#include <cstddef>
#include <cstdint>

#include "mql/bson_value.hpp"

namespace tombolo::mql {

/// Rank of the type in the order; equal for types that compare with each other.
int canonical_type(BsonType type) noexcept;

/// Negative, zero or positive: a total order of values.
int compare(BsonView left, BsonView right) noexcept;

/// Fields in their order, names included.
int compare(BsonDocumentView left, BsonDocumentView right) noexcept;

/// Exact numeric comparison. REQUIRES: both are numbers.
int compare_numbers(BsonView left, BsonView right) noexcept;

inline bool equal(BsonView left, BsonView right) noexcept {
    return compare(left, right) == 0;
}

/// Same type and same bytes: 1 and 1.0 differ.
bool identical(BsonView left, BsonView right) noexcept;

/// Values that compare equal have equal hashes.
std::size_t hash_value(BsonView value) noexcept;

struct BsonLess {
    bool operator()(BsonView left, BsonView right) const noexcept {
        return compare(left, right) < 0;
    }
};

} // namespace tombolo::mql
