// Changes of the model: by the app's configuration, by a client's schema or query in development
// mode (device-sync-server.md 2.3, 2.4).

#include <algorithm>

#include "changeset/applier.hpp"
#include "changeset/codec.hpp"
#include "changeset/difference.hpp"
#include "server/sync/engine/integrator.hpp"
#include "server/sync/engine/queryable.hpp"
#include "server/sync/engine/schema_facts.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;

namespace {

constexpr std::size_t objects_per_entry = 1000;

bool is_same(const SyncModel& left, const SyncModel& right) {
    return left.documents.schema == right.documents.schema &&
           left.documents.places == right.documents.places && left.queryable == right.queryable &&
           left.added_queryable == right.added_queryable &&
           left.indexed_queryable == right.indexed_queryable &&
           left.development_mode == right.development_mode &&
           left.data_source == right.data_source && left.database == right.database;
}

/// Classes that were there and have new properties, with those.
std::map<std::string, std::vector<std::string>>
grown_classes(const schema::Schema& old, const std::vector<schema::SchemaFact>& added) {
    std::map<std::string, std::vector<std::string>> grown;
    for (const schema::SchemaFact& fact : added) {
        const auto* property = std::get_if<schema::PropertyFact>(&fact);
        const schema::ClassSchema* owner = property ? old.find(property->class_name) : nullptr;
        if (owner != nullptr && !owner->is_embedded() && !owner->is_asymmetric()) {
            grown[property->class_name].push_back(property->name);
        }
    }
    return grown;
}

} // namespace

/// What the configuration says and what devices have been told besides: nothing that a device knows
/// ever goes while sync is on.
Result<SyncModel> Integrator::united(SyncModel config) const {
    const std::vector<schema::SchemaFact> lacking =
        schema::facts_beyond(config.documents.schema, model_->declared());
    for (const schema::SchemaFact& fact : lacking) {
        TOMBOLO_TRY([[maybe_unused]] const bool changed, add_fact(config, fact));
    }
    if (!lacking.empty() && !config.development_mode) {
        host_.log("sync: keeps " + std::to_string(lacking.size()) +
                  " classes and properties that the new configuration lacks, since devices have "
                  "them; terminate and enable sync to drop them");
    }
    for (const auto& [class_name, place] : model_->config().documents.places) {
        config.documents.places.try_emplace(class_name, place);
    }
    // A default that documents were read with: without it they would fall out of sync.
    for (const schema::ClassSchema& known : model_->declared().classes()) {
        schema::ClassSchema* of = config.documents.schema.find(known.name());
        for (const schema::Property& property : known.properties()) {
            const schema::Property* now = of == nullptr ? nullptr : of->find(property.name);
            if (now != nullptr && now->default_value.is_null() &&
                !property.default_value.is_null()) {
                schema::Property kept = *now;
                kept.default_value = property.default_value;
                of->put(std::move(kept));
            }
        }
    }
    return config;
}

Result<void> Integrator::change_model(SyncModel config) {
    const SyncModel given = config;
    keep_added_queryable(model_->config(), config);
    if (config.schema_version != model_->config().schema_version) {
        // Nobody has the new version yet, and files of the others see no difference.
        batch_->model_grew = batch_->model_grew || !is_same(config, given);
        return take_model(std::move(config));
    }
    Result<SyncModel> whole = united(std::move(config));
    if (!whole) {
        host_.log(std::string("sync: keeps to the schema it had: ") + whole.error().what());
        return {};
    }
    const std::vector<schema::SchemaFact> added =
        schema::facts_beyond(model_->declared(), whole->documents.schema);
    for (const schema::SchemaFact& fact : added) {
        fill_missing(*whole, fact);
    }
    if (is_same(*whole, model_->config())) {
        return {};
    }
    const std::shared_ptr<const Model> old = model_;
    batch_->model_grew = batch_->model_grew || !is_same(*whole, given);
    TOMBOLO_TRY_VOID(take_model(*std::move(whole)));
    if (added.empty()) {
        return {};
    }
    TOMBOLO_TRY_VOID(append_facts(added));
    return append_known_values(old->schema(), {});
}

Result<void> Integrator::append_facts(const std::vector<schema::SchemaFact>& added) {
    ChangesetBuilder out;
    for (const schema::SchemaFact& fact : added) {
        append_fact(out, fact);
    }
    TOMBOLO_TRY(Changeset facts, out.finish());
    HistoryEntry head;
    head.timestamp = now();
    append(std::move(head), std::move(facts));
    return {};
}

Result<void> Integrator::tell_schema(const schema::Schema& known) {
    told_ = ModelTold::unrecorded;
    TOMBOLO_TRY_VOID(append_facts(schema::facts_beyond(known, model_->declared())));
    batch_->model_grew = true; // with defaults for what documents lack
    return append_known_values(known, {});
}

Result<void> Integrator::take_model(SyncModel model) {
    TOMBOLO_TRY(model_, Model::make(std::move(model), store_));
    batch_->set_model(model_);
    batch_->model_changed = true;
    if (told_ == ModelTold::recorded) {
        told_ = ModelTold::unrecorded;
    }
    return {};
}

/// What clients added, and what devices know of the model.
Result<void> Integrator::put_model(store::Transaction& transaction) const {
    const bool is_told = told_ == ModelTold::unrecorded;
    if (!batch_->model_changed && !is_told) {
        return {};
    }
    ChangesetBuilder out;
    model_->append_schema(out);
    TOMBOLO_TRY(const Changeset schema, out.finish());
    const std::string record(as_text(changeset::encode(schema)));
    const Number version = model_->config().schema_version;
    if (is_told) {
        transaction.put_record(store::Space::meta, keys_.told(version), record);
    }
    if (batch_->model_changed) {
        transaction.put_record(store::Space::meta, keys_.schema(version), record);
        transaction.put_record(store::Space::meta, keys_.added_queryable(),
                               encode_added_queryable(model_->config()));
    }
    return {};
}

/// In development mode a query may name any field that can be queryable: it becomes so.
Result<void> Integrator::allow_query(const std::string& body) {
    if (!model_->config().development_mode) {
        return {};
    }
    SyncModel model = model_->config();
    if (!add_queryable_fields(model, body)) {
        return {};
    }
    batch_->model_grew = true;
    return take_model(std::move(model));
}

/// Documents may have had values of the new properties all along: devices that hold the objects are
/// told. Not of those in the upload that brought the properties: it says what is in them.
Result<void> Integrator::append_known_values(const schema::Schema& old,
                                             const std::vector<Judged>& upload) {
    if (&model_->schema() == &old) {
        return {};
    }
    const std::vector<schema::SchemaFact> added = schema::facts_beyond(old, model_->schema());
    std::set<ObjectRef> except;
    for (const Judged& each : upload) {
        except.insert(each.object);
    }
    for (const auto& [class_name, properties] : grown_classes(old, added)) {
        const ClassStorage* storage = model_->storage(class_name);
        const std::unique_ptr<store::DocumentCursor> cursor =
            batch_->snapshot().scan(storage->documents);
        bool has_more = cursor->next();
        while (has_more) {
            ChangesetBuilder out;
            std::vector<OutsideChange> told;
            std::vector<Entry::Images> images;
            for (; has_more && told.size() < objects_per_entry; has_more = cursor->next()) {
                const std::optional<PrimaryKey> key = key_of(cursor->document().find("_id"));
                if (!key) {
                    continue;
                }
                OutsideChange change{{class_name, *key}, {}};
                if (except.contains(change.object)) {
                    continue;
                }
                TOMBOLO_TRY(change.images.after, batch_->current(change.object));
                if (append_values(out, change, properties)) {
                    images.push_back(change.images);
                    told.push_back(std::move(change));
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
        TOMBOLO_TRY_VOID(cursor->status());
    }
    return {};
}

/// False: the object has nothing there but what a new property has anyway.
bool Integrator::append_values(ChangesetBuilder& out, OutsideChange& change,
                               const std::vector<std::string>& properties) {
    if (!change.images.after.exists()) {
        return false;
    }
    const std::optional<Object> now =
        read_object(*model_, change.object.class_name, change.images.after);
    if (!now) {
        return false;
    }
    change.images.after.is_syncable = true;
    change.images.before = change.images.after;
    const changeset::ClassInfo& info = *model_->find_class(change.object.class_name);
    Object without = *now;
    for (const std::string& name : properties) {
        for (const changeset::ColumnInfo& column : info.columns) {
            if (column.name == name) {
                without.fields.set(name, changeset::default_value(column));
            }
        }
    }
    const std::size_t said = out.size();
    changeset::append_difference(out, *model_, info, to_view(change.object.key), without, *now);
    return out.size() != said;
}

} // namespace tombolo::server::sync
