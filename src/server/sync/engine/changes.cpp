#include "server/sync/engine/changes.hpp"

#include <algorithm>
#include <unordered_map>

#include "changeset/applier.hpp"
#include "changeset/content_writer.hpp"
#include "changeset/memory_applier.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::ClassInfo;
using changeset::Instruction;
using changeset::Opcode;
using changeset::Place;

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
    return part(of, nullptr);
}

Changeset CutChangeset::part(const ObjectPart& of, const FieldMask* mask) const {
    ChangesetBuilder out;
    append_readable(out, changeset, of.instructions, mask);
    return out.finish().value();
}

void append(ChangesetBuilder& out, const Changeset& source,
            std::span<const std::uint32_t> instructions) {
    for (const std::uint32_t at : instructions) {
        out.append(source, source.instructions()[at]);
    }
}

void append_readable(ChangesetBuilder& out, const Changeset& source,
                     std::span<const std::uint32_t> instructions, const FieldMask* mask) {
    for (const std::uint32_t at : instructions) {
        const Instruction& instruction = source.instructions()[at];
        if (mask == nullptr || mask->reads(source, instruction)) {
            out.append(source, instruction);
        }
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
    changeset::ContentWriter(out, model).fields(place, *info, content, true);
}

bool ends_erased(const Changeset& whole, const ObjectPart& part) noexcept {
    bool is_erased = false;
    for (const std::uint32_t position : part.instructions) {
        const Opcode op = whole.instructions()[position].op;
        is_erased = op == Opcode::erase_object || (is_erased && op != Opcode::create_object);
    }
    return is_erased;
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
