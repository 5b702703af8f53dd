#pragma once

// The two-sided loop of changesets-and-merge.md 4.2 over two lists of items. Internal to the merge.

#include <vector>

#include "changeset/merge_rules.hpp"
#include "changeset/merge_state.hpp"

namespace tombolo::changeset {

using ItemList = std::vector<Item*>;

/// Lets every item of ours meet every item of theirs, row by row. Discarded items are taken out of
/// `theirs`, prepended ones are put into both. Stops at the first merge error, which `rules` then
/// holds.
void run_grid(ItemList& ours, ItemList& theirs, MergeRules& rules);

} // namespace tombolo::changeset
