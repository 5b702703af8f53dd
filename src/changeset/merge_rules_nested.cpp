// The nested rules of 4.5: what an instruction does to one that acts deeper.

#include "changeset/list_shift.hpp"
#include "changeset/merge_rules.hpp"

namespace tombolo::changeset {

void MergeRules::nested(Item& outer, Item& inner) {
    switch (outer.op) {
    case Opcode::erase_table:
        inner.dead = inner.table == outer.table;
        return;
    case Opcode::erase_object:
        inner.dead = is_path_instruction(inner.op) && inner.object == outer.object;
        return;
    case Opcode::update:
        nested_update(outer, inner);
        return;
    case Opcode::add_integer:
    case Opcode::clear:
        inner.dead = is_strict_prefix(outer, inner);
        return;
    case Opcode::array_insert:
        nested_array_insert(outer, inner);
        return;
    case Opcode::array_move:
        nested_array_move(outer, inner);
        return;
    case Opcode::array_erase:
        nested_array_erase(outer, inner);
        return;
    case Opcode::add_table:
    case Opcode::add_column:
    case Opcode::erase_column:
    case Opcode::create_object:
    case Opcode::set_insert:
    case Opcode::set_erase:
        return;
    }
}

void MergeRules::nested_update(Item& outer, Item& inner) {
    if (!is_strict_prefix(outer, inner)) {
        return;
    }
    if (outer.type == PayloadType::object_value) {
        // E4 (b): under a dictionary key this ObjectValue replaces what the inner edit changed.
        if (outer.path_count != 0 && is_name(outer.path[outer.path_count - 1])) {
            report(KnownEdge::dictionary_object, outer);
        }
        return;
    }
    bool next_is_name = is_name(inner.path[outer.path_count]);
    bool keep = (outer.type == PayloadType::list && !next_is_name) ||
                (outer.type == PayloadType::dictionary && next_is_name);
    inner.dead = !keep;
}

bool MergeRules::corresponding_index(const Item& outer, const Item& inner,
                                     std::uint32_t& index) noexcept {
    PathWord word = inner.path[outer.path_count - 1];
    if (!require(!is_name(word), "a path has a name where the other side has a list index", outer,
                 inner)) {
        return false;
    }
    index = static_cast<std::uint32_t>(word);
    return true;
}

void MergeRules::nested_array_insert(Item& outer, Item& inner) {
    std::uint32_t index = 0;
    if (!is_container_prefix(outer, inner) || !corresponding_index(outer, inner, index)) {
        return;
    }
    if (index >= outer.last_index() &&
        require(index != 0xFFFF'FFFF, "a list would outgrow 32-bit indices", outer, inner)) {
        inner.path[outer.path_count - 1] = index + 1;
    }
}

void MergeRules::nested_array_erase(Item& outer, Item& inner) {
    std::uint32_t index = 0;
    if (!is_container_prefix(outer, inner) || !corresponding_index(outer, inner, index)) {
        return;
    }
    if (index == outer.last_index()) {
        inner.dead = true;
    } else if (index > outer.last_index()) {
        inner.path[outer.path_count - 1] = index - 1;
    }
}

void MergeRules::nested_array_move(Item& outer, Item& inner) {
    std::uint32_t index = 0;
    if (!is_container_prefix(outer, inner) || !corresponding_index(outer, inner, index)) {
        return;
    }
    // E1: published clients move the move's own index instead of the inner one. Harmless where
    // neither would change.
    std::uint32_t from = outer.last_index();
    if (!require(index != 0xFFFF'FFFF && from != 0xFFFF'FFFF, "a list would outgrow 32-bit indices",
                 outer, inner)) {
        return;
    }
    std::uint32_t sensible = index;
    list_shift::follow_move(sensible, from, outer.to);
    std::uint32_t realm_core = from;
    list_shift::follow_move(realm_core, index, outer.to);
    if (sensible != index || realm_core != from) {
        report(KnownEdge::move_over_inner, outer);
    }
    if (options_.move_over_inner == MoveOverInnerRule::sensible) {
        inner.path[outer.path_count - 1] = sensible;
    } else {
        outer.set_last_index(realm_core);
    }
}

} // namespace tombolo::changeset
