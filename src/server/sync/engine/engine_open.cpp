// From what the store says to an engine that runs.

#include "changeset/codec.hpp"
#include "server/sync/engine/engine_impl.hpp"
#include "server/sync/engine/queryable.hpp"
#include "server/sync/engine/schema_facts.hpp"

namespace tombolo::server::sync {

/// Adds what a record of the schema says; false: there is none.
Result<bool> EngineImpl::load_facts(const store::Snapshot& snapshot, const std::string& key,
                                    SyncModel& model) const {
    TOMBOLO_TRY(const std::optional<std::string> record, snapshot.record(store::Space::meta, key));
    if (!record) {
        return false;
    }
    TOMBOLO_TRY(const changeset::Changeset facts, changeset::decode(as_bytes(*record)));
    for (const changeset::Instruction& each : facts.instructions()) {
        if (const std::optional<schema::SchemaFact> fact = fact_of(facts, each)) {
            TOMBOLO_TRY([[maybe_unused]] const bool changed, add_fact(model, *fact));
        }
    }
    return true;
}

/// The schema may have grown while no engine ran that could tell the devices.
Result<std::optional<EngineImpl::SchemaInput>>
EngineImpl::untold_schema(const store::Snapshot& snapshot, SyncModel& model) const {
    SyncModel told;
    TOMBOLO_TRY(const bool is_recorded,
                load_facts(snapshot, keys_.told(model.schema_version), told));
    if (!is_recorded) {
        return std::optional<SchemaInput>(); // no device has this version yet
    }
    schema::Schema& known = told.documents.schema;
    const std::vector<schema::SchemaFact> added =
        schema::facts_beyond(known, model.documents.schema);
    for (const schema::SchemaFact& fact : added) {
        fill_missing(model, fact);
    }
    return added.empty() ? std::nullopt : std::optional(SchemaInput{std::move(known)});
}

Result<void> EngineImpl::open() {
    const auto snapshot = store_.snapshot();
    EngineState state;
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot->record(store::Space::meta, keys_.state()));
    if (record) {
        TOMBOLO_TRY(state, decode_state(*record));
    }
    SyncModel config = options_.model;
    TOMBOLO_TRY([[maybe_unused]] const bool grew,
                load_facts(*snapshot, keys_.schema(config.schema_version), config));
    for (SchemaGeneration& each : config.older) {
        SyncModel of_version = config;
        of_version.documents = each.documents;
        of_version.schema_version = each.version;
        TOMBOLO_TRY([[maybe_unused]] const bool did,
                    load_facts(*snapshot, keys_.schema(each.version), of_version));
        each.documents = std::move(of_version.documents);
    }
    TOMBOLO_TRY(const std::optional<std::string> added,
                snapshot->record(store::Space::meta, keys_.added_queryable()));
    if (added) {
        TOMBOLO_TRY_VOID(decode_added_queryable(*added, config));
    }
    const bool has_files =
        snapshot->scan_records(store::Space::file, keys_.app(), end_of_prefix(keys_.app()))->next();
    std::optional<SchemaInput> untold;
    if (has_files) {
        TOMBOLO_TRY(untold, untold_schema(*snapshot, config));
    }
    TOMBOLO_TRY(std::shared_ptr<const Model> model, Model::make(std::move(config), store_));
    TOMBOLO_TRY(const std::optional<std::string> noted,
                snapshot->record(store::Space::meta, keys_.ages()));
    HistoryAges ages;
    if (noted) {
        TOMBOLO_TRY(ages, decode_ages(*noted));
    }
    std::optional<Census> census;
    TOMBOLO_TRY(const std::optional<std::string> counted,
                snapshot->record(store::Space::meta, census_key(options_.app)));
    if (counted) {
        TOMBOLO_TRY(census, decode_census(*counted));
    }
    const Number top = state.top;
    integrator_.start(std::move(state), std::move(ages), model,
                      untold ? ModelTold::due : ModelTold::unrecorded);
    integrator_.census().start(std::move(census), has_files, *model);
    opened_ms_ = clock_.unix_ms();
    note_census();
    if (!counted || !integrator_.census().is_complete()) {
        go_on_with_census();
    }
    if (untold) {
        submit({*std::move(untold), nullptr, 0});
    }
    integrator_.note_age(snapshot->version(), top, client_max_offline_ms_);
    note_trimmed();
    const MutexLock lock(mutex_);
    published_ = {top, std::move(model), false};
    generations_ = integrator_.state().generations;
    return {};
}

Result<std::unique_ptr<Engine>> open_engine(EngineOptions options, store::Store& store,
                                            RoleProvider& roles, EngineHost& host,
                                            const Clock& clock, Random& random) {
    auto engine =
        std::make_unique<EngineImpl>(std::move(options), store, roles, host, clock, random);
    TOMBOLO_TRY_VOID(engine->open());
    return std::unique_ptr<Engine>(std::move(engine));
}

} // namespace tombolo::server::sync
