// UPLOAD (server-sync-algorithm.md 4), object by object.

#include <algorithm>

#include "changeset/apply_changeset.hpp"
#include "changeset/codec.hpp"
#include "protocol/json_bodies.hpp"
#include "server/sync/engine/geo_fields.hpp"
#include "server/sync/engine/integrator.hpp"
#include "server/sync/engine/queryable.hpp"
#include "server/sync/engine/schema_facts.hpp"
#include "server/sync/engine/session_error.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::MergeInput;
using changeset::TableKind;
using protocol::SyncErrorCode;

namespace {

/// Pairs of instructions that one upload of one object may meet: seconds of work at most.
constexpr std::uint64_t meetings_max = 500'000'000;

SessionError bad_changeset(const UploadItem& item, const std::string& why) {
    return session_error(SyncErrorCode::bad_changeset,
                         "Failed to integrate the changeset of client version " +
                             std::to_string(item.client_version) + ": " + why);
}

/// True when another version's clients have it.
bool is_known_elsewhere(const SyncModel& model, const schema::SchemaFact& fact) {
    const auto has = [&](const schema::DocumentSchema& documents) {
        return schema::check_fact(documents.schema, fact).verdict == schema::FactVerdict::equal;
    };
    return !model.older.empty() &&
           (has(model.documents) ||
            std::any_of(model.older.begin(), model.older.end(),
                        [&](const SchemaGeneration& each) { return has(each.documents); }));
}

std::optional<SessionError> none() {
    return std::nullopt;
}

} // namespace

Result<std::optional<SessionError>>
Integrator::upload(Number ident, protocol::UploadCursor progress, Number locked, ByteView entries) {
    TOMBOLO_TRY(LoadedFile * file, load(ident));
    refused_ingests_.clear();
    Number refused_version = 0;
    protocol::UploadEntryReader reader(entries);
    for (;;) {
        Result<std::optional<protocol::UploadEntry>> next = reader.next();
        if (!next) {
            return std::optional(session_error(protocol::sync_code_for(next.error().code()),
                                               next.error().message()));
        }
        if (!*next) {
            break;
        }
        const protocol::UploadEntry& entry = **next;
        const UploadItem item{entry.client_version.value, entry.server_version.value,
                              entry.origin_timestamp_ms, entry.changeset};
        if (item.client_version <= file->state.upload_client &&
            !options_.bugs.resent_upload_integrated_again) {
            continue;
        }
        const std::size_t refused = refused_ingests_.size();
        TOMBOLO_TRY(std::optional<SessionError> error, integrate(*file, item));
        if (error) {
            return error;
        }
        refused_version = refused_ingests_.size() > refused ? item.client_version : refused_version;
    }
    // The progress of an empty UPLOAD waits for the next commit: it makes none of its own.
    lazy_cores_.insert(ident);
    if (batch_->identified.contains(ident)) {
        // A fast reconnect: the session is shown this cursor first, so it has to be durable.
        batch_->changed_cores.insert(ident);
    }
    set_cursor(*file, progress.client.value, progress.server.value);
    file->state.locked = std::max(file->state.locked, locked);
    file->state.last_seen_ms = clock_.unix_ms();
    return refused_ingests_.empty() ? none() : std::optional(write_not_allowed(refused_version));
}

/// 230 for what was refused of asymmetric classes, which have nothing to undo. It ends the binding,
/// so it comes once: what the client sends again when it is back has been integrated.
SessionError Integrator::write_not_allowed(Number client_version) {
    SessionError error = session_error(SyncErrorCode::write_not_allowed,
                                       "Client attempted a write that is not allowed");
    protocol::RejectedWrites writes;
    writes.client_version = {client_version};
    writes.updates = std::move(refused_ingests_);
    refused_ingests_.clear();
    error.body.rejected = std::move(writes);
    return error;
}

void Integrator::set_cursor(LoadedFile& file, Number client, Number server) {
    FileState& state = file.state;
    state.upload_client = std::max(state.upload_client, client);
    if (server <= state.floor) {
        return;
    }
    state.floor = server;
    while (!file.reciprocals.empty() && file.reciprocals.begin()->first.first <= server) {
        const auto& [version, encoded] = file.reciprocals.begin()->first;
        std::string_view bytes = encoded;
        if (Result<ObjectRef> object = decode_object(bytes)) {
            batch_->reciprocals[keys_.reciprocal(state.ident, *object, version)] = std::nullopt;
        }
        file.reciprocals.erase(file.reciprocals.begin());
    }
    while (state.epochs.size() > 1 && state.epochs[1]->point <= server) {
        state.epochs.erase(state.epochs.begin());
        batch_->changed_views.insert(state.ident);
    }
    std::erase_if(state.holes, [&](const Hole& hole) { return hole.point <= server; });
}

/// Schema instructions stay out of the merge: known ones are dropped, new ones applied and kept.
Result<std::optional<SessionError>> Integrator::take_schema(const LoadedFile& file,
                                                            const CutChangeset& cut,
                                                            ChangesetBuilder& kept,
                                                            SyncModel& model, bool& changed) {
    for (const std::uint32_t at : cut.schema) {
        const changeset::Instruction& instruction = cut.changeset.instructions()[at];
        const std::optional<schema::SchemaFact> fact = fact_of(cut.changeset, instruction);
        if (!fact) {
            return std::optional(session_error(
                SyncErrorCode::invalid_schema_change,
                "Invalid schema change (UPLOAD): classes and properties cannot be removed or have "
                "such a type: " +
                    changeset::to_text(cut.changeset, instruction)));
        }
        const bool is_newest = file.state.schema_version == model.schema_version;
        const schema::FactCheck check =
            schema::check_fact(is_newest ? model.documents.schema : seen_->declared(), *fact);
        // An app that opens its old file with a newer schema tells of that (sync-protocol.md 8.4).
        if (check.verdict != schema::FactVerdict::equal && is_known_elsewhere(model, *fact)) {
            continue;
        }
        if (check.verdict == schema::FactVerdict::conflicting) {
            return std::optional(session_error(SyncErrorCode::invalid_schema_change,
                                               "Invalid schema change (UPLOAD): " + check.text));
        }
        if (check.verdict == schema::FactVerdict::equal) {
            if (check.declares_element_nullability && is_newest) {
                TOMBOLO_TRY(const bool declared, add_fact(model, *fact));
                changed = changed || declared;
            }
            continue;
        }
        if (!model.development_mode || !is_newest) {
            return std::optional(session_error(
                SyncErrorCode::invalid_schema_change,
                "Invalid schema change (UPLOAD): non-breaking schema change: " + check.text +
                    ", schema changes from clients are restricted when developer mode is "
                    "disabled"));
        }
        TOMBOLO_TRY(const bool added, add_fact(model, *fact));
        changed = changed || added;
        append_fact(kept, *fact);
    }
    return none();
}

std::optional<SessionError> Integrator::check_objects(const Model& model,
                                                      const CutChangeset& cut) const {
    for (const ObjectPart& part : cut.parts) {
        const changeset::ClassInfo* info = model.find_class(part.object.class_name);
        if (info == nullptr || info->kind == TableKind::embedded ||
            !changeset::apply_detail::key_fits(*info, to_view(part.object.key))) {
            return session_error(SyncErrorCode::bad_changeset,
                                 "the changeset names " + to_text(part.object) +
                                     ", which the schema does not allow");
        }
    }
    return std::nullopt;
}

Result<std::optional<SessionError>> Integrator::integrate(LoadedFile& file,
                                                          const UploadItem& item) {
    Result<Changeset> decoded = changeset::decode(item.changeset);
    if (!decoded) {
        return std::optional(bad_changeset(item, decoded.error().what()));
    }
    CutChangeset cut(*std::move(decoded));
    const std::shared_ptr<const Model> old_model = model_;
    ChangesetBuilder kept;
    seen_ = model_->of(file.state.schema_version);
    if (seen_ == nullptr) {
        return std::optional(session_error(SyncErrorCode::bad_schema_version,
                                           "the file's schema version is served no more"));
    }
    if (!cut.schema.empty()) {
        SyncModel model = model_->config();
        bool changed = false;
        TOMBOLO_TRY(std::optional<SessionError> error,
                    take_schema(file, cut, kept, model, changed));
        if (error) {
            return error;
        }
        if (changed) {
            batch_->model_grew = true;
            TOMBOLO_TRY_VOID(take_model(std::move(model)));
            seen_ = model_->of(file.state.schema_version);
        }
    }
    if (std::optional<SessionError> error = check_objects(*seen_, cut)) {
        return error;
    }
    const std::shared_ptr<const View> view = newest_view(file);
    std::vector<Judged> judged;
    judged.reserve(cut.parts.size());
    for (const ObjectPart& part : cut.parts) {
        bool is_bad = false;
        TOMBOLO_TRY(Judged each, judge(file, view.get(), item, cut, part, is_bad));
        if (is_bad) {
            return std::optional(bad_changeset(
                item, "it contradicts what this device was sent of " + to_text(part.object)));
        }
        judged.push_back(std::move(each));
    }
    // From here on nothing fails but the store.
    HistoryEntry head;
    head.origin = file.state.ident;
    head.client_version = item.client_version;
    head.timestamp = item.timestamp;
    for (const Judged& each : judged) {
        if (each.kept.empty() && !each.keeps_upload) {
            head.dropped.push_back(each.object);
        }
    }
    const std::vector<ObjectRef> dropped = head.dropped;
    TOMBOLO_TRY(std::shared_ptr<const Entry> entry,
                entry_of(std::move(head), std::move(cut), std::move(kept), judged));
    state_.top = batch_->append(std::move(entry));
    ++statistics_.changesets;
    for (Judged& each : judged) {
        if (each.has_change) {
            batch_->change(each.object, each.before, each.after);
        }
        for (auto& [key, reciprocal] : each.reciprocals) {
            batch_->reciprocals[keys_.reciprocal(file.state.ident, each.object, key.first)] =
                encode(reciprocal);
            file.reciprocals[key] = std::move(reciprocal);
        }
    }
    keep_conflicts(judged);
    for (const ObjectRef& object : dropped) {
        batch_->add_part(object, {PartKind::dropped, file.state.ident, {}});
    }
    set_cursor(file, item.client_version, item.base);
    batch_->changed_cores.insert(file.state.ident);
    TOMBOLO_TRY_VOID(append_reset(file, judged, item.client_version));
    TOMBOLO_TRY_VOID(append_known_values(old_model->schema(), judged));
    return none();
}

/// What is kept of the upload, `kept` having its schema instructions.
Result<std::shared_ptr<Entry>> Integrator::entry_of(HistoryEntry head, CutChangeset cut,
                                                    ChangesetBuilder kept,
                                                    const std::vector<Judged>& judged) const {
    std::vector<Entry::Images> images;
    bool is_whole = false;
    for (const Judged& each : judged) {
        const bool is_kept = each.keeps_upload || !each.kept.empty();
        if (!is_kept || model_->find_class(each.object.class_name)->kind == TableKind::asymmetric) {
            continue;
        }
        is_whole = each.keeps_upload;
        if (!is_whole) {
            append_all(kept, each.kept);
        }
        images.push_back({each.before, each.after});
    }
    if (!is_whole) {
        TOMBOLO_TRY(Changeset whole, kept.finish());
        cut = CutChangeset(std::move(whole));
    }
    head.changeset = changeset::encode(cut.changeset);
    auto entry = std::make_shared<Entry>(std::move(head), std::move(cut));
    entry->set_images(std::move(images));
    if (std::none_of(judged.begin(), judged.end(),
                     [](const Judged& each) { return each.leaves_view; })) {
        entry->set_silent_for_origin();
    }
    return entry;
}

std::shared_ptr<const View> Integrator::newest_view(LoadedFile& file) {
    const std::shared_ptr<const Model> model = model_->of(file.state.schema_version);
    if (file.state.epochs.empty() || model == nullptr) {
        return nullptr;
    }
    if (file.view == nullptr || file.view_epoch != file.state.epochs.back() ||
        file.view->shared_model() != model) {
        file.view_epoch = file.state.epochs.back();
        file.view = views_.get(model, *file.view_epoch);
    }
    return file.view;
}

/// `ours` of 4.2: what the device was sent of the object above its base, as it knows it by now.
Result<std::vector<std::pair<LoadedFile::ReciprocalKey, Reciprocal>>>
Integrator::met(LoadedFile& file, const ObjectRef& object, Number base) {
    std::vector<std::pair<LoadedFile::ReciprocalKey, Reciprocal>> ours;
    const FileState& state = file.state;
    const bool has_points = !state.epochs.empty() && state.epochs.back()->point > base;
    if (!has_points && !recent_.may_have_above(object, base)) {
        return ours;
    }
    const Stream stream(*batch_, seen_, views_, state, options_.bugs);
    // What is trimmed lies before the file's first point.
    TOMBOLO_TRY(const PartList above, batch_->parts(object, std::max(base, state_.trimmed)));
    const std::string name = encode_object(object);
    const auto add = [&](Number version, std::optional<Sent> sent) {
        LoadedFile::ReciprocalKey key(version, name);
        const auto known = file.reciprocals.find(key);
        if (known != file.reciprocals.end() && !options_.bugs.recips_not_kept) {
            ours.emplace_back(std::move(key), known->second);
        } else if (sent && !sent->changeset.empty()) {
            if (options_.on_met) {
                options_.on_met(state.ident, version, object, sent->changeset);
            }
            ours.emplace_back(std::move(key), Reciprocal{sent->timestamp, sent->origin,
                                                         std::move(sent->changeset)});
        }
    };
    std::size_t next_epoch = 0;
    const auto add_points = [&](Number below) -> Result<void> {
        for (; next_epoch < state.epochs.size() && state.epochs[next_epoch]->point < below;
             ++next_epoch) {
            const Epoch& epoch = *state.epochs[next_epoch];
            if (epoch.point > base && !options_.bugs.points_not_met) {
                const Epoch* previous =
                    next_epoch == 0 ? nullptr : state.epochs[next_epoch - 1].get();
                TOMBOLO_TRY(std::optional<Sent> sent,
                            stream.point_part(epoch, previous, object, above));
                add(epoch.point, std::move(sent));
            }
        }
        return {};
    };
    for (const auto& [version, part] : above) {
        TOMBOLO_TRY_VOID(add_points(version));
        if (part.kind == PartKind::dropped ||
            (part.kind == PartKind::reset && part.audience != state.ident)) {
            continue;
        }
        TOMBOLO_TRY(std::optional<Sent> sent, stream.part(version, object, above));
        add(version, std::move(sent));
    }
    TOMBOLO_TRY_VOID(add_points(batch_->top() + 1));
    return ours;
}

/// Counted, and kept for people when the log of conflicts is on.
void Integrator::refuse_object(const FileState& file, const UploadItem& item, const Changeset& part,
                               Judged& judged) {
    ++statistics_.refused_objects;
    note_refused(file, item, part, judged);
}

Result<Integrator::Judged> Integrator::judge(LoadedFile& file, const View* view,
                                             const UploadItem& item, const CutChangeset& cut,
                                             const ObjectPart& part, bool& is_bad) {
    Judged judged;
    judged.object = part.object;
    const bool is_alone = cut.parts.size() == 1 && cut.schema.empty();
    TOMBOLO_TRY(judged.before, batch_->current(part.object));
    if (seen_->find_class(part.object.class_name)->kind == TableKind::asymmetric) {
        Changeset theirs = cut.part(part);
        TOMBOLO_TRY_VOID(decide_asymmetric(view, judged, theirs));
        if (judged.has_change) {
            judged.kept = std::move(theirs);
        } else {
            note_refused(file.state, item, theirs, judged);
        }
        return judged;
    }
    TOMBOLO_TRY(auto ours, met(file, part.object, item.base));
    if (ours.empty() && is_alone && view != nullptr) {
        // The common case: nothing to merge with, and nothing is copied.
        TOMBOLO_TRY_VOID(decide(*view, judged, cut.changeset));
        judged.keeps_upload = judged.has_change;
        if (judged.is_refused) {
            refuse_object(file.state, item, cut.changeset, judged);
        }
        return judged;
    }
    Changeset theirs = cut.part(part);
    if (!ours.empty()) {
        ++statistics_.merges;
        std::vector<MergeInput> major;
        major.reserve(ours.size());
        std::vector<std::vector<changeset::Instruction>> discarded(ours.size() + 1);
        for (auto& [key, sent] : ours) {
            major.push_back(
                {&sent.changeset, sent.timestamp, sent.origin, false, &discarded[major.size()]});
        }
        MergeInput minor{&theirs, item.timestamp, file.state.ident, false, &discarded.back()};
        const Result<changeset::MergeReport> report = changeset::merge(
            major, {&minor, 1}, {changeset::MoveOverInnerRule::sensible, meetings_max});
        if (!report) {
            is_bad = true;
            return judged;
        }
        judged.meets_edge = !report->edges.empty();
        note_merge(file.state, item, minor, major, ours, judged);
        for (std::size_t i = 0; i < ours.size(); ++i) {
            if (major[i].modified) {
                judged.reciprocals.push_back(std::move(ours[i]));
            }
        }
    }
    if (theirs.empty()) {
        return judged;
    }
    if (view == nullptr) {
        judged.is_refused = true;
        judged.why_refused = "the device has not subscribed to anything yet";
    } else {
        TOMBOLO_TRY_VOID(decide(*view, judged, theirs));
    }
    if (judged.is_refused) {
        refuse_object(file.state, item, theirs, judged);
    } else if (judged.has_change) {
        judged.kept = std::move(theirs);
    }
    return judged;
}

namespace {

/// Whether the part keeps to the fields that the role may write.
bool keeps_to_fields(const View& view, const std::string& class_name, const Changeset& part,
                     const EngineBugs& bugs) {
    const FieldMask* mask = view.mask(class_name);
    if (mask == nullptr || mask->writes_all() || bugs.unwritable_fields_taken) {
        return true;
    }
    const auto all = part.instructions();
    return std::all_of(all.begin(), all.end(), [&](const changeset::Instruction& each) {
        return each.op != changeset::Opcode::erase_object && mask->writes(part, each);
    });
}

} // namespace

/// Section 4.4, on the documents of now.
Result<void> Integrator::decide(const View& view, Judged& judged, const Changeset& part) {
    const std::string& class_name = judged.object.class_name;
    const bool existed = judged.before.exists();
    const bool erases = has_erase(part);
    if (!existed && is_lone_erase(part)) {
        return {};
    }
    judged.is_refused = true;
    const auto refuse = [&](const char* why) {
        judged.why_refused = why;
        return Result<void>();
    };
    std::optional<Object> object;
    if (existed) {
        judged.is_outside_view = !view.holds(class_name, judged.before);
        if (judged.is_outside_view && !options_.bugs.uploads_judged_by_no_view) {
            return refuse("the device's subscriptions and role do not show it the object");
        }
        object = read_object(*seen_, class_name, judged.before);
        if (!object) {
            return refuse("the document does not fit the schema");
        }
        if (!view.may_write(class_name, judged.before.bson())) {
            return refuse("the role may not write the document");
        }
        if (!keeps_to_fields(view, class_name, part, options_.bugs)) {
            return refuse("the role may not write one of the fields");
        }
        if (erases && !view.may_erase(class_name, judged.before.bson())) {
            return refuse("the role may not delete the document");
        }
        judged.before.is_syncable = true;
    }
    Result<std::optional<Object>> applied = applier().apply(part, judged.object, object);
    if (!applied) {
        if (applied.error().code() != ErrorCode::bad_changeset) {
            return applied.error();
        }
        return refuse("it does not fit the object as it is");
    }
    if (!*applied) {
        judged.is_refused = false;
        if (existed) {
            judged.has_change = true;
        }
        return {};
    }
    if (breaks_geo_field(*seen_, class_name, **applied)) {
        judged.breaks_geo_field = true;
        return refuse("a queryable geo field would hold no valid point");
    }
    if (existed && !erases && changes_indexed_field(*seen_, *object, **applied)) {
        return refuse("devices do not change the indexed queryable field of an object");
    }
    // An object that was erased and made again starts from nothing.
    Result<Image> after =
        write_object(*seen_, judged.object, **std::move(applied), erases ? Image() : judged.before);
    if (!after) {
        return refuse("no document can hold the values");
    }
    after->is_syncable = true;
    const bool is_new = !existed || erases;
    if (!view.may_write(class_name, after->bson())) {
        return refuse("the role may not write the document as it would be");
    }
    if (!keeps_to_fields(view, class_name, part, options_.bugs)) {
        return refuse("the role may not write one of the fields");
    }
    if (is_new && !view.may_insert(class_name, after->bson())) {
        return refuse("the role may not insert the document");
    }
    // Leaving the view by an update is legal, creating something outside it is not.
    if (is_new && !view.selects(class_name, after->bson())) {
        judged.is_outside_view = true;
        return refuse("the new object is in none of the device's subscriptions");
    }
    if (const auto denied = denied_.find(judged.object); denied != denied_.end()) {
        judged.breaks_index = true;
        return refuse(denied->second.c_str());
    }
    judged.is_refused = false;
    judged.has_change = true;
    judged.leaves_view = !is_new && !view.selects(class_name, after->bson());
    judged.after = *std::move(after);
    return {};
}

/// Data ingest: the first insert stays, nothing is ever sent back (device-sync-server.md 3.6).
Result<void> Integrator::decide_asymmetric(const View* view, Judged& judged,
                                           const Changeset& part) {
    judged.why_refused = judged.before.exists() ? "a document with this key was ingested before"
                         : view == nullptr      ? "the device has not subscribed to anything yet"
                                                : "it is no complete object";
    if (judged.before.exists() || view == nullptr) {
        return {};
    }
    Result<std::optional<Object>> applied =
        applier().apply(part, judged.object, std::optional<Object>());
    if (!applied || !*applied) {
        return {};
    }
    Result<Image> after = write_object(*seen_, judged.object, **std::move(applied), {});
    const std::string& class_name = judged.object.class_name;
    if (!after || !view->may_write(class_name, after->bson()) ||
        !keeps_to_fields(*view, class_name, part, options_.bugs) ||
        !view->may_insert(class_name, after->bson())) {
        refuse_ingest("the role may not insert the document",
                      protocol::rejection_reason(to_view(judged.object.key), class_name, false),
                      judged);
        return {};
    }
    if (const auto denied = denied_.find(judged.object); denied != denied_.end()) {
        refuse_ingest(denied->second.c_str(),
                      protocol::rejection_reason_of_index(to_view(judged.object.key), class_name,
                                                          denied->second),
                      judged);
        return {};
    }
    judged.has_change = true;
    judged.after = *std::move(after);
    return {};
}

void Integrator::refuse_ingest(const char* why, std::string reason, Judged& judged) {
    host_.log("sync: an ingested object was not allowed and is dropped: " + to_text(judged.object) +
              ": " + why);
    judged.why_refused = why;
    refused_ingests_.push_back({judged.object.class_name, judged.object.key, std::move(reason)});
    ++statistics_.refused_objects;
}

/// What the 231 says.
std::string Integrator::reason_of(const Judged& refused) const {
    const PrimaryKeyView key = to_view(refused.object.key);
    const std::string& name = refused.object.class_name;
    if (refused.breaks_geo_field) {
        return protocol::geo_rejection_reason(key, name);
    }
    return refused.breaks_index
               ? protocol::rejection_reason_of_index(key, name, denied_.at(refused.object))
               : protocol::rejection_reason(key, name, refused.is_outside_view);
}

Result<void> Integrator::append_reset(LoadedFile& file, const std::vector<Judged>& judged,
                                      Number client_version) {
    std::vector<ObjectRef> objects;
    std::vector<RejectedObject> rejected;
    for (const Judged& each : judged) {
        if (each.is_refused) {
            rejected.push_back({each.object, reason_of(each)});
        }
        if (each.is_refused || each.meets_edge) {
            objects.push_back(each.object);
        }
    }
    if (objects.empty() || options_.bugs.refusal_without_reset) {
        return {};
    }
    TOMBOLO_TRY([[maybe_unused]] const Number version,
                append_reset(file, objects, std::move(rejected), client_version));
    return {};
}

Result<Number> Integrator::append_reset(LoadedFile& file, const std::vector<ObjectRef>& objects,
                                        std::vector<RejectedObject> rejected,
                                        Number client_version) {
    // Also for a file whose upload it is not: a collapse says its resets again.
    const std::shared_ptr<const Model> model = model_->of(file.state.schema_version);
    const std::shared_ptr<const View> view = views_.get(model, *file.state.epochs.back());
    ChangesetBuilder content;
    for (const ObjectRef& object : objects) {
        TOMBOLO_TRY(const Image image, batch_->current(object));
        if (view->holds(object.class_name, image)) {
            append_content(content, *model, object,
                           *visible_object(*view, object.class_name, image));
        } else {
            append_erase(content, object);
        }
    }
    TOMBOLO_TRY(Changeset whole, content.finish());
    HistoryEntry head;
    head.kind = EntryKind::reset;
    head.timestamp = now();
    head.audience = file.state.ident;
    head.rejected = std::move(rejected);
    head.rejected_client_version = client_version;
    const Number version = append(std::move(head), std::move(whole));
    for (const ObjectRef& object : objects) {
        batch_->add_part(object, {PartKind::reset, file.state.ident, {}});
    }
    ++statistics_.resets;
    return version;
}

} // namespace tombolo::server::sync
