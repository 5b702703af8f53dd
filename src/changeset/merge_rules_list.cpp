// Regular rules between edits of one list: R10 to R12 and R18 to R23. The arithmetic is in
// list_shift.hpp.

#include "changeset/list_shift.hpp"
#include "changeset/merge_rules.hpp"

namespace tombolo::changeset {

// No rule: the two commute as published clients see it. E7: they do not where the Clear is of an
// element that the edit moves, since the Clear's index stays.
void MergeRules::array_clear(Item& left, Item& right) {
    if (!same_container(left, right) || right.path_count == 0 ||
        is_name(right.path[right.path_count - 1])) {
        return;
    }
    const std::uint32_t index = right.last_index();
    std::uint32_t moved = index;
    if (left.op == Opcode::array_move) {
        list_shift::follow_move(moved, left.last_index(), left.to);
    }
    const bool shifts = left.op != Opcode::array_move && left.last_index() <= index;
    if (shifts || moved != index) {
        report(KnownEdge::cleared_element, right);
    }
}

namespace {

constexpr const char* other_size = "two edits of a list disagree on its size";
constexpr const char* out_of_list = "an index lies outside its list";

} // namespace

// R10
void MergeRules::update_array_insert(Item& left, Item& right) {
    if (!left.array_update || !same_container(left, right)) {
        return;
    }
    if (!require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require(right.last_index() <= right.prior_size && left.last_index() < left.prior_size,
                 out_of_list, left, right) ||
        !require_room(left, right)) {
        return;
    }
    left.prior_size += 1;
    if (left.last_index() >= right.last_index()) {
        left.set_last_index(left.last_index() + 1);
    }
}

// R11
void MergeRules::update_array_move(Item& left, Item& right) {
    if (!left.array_update || !same_container(left, right) ||
        !require(left.last_index() < left.prior_size && right.last_index() < right.prior_size,
                 out_of_list, left, right)) {
        return;
    }
    std::uint32_t index = left.last_index();
    list_shift::follow_move(index, right.last_index(), right.to);
    left.set_last_index(index);
}

// R12
void MergeRules::update_array_erase(Item& left, Item& right) {
    if (!left.array_update || !same_container(left, right) ||
        !require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require(left.last_index() < left.prior_size && right.last_index() < right.prior_size,
                 out_of_list, left, right)) {
        return;
    }
    left.prior_size -= 1;
    if (left.last_index() == right.last_index()) {
        left.dead = true;
    } else if (left.last_index() > right.last_index()) {
        left.set_last_index(left.last_index() - 1);
    }
}

// R18: two devices insert into one list.
void MergeRules::array_insert_array_insert(Item& left, Item& right) {
    if (!same_container(left, right) ||
        !require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require_room(left, right)) {
        return;
    }
    left.prior_size += 1;
    right.prior_size += 1;
    std::uint32_t left_index = left.last_index();
    std::uint32_t right_index = right.last_index();
    list_shift::insert_insert(left_index, right_index, older(left, right));
    left.set_last_index(left_index);
    right.set_last_index(right_index);
}

// R19. The sizes are not compared.
void MergeRules::array_insert_array_move(Item& left, Item& right) {
    if (!same_container(left, right) || !require_room(left, right)) {
        return;
    }
    right.prior_size += 1;
    std::uint32_t insert = left.last_index();
    std::uint32_t from = right.last_index();
    list_shift::insert_move(insert, from, right.to, older(right, left));
    left.set_last_index(insert);
    right.set_last_index(from);
}

// R20
void MergeRules::array_insert_array_erase(Item& left, Item& right) {
    if (!same_container(left, right) ||
        !require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require(right.last_index() < right.prior_size && left.last_index() <= left.prior_size,
                 out_of_list, left, right) ||
        !require_room(left, right)) {
        return;
    }
    right.prior_size += 1;
    left.prior_size -= 1;
    std::uint32_t insert = left.last_index();
    std::uint32_t erase = right.last_index();
    list_shift::insert_erase(insert, erase);
    left.set_last_index(insert);
    right.set_last_index(erase);
}

// R21
void MergeRules::array_move_array_move(Item& left, Item& right) {
    if (!same_container(left, right) ||
        !require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require(left.last_index() < left.prior_size && right.last_index() < right.prior_size &&
                     left.to < left.prior_size && right.to < right.prior_size,
                 out_of_list, left, right)) {
        return;
    }
    std::uint32_t left_from = left.last_index();
    std::uint32_t right_from = right.last_index();
    list_shift::MovesLeft remain =
        list_shift::move_move(left_from, left.to, right_from, right.to, older(left, right));
    left.set_last_index(left_from);
    right.set_last_index(right_from);
    left.dead = !remain.left;
    right.dead = !remain.right;
}

// R22
void MergeRules::array_move_array_erase(Item& left, Item& right) {
    if (!same_container(left, right) ||
        !require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require(right.last_index() < right.prior_size && left.last_index() < left.prior_size,
                 out_of_list, left, right)) {
        return;
    }
    left.prior_size -= 1;
    std::uint32_t from = left.last_index();
    std::uint32_t erase = right.last_index();
    left.dead = list_shift::move_erase(from, left.to, erase);
    left.set_last_index(from);
    right.set_last_index(erase);
}

// R23
void MergeRules::array_erase_array_erase(Item& left, Item& right) {
    if (!same_container(left, right) ||
        !require(left.prior_size == right.prior_size, other_size, left, right) ||
        !require(left.last_index() < left.prior_size && right.last_index() < right.prior_size,
                 out_of_list, left, right)) {
        return;
    }
    left.prior_size -= 1;
    right.prior_size -= 1;
    if (left.last_index() == right.last_index()) {
        left.dead = true;
        right.dead = true;
    } else if (left.last_index() > right.last_index()) {
        left.set_last_index(left.last_index() - 1);
    } else {
        right.set_last_index(right.last_index() - 1);
    }
}

} // namespace tombolo::changeset
