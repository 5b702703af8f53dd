// Writes that no device made.

#include "changeset/difference.hpp"
#include "server/sync/engine/integrator.hpp"
#include "server/sync/engine/schema_facts.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;

namespace {

using DocumentRequest = store::Transaction::DocumentRequest;

/// Objects of one entry: a bulk write becomes several, so that none is huge.
constexpr std::size_t objects_per_entry = 1000;
constexpr std::size_t instructions_per_entry = 20'000;

constexpr std::size_t unsyncable_logged_max = 3;

Error conflict(const ObjectRef& object) {
    return {ErrorCode::write_conflict, "the document was changed meanwhile", to_text(object)};
}

} // namespace

/// The document that the request means, or nothing when it is no object's.
Result<std::optional<ObjectRef>> Integrator::object_of(const std::string& class_name,
                                                       const DocumentRequest& request,
                                                       const Staging& staging) const {
    const auto named = [&](std::optional<PrimaryKey> key) {
        return key ? std::optional(ObjectRef{class_name, *std::move(key)}) : std::nullopt;
    };
    if (request.kind != DocumentRequest::Kind::erase) {
        return named(key_of(request.document.view().find("_id")));
    }
    TOMBOLO_TRY(const std::optional<store::StoredDocument> found,
                batch_->snapshot().find(request.collection, request.key));
    if (found) {
        return named(key_of(found->body.view().find("_id")));
    }
    // One that came into being in this very transaction or batch.
    const auto is_meant = [&](const ObjectRef& object) {
        const Result<std::string> key = document_key_of(to_view(object.key));
        return object.class_name == class_name && key && *key == request.key;
    };
    for (const OutsideChange& each : staging.changes) {
        if (is_meant(each.object)) {
            return std::optional(each.object);
        }
    }
    for (const auto* each : batch_->documents()) {
        if (is_meant(each->first)) {
            return std::optional(each->first);
        }
    }
    return std::optional<ObjectRef>();
}

/// Judges the request as the store would, and notes what it makes.
Result<std::optional<Error>> Integrator::stage(const DocumentRequest& request,
                                               const std::string& class_name, Staging& staging) {
    TOMBOLO_TRY(std::optional<ObjectRef> object, object_of(class_name, request, staging));
    if (!object) {
        batch_->passed_on.push_back(request);
        return std::optional<Error>();
    }
    const auto [known, is_new] = staging.by_object.try_emplace(*object, staging.changes.size());
    if (is_new) {
        TOMBOLO_TRY(const Image current, batch_->current(*object));
        staging.changes.push_back({*object, {current, current}});
    }
    Image& now = staging.changes[known->second].images.after;
    if (request.kind == DocumentRequest::Kind::insert && now.exists()) {
        return std::optional(Error(ErrorCode::duplicate_key,
                                   "Duplicate key error: a document with this _id exists",
                                   to_text(*object)));
    }
    const bool is_replace = request.kind == DocumentRequest::Kind::replace;
    if ((is_replace && !now.exists()) || (request.expected && now.modified != request.expected)) {
        return std::optional(conflict(*object));
    }
    if (request.kind == DocumentRequest::Kind::erase) {
        now = Image();
        return std::optional<Error>();
    }
    Image after;
    after.document = std::make_shared<const std::string>(as_text(request.document.bytes()));
    // What it said exactly still counts where the document still says the same.
    after.sidecar = now.sidecar;
    now = std::move(after);
    return std::optional<Error>();
}

Result<void> Integrator::append_outside(Staging& staging) {
    auto next = staging.changes.begin();
    while (next != staging.changes.end()) {
        ChangesetBuilder out;
        std::vector<OutsideChange> told;
        std::vector<Entry::Images> images;
        for (; next != staging.changes.end() && told.size() < objects_per_entry &&
               out.size() < instructions_per_entry;
             ++next) {
            if (!next->images.before.exists() && !next->images.after.exists()) {
                continue;
            }
            ++statistics_.outside_changes;
            const std::size_t said = out.size();
            if (has_files()) {
                append_outside_part(out, next->object, next->images);
            }
            TOMBOLO_TRY_VOID(count_unsynced(next->object, next->images));
            if (out.size() == said) {
                batch_->rewrite(next->object, next->images.before, next->images.after);
            } else {
                images.push_back(next->images);
                told.push_back(std::move(*next));
            }
        }
        if (told.empty()) {
            continue;
        }
        TOMBOLO_TRY(Changeset whole, out.finish());
        HistoryEntry head;
        head.timestamp = now();
        append(std::move(head), std::move(whole), std::move(images));
        for (const OutsideChange& each : told) {
            batch_->change(each.object, each.images.before, each.images.after);
        }
    }
    return {};
}

/// What the entry says of the object: nothing when no device could see a difference. Devices that
/// do not hold it get it whole or not at all, whatever stands here; it matters to those that do.
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
            note_unsyncable(object, images.after);
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

/// Keeps the number of documents that no device gets.
Result<void> Integrator::count_unsynced(const ObjectRef& object, const Entry::Images& images) {
    const std::string& class_name = object.class_name;
    if (!census_.has_begun(class_name)) {
        return {};
    }
    const auto is_unsynced = [&](const Image& image) {
        const bool fits = !image.exists() ||
                          (image.is_syncable ? *image.is_syncable
                                             : read_object(*model_, class_name, image).has_value());
        return !fits;
    };
    const bool was = (images.before.is_syncable || census_.may_be_unsynced(class_name)) &&
                     is_unsynced(images.before);
    return census_.count(object, was, is_unsynced(images.after));
}

/// The log has the first few of a batch; the list of all is unsynced_documents().
void Integrator::note_unsyncable(const ObjectRef& object, const Image& image) {
    ++statistics_.unsyncable_writes;
    if (++batch_->unsyncable <= unsyncable_logged_max) {
        host_.log("sync: " + to_text(object) +
                  " cannot be synced: " + why_unsyncable(*model_, object.class_name, image));
    } else if (batch_->unsyncable == unsyncable_logged_max + 1) {
        host_.log("sync: more documents cannot be synced; the list of unsynced documents has them");
    }
}

Result<std::optional<Error>> Integrator::write(const store::Transaction& transaction) {
    Staging staging;
    const std::size_t passed_on = batch_->passed_on.size();
    for (const store::Transaction::Request& request : transaction.requests()) {
        const auto* document = std::get_if<DocumentRequest>(&request);
        const std::string* class_name =
            document == nullptr ? nullptr : model_->class_of(document->collection);
        if (class_name == nullptr) {
            batch_->passed_on.push_back(request);
            continue;
        }
        TOMBOLO_TRY(std::optional<Error> refused, stage(*document, *class_name, staging));
        if (refused) {
            batch_->passed_on.resize(passed_on, store::Transaction::Request(DocumentRequest{}));
            return refused;
        }
    }
    TOMBOLO_TRY_VOID(append_outside(staging));
    return std::optional<Error>();
}

} // namespace tombolo::server::sync
