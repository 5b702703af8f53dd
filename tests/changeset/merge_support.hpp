#pragma once

// Merging two small changesets written with the builder, in both operand orders and with both
// implementations.

#include <cstdint>
#include <functional>
#include <vector>

#include "changeset/builder.hpp"
#include "changeset/merge.hpp"

namespace tombolo::changeset::test {

using Edits = std::function<void(ChangesetBuilder&)>;

/// What the builder makes of the edits; a failed check when it refuses them.
Changeset build(const Edits& edits);

/// The field `field` of object 1 of class "Foo".
Place at(std::string_view field, std::vector<PathStep> path = {});

struct Origin {
    std::uint64_t timestamp = 0;
    std::uint64_t file_ident = 0;
};

inline constexpr Origin older_origin{1, 2};
inline constexpr Origin newer_origin{2, 3};

/// Nothing is left.
void nothing(ChangesetBuilder& builder);

/// Merges in all four ways and checks that each gives `left_after` and `right_after`, and that the
/// modified flags are true. The left side is the older one unless told otherwise. Returns the edges
/// met.
std::vector<EdgeMet> expect_merge(const Edits& left, const Edits& right, const Edits& left_after,
                                  const Edits& right_after, Origin left_origin = older_origin,
                                  Origin right_origin = newer_origin,
                                  const MergeOptions& options = {});

/// Checks that each way ends in merge_error and changes neither side.
void expect_merge_error(const Edits& left, const Edits& right);

} // namespace tombolo::changeset::test
