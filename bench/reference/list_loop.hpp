#pragma once

// What a merge of two lists of edits cannot do without: a loop over all pairs that compares two
// indexes and shifts them. The bound of merge_hot_list is stated against it. Uses no code of ours.

#include <cstdint>
#include <vector>

namespace reference {

/// Every element of `left` meets every element of `right`, row by row; the one that lies behind
/// moves up by one.
void compare_and_shift(std::vector<std::uint32_t>& left, std::vector<std::uint32_t>& right);

} // namespace reference
