// The rules of applying a changeset (changesets-and-merge.md 2): a driver over an Applier.

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "changeset/applier.hpp"

namespace tombolo::changeset {

namespace {

/// Path elements of one instruction. Far beyond what nesting at the limit of the published clients
/// needs (two elements a level); bounds the work and the recursion of an implementation that walks
/// values.
constexpr std::size_t path_length_max = 256;

Error bad(std::string message) {
    return {ErrorCode::bad_changeset, std::move(message)};
}

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

bool is_collection(ValueType type) {
    return type == ValueType::list || type == ValueType::dictionary || type == ValueType::set;
}

/// 2.1 "Key check": the key has the type of the class's key column; null only where the column can
/// be null.
bool key_fits(const ClassInfo& object_class, const PrimaryKeyView& key) {
    static constexpr std::array<PayloadType, 6> types = {
        PayloadType::null,      PayloadType::integer, PayloadType::string,
        PayloadType::object_id, PayloadType::uuid,    PayloadType::global_key};
    const PayloadType type = types.at(key.index());
    return type == PayloadType::null ? object_class.key_nullable : type == object_class.key_type;
}

class ChangesetApplication {
  public:
    ChangesetApplication(const Changeset& changeset, Applier& store)
        : changeset_(changeset), store_(store) {}

    Result<void> apply(const Instruction& instruction);
    const ApplyReport& report() const { return report_; }

  private:
    /// Where a walk stands: the column whose content or element it is, and whether it is inside a
    /// collection.
    struct Spot {
        const ColumnInfo* column = nullptr;
        bool is_element = false;
    };

    // Schema and objects
    Result<const ClassInfo*> require_class(std::string_view name);
    Result<const ClassInfo*> require_keyed_class(const Instruction& instruction);
    Result<void> add_table(const Instruction& instruction);
    Result<void> erase_table(const Instruction& instruction);
    Result<void> add_column(const Instruction& instruction);
    Result<void> check_new_column(const ColumnInfo& column);
    Result<void> erase_column(const Instruction& instruction);

    // Walking
    Result<Spot> walk(const Instruction& instruction, std::size_t steps);
    Result<void> step(const PathElement& element, Spot& spot);
    Result<const ColumnInfo*> enter_embedded_field(std::string_view class_name,
                                                   std::string_view field);
    const PathElement& last(const Instruction& instruction) const {
        return changeset_.path(instruction).back();
    }

    // Path instructions
    Result<void> update(const Instruction& instruction);
    Result<void> update_slot(const Instruction& instruction, const Spot& spot, ValueType present);
    Result<void> update_key(const Instruction& instruction, const Spot& spot);
    Result<void> add_integer(const Instruction& instruction);
    Result<Spot> walk_to_list(const Instruction& instruction);
    Result<void> array_insert(const Instruction& instruction);
    Result<void> array_move(const Instruction& instruction);
    Result<void> array_erase(const Instruction& instruction);
    Result<void> clear(const Instruction& instruction);
    Result<void> change_set(const Instruction& instruction);

    // Payloads
    Result<NewContent> new_content(const Instruction& instruction, const ColumnInfo& column,
                                   bool is_element);
    Result<NewContent> new_embedded(const ColumnInfo& column);
    Result<NewContent> new_scalar(const ScalarView& value, const ColumnInfo& column,
                                  bool is_element);
    Result<void> check_link(const LinkView& link, const ColumnInfo& column);
    bool is_embedded(const ColumnInfo& column);

    const Changeset& changeset_;
    Applier& store_;
    ApplyReport report_;
};

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

// Schema and objects

Result<const ClassInfo*> ChangesetApplication::require_class(std::string_view name) {
    const ClassInfo* found = store_.find_class(name);
    if (found == nullptr) {
        return bad("there is no class " + quoted(name));
    }
    return found;
}

Result<const ClassInfo*> ChangesetApplication::require_keyed_class(const Instruction& instruction) {
    TOMBOLO_TRY(const ClassInfo* object_class, require_class(changeset_.table(instruction)));
    if (object_class->kind == TableKind::embedded) {
        return bad("class " + quoted(object_class->name) + " is embedded and has no keys");
    }
    if (!key_fits(*object_class, changeset_.object(instruction))) {
        return bad("the key is not of the type of class " + quoted(object_class->name));
    }
    return object_class;
}

Result<void> ChangesetApplication::add_table(const Instruction& instruction) {
    ClassInfo info;
    info.name = changeset_.table(instruction);
    info.kind = instruction.table_kind();
    if (info.kind != TableKind::embedded) {
        info.primary_key = changeset_.field(instruction);
        info.key_type = instruction.type;
        info.key_nullable = instruction.nullable();
    }
    const ClassInfo* existing = store_.find_class(info.name);
    if (existing == nullptr) {
        return store_.add_class(info);
    }
    if (existing->kind != info.kind || existing->primary_key != info.primary_key ||
        existing->key_type != info.key_type || existing->key_nullable != info.key_nullable) {
        return bad("class " + quoted(info.name) + " exists with another definition");
    }
    return {};
}

Result<void> ChangesetApplication::erase_table(const Instruction& instruction) {
    TOMBOLO_TRY(const ClassInfo* erased, require_class(changeset_.table(instruction)));
    if (store_.is_link_target(erased->name)) {
        return bad("class " + quoted(erased->name) + " is the target of another class's column");
    }
    return store_.erase_class(changeset_.table(instruction));
}

Result<void> ChangesetApplication::add_column(const Instruction& instruction) {
    TOMBOLO_TRY(const ClassInfo* owner, require_class(changeset_.table(instruction)));
    ColumnInfo column{std::string(changeset_.field(instruction)), instruction.type,
                      instruction.nullable(), instruction.collection()};
    if (column.type == PayloadType::link) {
        column.target = changeset_.link_target(instruction);
    }
    if (column.collection == CollectionKind::dictionary &&
        instruction.key_type() != PayloadType::string) {
        return bad("the keys of dictionary " + quoted(column.name) + " are not strings");
    }
    if (column.name == owner->primary_key) {
        return bad("column " + quoted(column.name) + " is the primary key");
    }
    if (const ColumnInfo* existing = owner->find_column(column.name)) {
        // realm-core lets a different nullability pass here, although its merge does not; we are as
        // strict as the merge.
        if (existing->type != column.type || existing->nullable != column.nullable ||
            existing->collection != column.collection || existing->target != column.target) {
            return bad("column " + quoted(column.name) + " exists with another definition");
        }
        return {};
    }
    TOMBOLO_TRY_VOID(check_new_column(column));
    return store_.add_column(changeset_.table(instruction), column);
}

Result<void> ChangesetApplication::check_new_column(const ColumnInfo& column) {
    if (column.name.empty() || !is_scalar(column.type)) {
        return bad("column " + quoted(column.name) + " has no name or no type that can be stored");
    }
    if (column.is_mixed() && !column.nullable && column.collection != CollectionKind::dictionary) {
        return bad("Mixed column " + quoted(column.name) + " is not nullable");
    }
    if (!column.target.empty()) {
        TOMBOLO_TRY(const ClassInfo* target, require_class(column.target));
        if (target->kind == TableKind::embedded && column.collection == CollectionKind::set) {
            return bad("column " + quoted(column.name) + " is a set of embedded objects");
        }
    }
    return {};
}

Result<void> ChangesetApplication::erase_column(const Instruction& instruction) {
    TOMBOLO_TRY(const ClassInfo* owner, require_class(changeset_.table(instruction)));
    const std::string_view name = changeset_.field(instruction);
    if (owner->find_column(name) == nullptr) {
        return bad("class " + quoted(owner->name) + " has no column " + quoted(name) +
                   " that can be erased");
    }
    return store_.erase_column(changeset_.table(instruction), name);
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

// Payloads

bool ChangesetApplication::is_embedded(const ColumnInfo& column) {
    const ClassInfo* target = column.target.empty() ? nullptr : store_.find_class(column.target);
    return target != nullptr && target->kind == TableKind::embedded;
}

Result<NewContent> ChangesetApplication::new_content(const Instruction& instruction,
                                                     const ColumnInfo& column, bool is_element) {
    switch (instruction.type) {
    case PayloadType::object_value:
        return new_embedded(column);
    case PayloadType::list:
    case PayloadType::dictionary:
        if (!column.is_mixed()) {
            return bad("only a Mixed column can hold a collection as a value");
        }
        return NewContent{
            instruction.type == PayloadType::list ? ValueType::list : ValueType::dictionary, {}};
    default:
        if (!is_scalar(instruction.type)) {
            return bad("a value that cannot be stored");
        }
        return new_scalar(changeset_.scalar(instruction), column, is_element);
    }
}

Result<NewContent> ChangesetApplication::new_embedded(const ColumnInfo& column) {
    if (!is_embedded(column)) {
        return bad("ObjectValue in a column that holds no embedded objects");
    }
    return NewContent{ValueType::object, {}, store_.find_class(column.target)};
}

Result<NewContent> ChangesetApplication::new_scalar(const ScalarView& value,
                                                    const ColumnInfo& column, bool is_element) {
    const ValueType type = type_of(value);
    if (type == ValueType::null) {
        const bool is_single_link = column.type == PayloadType::link && !is_element;
        if (!column.nullable && !column.is_mixed() && !is_single_link) {
            return bad("null in column " + quoted(column.name) + ", which is not nullable");
        }
    } else if (!column.is_mixed() && static_cast<int>(type) != static_cast<int>(column.type)) {
        return bad("a value of another type than column " + quoted(column.name));
    }
    if (const auto* link = std::get_if<LinkView>(&value)) {
        TOMBOLO_TRY_VOID(check_link(*link, column));
    }
    return NewContent{type, value};
}

Result<void> ChangesetApplication::check_link(const LinkView& link, const ColumnInfo& column) {
    TOMBOLO_TRY(const ClassInfo* target, require_class(link.class_name));
    if (target->kind == TableKind::embedded) {
        return bad("a link to embedded class " + quoted(target->name));
    }
    if (!column.target.empty() && column.target != link.class_name) {
        return bad("a link to class " + quoted(link.class_name) + " in a column of links to " +
                   quoted(column.target));
    }
    if (!key_fits(*target, link.key)) {
        return bad("the key of a link is not of the type of class " + quoted(target->name));
    }
    return {};
}

} // namespace

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
