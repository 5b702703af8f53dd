// Regular rules between schema instructions: R1 to R4 and R15 to R17.

#include "changeset/merge_rules.hpp"

namespace tombolo::changeset {

namespace {

bool same_class_definition(const Item& left, const Item& right) noexcept {
    if (left.kind != right.kind) {
        return false;
    }
    return static_cast<TableKind>(left.kind) == TableKind::embedded ||
           (left.field == right.field && left.type == right.type && left.flag == right.flag);
}

bool same_column(const Item& left, const Item& right) noexcept {
    return left.table == right.table && left.field == right.field;
}

/// The type of a dictionary's keys is not compared.
bool same_column_definition(const Item& left, const Item& right) noexcept {
    return left.type == right.type && left.flag == right.flag && left.kind == right.kind &&
           (left.type != PayloadType::link || left.body.words[0] == right.body.words[0]);
}

void discard_both(Item& left, Item& right) noexcept {
    left.dead = true;
    right.dead = true;
}

} // namespace

// R1
void MergeRules::add_table_add_table(Item& left, Item& right) {
    if (left.table == right.table &&
        require(same_class_definition(left, right), "a class was added with two definitions", left,
                right)) {
        discard_both(left, right);
    }
}

// R2
void MergeRules::add_table_erase_table(Item& left, Item& right) {
    left.dead = left.table == right.table;
}

// R3
void MergeRules::erase_table_erase_table(Item& left, Item& right) {
    if (left.table == right.table) {
        discard_both(left, right);
    }
}

// R4. A column of the erased table itself was discarded by the nested rule.
void MergeRules::erase_table_add_column(Item& left, Item& right) {
    if (right.type == PayloadType::link && right.body.words[0] == left.table) {
        prepended_ = state_.prepend_erase_column(left, right);
        right.dead = true;
    }
}

// R15
void MergeRules::add_column_add_column(Item& left, Item& right) {
    if (same_column(left, right) &&
        require(same_column_definition(left, right), "a property was added with two definitions",
                left, right)) {
        discard_both(left, right);
    }
}

// R16
void MergeRules::add_column_erase_column(Item& left, Item& right) {
    left.dead = same_column(left, right);
}

// R17
void MergeRules::erase_column_erase_column(Item& left, Item& right) {
    if (same_column(left, right)) {
        discard_both(left, right);
    }
}

} // namespace tombolo::changeset
