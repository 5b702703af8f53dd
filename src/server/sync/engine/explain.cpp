#include "server/sync/engine/explain.hpp"

#include <algorithm>
#include <charconv>

#include "protocol/json_bodies.hpp"
#include "server/sync/engine/stream.hpp"

namespace tombolo::server::sync {

namespace {

constexpr std::size_t devices_max = 100;

std::string everything_of(const std::string& class_name) {
    return "{\"" + class_name + "\":\"TRUEPREDICATE\"}";
}

/// What the object is asked about.
struct Asked {
    const std::shared_ptr<const Model>& model;
    const HistorySource& history;
    const ObjectRef& object;
    const Image& now;
    const Role& role;
    Number top;
    bool is_syncable;
};

/// Whether the device had it at its cursor; nothing when history does not say any more.
std::optional<bool> held_at(const Asked& asked, const std::shared_ptr<const Model>& model,
                            const FileState& file, Number cursor) {
    const Epoch* epoch = epoch_for(file, cursor + 1);
    if (epoch == nullptr) {
        return false;
    }
    const Result<Image> image = asked.history.document_at(asked.object, cursor);
    if (!image) {
        return std::nullopt;
    }
    return View(model, epoch->body, *epoch->role).holds(asked.object.class_name, *image);
}

DeviceStanding stand(const Asked& asked, const FileState& file) {
    const std::string& class_name = asked.object.class_name;
    DeviceStanding out;
    out.ident = file.ident;
    out.last_seen_ms = file.last_seen_ms;
    out.schema_version = file.schema_version;
    out.cursor = std::min(asked.top, std::max({file.scan, file.floor, file.locked}));
    out.must_reset = file.is_dead;
    const std::shared_ptr<const Model> model = asked.model->of(file.schema_version);
    if (file.epochs.empty() || model == nullptr) {
        return out;
    }
    const Epoch& epoch = *file.epochs.back();
    const View wanted(model, epoch.body, Role());
    if (const Result<protocol::QueryBody> queries = protocol::parse_query_body(epoch.body)) {
        const auto query = queries->find(class_name);
        out.query = query == queries->end() ? "" : query->second;
    }
    out.has_newest_role = role_text(*epoch.role) == role_text(asked.role);
    if (asked.now.exists()) {
        const View shown(model, everything_of(class_name), *epoch.role);
        out.is_selected = wanted.selects(class_name, asked.now.bson());
        out.is_readable = shown.selects(class_name, asked.now.bson());
    }
    out.should_hold = asked.is_syncable && out.is_selected && out.is_readable && !out.must_reset;
    const std::optional<bool> held = held_at(asked, model, file, out.cursor);
    out.held = held.value_or(false);
    out.is_history_gone = !held;
    return out;
}

Result<void> add_devices(const store::Snapshot& snapshot, const RecordKeys& keys,
                         std::string_view user, const Asked& asked, ObjectStanding& out) {
    const auto cursor =
        snapshot.scan_records(store::Space::file, keys.app(), end_of_prefix(keys.app()));
    std::string core_key;
    std::string core;
    while (cursor->next()) {
        const std::string_view key = cursor->key();
        if (key.back() == 'c') {
            core_key = key;
            core = cursor->value();
            continue;
        }
        if (core_key.empty() || key.substr(0, key.size() - 1) !=
                                    std::string_view(core_key).substr(0, core_key.size() - 1)) {
            continue;
        }
        TOMBOLO_TRY(const FileState file, decode_file(core, cursor->value()));
        if (file.user != user) {
            continue;
        }
        if (out.devices.size() == devices_max) {
            out.has_more_devices = true;
            break;
        }
        out.devices.push_back(stand(asked, file));
    }
    return cursor->status();
}

} // namespace

Result<ObjectRef> parse_object(const Model& model, const std::string& class_name,
                               const std::string& key) {
    const changeset::ClassInfo* info = model.find_class(class_name);
    if (info == nullptr || info->kind == changeset::TableKind::embedded) {
        return Error(ErrorCode::not_found, "no class '" + class_name + "' is synced");
    }
    const Error wrong(ErrorCode::invalid_argument,
                      "'" + key + "' is no key of the class " + class_name);
    switch (info->key_type) {
    case changeset::PayloadType::integer: {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
        if (error != std::errc() || end != key.data() + key.size()) {
            return wrong;
        }
        return ObjectRef{class_name, number};
    }
    case changeset::PayloadType::object_id: {
        const auto id = ObjectId::parse(key);
        return id ? Result<ObjectRef>(ObjectRef{class_name, *id}) : wrong;
    }
    case changeset::PayloadType::uuid: {
        const auto id = Uuid::parse(key);
        return id ? Result<ObjectRef>(ObjectRef{class_name, *id}) : wrong;
    }
    case changeset::PayloadType::string:
        return ObjectRef{class_name, key};
    default:
        return wrong;
    }
}

Result<ObjectStanding> explain_object(const std::shared_ptr<const Model>& model,
                                      const store::Store& store, const ObjectId& app,
                                      std::string_view user, const Role& role,
                                      const ObjectRef& object) {
    const auto snapshot = store.snapshot();
    const RecordKeys keys(app);
    EngineState state;
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot->record(store::Space::meta, keys.state()));
    if (record) {
        TOMBOLO_TRY(state, decode_state(*record));
    }
    const EntryCache cache(0);
    const SnapshotHistory history(*snapshot, store, keys, *model, cache, state.top);
    TOMBOLO_TRY(const Image now, history.current(object));
    ObjectStanding out;
    out.top = state.top;
    out.exists = now.exists();
    out.unsyncable = now.exists() ? why_unsyncable(*model, object.class_name, now) : std::string();
    TOMBOLO_TRY(const PartList parts, history.parts(object, state.trimmed));
    for (const auto& [version, part] : parts) {
        out.changed = part.kind == PartKind::change ? version : out.changed;
    }
    if (now.exists()) {
        const View mine(model, everything_of(object.class_name), role);
        out.is_readable = mine.selects(object.class_name, now.bson());
        out.is_writable = out.is_readable && mine.may_write(object.class_name, now.bson());
    }
    const Asked asked{
        model, history, object, now, role, state.top, now.exists() && out.unsyncable.empty()};
    TOMBOLO_TRY_VOID(add_devices(*snapshot, keys, user, asked, out));
    return out;
}

} // namespace tombolo::server::sync
