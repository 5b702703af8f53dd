#pragma once

// What a store implements so that changesets can be applied to it (changesets-and-merge.md 2).
//
// apply() below is the one place that knows the rules: it looks up classes, columns and objects,
// walks paths, checks types, sizes and idempotence, and then tells the store to make one small
// edit. An Applier only stores: it never needs to look at an instruction, and may take every call's
// REQUIRES for granted.
//
// An Applier has one current position: an object, one of its fields, an element of a list or the
// value of a dictionary key, at any depth. The walk to a position always starts with open_object(),
// so an implementation may load an object lazily and keep it until another one is opened. Edits
// that need a position act on the current one and leave it undefined.
//
// Links are stored as they come, whether or not their target is live: making the target absent or
// live again never touches the links to it (2.2). An implementation that needs tombstones for that
// keeps them to itself.
//
// Transactions: apply() stops at the first failure and leaves the store half changed; its caller
// owns the transaction and rolls it back. Errors of the store itself (io, ...) pass through apply()
// unchanged; everything else is bad_changeset.
//
// Not thread-safe: one thread uses an Applier at a time.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "changeset/changeset.hpp"
#include "changeset/instruction.hpp"
#include "core/primary_key.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

namespace tombolo::changeset {

/// A column as AddColumn states it.
struct ColumnInfo {
    std::string name;
    PayloadType type = PayloadType::null; ///< null: Mixed
    bool nullable = false;
    CollectionKind collection = CollectionKind::single;
    std::string target =
        {}; ///< class of the links; empty when they may lead to any, or the type is not link

    bool is_mixed() const noexcept { return type == PayloadType::null; }
};

/// A class as AddTable and AddColumn state it.
struct ClassInfo {
    std::string name;
    TableKind kind = TableKind::top_level;
    /// Empty for embedded classes and for those without a primary key, whose objects have
    /// GlobalKeys.
    std::string primary_key;
    PayloadType key_type = PayloadType::global_key;
    bool key_nullable = false;
    std::vector<ColumnInfo> columns; ///< without the primary key; in order of creation

    const ColumnInfo* find_column(std::string_view column_name) const noexcept;
};

/// Where classes are looked up by name.
class ClassSource {
  public:
    virtual ~ClassSource() = default;
    /// nullptr when there is no such class. Valid until the schema changes.
    virtual const ClassInfo* find_class(std::string_view class_name) const noexcept = 0;
};

/// What an edit puts into a place: a scalar or link, an empty collection, or an embedded object
/// with default fields.
struct NewContent {
    /// list, dictionary or object; anything else says that `scalar` holds the content.
    ValueType type = ValueType::null;
    ScalarView scalar;
    /// The embedded class; set when type is object.
    const ClassInfo* object_class = nullptr;
};

class Applier {
  public:
    virtual ~Applier() = default;

    // Schema

    /// nullptr when there is no such class. Valid until the schema changes.
    virtual const ClassInfo* find_class(std::string_view class_name) = 0;
    /// True when a link column of another class has this class as its target.
    virtual bool is_link_target(std::string_view class_name) = 0;
    /// REQUIRES: no class of that name.
    virtual Result<void> add_class(const ClassInfo& info) = 0;
    /// Removes the class with all its objects. REQUIRES: it exists and !is_link_target().
    virtual Result<void> erase_class(std::string_view class_name) = 0;
    /// Existing objects, embedded ones included, get default_value() of the column. REQUIRES: the
    /// class exists, the column does not.
    virtual Result<void> add_column(std::string_view class_name, const ColumnInfo& column) = 0;
    /// REQUIRES: the column exists.
    virtual Result<void> erase_column(std::string_view class_name, std::string_view column) = 0;

    // Objects. REQUIRES of all three: the class exists and is not embedded, the key fits it.

    /// Makes the object live with default fields; no effect when it is live.
    virtual Result<void> create_object(const ClassInfo& object_class, PrimaryKeyView key) = 0;
    /// Removes the object with its embedded objects; no effect when it is not live.
    virtual Result<void> erase_object(const ClassInfo& object_class, PrimaryKeyView key) = 0;
    /// Moves to the object; false when it is not live.
    virtual Result<bool> open_object(const ClassInfo& object_class, PrimaryKeyView key) = 0;

    // Position

    /// From an object to one of its fields. REQUIRES: content() is object; the column belongs to
    /// its class.
    virtual Result<void> enter_field(const ColumnInfo& column) = 0;
    /// From a list to an element; false when the index is not below size(). REQUIRES: content() is
    /// list.
    virtual Result<bool> enter_index(std::size_t index) = 0;
    /// From a dictionary to a value; false when the key is absent. REQUIRES: content() is
    /// dictionary.
    virtual Result<bool> enter_key(std::string_view key) = 0;

    /// What is at the position: object for an object itself and for an embedded one, a collection,
    /// or a scalar's type.
    virtual Result<ValueType> content() = 0;
    /// Elements of the list, unresolved links counted. REQUIRES: content() is list.
    virtual Result<std::size_t> size() = 0;
    /// REQUIRES: content() is integer.
    virtual Result<std::int64_t> integer() = 0;

    // Edits

    /// Replaces what is at the position. REQUIRES: the position is a field, an element or a
    /// dictionary value.
    virtual Result<void> put(const NewContent& content) = 0;
    /// REQUIRES of the four: content() is list and the indices lie inside it (list_insert: or at
    /// its end); from != to.
    virtual Result<void> list_insert(std::size_t index, const NewContent& content) = 0;
    virtual Result<void> list_erase(std::size_t index) = 0;
    /// The element ends at index `to`.
    virtual Result<void> list_move(std::size_t from, std::size_t to) = 0;
    /// Inserts or replaces. REQUIRES of both: content() is dictionary.
    virtual Result<void> dictionary_put(std::string_view key, const NewContent& content) = 0;
    /// No effect when the key is absent.
    virtual Result<void> dictionary_erase(std::string_view key) = 0;
    /// No effect when an equal value is there. REQUIRES of both: content() is set.
    virtual Result<void> set_insert(const ScalarView& value) = 0;
    /// No effect when no equal value is there.
    virtual Result<void> set_erase(const ScalarView& value) = 0;
    /// Empties the collection. REQUIRES: content() is a collection.
    virtual Result<void> clear() = 0;
};

/// What a new object or an added column holds (2.3): null when it can be null, else the type's
/// zero; collections empty.
Value default_value(const ColumnInfo& column);

struct ApplyReport {
    /// List updates whose prior_size was not the list's size although the index was inside it:
    /// applied, as the published clients do, but a sign of a peer that lost its way (2.6); worth a
    /// line in the log.
    std::size_t prior_size_mismatches = 0;
};

/// Applies the instructions in order. bad_changeset (context: the instruction's number and place)
/// at the first that does not fit what is stored; the caller then rolls its transaction back.
Result<ApplyReport> apply(const Changeset& changeset, Applier& store);

} // namespace tombolo::changeset
