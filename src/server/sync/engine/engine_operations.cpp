// What operators ask of an engine: trimming, resets, lists.

#include <algorithm>

#include "server/sync/engine/engine_impl.hpp"
#include "server/sync/engine/session_error.hpp"
#include "server/sync/engine/view.hpp"

namespace tombolo::server::sync {

using protocol::SyncErrorCode;

namespace {

/// Files looked at between two batches of uploads.
constexpr std::size_t files_per_slice = 500;
/// Files whose records go in one commit.
constexpr std::size_t forgotten_max = 500;

} // namespace

void EngineImpl::set_limits(std::int64_t client_max_offline_ms, bool recovery_mode_disabled) {
    client_max_offline_ms_ = client_max_offline_ms;
    recovery_mode_disabled_ = recovery_mode_disabled;
}

// Trimming

void EngineImpl::trim(TrimCompletion done) {
    TrimInput trim;
    trim.started_ms = clock_.unix_ms();
    trim.offline_ms = client_max_offline_ms_;
    trim.sweep =
        std::make_shared<FileSweep>(keys_, FileSweep::Limits{trim.started_ms, trim.offline_ms});
    trim.done = std::move(done);
    submit({std::move(trim), nullptr, 0});
}

Result<void> EngineImpl::process_trim(const TrimInput& trim) {
    for (const Number file : std::exchange(to_be_reset_, {})) {
        end_session_of(file, SyncErrorCode::bad_client_file_ident,
                       "an administrator had the file reset");
    }
    TOMBOLO_TRY(const bool is_done,
                trim.sweep->step(integrator_.batch().snapshot(), files_per_slice));
    if (is_done) {
        return finish_trim(trim);
    }
    // Behind whatever came meanwhile.
    integrator_.batch().effects.push_back([this, trim](store::Version) {
        submit({trim, nullptr, 0});
    });
    return {};
}

Result<void> EngineImpl::finish_trim(const TrimInput& trim) {
    FileSweep& sweep = *trim.sweep;
    // What the records say of these may be old: they are here, or were until just now.
    std::vector<Number> attached;
    {
        const MutexLock lock(mutex_);
        for (const std::vector<Number>* idents : {&sweep.passed_over(), &sweep.forgotten()}) {
            for (const Number ident : *idents) {
                if (sessions_.contains(ident) || departed_.contains(ident) ||
                    !integrator_.is_idle(ident)) {
                    attached.push_back(ident);
                }
            }
        }
    }
    for (const Number ident : attached) {
        TOMBOLO_TRY(const LoadedFile* file, integrator_.load(ident));
        if (!file->state.is_dead) {
            sweep.count(file->state);
        }
    }
    TrimReport report;
    report.top = integrator_.state().top;
    report.trimmed_before = integrator_.state().trimmed;
    report.old_enough = integrator_.ages().top_before(trim.started_ms - trim.offline_ms);
    report.acknowledged = std::min(sweep.acknowledged(), report.top);
    report.holder = sweep.holder();
    report.files_passed_over = sweep.passed_over().size();
    for (const Number ident : sweep.forgotten()) {
        if (report.files_forgotten == forgotten_max) {
            break; // the rest with the next run
        }
        const bool is_attached =
            std::find(attached.begin(), attached.end(), ident) != attached.end();
        if (!is_attached) {
            TOMBOLO_TRY_VOID(integrator_.forget_file(ident));
            ++report.files_forgotten;
        }
    }
    integrator_.trim(options_.bugs.trimmed_by_age_only
                         ? report.old_enough
                         : std::min(report.old_enough, report.acknowledged));
    report.trimmed = integrator_.state().trimmed;
    integrator_.batch().effects.push_back([this, report, done = trim.done](store::Version) {
        note_trimmed();
        {
            const MutexLock lock(mutex_);
            trim_ran_ms_ = clock_.unix_ms();
            last_trim_ = report;
        }
        done(report);
    });
    return {};
}

/// What is durably trimmed may leave the store.
void EngineImpl::note_trimmed() {
    const Number trimmed = integrator_.state().trimmed;
    past_floor_ = store::number(integrator_.ages().store_floor(trimmed));
    if (trimmed > 0) {
        store_.drop_records_below(store::Space::part, keys_.app(), trimmed);
    }
}

void EngineImpl::end() {
    take_commit_result();
    ahead_.reset(); // only uploads, whose connections end
    std::deque<Input> lost;
    {
        const MutexLock lock(mutex_);
        published_.has_failed = true;
        lost.swap(inputs_);
        inputs_bytes_ = 0;
    }
    const Error ended(ErrorCode::unavailable, "sync of this app was terminated");
    for (Input& input : lost) {
        input.mailbox = nullptr; // its connection ends
        fail_input(input, ended);
    }
    notify_all();
}

// Initial sync

bool EngineImpl::accepts_clients() const {
    return !holds_clients_ || clock_.unix_ms() - opened_ms_ >= options_.initial_wait_ms;
}

std::vector<ClassProgress> EngineImpl::census() const {
    const MutexLock lock(mutex_);
    return census_;
}

void EngineImpl::set_download_sizes(std::size_t bytes, std::size_t bootstrap_objects) {
    options_.download_bytes = bytes;
    options_.bootstrap_objects = bootstrap_objects;
}

Result<void> EngineImpl::process_census() {
    TOMBOLO_TRY_VOID(integrator_.take_census());
    integrator_.batch().effects.push_back([this](store::Version) {
        census_is_queued_ = false;
        if (!integrator_.census().is_complete()) {
            go_on_with_census();
        }
    });
    return {};
}

/// Behind whatever came meanwhile.
void EngineImpl::go_on_with_census() {
    if (!std::exchange(census_is_queued_, true)) {
        submit({CensusInput{}, nullptr, 0});
    }
}

/// What is durable now.
void EngineImpl::note_census() {
    const CensusTaker& census = integrator_.census();
    holds_clients_ = census.census().holds_clients && !census.is_complete();
    {
        const MutexLock lock(mutex_);
        census_ = census.report();
    }
    host_.census_moved(census.census().unsynced(), census.is_complete());
}

// What the database refuses

/// True: the upload has to be integrated again without some objects.
Result<bool> EngineImpl::deny_refused(const store::Transaction& transaction) {
    TOMBOLO_TRY(const std::vector<store::RefusedDocument> refused,
                store_.refused_documents(transaction));
    if (refused.empty()) {
        return false;
    }
    std::map<std::pair<std::string, std::string>, const ObjectRef*> written;
    for (const auto* each : integrator_.batch().documents()) {
        const ObjectRef& object = each->first;
        TOMBOLO_TRY(std::string key, document_key_of(to_view(object.key)));
        written.emplace(std::pair(object.class_name, std::move(key)), &object);
    }
    std::map<ObjectRef, std::string> objects;
    for (const store::RefusedDocument& each : refused) {
        const std::string* class_name = integrator_.model()->class_of(each.collection);
        const auto found =
            class_name == nullptr ? written.end() : written.find(std::pair(*class_name, each.key));
        if (found != written.end()) {
            objects.emplace(*found->second, each.why);
        }
    }
    return integrator_.deny(std::move(objects));
}

/// Said when it is durable that the objects are taken back.
void EngineImpl::note_taken_back(const Input& upload) {
    if (integrator_.denied().empty()) {
        return;
    }
    integrator_.batch().effects.push_back([this, user = integrator_.user_of(upload.file),
                                           file = upload.file,
                                           objects = integrator_.denied()](store::Version) {
        host_.taken_back({user, file, objects});
    });
}

// Devices

void EngineImpl::reset_file(std::uint64_t ident, bool is_given_up, ResetCompletion done) {
    submit({DeathInput{is_given_up, std::move(done)}, nullptr, ident});
}

void EngineImpl::end_session(const std::shared_ptr<Mailbox>& mailbox, SyncErrorCode code,
                             std::string message) {
    SessionError error = session_error(code, std::move(message));
    error.body.is_recovery_mode_disabled = recovery_mode_disabled_;
    mailbox->is_dead = true;
    {
        const MutexLock lock(mailbox->mutex);
        mailbox->content.error = std::make_shared<const SessionError>(std::move(error));
        mailbox->content.error_after = 0;
    }
    mailbox->notify();
}

/// A field that is not queryable any more ends the sessions whose query names it: their files have
/// to be reset, as IDENT would say (device-sync-server.md 7.1).
void EngineImpl::end_bad_queries() {
    const std::shared_ptr<const Model> model = published().model;
    // In development mode queries make fields queryable; with several schema versions a query may
    // be another version's.
    if (model->config().development_mode || model->has_older_versions()) {
        return;
    }
    std::vector<std::shared_ptr<Mailbox>> attached;
    {
        const MutexLock lock(mutex_);
        for (const auto& [file, each] : sessions_) {
            attached.push_back(each.mailbox);
        }
    }
    for (const auto& mailbox : attached) {
        std::shared_ptr<const FileState> file;
        {
            const MutexLock lock(mailbox->mutex);
            file = mailbox->content.file;
        }
        if (file == nullptr || file->epochs.empty()) {
            continue;
        }
        if (const Result<void> good = check_query_body(*model, file->epochs.back()->body); !good) {
            end_session(mailbox, SyncErrorCode::bad_query, good.error().message());
        }
    }
}

Result<void> EngineImpl::process_death(Input& input, const DeathInput& death) {
    const Result<LoadedFile*> file = integrator_.load(input.file);
    if (!file && file.error().code() != ErrorCode::not_found) {
        return file.error();
    }
    if (!file) {
        if (death.done) {
            integrator_.batch().effects.push_back(
                [done = death.done, error = file.error()](store::Version) { done(error); });
        }
        return {};
    }
    TOMBOLO_TRY_VOID(integrator_.mark_dead(input.file, death.is_given_up));
    if (!death.done) {
        return {}; // the device itself asked: it was told already
    }
    integrator_.batch().effects.push_back([this, ident = input.file, given_up = death.is_given_up,
                                           done = death.done](store::Version) {
        if (given_up) {
            end_session_of(ident, SyncErrorCode::client_file_expired,
                           "an administrator gave the file up");
        } else {
            // It hears of it at its next contact; one that stays silent, with the next trim.
            to_be_reset_.insert(ident);
        }
        done({});
    });
    return {};
}

void EngineImpl::end_session_of(Number file, SyncErrorCode code, std::string message) {
    std::shared_ptr<Mailbox> mailbox;
    {
        const MutexLock lock(mutex_);
        if (const auto found = sessions_.find(file); found != sessions_.end()) {
            mailbox = found->second.mailbox;
        }
    }
    if (mailbox != nullptr) {
        end_session(mailbox, code, std::move(message));
    }
}

Result<std::vector<DeviceReport>> EngineImpl::devices(std::uint64_t after,
                                                      std::size_t count_max) const {
    const auto snapshot = store_.snapshot();
    const std::int64_t expires_before = clock_.unix_ms() - client_max_offline_ms_;
    EngineState state;
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot->record(store::Space::meta, keys_.state()));
    if (record) {
        TOMBOLO_TRY(state, decode_state(*record));
    }
    std::vector<DeviceReport> devices;
    const auto cursor = snapshot->scan_records(store::Space::file, keys_.file(after + 1),
                                               end_of_prefix(keys_.app()));
    std::string core;
    while (devices.size() < count_max && cursor->next()) {
        if (cursor->key().ends_with('c')) {
            core = cursor->value();
            continue;
        }
        TOMBOLO_TRY(const FileState file, decode_file(core, cursor->value()));
        DeviceReport device;
        device.ident = file.ident;
        device.user = file.user;
        device.schema_version = file.schema_version;
        device.last_seen_ms = file.last_seen_ms;
        device.downloaded = std::max(file.scan, file.locked);
        device.uploaded_client_version = file.upload_client;
        const std::optional<Number> needs = needs_history_above(file);
        device.needs_history = needs.has_value();
        device.needs_above = needs.value_or(0);
        if (!file.epochs.empty()) {
            device.query_version = file.epochs.back()->query_version;
            device.query = file.epochs.back()->body;
        }
        {
            const MutexLock lock(mutex_);
            device.is_connected = sessions_.contains(file.ident);
        }
        device.is_reset = file.is_dead && !file.is_expired;
        device.is_expired = file.is_expired || needs.value_or(state.trimmed) < state.trimmed;
        device.is_passed_over =
            file.is_dead || (!device.is_connected && file.last_seen_ms < expires_before);
        devices.push_back(std::move(device));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return devices;
}

Result<HistoryReport> EngineImpl::history() const {
    HistoryReport report;
    TOMBOLO_TRY(const std::optional<std::string> record,
                store_.snapshot()->record(store::Space::meta, keys_.state()));
    if (record) {
        TOMBOLO_TRY(const EngineState state, decode_state(*record));
        report.top = state.top;
        report.trimmed = state.trimmed;
    }
    report.client_max_offline_ms = client_max_offline_ms_;
    const std::string end = end_of_prefix(keys_.app());
    const auto bytes = [&](store::Space space) {
        return store_.record_bytes(space, keys_.app(), end);
    };
    report.history_bytes = bytes(store::Space::history);
    report.parts_bytes = bytes(store::Space::part);
    report.reciprocals_bytes = bytes(store::Space::reciprocal);
    report.files_bytes = bytes(store::Space::file);
    const std::shared_ptr<const Model> model = published().model;
    for (const schema::ClassSchema& each : model->schema().classes()) {
        const ClassStorage* storage = model->storage(each.name());
        if (storage == nullptr) {
            continue;
        }
        report.past_bytes += store_.past_bytes(storage->documents);
        if (const auto sidecar = store_.find_collection(storage->sidecar_name)) {
            report.past_bytes += store_.past_bytes(*sidecar);
        }
    }
    const MutexLock lock(mutex_);
    report.ran_ms = trim_ran_ms_;
    report.last_run = last_trim_;
    return report;
}

} // namespace tombolo::server::sync
