#include "changeset/merge_state.hpp"

#include <algorithm>
#include <bit>
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

std::size_t ObjectTable::probe(const Entry& entry) const noexcept {
    std::uint64_t hash =
        keyed_hash(entry.word_0 + keyed_hash(entry.word_1 ^ (std::uint64_t{entry.table} << 16) ^
                                             static_cast<std::uint32_t>(entry.type)));
    std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
        if (slots_[at] == 0 || entries_[slots_[at] - 1] == entry) {
            return at;
        }
    }
}

ObjectSymbol ObjectTable::find(const Entry& entry) const noexcept {
    return slots_.empty() ? no_object : slots_[probe(entry)] - 1;
}

ObjectSymbol ObjectTable::intern(const Entry& entry) {
    if ((entries_.size() + 1) * 2 > slots_.size()) {
        grow();
    }
    std::size_t at = probe(entry);
    if (slots_[at] == 0) {
        entries_.push_back(entry);
        slots_[at] = static_cast<std::uint32_t>(entries_.size());
    }
    return slots_[at] - 1;
}

void ObjectTable::grow() {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, 0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        slots_[probe(entries_[i])] = static_cast<std::uint32_t>(i + 1);
    }
}

MergeState::MergeState(std::span<MergeInput> ours, std::span<MergeInput> theirs)
    : inputs_{ours, theirs} {
    for (std::span<MergeInput> side : inputs_) {
        for (MergeInput& input : side) {
            TOMBOLO_CHECK(input.changeset != nullptr);
            input.modified = false;
        }
    }
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
    const Changeset& changeset = *inputs(side)[input].changeset;
    if (instruction.op == Opcode::add_column && instruction.type == PayloadType::link) {
        return {{symbol(side, input, instruction.link_target()), 0}};
    }
    if (instruction.op != Opcode::set_insert && instruction.op != Opcode::set_erase) {
        return instruction.body;
    }
    if (instruction.type == PayloadType::string || instruction.type == PayloadType::binary) {
        ByteView text = changeset.payload_bytes(instruction);
        return {{reinterpret_cast<std::uintptr_t>(text.data()), text.size()}};
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
    item.path = allocate_path(item.path_count);
    PathWord* word = item.path;
    for (const PathElement& element : changeset.path(instruction)) {
        *word++ = element.is_index() ? PathWord{element.index()}
                                     : name_flag | symbol(side, input, element.name());
    }
    return item;
}

PathWord* MergeState::allocate_path(std::size_t words) {
    if (words > path_free_words_) {
        path_free_words_ = std::max<std::size_t>(words, 1024);
        path_blocks_.push_back(std::make_unique<PathWord[]>(path_free_words_));
        path_free_ = path_blocks_.back().get();
    }
    PathWord* result = path_free_;
    path_free_ += words;
    path_free_words_ -= words;
    return result;
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
    return &prepended_.emplace_back(Prepended{item}).item;
}

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

void MergeState::write_item(const Item& item, MergeInput& input) const noexcept {
    ChangesetParts& parts = input.changeset->parts();
    Instruction& instruction = parts.instructions[item.source];
    for (std::uint32_t i = 0; i < item.path_count; ++i) {
        PathElement& element = parts.path_elements[instruction.path_begin + i];
        auto index = static_cast<std::uint32_t>(item.path[i]);
        if (element.is_index() && element.index() != index) {
            element = PathElement::make_index(index);
            input.modified = true;
        }
    }
    if (instruction.prior_size != item.prior_size || instruction.to != item.to) {
        instruction.prior_size = item.prior_size;
        instruction.to = item.to;
        input.modified = true;
    }
    if (item.op == Opcode::update && item.type == PayloadType::integer &&
        instruction.body != item.body) {
        instruction.body = item.body;
        input.modified = true;
    }
}

void MergeState::rebuild(Side side, std::size_t input, const std::vector<bool>& dead) {
    ChangesetParts& parts = inputs(side)[input].changeset->parts();
    std::vector<const Item*> inserts;
    for (const Prepended& prepended : prepended_) {
        const Item& item = prepended.item;
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
        if (dead.empty() || !dead[i]) {
            result.push_back(parts.instructions[i]);
        }
    }
    parts.instructions = std::move(result);
}

void MergeState::write_back(std::span<const Item> items) {
    std::vector<std::vector<bool>> dead[2];
    std::vector<bool> changed[2];
    for (std::size_t side = 0; side < 2; ++side) {
        dead[side].resize(inputs_[side].size());
        changed[side].resize(inputs_[side].size());
    }
    for (const Item& item : items) {
        std::size_t side = to_number(item.side);
        MergeInput& input = inputs_[side][item.input];
        if (!item.dead) {
            write_item(item, input);
            continue;
        }
        std::vector<bool>& list = dead[side][item.input];
        list.resize(input.changeset->instructions().size());
        list[item.source] = true;
        changed[side][item.input] = true;
    }
    for (const Prepended& prepended : prepended_) {
        changed[to_number(prepended.item.side)][prepended.item.input] = true;
    }
    for (std::size_t side = 0; side < 2; ++side) {
        for (std::size_t input = 0; input < inputs_[side].size(); ++input) {
            if (changed[side][input]) {
                inputs_[side][input].modified = true;
                rebuild(static_cast<Side>(side), input, dead[side][input]);
            }
        }
    }
}

} // namespace tombolo::changeset
