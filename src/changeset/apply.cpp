// The rules of applying a changeset (changesets-and-merge.md 2): a driver over an Applier.

#include <string>

#include "changeset/apply_changeset.hpp"

namespace tombolo::changeset {

using apply_detail::bad;
using apply_detail::quoted;

namespace {

/// Path elements of one instruction. Far beyond what nesting at the limit of the published clients
/// needs (two elements a level); bounds the work and the recursion of an implementation that walks
/// values.
constexpr std::size_t path_length_max = 256;

bool is_collection(ValueType type) {
    return type == ValueType::list || type == ValueType::dictionary || type == ValueType::set;
}

} // namespace

Result<void> ChangesetApplication::apply(const Instruction& instruction) {
    switch (instruction.op) {
    case Opcode::add_table:
        return add_table(instruction);
    case Opcode::erase_table:
        return erase_table(instruction);
    case Opcode::add_column:
        return add_column(instruction);
    case Opcode::erase_column:
        return erase_column(instruction);
    case Opcode::create_object: {
        TOMBOLO_TRY(const ClassInfo* object_class, require_keyed_class(instruction));
        return store_.create_object(*object_class, changeset_.object(instruction));
    }
    case Opcode::erase_object: {
        TOMBOLO_TRY(const ClassInfo* object_class, require_keyed_class(instruction));
        return store_.erase_object(*object_class, changeset_.object(instruction));
    }
    case Opcode::update:
        return update(instruction);
    case Opcode::add_integer:
        return add_integer(instruction);
    case Opcode::array_insert:
        return array_insert(instruction);
    case Opcode::array_move:
        return array_move(instruction);
    case Opcode::array_erase:
        return array_erase(instruction);
    case Opcode::clear:
        return clear(instruction);
    case Opcode::set_insert:
    case Opcode::set_erase:
        return change_set(instruction);
    }
    return bad("an unknown instruction");
}

// Walking

/// Opens the object and its field, then follows the first `steps` path elements.
Result<ChangesetApplication::Spot> ChangesetApplication::walk(const Instruction& instruction,
                                                              std::size_t steps) {
    if (instruction.path_count > path_length_max) {
        return bad("the path is longer than " + std::to_string(path_length_max) + " elements");
    }
    TOMBOLO_TRY(const ClassInfo* object_class, require_keyed_class(instruction));
    TOMBOLO_TRY(const bool is_live,
                store_.open_object(*object_class, changeset_.object(instruction)));
    if (!is_live) {
        return bad("the object does not exist");
    }
    Spot spot;
    TOMBOLO_TRY(spot.column,
                enter_embedded_field(object_class->name, changeset_.field(instruction)));
    for (const PathElement& element : changeset_.path(instruction).first(steps)) {
        TOMBOLO_TRY_VOID(step(element, spot));
    }
    return spot;
}

Result<void> ChangesetApplication::step(const PathElement& element, Spot& spot) {
    TOMBOLO_TRY(const ValueType content, store_.content());
    if (content == ValueType::list && element.is_index()) {
        TOMBOLO_TRY(const bool entered, store_.enter_index(element.index()));
        spot.is_element = true;
        return entered ? Result<void>() : bad("a list index is out of range");
    }
    if (content == ValueType::dictionary && element.is_name()) {
        TOMBOLO_TRY(const bool entered, store_.enter_key(changeset_.string(element.name())));
        spot.is_element = true;
        return entered ? Result<void>() : bad("a dictionary key is absent");
    }
    if (content == ValueType::object && element.is_name()) {
        TOMBOLO_TRY(spot.column,
                    enter_embedded_field(spot.column->target, changeset_.string(element.name())));
        spot.is_element = false;
        return {};
    }
    return bad("the path does not fit what is stored at it");
}

/// Moves from the object at the position, an instance of the class, to one of its fields.
Result<const ColumnInfo*> ChangesetApplication::enter_embedded_field(std::string_view class_name,
                                                                     std::string_view field) {
    TOMBOLO_TRY(const ClassInfo* object_class, require_class(class_name));
    const ColumnInfo* column = object_class->find_column(field);
    if (column == nullptr) {
        return bad("class " + quoted(class_name) + " has no field " + quoted(field));
    }
    TOMBOLO_TRY_VOID(store_.enter_field(*column));
    return column;
}

// Path instructions

Result<void> ChangesetApplication::update(const Instruction& instruction) {
    if (instruction.path_count == 0) {
        TOMBOLO_TRY(const Spot spot, walk(instruction, 0));
        TOMBOLO_TRY(const ValueType present, store_.content());
        return update_slot(instruction, spot, present);
    }
    TOMBOLO_TRY(Spot spot, walk(instruction, instruction.path_count - 1));
    TOMBOLO_TRY(const ValueType container, store_.content());
    if (container == ValueType::dictionary && last(instruction).is_name()) {
        return update_key(instruction, spot);
    }
    if (container == ValueType::list && last(instruction).is_index()) {
        TOMBOLO_TRY(const std::size_t size, store_.size());
        // Published clients check the index only (2.6).
        if (size != instruction.prior_size && last(instruction).index() < size) {
            ++report_.prior_size_mismatches;
        }
    }
    TOMBOLO_TRY_VOID(step(last(instruction), spot));
    TOMBOLO_TRY(const ValueType present, store_.content());
    return update_slot(instruction, spot, present);
}

/// Update of the field or list element at the position, which holds `present`.
Result<void> ChangesetApplication::update_slot(const Instruction& instruction, const Spot& spot,
                                               ValueType present) {
    if (!spot.is_element && spot.column->collection != CollectionKind::single) {
        return bad("an Update addresses a whole collection");
    }
    if (instruction.type == PayloadType::erased) {
        return bad("Erased stands outside a dictionary");
    }
    TOMBOLO_TRY(const NewContent content, new_content(instruction, *spot.column, spot.is_element));
    const bool keeps_object =
        content.type == ValueType::object && (spot.is_element || present == ValueType::object);
    const bool keeps_collection = is_collection(content.type) && content.type == present;
    if (keeps_object || keeps_collection) {
        return {};
    }
    return store_.put(content);
}

/// Update of a key of the dictionary at the position.
Result<void> ChangesetApplication::update_key(const Instruction& instruction, const Spot& spot) {
    const std::string_view key = changeset_.string(last(instruction).name());
    if (instruction.type == PayloadType::erased) {
        return store_.dictionary_erase(key);
    }
    TOMBOLO_TRY(const NewContent content, new_content(instruction, *spot.column, true));
    if (is_collection(content.type)) {
        TOMBOLO_TRY(const bool is_present, store_.enter_key(key));
        if (is_present) {
            TOMBOLO_TRY(const ValueType present, store_.content());
            return present == content.type ? Result<void>() : store_.put(content);
        }
    }
    return store_.dictionary_put(key, content);
}

Result<void> ChangesetApplication::add_integer(const Instruction& instruction) {
    TOMBOLO_TRY(const Spot spot, walk(instruction, instruction.path_count));
    const ColumnInfo& column = *spot.column;
    if (spot.is_element || column.collection != CollectionKind::single ||
        !(column.is_mixed() || column.type == PayloadType::integer)) {
        return bad("AddInteger on something that is no integer field");
    }
    TOMBOLO_TRY(const ValueType present, store_.content());
    if (present == ValueType::null) {
        return {};
    }
    if (present != ValueType::integer) {
        return bad("AddInteger on a value that is no integer");
    }
    TOMBOLO_TRY(const std::int64_t value, store_.integer());
    const auto sum =
        static_cast<std::uint64_t>(value) + static_cast<std::uint64_t>(instruction.addend());
    return store_.put({ValueType::integer, static_cast<std::int64_t>(sum)});
}

/// To the list that an array instruction edits, checking its prior_size.
Result<ChangesetApplication::Spot>
ChangesetApplication::walk_to_list(const Instruction& instruction) {
    if (!changeset_.ends_in_index(instruction)) {
        return bad("the path of a list edit does not end in an index");
    }
    TOMBOLO_TRY(const Spot spot, walk(instruction, instruction.path_count - 1));
    TOMBOLO_TRY(const ValueType content, store_.content());
    if (content != ValueType::list) {
        return bad("a list edit of something that is no list");
    }
    TOMBOLO_TRY(const std::size_t size, store_.size());
    if (size != instruction.prior_size) {
        return bad("prior_size is " + std::to_string(instruction.prior_size) + ", the list has " +
                   std::to_string(size) + " elements");
    }
    return spot;
}

Result<void> ChangesetApplication::array_insert(const Instruction& instruction) {
    TOMBOLO_TRY(const Spot spot, walk_to_list(instruction));
    if (last(instruction).index() > instruction.prior_size) {
        return bad("ArrayInsert beyond the end");
    }
    if (instruction.type == PayloadType::erased) {
        return bad("Erased stands outside a dictionary");
    }
    TOMBOLO_TRY(const NewContent content, new_content(instruction, *spot.column, true));
    return store_.list_insert(last(instruction).index(), content);
}

Result<void> ChangesetApplication::array_move(const Instruction& instruction) {
    TOMBOLO_TRY_VOID(walk_to_list(instruction));
    const std::uint32_t from = last(instruction).index();
    if (from >= instruction.prior_size || instruction.to >= instruction.prior_size) {
        return bad("ArrayMove outside the list");
    }
    if (from == instruction.to) {
        return bad("ArrayMove to where the element is");
    }
    return store_.list_move(from, instruction.to);
}

Result<void> ChangesetApplication::array_erase(const Instruction& instruction) {
    TOMBOLO_TRY_VOID(walk_to_list(instruction));
    if (last(instruction).index() >= instruction.prior_size) {
        return bad("ArrayErase outside the list");
    }
    return store_.list_erase(last(instruction).index());
}

Result<void> ChangesetApplication::clear(const Instruction& instruction) {
    TOMBOLO_TRY(const Spot spot, walk(instruction, instruction.path_count));
    const CollectionKind kind = instruction.collection();
    if (!spot.is_element && spot.column->collection != CollectionKind::single) {
        // Old clients state no kind (2.9).
        if (kind != CollectionKind::single && kind != spot.column->collection) {
            return bad("Clear of another kind of collection than the column's");
        }
        return store_.clear();
    }
    if (!spot.column->is_mixed()) {
        return bad("Clear of something that is no collection");
    }
    if (kind != CollectionKind::list && kind != CollectionKind::dictionary) {
        return bad("Clear inside a Mixed column names no kind that can be there");
    }
    return store_.put({kind == CollectionKind::list ? ValueType::list : ValueType::dictionary, {}});
}

Result<void> ChangesetApplication::change_set(const Instruction& instruction) {
    TOMBOLO_TRY(const Spot spot, walk(instruction, instruction.path_count));
    TOMBOLO_TRY(const ValueType content, store_.content());
    if (content != ValueType::set) {
        return bad("a set edit of something that is no set");
    }
    if (!is_scalar(instruction.type)) {
        return bad("a set element must be a scalar or a link");
    }
    TOMBOLO_TRY(const NewContent element,
                new_scalar(changeset_.scalar(instruction), *spot.column, true));
    return instruction.op == Opcode::set_insert ? store_.set_insert(element.scalar)
                                                : store_.set_erase(element.scalar);
}

Result<ApplyReport> apply(const Changeset& changeset, Applier& store) {
    ChangesetApplication application(changeset, store);
    std::size_t number = 0;
    for (const Instruction& instruction : changeset.instructions()) {
        if (Result<void> applied = application.apply(instruction); !applied) {
            const Error& error = applied.error();
            return error.within("instruction " + std::to_string(number) + ": " +
                                to_text(changeset, instruction));
        }
        ++number;
    }
    return application.report();
}

} // namespace tombolo::changeset
