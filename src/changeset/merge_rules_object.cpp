// Regular rules between instructions on objects, values, dictionaries and sets: R5 to R9, R13, R14,
// R24 to R29.

#include "changeset/merge_rules.hpp"

namespace tombolo::changeset {

namespace {

bool is_collection(PayloadType type) noexcept {
    return type == PayloadType::list || type == PayloadType::dictionary;
}

bool ends_in_name(const Item& item) noexcept {
    return item.path_count != 0 && is_name(item.path[item.path_count - 1]);
}

} // namespace

// R5: an erase always wins over a creation.
void MergeRules::create_erase(Item& left, Item& right) {
    left.dead = left.object == right.object;
}

// R6: one erase remains, so that a later creation is judged against the right one.
void MergeRules::erase_erase(Item& left, Item& right) {
    if (left.object == right.object) {
        discard_older(left, right);
    }
}

// R7
void MergeRules::update_update_rule(Item& left, Item& right) {
    if (same_path(left, right) &&
        require(!left.array_update || left.prior_size == right.prior_size,
                "two updates of a list disagree on its size", left, right)) {
        update_update(left, right);
    }
}

void MergeRules::update_update(Item& left, Item& right) {
    // Equal paths end alike, so both or neither are updates of a list element (R7.1).
    bool left_is_object = left.type == PayloadType::object_value;
    bool right_is_object = right.type == PayloadType::object_value;
    if (left_is_object != right_is_object) { // R7.2
        (left_is_object ? left : right).dead = true;
        return;
    }
    if (left.type == right.type && is_collection(left.type)) { // R7.3
        return;
    }
    bool left_is_default = left.flag;
    if (left_is_default != right.flag) { // R7.4
        (left_is_default ? left : right).dead = true;
    } else { // R7.5
        discard_older(left, right);
    }
    Item& winner = left.dead ? right : left;
    if (is_collection(winner.type)) {
        report(KnownEdge::redundant_collection, winner); // E6
    } else if (left_is_object && ends_in_name(winner)) {
        report(KnownEdge::dictionary_object, winner); // E4 (a)
    }
}

// R8: an update made later than the addition, or a default, meets it.
void MergeRules::update_add_integer(Item& left, Item& right) {
    if (!same_path(left, right)) {
        return;
    }
    bool is_default = left.flag && !left.array_update;
    bool meets = older(left, right) || is_default;
    if (meets && left.type == PayloadType::integer) {
        left.body.words[0] += right.body.words[0]; // wraps, as the field does
    } else if (!meets || left.type != PayloadType::null) {
        right.dead = true;
    }
}

// R9
void MergeRules::update_erase_column(Item& left, Item& right) {
    left.dead = left.table == right.table && left.field == right.field;
}

// R13
void MergeRules::update_clear(Item& left, Item& right) {
    if (!same_path(left, right)) {
        return;
    }
    auto kind = static_cast<CollectionKind>(right.kind);
    bool same_kind = (kind == CollectionKind::list && left.type == PayloadType::list) ||
                     (kind == CollectionKind::dictionary && left.type == PayloadType::dictionary);
    if (!same_kind) {
        discard_older(left, right);
    }
    if (left.dead && left.type == PayloadType::erased) {
        report(KnownEdge::cleared_key, right); // E9: where the erase came first, nothing is there
    }
}

// R14
void MergeRules::add_integer_clear(Item& left, Item& right) {
    left.dead = same_path(left, right);
}

// R24
void MergeRules::clear_clear(Item& left, Item& right) {
    if (same_path(left, right)) {
        discard_older(left, right);
    }
}

// R25, R26
void MergeRules::clear_set(Item& left, Item& right) {
    right.dead = same_path(left, right);
}

// R27, R28, R29. By content also for two erases, where realm-core compares memory layouts (E5).
void MergeRules::set_set(Item& left, Item& right) {
    if (same_path(left, right) && same_payload(left, right)) {
        discard_older(left, right);
    }
}

} // namespace tombolo::changeset
