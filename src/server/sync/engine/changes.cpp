#include "server/sync/engine/changes.hpp"

#include <algorithm>
#include <unordered_map>

#include "changeset/applier.hpp"
#include "changeset/memory_applier.hpp"
#include "server/sync/engine/content_writer.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::ClassInfo;
using changeset::CollectionKind;
using changeset::ColumnInfo;
using changeset::Instruction;
using changeset::Opcode;
using changeset::PayloadType;
using changeset::PayloadView;
using changeset::Place;

void ContentWriter::put(const Place& place, const PayloadView& value,
                        std::optional<std::uint32_t> insert_at,
                        std::optional<std::uint32_t> replace_in) {
    if (insert_at) {
        out_.array_insert(place, value, *insert_at);
    } else if (replace_in) {
        out_.update_element(place, value, *replace_in);
    } else {
        out_.update(place, value);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as documents are, which limits bound
void ContentWriter::slot(Place& place, const ColumnInfo* column, const Value& value,
                         std::optional<std::uint32_t> insert_at,
                         std::optional<std::uint32_t> replace_in) {
    if (const auto* object = value.get_if<Object>()) {
        put(place, PayloadType::object_value, insert_at, replace_in);
        if (const ClassInfo* info = column ? model_.find_class(column->target) : nullptr) {
            fields(place, *info, *object, false);
        }
    } else if (const auto* inner = value.get_if<List>()) {
        put(place, PayloadType::list, insert_at, replace_in);
        list(place, nullptr, *inner);
    } else if (const auto* entries = value.get_if<Dictionary>()) {
        put(place, PayloadType::dictionary, insert_at, replace_in);
        dictionary(place, nullptr, *entries);
    } else {
        put(place, value.scalar(), insert_at, replace_in);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::list(Place& place, const ColumnInfo* column, const List& list) {
    for (std::uint32_t i = 0; i < list.elements.size(); ++i) {
        place.path.emplace_back(i);
        slot(place, column, list.elements[i], i);
        place.path.pop_back();
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::dictionary(Place& place, const ColumnInfo* column,
                               const Dictionary& dictionary) {
    for (const auto& [key, value] : dictionary.entries()) {
        place.path.emplace_back(std::string_view(key));
        slot(place, column, value, std::nullopt);
        place.path.pop_back();
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::field(Place& place, const ColumnInfo& column, const Value& value) {
    switch (column.collection) {
    case CollectionKind::list:
        if (const auto* elements = value.get_if<List>()) {
            list(place, &column, *elements);
        }
        return;
    case CollectionKind::dictionary:
        if (const auto* entries = value.get_if<Dictionary>()) {
            dictionary(place, &column, *entries);
        }
        return;
    case CollectionKind::set:
        if (const auto* set = value.get_if<Set>()) {
            for (const Value& element : set->elements()) {
                out_.set_insert(place, element.scalar());
            }
        }
        return;
    case CollectionKind::single:
        if (!identical(value, changeset::default_value(column))) {
            slot(place, &column, value, std::nullopt);
        }
        return;
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as above
void ContentWriter::fields(Place& place, const ClassInfo& info, const Object& object,
                           bool is_root) {
    for (const ColumnInfo& column : info.columns) {
        const Value* value = object.fields.find(column.name);
        if (value == nullptr) {
            continue;
        }
        if (is_root) {
            place.field = column.name;
        } else {
            place.path.emplace_back(std::string_view(column.name));
        }
        field(place, column, *value);
        if (!is_root) {
            place.path.pop_back();
        }
    }
}

CutChangeset::CutChangeset(Changeset whole) : changeset(std::move(whole)) {
    std::unordered_map<ObjectRef, std::size_t, ObjectRefHash> known;
    std::uint32_t at = 0;
    // Consecutive instructions on one object share a key: the common case needs no look-up.
    const Instruction* previous = nullptr;
    std::size_t previous_part = 0;
    for (const Instruction& instruction : changeset.instructions()) {
        if (changeset::is_schema_instruction(instruction.op)) {
            schema.push_back(at++);
            continue;
        }
        if (previous == nullptr || previous->table != instruction.table ||
            previous->object != instruction.object) {
            ObjectRef object{std::string(changeset.table(instruction)),
                             to_owned(changeset.object(instruction))};
            const auto [place, is_new] = known.try_emplace(object, parts.size());
            if (is_new) {
                parts.push_back({std::move(object), {}});
            }
            previous_part = place->second;
        }
        previous = &instruction;
        parts[previous_part].instructions.push_back(at++);
    }
}

const ObjectPart* CutChangeset::find(const ObjectRef& object) const noexcept {
    const auto found = std::find_if(parts.begin(), parts.end(),
                                    [&](const ObjectPart& part) { return part.object == object; });
    return found == parts.end() ? nullptr : &*found;
}

Changeset CutChangeset::part(const ObjectPart& of) const {
    ChangesetBuilder out;
    append(out, changeset, of.instructions);
    return out.finish().value();
}

void append(ChangesetBuilder& out, const Changeset& source,
            std::span<const std::uint32_t> instructions) {
    for (const std::uint32_t at : instructions) {
        out.append(source, source.instructions()[at]);
    }
}

void append_all(ChangesetBuilder& out, const Changeset& source) {
    for (const Instruction& instruction : source.instructions()) {
        out.append(source, instruction);
    }
}

void append_erase(ChangesetBuilder& out, const ObjectRef& object) {
    out.erase_object(object.class_name, to_view(object.key));
}

void append_content(ChangesetBuilder& out, const Model& model, const ObjectRef& object,
                    const Object& content) {
    append_erase(out, object);
    append_creation(out, model, object, content);
}

void append_creation(ChangesetBuilder& out, const Model& model, const ObjectRef& object,
                     const Object& content) {
    const ClassInfo* info = model.find_class(object.class_name);
    if (info == nullptr) {
        return;
    }
    out.create_object(object.class_name, to_view(object.key));
    Place place{object.class_name, to_view(object.key), "", {}};
    ContentWriter(out, model).fields(place, *info, content, true);
}

bool has_erase(const Changeset& part) noexcept {
    const auto all = part.instructions();
    return std::any_of(all.begin(), all.end(),
                       [](const Instruction& each) { return each.op == Opcode::erase_object; });
}

bool has_create(const Changeset& part) noexcept {
    const auto all = part.instructions();
    return std::any_of(all.begin(), all.end(),
                       [](const Instruction& each) { return each.op == Opcode::create_object; });
}

bool is_lone_erase(const Changeset& part) noexcept {
    const auto all = part.instructions();
    return std::all_of(all.begin(), all.end(),
                       [](const Instruction& each) { return each.op == Opcode::erase_object; });
}

PartApplier::PartApplier(std::shared_ptr<const Model> model) : model_(std::move(model)) {
    for (const auto& [name, info] : model_->classes()) {
        scratch_.classes[name].info = info;
    }
}

Result<std::optional<Object>> PartApplier::apply(const Changeset& part, const ObjectRef& object,
                                                 const std::optional<Object>& before) {
    const auto found = scratch_.classes.find(object.class_name);
    if (found == scratch_.classes.end() ||
        found->second.info.kind == changeset::TableKind::embedded) {
        return Error(ErrorCode::bad_changeset, "there is no class \"" + object.class_name + "\"");
    }
    auto& objects = found->second.objects;
    objects.clear();
    if (before) {
        objects.emplace(object.key, *before);
    }
    changeset::MemoryApplier applier(scratch_);
    TOMBOLO_TRY_VOID(changeset::apply(part, applier));
    const auto after = objects.find(object.key);
    std::optional<Object> result;
    if (after != objects.end()) {
        result = std::move(after->second);
    }
    objects.clear();
    return result;
}

} // namespace tombolo::server::sync
