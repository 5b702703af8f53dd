// Writes that no device made, and changes of the model.

#include <algorithm>

#include "changeset/difference.hpp"
#include "server/sync/engine/integrator.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;

Result<void> Integrator::change_model(SyncModel config) {
    const std::vector<schema::SchemaFact> added =
        schema::facts_beyond(model_->schema(), config.documents.schema);
    for (const schema::SchemaFact& fact : added) {
        fill_missing(config, fact);
    }
    TOMBOLO_TRY(model_, Model::make(std::move(config), store_));
    batch_->set_model(model_);
    if (added.empty()) {
        return {};
    }
    ChangesetBuilder out;
    for (const schema::SchemaFact& fact : added) {
        append_fact(out, fact);
    }
    TOMBOLO_TRY(Changeset whole, out.finish());
    HistoryEntry head;
    head.timestamp = now();
    append(std::move(head), std::move(whole));
    return {};
}

namespace {

using DocumentRequest = store::Transaction::DocumentRequest;

/// Objects of one entry: a bulk write becomes several, so that none is huge.
constexpr std::size_t objects_per_entry = 1000;
constexpr std::size_t instructions_per_entry = 20'000;

/// The object's key in a document's `_id`; nothing for types that no class can have.
std::optional<PrimaryKey> key_of(mql::BsonView id) {
    switch (id.type()) {
    case mql::BsonType::int32:
        return std::int64_t{id.as_int32()};
    case mql::BsonType::int64:
        return id.as_int64();
    case mql::BsonType::string:
        return std::string(id.as_string());
    case mql::BsonType::object_id:
        return id.as_object_id();
    case mql::BsonType::null:
        return PrimaryKey();
    case mql::BsonType::binary: {
        const mql::BsonBinaryView binary = id.as_binary();
        Uuid uuid;
        if (binary.subtype != 4 || binary.bytes.size() != uuid.bytes.size()) {
            return std::nullopt;
        }
        std::copy(binary.bytes.begin(), binary.bytes.end(), uuid.bytes.begin());
        return uuid;
    }
    default:
        return std::nullopt;
    }
}

Error conflict(const ObjectRef& object) {
    return {ErrorCode::write_conflict, "the document was changed meanwhile", to_text(object)};
}

} // namespace

/// The document that the request means, or nothing when it is no object's.
Result<std::optional<ObjectRef>> Integrator::object_of(const std::string& class_name,
                                                       const DocumentRequest& request) const {
    std::optional<PrimaryKey> key;
    if (request.kind != DocumentRequest::Kind::erase) {
        key = key_of(request.document.view().find("_id"));
    } else {
        TOMBOLO_TRY(const std::optional<store::StoredDocument> found,
                    batch_->snapshot().find(request.collection, request.key));
        if (found) {
            key = key_of(found->body.view().find("_id"));
        }
        // One that came into being in this very batch.
        for (auto each = batch_->documents().begin(); !key && each != batch_->documents().end();
             ++each) {
            const ObjectRef& object = each->first;
            if (object.class_name == class_name) {
                TOMBOLO_TRY(const std::string other, document_key_of(to_view(object.key)));
                if (other == request.key) {
                    key = object.key;
                }
            }
        }
    }
    return key ? std::optional<ObjectRef>(ObjectRef{class_name, *std::move(key)}) : std::nullopt;
}

/// Judges the request as the store would, and notes what it makes.
Result<std::optional<Error>> Integrator::stage(const DocumentRequest& request,
                                               const std::string& class_name,
                                               std::map<ObjectRef, Image>& staged) {
    TOMBOLO_TRY(const std::optional<ObjectRef> object, object_of(class_name, request));
    if (!object) {
        if (request.kind != DocumentRequest::Kind::erase) {
            batch_->passed_on.push_back(request);
        }
        return std::optional<Error>();
    }
    Image now;
    if (const auto found = staged.find(*object); found != staged.end()) {
        now = found->second;
    } else {
        TOMBOLO_TRY(now, batch_->current(*object));
    }
    if (request.kind == DocumentRequest::Kind::insert && now.exists()) {
        return std::optional(Error(ErrorCode::duplicate_key, "the _id exists", to_text(*object)));
    }
    const bool is_replace = request.kind == DocumentRequest::Kind::replace;
    if ((is_replace && !now.exists()) || (request.expected && now.modified != request.expected)) {
        return std::optional(conflict(*object));
    }
    Image after;
    if (request.kind != DocumentRequest::Kind::erase) {
        after.document = std::make_shared<const std::string>(as_text(request.document.bytes()));
        // What it said exactly still counts where the document still says the same.
        after.sidecar = now.sidecar;
    }
    staged[*object] = std::move(after);
    return std::optional<Error>();
}

Result<void> Integrator::append_outside(const std::map<ObjectRef, Image>& staged) {
    auto next = staged.begin();
    while (next != staged.end()) {
        ChangesetBuilder out;
        std::vector<std::pair<ObjectRef, Entry::Images>> changes;
        std::vector<ObjectRef> unseen; // changed where no device looks
        for (; next != staged.end() && changes.size() < objects_per_entry &&
               out.size() < instructions_per_entry;
             ++next) {
            const auto& [object, after] = *next;
            Entry::Images images;
            TOMBOLO_TRY(images.before, batch_->current(object));
            images.after = after;
            if (!images.before.exists() && !after.exists()) {
                continue;
            }
            const std::size_t said = out.size();
            append_outside_part(out, object, images);
            if (out.size() == said) {
                unseen.push_back(object);
            }
            changes.emplace_back(object, std::move(images));
        }
        if (changes.empty()) {
            continue;
        }
        TOMBOLO_TRY(Changeset whole, out.finish());
        HistoryEntry head;
        head.timestamp = now();
        head.dropped = std::move(unseen);
        append(std::move(head), std::move(whole));
        for (const auto& [object, images] : changes) {
            batch_->change(object, images.before, images.after);
            ++statistics_.outside_changes;
        }
    }
    return {};
}

/// What the entry says of the object. Devices that do not hold it get it whole or not at all,
/// whatever stands here; it matters to those that hold it.
void Integrator::append_outside_part(ChangesetBuilder& out, const ObjectRef& object,
                                     Entry::Images& images) {
    const bool is_ingest =
        model_->find_class(object.class_name)->kind == changeset::TableKind::asymmetric;
    if (is_ingest) {
        return;
    }
    std::optional<Object> before;
    std::optional<Object> after;
    if (images.before.exists()) {
        before = read_object(*model_, object.class_name, images.before);
        images.before.is_syncable = before.has_value();
    }
    if (images.after.exists()) {
        after = read_object(*model_, object.class_name, images.after);
        images.after.is_syncable = after.has_value();
        if (!after) {
            host_.log("sync: " + to_text(object) + " cannot be synced: " +
                      why_unsyncable(*model_, object.class_name, images.after));
        }
    }
    if (before && after) {
        changeset::append_difference(out, *model_, *model_->find_class(object.class_name),
                                     to_view(object.key), *before, *after);
    } else if (after) {
        if (images.before.exists()) {
            append_erase(out, object);
        }
        append_creation(out, *model_, object, *after);
    } else if (before) {
        append_erase(out, object);
    }
}

Result<std::optional<Error>> Integrator::write(const store::Transaction& transaction) {
    std::map<ObjectRef, Image> staged;
    const std::size_t passed_on = batch_->passed_on.size();
    for (const store::Transaction::Request& request : transaction.requests()) {
        const auto* document = std::get_if<DocumentRequest>(&request);
        const std::string* class_name =
            document == nullptr ? nullptr : model_->class_of(document->collection);
        if (class_name == nullptr) {
            batch_->passed_on.push_back(request);
            continue;
        }
        TOMBOLO_TRY(std::optional<Error> refused, stage(*document, *class_name, staged));
        if (refused) {
            batch_->passed_on.resize(passed_on, store::Transaction::Request(DocumentRequest{}));
            return refused;
        }
    }
    TOMBOLO_TRY_VOID(append_outside(staged));
    return std::optional<Error>();
}

} // namespace tombolo::server::sync
