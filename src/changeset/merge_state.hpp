#pragma once

// What one merge works on: every instruction that can meet another one as an Item, with names and
// objects as symbols that both sides share, so that the rules compare integers only. Internal to
// the merge.
//
// Items are copies; the changesets are touched by write_back() alone, after all rules have run, so
// that a failed merge leaves them as they were. Spec: changesets-and-merge.md 4.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "changeset/merge.hpp"
#include "changeset/string_table.hpp"

namespace tombolo::changeset {

/// A string of either side; equal ids mean equal text.
using Symbol = std::uint32_t;
/// An object (class and key) of either side; equal ids mean the same object.
using ObjectSymbol = std::uint32_t;

inline constexpr ObjectSymbol no_object = 0xFFFF'FFFF;

enum class Side : std::uint8_t { ours = 0, theirs = 1 };

/// A path element in one word: a list index, or a name's symbol with name_flag.
using PathWord = std::uint64_t;
inline constexpr PathWord name_flag = PathWord{1} << 32;

constexpr bool is_name(PathWord word) noexcept {
    return (word & name_flag) != 0;
}

/// An instruction while it is being merged.
struct Item {
    Opcode op = Opcode::add_table;
    PayloadType type = PayloadType::null;
    std::uint8_t kind = 0;
    bool flag = false;         ///< is_default or nullable
    bool array_update = false; ///< an Update whose path ends in an index
    bool dead = false;         ///< discarded
    Side side = Side::ours;
    std::uint8_t edges_reported = 0; ///< a bit for each KnownEdge
    std::uint32_t length = 0;        ///< 4.2: 1, 2, or 3 + path_count
    Symbol table = 0;
    ObjectSymbol object = no_object;
    Symbol field = 0;
    std::uint32_t rank = 0; ///< place of the changeset in the order of origins (4.1)
    std::uint32_t prior_size = 0;
    std::uint32_t to = 0;
    std::uint32_t path_count = 0;
    std::uint32_t input = 0;  ///< which changeset of its side
    std::uint32_t source = 0; ///< which instruction of that changeset
    PathWord* path = nullptr;
    /// As Instruction::body, but with symbols: link {0, ObjectSymbol} (set instructions only),
    /// add_column {Symbol of the target, 0}.
    Body body;

    std::uint32_t last_index() const noexcept {
        return static_cast<std::uint32_t>(path[path_count - 1]);
    }
    void set_last_index(std::uint32_t index) noexcept { path[path_count - 1] = index; }
};

/// 4.1; neither is older when both are of one changeset.
constexpr bool older(const Item& left, const Item& right) noexcept {
    return left.rank < right.rank;
}

/// Strings of both sides, copied, each once.
class SymbolTable {
  public:
    Symbol intern(std::string_view text);
    std::string_view text(Symbol symbol) const noexcept {
        return table_.text(StringId{symbol}, bytes_.data());
    }
    void reserve(std::size_t count, std::size_t bytes);

  private:
    std::vector<std::byte> bytes_;
    StringTable table_;
};

/// Objects, and what else instructions can meet on: (class, key) pairs without duplicates.
class ObjectTable {
  public:
    struct Entry {
        Symbol table = 0;
        std::int32_t type = 0;
        std::uint64_t word_0 = 0;
        std::uint64_t word_1 = 0;
        // By hand: the compiler's own is a call of memcmp.
        friend bool operator==(const Entry& left, const Entry& right) noexcept {
            return left.word_0 == right.word_0 && left.word_1 == right.word_1 &&
                   left.table == right.table && left.type == right.type;
        }
    };

    /// An entry with its hash, whose place is on its way to the processor.
    struct Asked {
        Entry entry;
        std::uint32_t tag = 0;
    };
    Asked ask(const Entry& entry) const noexcept;

    ObjectSymbol intern(const Entry& entry) { return intern(Asked{entry, tag_of(entry)}); }
    ObjectSymbol intern(const Asked& asked);
    /// no_object when it is not there.
    ObjectSymbol find(const Asked& asked) const noexcept;
    std::size_t size() const noexcept { return entries_.size(); }
    /// Room for this many without another allocation.
    void reserve(std::size_t count);

  private:
    struct Slot {
        std::uint32_t tag = 0;           ///< lower half of the hash
        std::uint32_t number_plus_1 = 0; ///< 0: free
    };

    static std::uint32_t tag_of(const Entry& entry) noexcept;
    std::size_t probe(const Entry& entry, std::uint32_t tag) const noexcept;
    void rehash(std::size_t slot_count);

    std::vector<Entry> entries_;
    std::vector<Slot> slots_; ///< a power of two, at most half full
};

/// Memory for paths; all of it lives until reset() or the end.
class PathArena {
  public:
    PathWord* allocate(std::size_t words);
    /// Makes all memory free again.
    void reset() noexcept;

  private:
    std::vector<std::unique_ptr<PathWord[]>> blocks_;
    PathWord* free_ = nullptr; ///< unused rest of the last block
    std::size_t free_words_ = 0;
    std::size_t block_words_ = 0; ///< of the last block
};

class MergeState {
  public:
    MergeState(std::span<MergeInput> ours, std::span<MergeInput> theirs);

    std::span<MergeInput> inputs(Side side) const noexcept { return inputs_[to_number(side)]; }

    /// limit_exceeded when the strings of both sides come to more than 4 GiB.
    Result<void> intern_strings();

    /// The symbol of a changeset's string.
    Symbol symbol(Side side, std::size_t input, StringId id) const noexcept {
        return symbols_of_[to_number(side)][input][to_index(id)];
    }
    std::string_view text(Symbol symbol) const noexcept { return symbols_.text(symbol); }
    /// The text of a string or binary payload.
    std::string_view payload_text(const Item& item) const noexcept {
        const Changeset& changeset = *inputs(item.side)[item.input].changeset;
        return as_text(changeset.payload_bytes(changeset.instructions()[item.source]));
    }

    /// The object an instruction is on; for add_table its class, for add_column its column, so that
    /// those have groups too.
    ObjectTable::Entry object_entry(Side side, std::size_t input,
                                    const Instruction& instruction) const noexcept;
    ObjectTable& objects() noexcept { return objects_; }

    /// Copies an instruction; its path lives until keep_changes().
    Item make_item(Side side, std::size_t input, std::size_t source, ObjectSymbol object);

    /// R4: a new EraseColumn in front of `before`, an item of this state, with the column of
    /// `like`.
    Item* prepend_erase_column(const Item& before, const Item& like);

    /// Remembers what the merge did to these items, which can then be dropped.
    void keep_changes(std::span<const Item> items);
    /// Carries everything kept, and what was prepended, into the changesets.
    void write_back();

  private:
    static constexpr std::size_t to_number(Side side) noexcept {
        return static_cast<std::size_t>(side);
    }
    void rank_changesets();
    Body item_body(Side side, std::size_t input, const Instruction& instruction);
    /// What the merge changed of an instruction that stays. Small: a merge keeps many.
    struct Change {
        std::uint32_t input = 0;
        std::uint32_t source = 0;
        std::uint32_t prior_size = 0;
        std::uint32_t to = 0;
        std::size_t path = 0; ///< where its path begins in Changes::paths
        std::int64_t integer = 0;
    };
    /// Of one side.
    struct Changes {
        std::vector<Change> list;
        std::vector<std::uint32_t> paths; ///< indices; 0 in place of a name
    };
    /// A bit for each instruction; empty where none was discarded.
    using Discarded = std::vector<std::uint64_t>;

    bool is_changed(const Item& item) const noexcept;
    void discard(const Item& item);
    void keep_change(const Item& item);
    void write_change(MergeInput& input, const Change& change, const std::uint32_t* path) const;
    void remove_dead(Side side, std::size_t input, const Discarded& dead);
    static void give_out_dead(MergeInput& input, const Discarded& dead);
    void insert_prepended(Side side, std::size_t input, const Discarded& dead);
    Instruction make_erase_column(ChangesetParts& parts, const Item& item) const;

    std::span<MergeInput> inputs_[2];
    std::vector<std::uint32_t> ranks_[2];
    std::vector<std::vector<Symbol>> symbols_of_[2];
    SymbolTable symbols_;
    ObjectTable objects_;
    PathArena paths_; ///< of the items made since the last keep_changes()
    Changes changes_[2];
    std::vector<Discarded> dead_[2]; ///< by side and changeset
    /// In the order of their creation; `source` is the instruction they stand in front of.
    /// Addresses are kept.
    std::deque<Item> prepended_;
};

} // namespace tombolo::changeset
