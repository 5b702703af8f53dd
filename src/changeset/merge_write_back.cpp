// The part of MergeState that keeps what the merge did and carries it into the changesets.

#include <algorithm>
#include <bit>

#include "changeset/merge_state.hpp"

namespace tombolo::changeset {

Instruction MergeState::make_erase_column(ChangesetParts& parts, const Item& item) const {
    auto intern = [&parts](std::string_view name) {
        if (auto id = parts.strings.find(name, parts.bytes.data())) {
            return *id;
        }
        TextRange range{static_cast<std::uint32_t>(parts.bytes.size()),
                        static_cast<std::uint32_t>(name.size())};
        ByteView view = as_bytes(name);
        parts.bytes.insert(parts.bytes.end(), view.begin(), view.end());
        parts.strings.add(range, parts.bytes.data());
        return StringId{static_cast<std::uint32_t>(parts.strings.size() - 1)};
    };
    Instruction instruction;
    instruction.op = Opcode::erase_column;
    instruction.table = intern(text(item.table));
    instruction.field = intern(text(item.field));
    return instruction;
}

bool MergeState::is_changed(const Item& item) const noexcept {
    const ChangesetParts& parts = inputs(item.side)[item.input].changeset->parts();
    const Instruction& instruction = parts.instructions[item.source];
    if (instruction.prior_size != item.prior_size || instruction.to != item.to) {
        return true;
    }
    for (std::uint32_t i = 0; i < item.path_count; ++i) {
        if (!is_name(item.path[i]) &&
            parts.path_elements[instruction.path_begin + i].index() != item.path[i]) {
            return true;
        }
    }
    return item.op == Opcode::update && item.type == PayloadType::integer &&
           instruction.body != item.body;
}

void MergeState::write_change(MergeInput& input, const Change& change,
                              const std::uint32_t* path) const {
    input.modified = true;
    ChangesetParts& parts = input.changeset->parts();
    Instruction& instruction = parts.instructions[change.source];
    instruction.prior_size = change.prior_size;
    instruction.to = change.to;
    for (std::uint32_t i = 0; i < instruction.path_count; ++i) {
        PathElement& element = parts.path_elements[instruction.path_begin + i];
        if (element.is_index()) {
            element = PathElement::make_index(path[i]);
        }
    }
    if (instruction.op == Opcode::update && instruction.type == PayloadType::integer) {
        instruction.body = Body::of_integer(change.integer);
    }
}

void MergeState::remove_dead(Side side, std::size_t input, const Discarded& dead) {
    std::vector<Instruction>& list = inputs(side)[input].changeset->parts().instructions;
    // What lies between two discarded ones moves as a whole.
    std::size_t kept = 0;
    std::size_t from = 0;
    auto move_up_to = [&](std::size_t end) {
        if (kept != from) {
            std::copy(list.begin() + static_cast<std::ptrdiff_t>(from),
                      list.begin() + static_cast<std::ptrdiff_t>(end),
                      list.begin() + static_cast<std::ptrdiff_t>(kept));
        }
        kept += end - from;
    };
    for (std::size_t word = 0; word < dead.size(); ++word) {
        for (std::uint64_t bits = dead[word]; bits != 0; bits &= bits - 1) {
            std::size_t at = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
            move_up_to(at);
            from = at + 1;
        }
    }
    move_up_to(list.size());
    list.resize(kept);
}

void MergeState::give_out_dead(MergeInput& input, const Discarded& dead) {
    if (input.discarded == nullptr) {
        return;
    }
    for (std::size_t word = 0; word < dead.size(); ++word) {
        for (std::uint64_t bits = dead[word]; bits != 0; bits &= bits - 1) {
            input.discarded->push_back(
                input.changeset
                    ->instructions()[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))]);
        }
    }
}

void MergeState::insert_prepended(Side side, std::size_t input, const Discarded& dead) {
    ChangesetParts& parts = inputs(side)[input].changeset->parts();
    std::vector<const Item*> inserts;
    for (const Item& item : prepended_) {
        if (item.side == side && item.input == input && !item.dead) {
            inserts.push_back(&item);
        }
    }
    std::stable_sort(inserts.begin(), inserts.end(), [](const Item* left, const Item* right) {
        return left->source < right->source;
    });
    std::vector<Instruction> result;
    result.reserve(parts.instructions.size() + inserts.size());
    auto next = inserts.begin();
    for (std::size_t i = 0; i < parts.instructions.size(); ++i) {
        for (; next != inserts.end() && (*next)->source == i; ++next) {
            result.push_back(make_erase_column(parts, **next));
        }
        if (dead.empty() || (dead[i / 64] >> i % 64 & 1) == 0) {
            result.push_back(parts.instructions[i]);
        }
    }
    parts.instructions = std::move(result);
}

void MergeState::discard(const Item& item) {
    Discarded& dead = dead_[to_number(item.side)][item.input];
    if (dead.empty()) {
        dead.resize(inputs(item.side)[item.input].changeset->instructions().size() / 64 + 1);
    }
    dead[item.source / 64] |= std::uint64_t{1} << item.source % 64;
}

void MergeState::keep_change(const Item& item) {
    Changes& changes = changes_[to_number(item.side)];
    changes.list.push_back({item.input, item.source, item.prior_size, item.to, changes.paths.size(),
                            item.body.integer()});
    for (std::uint32_t i = 0; i < item.path_count; ++i) {
        changes.paths.push_back(is_name(item.path[i]) ? 0
                                                      : static_cast<std::uint32_t>(item.path[i]));
    }
}

void MergeState::keep_changes(std::span<const Item> items) {
    for (const Item& item : items) {
        if (item.dead) {
            discard(item);
        } else if (is_changed(item)) {
            keep_change(item);
        }
    }
    paths_.reset();
}

void MergeState::write_back() {
    for (Side side : {Side::ours, Side::theirs}) {
        const Changes& changes = changes_[to_number(side)];
        for (const Change& change : changes.list) {
            write_change(inputs(side)[change.input], change, changes.paths.data() + change.path);
        }
    }
    std::vector<bool> prepended[2] = {std::vector<bool>(inputs_[0].size()),
                                      std::vector<bool>(inputs_[1].size())};
    for (const Item& item : prepended_) {
        prepended[to_number(item.side)][item.input] = true;
    }
    for (Side side : {Side::ours, Side::theirs}) {
        for (std::size_t input = 0; input < inputs(side).size(); ++input) {
            const Discarded& dead = dead_[to_number(side)][input];
            give_out_dead(inputs(side)[input], dead);
            if (prepended[to_number(side)][input]) {
                insert_prepended(side, input, dead);
            } else if (!dead.empty()) {
                remove_dead(side, input, dead);
            } else {
                continue;
            }
            inputs(side)[input].modified = true;
        }
    }
}

} // namespace tombolo::changeset
