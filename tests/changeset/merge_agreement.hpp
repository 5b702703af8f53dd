#pragma once

// The differential check of the merge: indexed and full grid, either operand order, must give the
// same.

#include <span>
#include <string>

#include "changeset/changeset.hpp"
#include "changeset/merge.hpp"

namespace tombolo::changeset::test {

/// Merges copies of both sides in all four ways. Empty when all agree, else what differs. Also
/// checks that a failed merge changes nothing and that whatever is not flagged modified is
/// unchanged. `merged` says whether there was no error.
std::string disagreement(std::span<const Changeset> left, std::span<const Changeset> right,
                         MoveOverInnerRule rule, bool& merged);

} // namespace tombolo::changeset::test
