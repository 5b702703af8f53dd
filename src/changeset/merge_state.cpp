#include "changeset/merge_state.hpp"

#include <algorithm>
#include <tuple>

#include "core/check.hpp"
#include "core/limits.hpp"

namespace tombolo::changeset {

namespace {

constexpr std::int32_t class_group = 100;
constexpr std::int32_t column_group = 101;

std::uint32_t length_of(const Instruction& instruction) noexcept {
    switch (instruction.op) {
    case Opcode::add_table:
    case Opcode::erase_table:
        return 1;
    case Opcode::add_column:
    case Opcode::erase_column:
    case Opcode::create_object:
    case Opcode::erase_object:
        return 2;
    default:
        return 3 + instruction.path_count;
    }
}

} // namespace

Symbol SymbolTable::intern(std::string_view text) {
    if (auto id = table_.find(text, bytes_.data())) {
        return to_index(*id);
    }
    TextRange range{static_cast<std::uint32_t>(bytes_.size()),
                    static_cast<std::uint32_t>(text.size())};
    ByteView view = as_bytes(text);
    bytes_.insert(bytes_.end(), view.begin(), view.end());
    table_.add(range, bytes_.data());
    return static_cast<Symbol>(table_.size() - 1);
}

void SymbolTable::reserve(std::size_t count, std::size_t bytes) {
    table_.reserve(count);
    bytes_.reserve(bytes);
}

std::uint32_t ObjectTable::tag_of(const Entry& entry) noexcept {
    return static_cast<std::uint32_t>(
        keyed_hash(entry.word_0 + keyed_hash(entry.word_1 ^ (std::uint64_t{entry.table} << 16) ^
                                             static_cast<std::uint32_t>(entry.type))));
}

std::size_t ObjectTable::probe(const Entry& entry, std::uint32_t tag) const noexcept {
    std::size_t mask = slots_.size() - 1;
    for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
        const Slot& slot = slots_[at];
        if (slot.number_plus_1 == 0 ||
            (slot.tag == tag && entries_[slot.number_plus_1 - 1] == entry)) {
            return at;
        }
    }
}

ObjectTable::Asked ObjectTable::ask(const Entry& entry) const noexcept {
    const std::uint32_t tag = tag_of(entry);
    if (!slots_.empty()) {
        __builtin_prefetch(&slots_[tag & (slots_.size() - 1)]);
    }
    return {entry, tag};
}

ObjectSymbol ObjectTable::find(const Asked& asked) const noexcept {
    // A free slot holds 0, which makes it no_object.
    return slots_.empty() ? no_object : slots_[probe(asked.entry, asked.tag)].number_plus_1 - 1;
}

ObjectSymbol ObjectTable::intern(const Asked& asked) {
    if ((entries_.size() + 1) * 2 > slots_.size()) {
        rehash(std::max<std::size_t>(64, slots_.size() * 2));
    }
    Slot& slot = slots_[probe(asked.entry, asked.tag)];
    if (slot.number_plus_1 == 0) {
        entries_.push_back(asked.entry);
        slot = {asked.tag, static_cast<std::uint32_t>(entries_.size())};
    }
    return slot.number_plus_1 - 1;
}

void ObjectTable::reserve(std::size_t count) {
    entries_.reserve(count);
    std::size_t slot_count = 64;
    while (count * 2 > slot_count) {
        slot_count *= 2;
    }
    if (slot_count > slots_.size()) {
        rehash(slot_count);
    }
}

void ObjectTable::rehash(std::size_t slot_count) {
    std::vector<Slot> old(slot_count);
    old.swap(slots_);
    std::size_t mask = slot_count - 1;
    for (const Slot& slot : old) {
        if (slot.number_plus_1 == 0) {
            continue;
        }
        std::size_t at = slot.tag & mask;
        while (slots_[at].number_plus_1 != 0) {
            at = (at + 1) & mask;
        }
        slots_[at] = slot;
    }
}

PathWord* PathArena::allocate(std::size_t words) {
    if (words > free_words_) {
        block_words_ = std::max<std::size_t>(words, 1024);
        blocks_.push_back(std::make_unique<PathWord[]>(block_words_));
        free_ = blocks_.back().get();
        free_words_ = block_words_;
    }
    PathWord* result = free_;
    free_ += words;
    free_words_ -= words;
    return result;
}

void PathArena::reset() noexcept {
    if (blocks_.empty()) {
        return;
    }
    blocks_.erase(blocks_.begin(), blocks_.end() - 1);
    free_ = blocks_.back().get();
    free_words_ = block_words_;
}

MergeState::MergeState(std::span<MergeInput> ours, std::span<MergeInput> theirs)
    : inputs_{ours, theirs} {
    for (std::span<MergeInput> side : inputs_) {
        for (MergeInput& input : side) {
            TOMBOLO_CHECK(input.changeset != nullptr);
            input.modified = false;
        }
    }
    dead_[0].resize(ours.size());
    dead_[1].resize(theirs.size());
    rank_changesets();
}

void MergeState::rank_changesets() {
    auto origin = [](const MergeInput& input) {
        return std::tuple(input.timestamp, input.file_ident);
    };
    std::vector<std::tuple<std::uint64_t, std::uint64_t>> origins;
    for (std::span<MergeInput> side : inputs_) {
        std::transform(side.begin(), side.end(), std::back_inserter(origins), origin);
    }
    std::sort(origins.begin(), origins.end());
    for (std::size_t side = 0; side < 2; ++side) {
        for (const MergeInput& input : inputs_[side]) {
            auto at = std::lower_bound(origins.begin(), origins.end(), origin(input));
            ranks_[side].push_back(static_cast<std::uint32_t>(at - origins.begin()));
        }
    }
}

Result<void> MergeState::intern_strings() {
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (std::span<MergeInput> side : inputs_) {
        for (const MergeInput& input : side) {
            count += input.changeset->string_count();
            bytes += input.changeset->parts().bytes.size();
        }
    }
    if (bytes > limits::changeset_bytes_max) {
        return Error(ErrorCode::limit_exceeded,
                     "cannot merge: the changesets come to more than 4 GiB");
    }
    symbols_.reserve(std::min<std::size_t>(count, 64), std::min<std::size_t>(bytes, 1024));
    for (std::size_t side = 0; side < 2; ++side) {
        for (const MergeInput& input : inputs_[side]) {
            std::vector<Symbol>& symbols = symbols_of_[side].emplace_back();
            symbols.reserve(input.changeset->string_count());
            for (std::uint32_t id = 0; id < input.changeset->string_count(); ++id) {
                symbols.push_back(symbols_.intern(input.changeset->string(StringId{id})));
            }
        }
    }
    return {};
}

ObjectTable::Entry MergeState::object_entry(Side side, std::size_t input,
                                            const Instruction& instruction) const noexcept {
    Symbol table = symbol(side, input, instruction.table);
    if (instruction.op == Opcode::add_table || instruction.op == Opcode::erase_table) {
        return {table, class_group, 0, 0};
    }
    if (instruction.op == Opcode::add_column || instruction.op == Opcode::erase_column) {
        return {table, column_group, symbol(side, input, instruction.field), 0};
    }
    const ChangesetParts& parts = inputs(side)[input].changeset->parts();
    const Key& key = parts.keys[to_index(instruction.object)];
    std::uint64_t word = key.body.words[0];
    if (key.type == PayloadType::string) {
        word = symbol(side, input, StringId{static_cast<std::uint32_t>(word)});
    }
    return {table, static_cast<std::int32_t>(key.type), word, key.body.words[1]};
}

Body MergeState::item_body(Side side, std::size_t input, const Instruction& instruction) {
    if (instruction.op == Opcode::add_column && instruction.type == PayloadType::link) {
        return {{symbol(side, input, instruction.link_target()), 0}};
    }
    if (instruction.op != Opcode::set_insert && instruction.op != Opcode::set_erase) {
        return instruction.body;
    }
    if (instruction.type == PayloadType::link) {
        Instruction target = instruction; // stands for the object the link points to
        target.table = StringId{static_cast<std::uint32_t>(instruction.body.words[0])};
        target.object = KeyId{static_cast<std::uint32_t>(instruction.body.words[1])};
        return {{0, objects_.intern(object_entry(side, input, target))}};
    }
    return instruction.body;
}

Item MergeState::make_item(Side side, std::size_t input, std::size_t source, ObjectSymbol object) {
    const Changeset& changeset = *inputs(side)[input].changeset;
    const Instruction& instruction = changeset.parts().instructions[source];
    Item item;
    item.op = instruction.op;
    item.type = instruction.type;
    item.kind = instruction.kind;
    item.flag = instruction.flag;
    item.array_update = changeset.is_array_update(instruction);
    item.side = side;
    item.length = length_of(instruction);
    item.table = symbol(side, input, instruction.table);
    item.object = object;
    item.rank = ranks_[to_number(side)][input];
    item.prior_size = instruction.prior_size;
    item.to = instruction.to;
    item.input = static_cast<std::uint32_t>(input);
    item.source = static_cast<std::uint32_t>(source);
    item.body = item_body(side, input, instruction);
    bool has_field =
        item.length > 1 && item.op != Opcode::create_object && item.op != Opcode::erase_object;
    if (has_field ||
        (item.op == Opcode::add_table && instruction.table_kind() != TableKind::embedded)) {
        item.field = symbol(side, input, instruction.field);
    }
    item.path_count = instruction.path_count;
    item.path = paths_.allocate(item.path_count);
    PathWord* word = item.path;
    for (const PathElement& element : changeset.path(instruction)) {
        *word++ = element.is_index() ? PathWord{element.index()}
                                     : name_flag | symbol(side, input, element.name());
    }
    return item;
}

Item* MergeState::prepend_erase_column(const Item& before, const Item& like) {
    Item item;
    item.op = Opcode::erase_column;
    item.side = before.side;
    item.length = 2;
    item.table = like.table;
    item.field = like.field;
    item.rank = before.rank;
    item.input = before.input;
    item.source = before.source;
    return &prepended_.emplace_back(item);
}

} // namespace tombolo::changeset
