// Bringing back what the conflict log kept.

#include <algorithm>

#include "changeset/codec.hpp"
#include "server/sync/engine/changes.hpp"
#include "server/sync/engine/conflict_log.hpp"
#include "server/sync/engine/documents.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::Instruction;
using changeset::Opcode;

namespace {

/// Writes that are brought back one by one, each a copy of the object.
constexpr std::size_t one_by_one_max = 2000;

Error cannot(const ObjectRef& object, const std::string& why) {
    return {ErrorCode::invalid_argument, "what was lost of " + to_text(object) +
                                             " cannot be written back: " + why +
                                             "; the entry shows the values"};
}

const Value* step(const Value* from, const Changeset& changeset,
                  const changeset::PathElement& element) {
    if (from == nullptr) {
        return nullptr;
    }
    if (element.is_index()) {
        const List* list = from->get_if<List>();
        return list != nullptr && element.index() < list->elements.size()
                   ? &list->elements[element.index()]
                   : nullptr;
    }
    if (const Dictionary* dictionary = from->get_if<Dictionary>()) {
        return dictionary->find(changeset.string(element.name()));
    }
    const Object* object = from->get_if<Object>();
    return object == nullptr ? nullptr : object->fields.find(changeset.string(element.name()));
}

/// Elements of the list that the instruction edits; nothing when there is none.
std::optional<std::uint32_t> list_size(const std::optional<Object>& object,
                                       const Changeset& changeset, const Instruction& instruction) {
    const Value* at = object ? object->fields.find(changeset.field(instruction)) : nullptr;
    const auto path = changeset.path(instruction);
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        at = step(at, changeset, path[i]);
    }
    const List* list = at == nullptr ? nullptr : at->get_if<List>();
    return list == nullptr ? std::nullopt
                           : std::optional(static_cast<std::uint32_t>(list->elements.size()));
}

/// The list may have grown or shrunk since: the place that is nearest.
bool fit(Changeset& one, const std::optional<Object>& object) {
    Instruction& instruction = one.parts().instructions.front();
    const bool is_list = instruction.op == Opcode::array_insert || one.is_array_update(instruction);
    if (!is_list) {
        return true;
    }
    const auto size = list_size(object, one, instruction);
    if (!size) {
        return false;
    }
    changeset::PathElement& last =
        one.parts().path_elements[instruction.path_begin + instruction.path_count - 1];
    if (last.index() >= *size) {
        last = changeset::PathElement::make_index(*size);
        instruction.op = Opcode::array_insert;
    }
    instruction.prior_size = *size;
    return true;
}

/// The object with the lost writes on top.
Result<std::optional<Object>> with_lost(const std::shared_ptr<const Model>& model,
                                        const ObjectRef& object, const Changeset& lost,
                                        std::optional<Object> now) {
    PartApplier applier(model);
    if (Result<std::optional<Object>> all = applier.apply(lost, object, now)) {
        return all;
    }
    if (lost.instructions().size() > one_by_one_max) {
        return cannot(object, "the object has changed too much since");
    }
    for (const Instruction& each : lost.instructions()) {
        ChangesetBuilder builder;
        builder.append(lost, each);
        TOMBOLO_TRY(Changeset one, builder.finish());
        if (!fit(one, now)) {
            return cannot(object, "the list that it was in is gone");
        }
        Result<std::optional<Object>> applied = applier.apply(one, object, now);
        if (!applied) {
            return cannot(object, std::string("it does not fit the object as it is now (") +
                                      applied.error().message() + ")");
        }
        now = *std::move(applied);
    }
    return now;
}

} // namespace

Result<store::Transaction> restoration(const std::shared_ptr<const Model>& model,
                                       const store::Store& store, const ObjectId& app,
                                       Number number, const std::string& by, std::int64_t now_ms) {
    const auto snapshot = store.snapshot();
    TOMBOLO_TRY(Conflict conflict, find_conflict(*snapshot, app, number));
    const ObjectRef& object = conflict.object;
    TOMBOLO_TRY(const bool came_later, has_come_later(*snapshot, app, conflict));
    if (came_later) {
        return cannot(object, "the device sent it again and it was taken");
    }
    if (conflict.changeset.empty()) {
        return cannot(object, "it was too large to be kept");
    }
    TOMBOLO_TRY(const Changeset lost, changeset::decode(conflict.changeset));
    const ClassStorage* storage = model->storage(object.class_name);
    if (storage == nullptr) {
        return cannot(object, "the class is not synced any more");
    }
    const ImageReader images(*snapshot, store);
    TOMBOLO_TRY(const Image current, images.current(*model, object));
    Image base = current;
    if (!base.exists() && !has_create(lost)) {
        if (conflict.document.empty()) {
            return cannot(object, "the object has been deleted");
        }
        base.document = std::make_shared<const std::string>(conflict.document);
    }
    std::optional<Object> before;
    if (base.exists()) {
        before = read_object(*model, object.class_name, base);
        if (!before) {
            return cannot(object, "the document does not fit the schema");
        }
    }
    TOMBOLO_TRY(std::optional<Object> after, with_lost(model, object, lost, std::move(before)));
    if (!after) {
        return cannot(object, "it was a deletion");
    }
    Result<Image> image = write_object(*model, object, *std::move(after), base);
    if (!image) {
        return cannot(object, image.error().message());
    }
    mql::BsonDocument document(mql::BsonDocumentView::from_trusted(image->bson()));
    store::Transaction transaction;
    if (current.exists()) {
        transaction.replace(storage->documents, std::move(document), *current.modified);
    } else {
        transaction.insert(storage->documents, std::move(document));
    }
    conflict.restored_ms = now_ms;
    conflict.restored_by = by;
    transaction.put_record(store::Space::meta, conflict_key(app, number), encode(conflict));
    return transaction;
}

} // namespace tombolo::server::sync
