#include "server/sync/engine/engine_impl.hpp"

#include <sodium.h>

#include <algorithm>

#include "server/sync/engine/session_error.hpp"

namespace tombolo::server::sync {

using protocol::SyncErrorCode;

namespace {

/// Entries and images that fan-out and merges find without reading the store.
constexpr std::size_t cache_bytes = std::size_t{32} << 20;

/// Empty UPLOADs wait for what comes next, until there are so many.
constexpr std::size_t quiet_inputs_max = 256;
/// A session with more waiting is told of everything: it may have stopped reading.
constexpr std::size_t quiet_backlog_max = std::size_t{64} << 10;

/// A device that was reset for what it refused comes back within moments.
constexpr std::int64_t refusal_remembered_ms = 3600 * 1000;
constexpr std::size_t refusals_max = 10'000;

} // namespace

EngineImpl::EngineImpl(EngineOptions options, store::Store& store, RoleProvider& roles,
                       EngineHost& host, const Clock& clock, Random& random)
    : options_(std::move(options)), store_(store), roles_(roles), host_(host), clock_(clock),
      keys_(options_.app), cache_(cache_bytes),
      client_max_offline_ms_(options_.client_max_offline_ms),
      recovery_mode_disabled_(options_.recovery_mode_disabled),
      integrator_(options_, store_, keys_, views_, cache_, host_, clock_, random) {}

EngineImpl::~EngineImpl() {
    const MutexLock lock(mutex_);
    while (is_committing_) {
        idle_.wait(mutex_);
    }
}

// What sessions read

SessionContext::Published EngineImpl::published() const {
    const MutexLock lock(mutex_);
    return published_;
}

std::int64_t EngineImpl::salt_of(Number version) const {
    if (version == 0) {
        return 0;
    }
    const MutexLock lock(mutex_);
    const SaltGeneration* found = nullptr;
    for (const SaltGeneration& generation : generations_) {
        if (generation.first <= version) {
            found = &generation;
        }
    }
    if (found == nullptr) {
        return 1;
    }
    unsigned char out[crypto_shorthash_BYTES];
    unsigned char in[8];
    for (unsigned i = 0; i < 8; ++i) {
        in[i] = static_cast<unsigned char>(version >> (8 * i));
    }
    crypto_shorthash(out, in, sizeof in,
                     reinterpret_cast<const unsigned char*>(found->secret.data()));
    std::uint64_t salt = 0;
    for (unsigned i = 0; i < 8; ++i) {
        salt |= static_cast<std::uint64_t>(out[i]) << (8 * i);
    }
    salt &= (std::uint64_t{1} << 62) - 1;
    return salt == 0 ? 1 : static_cast<std::int64_t>(salt);
}

bool EngineImpl::is_synced(store::CollectionId collection) const {
    return published().model->class_of(collection) != nullptr;
}

bool EngineImpl::serves(std::uint64_t schema_version) const {
    return published().model->of(schema_version) != nullptr;
}

SyncModel EngineImpl::model() const {
    return published().model->config();
}

EngineStatistics EngineImpl::statistics() const {
    EngineStatistics result;
    {
        const MutexLock lock(mutex_);
        result = statistics_;
        result.server_version = published_.top;
        result.sessions = sessions_.size();
        for (const ClassProgress& each : census_) {
            result.unsynced_documents += each.unsynced;
        }
    }
    result.groups = matching_.groups();
    return result;
}

void EngineImpl::count_encoded() {
    const MutexLock lock(mutex_);
    ++statistics_.encoded_entries;
}

// What is asked for

std::size_t EngineImpl::Input::bytes() const noexcept {
    if (const auto* upload = std::get_if<UploadInput>(&what)) {
        return 64 + upload->entries.size();
    }
    if (const auto* lost = std::get_if<LostInput>(&what)) {
        return 64 + lost->entries.size();
    }
    if (const auto* write = std::get_if<WriteInput>(&what)) {
        return 64 + write->transaction.bytes();
    }
    return 64;
}

void EngineImpl::submit(Input input) {
    if (input.mailbox != nullptr) {
        const MutexLock lock(input.mailbox->mutex);
        std::size_t& backlog = input.mailbox->content.backlog_bytes;
        input.is_quiet = input.is_quiet && backlog < quiet_backlog_max;
        backlog += input.bytes();
    }
    std::optional<Input> refused;
    bool is_quiet = false;
    {
        const MutexLock lock(mutex_);
        if (published_.has_failed) {
            refused = std::move(input);
        } else {
            is_quiet = input.is_quiet && inputs_.size() < quiet_inputs_max;
            inputs_bytes_ += input.bytes();
            inputs_.push_back(std::move(input));
        }
    }
    if (refused) {
        refused->mailbox = nullptr; // sessions see it in what is published
        fail_input(*refused, Error(ErrorCode::unavailable, "sync of this app has stopped"));
        return;
    }
    if (!is_quiet) {
        host_.schedule();
    }
}

void EngineImpl::allocate_file(std::string user_id, std::uint64_t schema_version,
                               FileCompletion done) {
    submit({AllocateInput{std::move(user_id), schema_version, std::move(done)}, nullptr, 0});
}

void EngineImpl::submit_upload(const std::shared_ptr<Mailbox>& mailbox, Number file,
                               protocol::UploadCursor progress, Number locked,
                               std::vector<std::byte> entries) {
    const bool is_quiet = entries.empty();
    submit({UploadInput{progress, locked, std::move(entries)}, mailbox, file, is_quiet});
}

void EngineImpl::submit_lost(Number file, std::vector<std::byte> entries, std::string why) {
    submit({LostInput{std::move(entries), std::move(why)}, nullptr, file});
}

void EngineImpl::submit_mark(const std::shared_ptr<Mailbox>& mailbox, Number file) {
    submit({MarkInput{}, mailbox, file});
}

void EngineImpl::submit_query(const std::shared_ptr<Mailbox>& mailbox, Number file,
                              std::int64_t version, std::string body,
                              std::shared_ptr<const Role> role, Number scan) {
    submit({QueryInput{version, std::move(body), std::move(role), scan}, mailbox, file});
}

void EngineImpl::submit_death(Number file) {
    submit({DeathInput{false, nullptr}, nullptr, file});
}

void EngineImpl::write(store::Transaction transaction, store::Store::Completion done) {
    submit({WriteInput{std::move(transaction), std::move(done)}, nullptr, 0});
}

Result<void> EngineImpl::update_model(SyncModel model) {
    const SyncModel now = published().model->config();
    if (model.schema_version != now.schema_version) {
        const auto before =
            std::find_if(model.older.begin(), model.older.end(), [&](const SchemaGeneration& each) {
                return each.version == now.schema_version;
            });
        if (before == model.older.end()) {
            return Error(ErrorCode::incompatible_schema,
                         "the new schema version does not know the one that devices have; "
                         "terminate and enable sync again");
        }
        // With what its clients added in development mode.
        before->documents = now.documents;
        submit({ModelInput{std::make_unique<SyncModel>(std::move(model))}, nullptr, 0});
        return {};
    }
    schema::Schema whole = model.documents.schema;
    for (const schema::SchemaFact& fact : schema::facts_beyond(whole, now.documents.schema)) {
        const schema::FactCheck check = schema::check_fact(whole, fact);
        if (check.verdict == schema::FactVerdict::conflicting) {
            return Error(ErrorCode::incompatible_schema,
                         "the new schema changes what devices have (" + check.text +
                             "); terminate and enable sync again to change it");
        }
        TOMBOLO_TRY([[maybe_unused]] const bool changed, schema::apply_fact(whole, fact));
    }
    submit({ModelInput{std::make_unique<SyncModel>(std::move(model))}, nullptr, 0});
    return {};
}

bool EngineImpl::is_refused_again(const std::string& user) {
    const std::int64_t now = clock_.unix_ms();
    const MutexLock lock(mutex_);
    std::erase_if(refusals_, [&](const auto& each) {
        return now - each.second > refusal_remembered_ms || now < each.second;
    });
    if (refusals_.size() >= refusals_max) {
        refusals_.clear();
    }
    return !refusals_.try_emplace(user, now).second;
}

void EngineImpl::roles_changed(std::string_view user_id) {
    std::vector<Attached> attached;
    {
        const MutexLock lock(mutex_);
        for (const auto& [file, each] : sessions_) {
            if (user_id.empty() || each.user == user_id) {
                attached.push_back(each);
            }
        }
    }
    for (const Attached& each : attached) {
        const Result<Role> role = roles_.role_of(each.user);
        if (role && role_text(*role) == *each.role) {
            continue;
        }
        {
            const MutexLock lock(each.mailbox->mutex);
            each.mailbox->content.error_after = 0;
            each.mailbox->content.error = std::make_shared<const SessionError>(
                session_error(SyncErrorCode::session_closed, "permissions changed"));
        }
        submit({RoleInput{}, each.mailbox, 0});
        each.mailbox->notify();
    }
}

// IDENT

std::optional<SessionError> EngineImpl::check(const IdentRequest& request, const FileState& file,
                                              const Published& now) const {
    const Number scan = request.scan.server.value;
    const Number latest = request.latest.version.value;
    if (file.salt != request.file.salt.value) {
        return session_error(SyncErrorCode::diverging_histories, "the file's salt is another");
    }
    if (file.user != request.user_id) {
        return session_error(SyncErrorCode::user_mismatch,
                             "the file belongs to another user; delete it and sync again");
    }
    if (file.is_dead) {
        return file.is_expired ? session_error(SyncErrorCode::client_file_expired,
                                               "the server was told to give this file up")
                               : session_error(SyncErrorCode::bad_client_file_ident,
                                               "the file has to be reset");
    }
    if (scan < file.floor || scan > now.top || latest < scan || latest > now.top) {
        return session_error(SyncErrorCode::bad_server_version,
                             "the file's server version does not fit the server's history");
    }
    if (request.scan.client.value > file.upload_client) {
        return session_error(SyncErrorCode::bad_client_version,
                             "the file's client version does not fit the server's history");
    }
    if (request.latest.salt.value != salt_of(latest)) {
        return session_error(SyncErrorCode::diverging_histories,
                             "the server's history is not the one the file knows");
    }
    return std::nullopt;
}

Engine::IdentResult EngineImpl::identify(const IdentRequest& request,
                                         std::shared_ptr<SessionListener> listener) {
    const Published now = published();
    if (now.has_failed) {
        return session_error(SyncErrorCode::session_closed, "sync has stopped");
    }
    if (now.model->of(request.schema_version) == nullptr) {
        return session_error(SyncErrorCode::bad_schema_version,
                             "Client provided invalid schema version " +
                                 std::to_string(request.schema_version));
    }
    const Number ident = request.file.ident.value;
    const auto snapshot = store_.snapshot();
    const auto core = snapshot->record(store::Space::file, keys_.file(ident));
    const auto views = snapshot->record(store::Space::file, keys_.file_views(ident));
    if (!core || !views) {
        return session_error(SyncErrorCode::session_closed, "the server cannot read its store");
    }
    if (!*core || !*views) {
        return session_error(SyncErrorCode::bad_client_file_ident,
                             "the server does not know the file");
    }
    const Result<FileState> file = decode_file(**core, **views);
    if (!file) {
        return session_error(SyncErrorCode::bad_client_file_ident,
                             "the server lost its record of the file");
    }
    if (std::optional<SessionError> error = check(request, *file, now)) {
        error->body.is_recovery_mode_disabled = recovery_mode_disabled_;
        return *std::move(error);
    }
    // In development mode the integrator may make it good; with several schema versions a query may
    // be another version's: it then selects nothing.
    const bool is_judged_later =
        now.model->config().development_mode || now.model->has_older_versions();
    if (const Result<void> good = check_query_body(*now.model, request.query_body);
        !good && !is_judged_later) {
        return session_error(SyncErrorCode::bad_query, good.error().message());
    }
    Result<Role> found = roles_.role_of(request.user_id);
    if (!found) {
        return session_error(SyncErrorCode::other_session_error,
                             "the user's permissions cannot be determined");
    }
    const ViewCache::SharedRole role = views_.share(*std::move(found));
    auto mailbox = std::make_shared<Mailbox>();
    {
        const MutexLock lock(mailbox->mutex);
        mailbox->listener = std::move(listener);
    }
    std::shared_ptr<SessionListener> replaced;
    {
        const MutexLock lock(mutex_);
        Attached& slot = sessions_[ident];
        if (slot.mailbox != nullptr) {
            const MutexLock old_lock(slot.mailbox->mutex);
            replaced = std::move(slot.mailbox->listener);
            slot.mailbox->listener.reset();
            slot.mailbox->content.is_closed = true;
        }
        slot = {mailbox, request.user_id, role.text};
    }
    if (replaced != nullptr) {
        replaced->on_replaced();
    }
    protocol::UploadChecker::Start uploads;
    uploads.stored = {{file->upload_client}, {file->floor}};
    uploads.locked = {file->locked};
    uploads.download_seen = request.scan.server;
    IdentWish wish{request.scan.server.value, request.query_version.value, request.query_body,
                   role.role, request.protocol_version >= protocol::ProtocolVersion::v14};
    auto session = std::make_shared<SessionImpl>(*this, mailbox, request, role.role, uploads);
    if (request.schema_version != file->schema_version) {
        SessionError changed =
            session_error(SyncErrorCode::schema_version_changed, "Schema version changed");
        changed.body.previous_schema_version = file->schema_version;
        session->announce(std::move(changed));
    }
    submit({IdentInput{std::move(wish)}, mailbox, ident});
    return std::shared_ptr<Session>(std::move(session));
}

void EngineImpl::leave(const std::shared_ptr<Mailbox>& mailbox, Number file) {
    bool is_attached = false;
    {
        const MutexLock lock(mutex_);
        const auto found = sessions_.find(file);
        is_attached = found != sessions_.end() && found->second.mailbox == mailbox;
        if (is_attached) {
            sessions_.erase(found);
            departed_.insert(file);
        }
    }
    matching_.leave(file, *mailbox);
    if (is_attached) {
        // It may have said nothing for long, and was there all the time.
        submit({SeenInput{clock_.unix_ms()}, nullptr, file});
    }
}

} // namespace tombolo::server::sync
