#pragma once

// The index arithmetic of two concurrent edits of one list (changesets-and-merge.md 4.6, R10 to R12
// and R18 to R23), on bare numbers. Who may meet whom, and what prior_size must be, is checked by
// the callers. Written without branches where that is what makes a hot list fast. Internal to the
// merge.

#include <cstdint>
#include <utility>

namespace tombolo::changeset::list_shift {

using Index = std::uint32_t;

constexpr Index one_if(bool condition) noexcept {
    return condition ? 1U : 0U;
}

/// R18. Two devices insert into one list at the same index: the newer element goes behind the older
/// one.
constexpr void insert_insert(Index& left, Index& right, bool left_is_older) noexcept {
    bool right_shifts = left < right + one_if(left_is_older);
    left += one_if(!right_shifts);
    right += one_if(right_shifts);
}

/// R19.
constexpr void insert_move(Index& insert, Index& from, Index& to, bool move_is_older) noexcept {
    Index behind = one_if(insert > from);
    insert -= behind;
    from += 1 - behind;
    Index to_shifts = one_if(insert < to + one_if(move_is_older));
    to += to_shifts;
    insert += 1 - to_shifts;
}

/// R20.
constexpr void insert_erase(Index& insert, Index& erase) noexcept {
    Index erase_shifts = one_if(insert <= erase);
    erase += erase_shifts;
    insert -= 1 - erase_shifts;
}

/// R22. True: the move is to be discarded.
constexpr bool move_erase(Index& from, Index& to, Index& erase) noexcept {
    if (erase == from) {
        erase = to;
        return true;
    }
    Index behind = one_if(erase > from);
    erase -= behind;
    from -= 1 - behind;
    Index not_before = one_if(erase >= to);
    erase += not_before;
    to -= 1 - not_before;
    return from == to;
}

/// R11, and what an inner index does under a move (E1, sensible rule): the index follows its
/// element.
constexpr void follow_move(Index& index, Index from, Index to) noexcept {
    Index rest = index - one_if(index > from);
    rest += one_if(rest >= to);
    index = index == from ? to : rest;
}

struct MovesLeft {
    bool left = true;
    bool right = true;
};

/// R21. Says which of the two moves remain.
constexpr MovesLeft move_move(Index& from_1, Index& to_1, Index& from_2, Index& to_2,
                              bool left_is_older) noexcept {
    if (from_1 == from_2) {
        if (left_is_older) {
            from_2 = to_1;
            return {false, from_2 != to_2};
        }
        from_1 = to_2;
        return {from_1 != to_1, false};
    }
    Index left_first = one_if(from_1 < from_2);
    from_2 -= left_first;
    from_1 -= 1 - left_first;
    Index to_1_behind = one_if(to_1 > from_2);
    to_1 -= to_1_behind;
    from_2 += 1 - to_1_behind;
    Index to_2_behind = one_if(from_1 < to_2);
    to_2 -= to_2_behind;
    from_1 += 1 - to_2_behind;
    insert_insert(to_1, to_2, left_is_older);
    return {from_1 != to_1, from_2 != to_2};
}

} // namespace tombolo::changeset::list_shift
