#pragma once

// One instruction of a changeset in its compact form (changesets-and-merge.md 1.5 to 1.8).
//
// Instructions are plain values without pointers: names, keys, path elements and text are numbers
// that mean something only together with the Changeset that holds the instruction. Two instructions
// of different changesets are therefore never compared field by field; read them through Changeset,
// or let the merge intern both sides.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/object_id.hpp"
#include "core/primary_key.hpp"
#include "core/uuid.hpp"

namespace tombolo::changeset {

/// The numbers are those of the wire.
enum class Opcode : std::uint8_t {
    add_table = 0,
    erase_table = 1,
    create_object = 2,
    erase_object = 3,
    update = 4,
    add_integer = 5,
    add_column = 6,
    erase_column = 7,
    array_insert = 8,
    array_move = 9,
    array_erase = 10,
    clear = 11,
    set_insert = 12,
    set_erase = 13,
};

inline constexpr std::size_t opcode_count = 14;

/// "AddTable", "EraseTable", ...: the chapter's names.
const char* opcode_name(Opcode op) noexcept;

enum class TableKind : std::uint8_t { top_level = 0, embedded = 1, asymmetric = 2 };

enum class CollectionKind : std::uint8_t { single = 0, list = 1, dictionary = 2, set = 3 };

/// Type codes of payloads, columns and primary keys; the numbers are those of the wire. From null
/// on they equal tombolo::ValueType.
enum class PayloadType : std::int8_t {
    set = -6,          ///< make an empty set here
    list = -5,         ///< make an empty list here
    erased = -4,       ///< remove this dictionary key
    dictionary = -3,   ///< make an empty dictionary here
    object_value = -2, ///< make an embedded object here
    global_key = -1,   ///< keys and key types only, never a value
    null = 0,          ///< as a column type: Mixed
    integer = 1,
    boolean = 2,
    string = 3,
    binary = 4,
    timestamp = 5,
    float32 = 6,
    float64 = 7,
    decimal128 = 8,
    link = 9,
    object_id = 10,
    uuid = 11,
};

inline constexpr int payload_type_min = -6;
inline constexpr int payload_type_max = 11;

/// "ObjectValue", "Int", ...: the names of vectors/README.md.
const char* payload_type_name(PayloadType type) noexcept;

/// True for null and the values; false for the five bodyless commands and GlobalKey.
constexpr bool is_scalar(PayloadType type) noexcept {
    return static_cast<int>(type) >= 0;
}

/// A string of the changeset's string table: names, dictionary keys, string primary keys.
enum class StringId : std::uint32_t {};
/// A primary key of the changeset's key table. The same key may have several ids.
enum class KeyId : std::uint32_t {};

constexpr std::uint32_t to_index(StringId id) noexcept {
    return static_cast<std::uint32_t>(id);
}
constexpr std::uint32_t to_index(KeyId id) noexcept {
    return static_cast<std::uint32_t>(id);
}

/// A list index, or the name of a dictionary key or embedded field.
class PathElement {
  public:
    constexpr PathElement() = default;
    static constexpr PathElement make_index(std::uint32_t index) noexcept { return {index, false}; }
    static constexpr PathElement make_name(StringId name) noexcept {
        return {to_index(name), true};
    }

    constexpr bool is_index() const noexcept { return !is_name_; }
    constexpr bool is_name() const noexcept { return is_name_; }
    /// REQUIRES: is_index()
    constexpr std::uint32_t index() const noexcept { return value_; }
    /// REQUIRES: is_name()
    constexpr StringId name() const noexcept { return StringId{value_}; }

    friend constexpr bool operator==(const PathElement&, const PathElement&) = default;

  private:
    constexpr PathElement(std::uint32_t value, bool is_name) noexcept
        : value_(value), is_name_(is_name) {}

    std::uint32_t value_ = 0;
    bool is_name_ = false;
};

/// 16 bytes whose meaning a type code beside them tells. Unused parts are zero, so that equal
/// bodies have equal words, except where the words are ids.
struct Body {
    std::array<std::uint64_t, 2> words{};

    static Body of_integer(std::int64_t value) noexcept {
        return {{std::bit_cast<std::uint64_t>(value), 0}};
    }
    template <std::size_t size>
    static Body of_bytes(const std::array<std::byte, size>& bytes) noexcept {
        static_assert(size <= 16);
        Body body;
        std::memcpy(body.words.data(), bytes.data(), size);
        return body;
    }
    std::int64_t integer() const noexcept { return std::bit_cast<std::int64_t>(words[0]); }
    template <std::size_t size>
    std::array<std::byte, size> bytes() const noexcept {
        static_assert(size <= 16);
        std::array<std::byte, size> result;
        std::memcpy(result.data(), words.data(), size);
        return result;
    }

    // By hand: the compiler's own is a call of memcmp.
    friend bool operator==(const Body& left, const Body& right) noexcept {
        return left.words[0] == right.words[0] && left.words[1] == right.words[1];
    }
};

/// A primary key: null, integer, string (words[0] is the StringId), global_key (hi, lo), object_id
/// or uuid (bytes).
struct Key {
    PayloadType type = PayloadType::null;
    Body body;

    friend bool operator==(const Key&, const Key&) = default;
};

/// Which members mean something, by op; all others are zero.
///
/// | op | members |
/// |---|---|
/// | add_table | table, table_kind; unless embedded: field (the key field), type (its type),
/// nullable | | erase_table | table | | create_object, erase_object | table, object | | add_column
/// | table, field, type, nullable, collection, link_target (type link only), key_type (dictionary
/// only) | | erase_column | table, field | | update | place, type, body, and prior_size
/// (is_array_update) or is_default | | add_integer | place, body (addend) | | array_insert | place,
/// type, body, prior_size | | array_move | place, to, prior_size | | array_erase | place,
/// prior_size | | clear | place, collection | | set_insert, set_erase | place, type, body |
///
/// The place of a path instruction: table, object, field, path_begin, path_count. In the array
/// instructions the last path element is the index operated on.
///
/// Body by type: integer and boolean words[0]; string and binary {offset, size} into the
/// changeset's bytes; timestamp {seconds, nanoseconds}; float32 and float64 their bits; decimal128
/// {high, low}; link {StringId of the class, KeyId}; object_id and uuid their bytes; add_column
/// {StringId of the target, key type + 128}.
struct Instruction {
    Opcode op = Opcode::add_table;
    PayloadType type = PayloadType::null;
    std::uint8_t kind = 0; ///< TableKind or CollectionKind
    bool flag = false;     ///< is_default or nullable
    StringId table{};
    KeyId object{};
    StringId field{};
    std::uint32_t path_begin = 0;
    std::uint32_t path_count = 0;
    std::uint32_t prior_size = 0;
    std::uint32_t to = 0;
    Body body;

    TableKind table_kind() const noexcept { return static_cast<TableKind>(kind); }
    CollectionKind collection() const noexcept { return static_cast<CollectionKind>(kind); }
    bool is_default() const noexcept { return flag; }
    bool nullable() const noexcept { return flag; }
    std::int64_t addend() const noexcept { return body.integer(); }
    StringId link_target() const noexcept {
        return StringId{static_cast<std::uint32_t>(body.words[0])};
    }
    PayloadType key_type() const noexcept {
        return static_cast<PayloadType>(static_cast<int>(body.words[1]) - 128);
    }
    static constexpr std::uint64_t encode_key_type(PayloadType type) noexcept {
        return static_cast<unsigned>(static_cast<int>(type) + 128);
    }
};

static_assert(sizeof(PathElement) == 8);
static_assert(sizeof(Key) == 24);
static_assert(sizeof(Instruction) == 48);
static_assert(std::is_trivially_copyable_v<Instruction>);

/// True for the instructions that have a place: update, add_integer, array_*, clear, set_*.
constexpr bool is_path_instruction(Opcode op) noexcept {
    switch (op) {
    case Opcode::update:
    case Opcode::add_integer:
    case Opcode::array_insert:
    case Opcode::array_move:
    case Opcode::array_erase:
    case Opcode::clear:
    case Opcode::set_insert:
    case Opcode::set_erase:
        return true;
    default:
        return false;
    }
}

/// True for the instructions that change the schema: add_table, erase_table, add_column,
/// erase_column.
constexpr bool is_schema_instruction(Opcode op) noexcept {
    return op == Opcode::add_table || op == Opcode::erase_table || op == Opcode::add_column ||
           op == Opcode::erase_column;
}

/// True for the instructions that carry a payload value in type and body.
constexpr bool has_payload(Opcode op) noexcept {
    return op == Opcode::update || op == Opcode::array_insert || op == Opcode::set_insert ||
           op == Opcode::set_erase;
}

} // namespace tombolo::changeset
