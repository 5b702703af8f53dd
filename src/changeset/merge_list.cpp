#include "changeset/merge_list.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "changeset/list_shift.hpp"

namespace tombolo::changeset {

namespace {

/// What the meetings of one list need of an item, in half a cache line.
struct Edit {
    std::uint32_t index = 0;
    std::uint32_t prior_size = 0;
    std::uint32_t to = 0;     ///< moves only
    std::uint32_t growth = 0; ///< 1, 0 or -1 (wrapped): what the edit does to the list's size
    std::uint32_t insert = 0; ///< 1 for inserts
    std::uint32_t rank = 0;
    bool move = false;
    bool dead = false;
    Item* item = nullptr;
};

constexpr std::uint32_t bounded = 0x3FFF'FFFF; ///< sizes and counts below it never overflow

bool is_list_edit(const Item& item) noexcept {
    return item.op == Opcode::array_insert || item.op == Opcode::array_move ||
           item.op == Opcode::array_erase || item.array_update;
}

bool make_edits(const ItemList& items, const Item& first, std::vector<Edit>& edits) {
    edits.reserve(items.size());
    for (Item* item : items) {
        if (!is_list_edit(*item) || !same_container(*item, first)) {
            return false;
        }
        Edit edit;
        edit.index = item->last_index();
        edit.prior_size = item->prior_size;
        edit.to = item->to;
        edit.move = item->op == Opcode::array_move;
        edit.insert = list_shift::one_if(item->op == Opcode::array_insert);
        edit.growth = edit.insert - list_shift::one_if(item->op == Opcode::array_erase);
        edit.rank = item->rank;
        edit.item = item;
        if (edit.prior_size > bounded || edit.index >= edit.prior_size + edit.insert ||
            (edit.move && edit.to >= edit.prior_size)) {
            return false;
        }
        edits.push_back(edit);
    }
    return true;
}

/// The grid of one list. Every function returns false to give up; the items have not been touched
/// then.
class ListGrid {
  public:
    ListGrid(std::vector<Edit>& ours, std::vector<Edit>& theirs, MergeRules& rules)
        : ours_(ours), theirs_(theirs), rules_(rules) {}

    bool run() {
        for (Edit& major : ours_) {
            discarded_ = false;
            bool sound = major.move          ? move_row(major)
                         : major.insert != 0 ? row<1>(major)
                         : major.growth != 0 ? row<-1>(major)
                                             : row<0>(major);
            if (!sound) {
                return false;
            }
            if (discarded_) {
                for (const Edit& minor : theirs_) {
                    if (minor.dead) {
                        discarded_items_.push_back(minor.item);
                    }
                }
                std::erase_if(theirs_, [](const Edit& minor) { return minor.dead; });
            }
        }
        return true;
    }

    void write_items() {
        for (const std::vector<Edit>* side : {&ours_, &theirs_}) {
            for (const Edit& edit : *side) {
                edit.item->set_last_index(edit.index);
                edit.item->prior_size = edit.prior_size;
                edit.item->to = edit.to;
                edit.item->dead = edit.dead;
            }
        }
        for (Item* item : discarded_items_) {
            item->dead = true;
        }
    }

  private:
    /// An insert (growth 1), erase (-1) or update (0) of ours against theirs: R7, R10, R12, R18,
    /// R20, R23 in one branch-free step, for each of them shifts an index that lies behind the
    /// other one, and they differ only in who shifts when the indices are equal. Two edits of one
    /// element go to meet_same_element().
    template <int growth>
    bool row(Edit& major) {
        constexpr auto own_growth = static_cast<std::uint32_t>(growth);
        std::uint32_t index = major.index;
        std::uint32_t prior_size = major.prior_size;
        const std::uint32_t rank = major.rank;
        Edit* const end = theirs_.data() + theirs_.size();
        for (Edit* minor = theirs_.data(); minor != end; ++minor) {
            if (minor->move) {
                if (prior_size != minor->prior_size) {
                    return false;
                }
                meet_move<growth>(index, rank, *minor);
                continue;
            }
            bool same_element = growth != 1 && index == minor->index && minor->insert == 0;
            bool other_size = prior_size != minor->prior_size;
            bool size_matters = growth != 0 || minor->growth != 0;
            if (static_cast<unsigned>(same_element) |
                (static_cast<unsigned>(other_size) & static_cast<unsigned>(size_matters)))
                [[unlikely]] {
                if (other_size) {
                    return false;
                }
                meet_same_element<growth>(major, index, *minor);
                if (major.dead) {
                    break;
                }
                continue;
            }
            const std::uint32_t our_insert_is_newer = list_shift::one_if(rank >= minor->rank);
            const std::uint32_t at = minor->index;
            std::uint32_t tie = minor->insert;
            if constexpr (growth == 1) {
                tie &= our_insert_is_newer;
            }
            const std::uint32_t major_shifts = list_shift::one_if(at < index + tie);
            if constexpr (growth != 0) {
                std::uint32_t minor_tie = 0;
                if constexpr (growth == 1) {
                    minor_tie = (minor->insert ^ 1U) | (our_insert_is_newer ^ 1U);
                }
                const std::uint32_t minor_shifts = list_shift::one_if(index < at + minor_tie);
                minor->index = at + ((0U - minor_shifts) & own_growth);
                minor->prior_size += own_growth;
            }
            index += (0U - major_shifts) & minor->growth;
            prior_size += minor->growth;
        }
        major.index = index;
        major.prior_size = prior_size;
        return true;
    }

    /// R7, R12 and R23 on one element of a list whose size both agree on.
    template <int growth>
    void meet_same_element(Edit& major, std::uint32_t index, Edit& minor) {
        if constexpr (growth == 0) {
            if (minor.growth != 0) { // R12: the erase stays
                major.dead = true;
                return;
            }
            meet_updates(major, index, minor);
        } else {
            minor.dead = true;
            major.dead = minor.growth != 0; // R23: both; R12: the update alone
        }
        discarded_ = discarded_ || minor.dead;
    }

    /// R7, which looks at values and origins, on the items; leaves no trace in them but the edges
    /// reported.
    void meet_updates(Edit& major, std::uint32_t index, Edit& minor) {
        Item& left = *major.item;
        Item& right = *minor.item;
        const std::uint32_t left_index = left.last_index();
        const std::uint32_t right_index = right.last_index();
        left.set_last_index(index);
        right.set_last_index(index);
        rules_.update_update(left, right);
        left.set_last_index(left_index);
        right.set_last_index(right_index);
        major.dead = std::exchange(left.dead, false);
        minor.dead = std::exchange(right.dead, false);
    }

    template <int growth>
    void meet_move(std::uint32_t& index, std::uint32_t rank, Edit& move) {
        if constexpr (growth == 1) { // R19
            move.prior_size += 1;
            list_shift::insert_move(index, move.index, move.to, move.rank < rank);
        } else if constexpr (growth == -1) { // R22
            move.prior_size -= 1;
            move.dead = list_shift::move_erase(move.index, move.to, index);
            discarded_ = discarded_ || move.dead;
        } else { // R11
            list_shift::follow_move(index, move.index, move.to);
        }
    }

    bool move_row(Edit& major) {
        for (Edit& minor : theirs_) {
            if (major.prior_size != minor.prior_size) {
                return false;
            }
            if (minor.move) { // R21
                list_shift::MovesLeft remain = list_shift::move_move(
                    major.index, major.to, minor.index, minor.to, major.rank < minor.rank);
                major.dead = !remain.left;
                minor.dead = !remain.right;
                discarded_ = discarded_ || minor.dead;
            } else if (minor.insert != 0) { // R19
                major.prior_size += 1;
                list_shift::insert_move(minor.index, major.index, major.to,
                                        major.rank < minor.rank);
            } else if (minor.growth != 0) { // R22
                major.prior_size -= 1;
                major.dead = list_shift::move_erase(major.index, major.to, minor.index);
            } else { // R11
                list_shift::follow_move(minor.index, major.index, major.to);
            }
            if (major.dead) {
                break;
            }
        }
        return true;
    }

    std::vector<Edit>& ours_;
    std::vector<Edit>& theirs_;
    MergeRules& rules_;
    std::vector<Item*> discarded_items_;
    bool discarded_ = false;
};

} // namespace

bool run_list_grid(const ItemList& ours, const ItemList& theirs, MergeRules& rules) {
    if (ours.empty() || theirs.empty() || ours.size() + theirs.size() > bounded) {
        return false;
    }
    std::vector<Edit> our_edits;
    std::vector<Edit> their_edits;
    if (!make_edits(ours, *ours.front(), our_edits) ||
        !make_edits(theirs, *ours.front(), their_edits)) {
        return false;
    }
    ListGrid grid(our_edits, their_edits, rules);
    if (!grid.run()) {
        return false;
    }
    grid.write_items();
    return true;
}

} // namespace tombolo::changeset
