#pragma once

// The fast path for a hot list: all edits of both sides act on elements of one list. Internal to
// the merge.

#include <vector>

#include "changeset/merge_grid.hpp"
#include "changeset/merge_rules.hpp"

namespace tombolo::changeset {

/// Runs the grid when every item is an ArrayInsert, ArrayErase, ArrayMove or array Update of one
/// container, sizes and indices are sound, and sizes agree wherever two meet. Otherwise changes no
/// item and returns false: run_grid() then does the same with every check and error of the chapter.
/// REQUIRES: all items are path instructions on one field.
bool run_list_grid(const ItemList& ours, const ItemList& theirs, MergeRules& rules);

} // namespace tombolo::changeset
