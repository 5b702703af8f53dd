#pragma once

// The two-sided loop of changesets-and-merge.md 4.2 over two lists of items. Internal to the merge.

#include <cstdint>
#include <vector>

#include "changeset/merge_rules.hpp"
#include "changeset/merge_state.hpp"

namespace tombolo::changeset {

using ItemList = std::vector<Item*>;

/// Which pairs do something to each other.
enum class Meeting : std::uint8_t {
    all,
    on_one_field, ///< the lists hold no EraseObject and no schema instruction
};

/// Lets every item of ours meet every item of theirs, row by row. Discarded items are taken out of
/// `theirs`, prepended ones are put into both. Stops at the first merge error, which `rules` then
/// holds.
void run_grid(ItemList& ours, ItemList& theirs, MergeRules& rules, Meeting meeting);

} // namespace tombolo::changeset
