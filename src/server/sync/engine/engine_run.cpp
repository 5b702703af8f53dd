// Engine::run(): inputs into a batch, the batch into the store, what is durable to the sessions.

#include <algorithm>

#include "server/sync/engine/engine_impl.hpp"
#include "server/sync/engine/session_error.hpp"

namespace tombolo::server::sync {

using protocol::SyncErrorCode;

namespace {

/// A batch of so little is committed on the thread that made it, if the host lets it wait.
constexpr std::size_t committed_here_max = 4;
constexpr std::size_t committed_here_bytes_max = std::size_t{64} << 10;

/// The store cannot go on; anything else says that one of the requests was refused.
bool is_of_the_disk(const Error& error) {
    return error.code() == ErrorCode::io || error.code() == ErrorCode::disk_full ||
           error.code() == ErrorCode::store_corrupt;
}

template <class Duration>
std::int64_t whole_ms(Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

} // namespace

void EngineImpl::run() {
    {
        const MutexLock lock(mutex_);
        if (is_running_) {
            return;
        }
        is_running_ = true;
    }
    step();
    bool has_more = false;
    {
        const MutexLock lock(mutex_);
        is_running_ = false;
        has_more = commit_result_.has_value() || wants_ahead() ||
                   (!is_committing_ && (!inputs_.empty() || ahead_) && !published_.has_failed);
    }
    if (has_more) {
        host_.schedule();
    }
}

void EngineImpl::step() {
    if (!take_commit_result()) {
        go_ahead();
        return;
    }
    if (ahead_) {
        commit_ahead();
        go_ahead();
        return;
    }
    std::deque<Input> inputs;
    {
        const MutexLock lock(mutex_);
        inputs = take_inputs(false);
    }
    if (!inputs.empty()) {
        host_.told();
        integrate_began_ = clock_.monotonic();
        integrate(std::move(inputs));
        static_cast<void>(take_commit_result()); // of a commit on this thread
        go_ahead();
    }
}

/// False: a commit is still under way, or the engine has failed.
bool EngineImpl::take_commit_result() {
    std::optional<Result<store::Version>> result;
    Clock::Monotonic ended{};
    {
        const MutexLock lock(mutex_);
        if (is_committing_ || published_.has_failed) {
            return false;
        }
        result = std::exchange(commit_result_, std::nullopt);
        ended = commit_ended_;
    }
    if (!result) {
        return true;
    }
    batch_times_.commit_ms = whole_ms(ended - commit_began_);
    host_.batch_took(batch_times_);
    const bool asked_indexes = std::exchange(asks_indexes_, false);
    integrator_.allow_all();
    if (*result) {
        publish(**result);
        return true;
    }
    take_back_ahead();
    integrator_.abandon();
    matching_.forget_match();
    if (is_of_the_disk(result->error())) {
        give_up(result->error());
        return false;
    }
    // A request of the transaction was refused (an outside write, a unique index): which one shows
    // when each is tried alone.
    if (in_flight_.size() > 1) {
        retry();
        return true;
    }
    const bool is_upload =
        in_flight_.size() == 1 && std::holds_alternative<UploadInput>(in_flight_.front().what);
    if (is_upload && !asked_indexes) {
        asks_indexes_ = true;
        retry();
        return true;
    }
    for (Input& input : std::exchange(in_flight_, {})) {
        fail_input(input, result->error());
    }
    return true;
}

void EngineImpl::retry() {
    one_by_one_ += in_flight_.size();
    take_back(std::exchange(in_flight_, {}));
}

/// Their batch did not happen.
void EngineImpl::take_back(std::vector<Input> inputs) {
    for (const Input& input : inputs) {
        if (input.mailbox != nullptr) {
            input.mailbox->is_dead = false; // what ended it is tried again
            input.mailbox->lost_because.clear();
        }
    }
    const MutexLock lock(mutex_);
    queue_again(std::move(inputs));
}

/// In front of all others.
void EngineImpl::queue_again(std::vector<Input> inputs) {
    while (!inputs.empty()) {
        inputs_bytes_ += inputs.back().bytes();
        inputs_.push_front(std::move(inputs.back()));
        inputs.pop_back();
    }
}

void EngineImpl::give_up(const Error& error) {
    host_.log(std::string("sync: the store refused a commit, sync of this app stops: ") +
              error.what());
    std::vector<Input> lost = std::exchange(in_flight_, {});
    {
        const MutexLock lock(mutex_);
        published_.has_failed = true;
        for (Input& input : inputs_) {
            lost.push_back(std::move(input));
        }
        inputs_.clear();
        inputs_bytes_ = 0;
    }
    for (Input& input : lost) {
        fail_input(input, error);
    }
    notify_all();
    host_.failed(error.what());
}

void EngineImpl::fail_input(Input& input, const Error& error) {
    if (auto* allocate = std::get_if<AllocateInput>(&input.what)) {
        allocate->done(error);
    } else if (auto* write = std::get_if<WriteInput>(&input.what)) {
        write->done(error);
    } else if (auto* trim = std::get_if<TrimInput>(&input.what)) {
        trim->done(error);
    } else if (auto* death = std::get_if<DeathInput>(&input.what)) {
        if (death->done) {
            death->done(error);
        }
    }
    if (input.mailbox != nullptr && !is_of_the_disk(error)) {
        host_.log("sync: the database refuses what file " + std::to_string(input.file) +
                  " uploaded: " + error.what());
        input.mailbox->is_dead = true;
        const SessionError refused =
            session_error(SyncErrorCode::bad_changeset, "the database refuses the write");
        if (auto* upload = std::get_if<UploadInput>(&input.what)) {
            input.mailbox->lost_because = error_text(refused) + ": " + error.what();
            submit_lost(input.file, std::move(upload->entries), input.mailbox->lost_because);
        }
        {
            const MutexLock lock(input.mailbox->mutex);
            input.mailbox->content.error = std::make_shared<const SessionError>(refused);
        }
        input.mailbox->notify();
    }
}

/// For one batch; `is_ahead`: only those that may go into one that is made ahead.
std::deque<EngineImpl::Input> EngineImpl::take_inputs(bool is_ahead) {
    std::deque<Input> taken;
    std::size_t bytes = 0;
    while (!inputs_.empty() && bytes < options_.batch_bytes &&
           (one_by_one_ == 0 || taken.empty()) && (!is_ahead || may_be_ahead(inputs_.front()))) {
        bytes += inputs_.front().bytes();
        taken.push_back(std::move(inputs_.front()));
        inputs_.pop_front();
    }
    inputs_bytes_ -= bytes;
    return taken;
}

void EngineImpl::put_back(std::deque<Input> inputs) {
    const MutexLock lock(mutex_);
    queue_again({std::make_move_iterator(inputs.begin()), std::make_move_iterator(inputs.end())});
}

void EngineImpl::integrate(std::deque<Input> inputs) {
    integrator_.begin(store_.snapshot());
    ended_session_ = false;
    std::deque<Input> held;
    std::set<Number> stopped;
    while (!inputs.empty()) {
        Input input = std::move(inputs.front());
        inputs.pop_front();
        if (input.mailbox != nullptr && input.mailbox->is_dead && !keeps_lost(input)) {
            continue;
        }
        // Behind a good QUERY nothing of that file is integrated until its point exists. The
        // initial sync reads the snapshot, so it comes before everything that changes something.
        const bool comes_first = std::holds_alternative<CensusInput>(input.what);
        if ((input.file != 0 && stopped.contains(input.file)) ||
            (comes_first && !in_flight_.empty())) {
            held.push_back(std::move(input));
            continue;
        }
        const std::size_t wishes = integrator_.batch().wishes.size();
        if (const Result<void> done = process(input); !done) {
            in_flight_.push_back(std::move(input));
            for (Input& rest : inputs) {
                in_flight_.push_back(std::move(rest));
            }
            integrator_.abandon();
            give_up(done.error());
            return;
        }
        if (integrator_.batch().wishes.size() > wishes) {
            stopped.insert(input.file);
        }
        in_flight_.push_back(std::move(input));
    }
    put_back(std::move(held));
    if (one_by_one_ > 0) {
        --one_by_one_;
    }
    Result<store::Transaction> transaction = finish_batch();
    if (!transaction) {
        integrator_.abandon();
        give_up(transaction.error());
        return;
    }
    told_ = files_to_tell(in_flight_);
    is_plain_ = !ended_session_ && one_by_one_ == 0 && !asks_indexes_ &&
                std::all_of(in_flight_.begin(), in_flight_.end(), is_plain) &&
                integrator_.may_go_ahead();
    if (transaction->empty()) {
        asks_indexes_ = false;
        publish(store_.newest_version());
        return;
    }
    if (options_.bugs.sent_before_durable) {
        const MutexLock lock(mutex_);
        published_.top = integrator_.state().top;
    }
    const Batch::Entries& entries = integrator_.batch().entries();
    const bool waits = entries.size() <= committed_here_max &&
                       transaction->bytes() <= committed_here_bytes_max && host_.may_wait();
    if (waits) {
        matching_.match(entries);
        commit(*std::move(transaction), true);
    } else {
        commit(*std::move(transaction), false);
        matching_.match(entries); // while the disk works
    }
}

/// Of an upload that the indexes of a collection refused, what they let in.
Result<store::Transaction> EngineImpl::finish_batch() {
    for (;;) {
        TOMBOLO_TRY(store::Transaction transaction, integrator_.finish());
        if (!asks_indexes_ || in_flight_.size() != 1) {
            return transaction;
        }
        TOMBOLO_TRY(const bool is_new, deny_refused(transaction));
        if (!is_new) {
            note_taken_back(in_flight_.front());
            return transaction;
        }
        integrator_.abandon();
        Input& upload = in_flight_.front();
        upload.mailbox->is_dead = false; // what ended it is tried again
        integrator_.begin(store_.snapshot());
        TOMBOLO_TRY_VOID(process(upload));
    }
}

void EngineImpl::commit(store::Transaction transaction, bool waits) {
    commit_began_ = clock_.monotonic();
    const auto uploads = std::count_if(in_flight_.begin(), in_flight_.end(), [](const Input& each) {
        const auto* upload = std::get_if<UploadInput>(&each.what);
        return upload != nullptr && !upload->entries.empty();
    });
    batch_times_ = {static_cast<std::size_t>(uploads), whole_ms(commit_began_ - integrate_began_)};
    {
        const MutexLock lock(mutex_);
        is_committing_ = true;
        ++statistics_.batches;
    }
    auto done = [this](Result<store::Version> result) {
        // The last touch of the engine is the unlock: it may be destroyed right after.
        EngineHost& host = host_;
        bool is_running = false;
        const Clock::Monotonic now = clock_.monotonic();
        {
            const MutexLock lock(mutex_);
            commit_ended_ = now;
            commit_result_ = std::move(result);
            is_committing_ = false;
            is_running = is_running_;
            idle_.notify_all();
        }
        if (!is_running) { // else it sees the result at its end
            host.schedule();
        }
    };
    if (waits) {
        store_.commit_waiting(std::move(transaction), std::move(done));
    } else {
        store_.commit_async(std::move(transaction), std::move(done));
    }
}

// One input

/// True: an upload behind one that ended its session. It is no input of the session any more.
bool EngineImpl::keeps_lost(Input& input) {
    auto* upload = std::get_if<UploadInput>(&input.what);
    if (upload == nullptr || upload->entries.empty() || input.mailbox->lost_because.empty()) {
        return false;
    }
    LostInput lost{std::move(upload->entries), input.mailbox->lost_because};
    input.what = std::move(lost);
    input.mailbox.reset();
    return true;
}

Result<void> EngineImpl::process(Input& input) {
    if (input.file != 0 && input.mailbox != nullptr) {
        const Result<LoadedFile*> file = integrator_.load(input.file);
        if (!file && file.error().code() == ErrorCode::not_found) {
            finish_input(input, session_error(SyncErrorCode::bad_client_file_ident,
                                              "the server does not know the file"));
            return {};
        }
        // An acknowledgement is no contact that asks for an answer.
        const auto* upload = std::get_if<UploadInput>(&input.what);
        const bool is_told = upload != nullptr ? !upload->entries.empty()
                                               : std::holds_alternative<QueryInput>(input.what);
        if (file && (*file)->state.is_dead && is_told) {
            finish_input(input, session_error(SyncErrorCode::bad_client_file_ident,
                                              "the file has to be reset"));
            return {};
        }
    }
    if (const auto* upload = std::get_if<UploadInput>(&input.what)) {
        return process_upload(input, *upload);
    }
    if (const auto* query = std::get_if<QueryInput>(&input.what)) {
        return process_query(input, *query);
    }
    if (const auto* ident = std::get_if<IdentInput>(&input.what)) {
        return process_ident(input, *ident);
    }
    if (const auto* allocate = std::get_if<AllocateInput>(&input.what)) {
        TOMBOLO_TRY(const protocol::SaltedFileIdent ident,
                    integrator_.allocate(allocate->user, allocate->schema_version));
        integrator_.batch().answers.push_back(
            [done = allocate->done, ident](store::Version) { done(ident); });
        return {};
    }
    if (const auto* write = std::get_if<WriteInput>(&input.what)) {
        TOMBOLO_TRY(std::optional<Error> refused, integrator_.write(write->transaction));
        integrator_.batch().answers.push_back(
            [done = write->done, refused](store::Version version) {
                done(refused ? Result<store::Version>(*refused) : Result<store::Version>(version));
            });
        return {};
    }
    if (auto* model = std::get_if<ModelInput>(&input.what)) {
        return integrator_.change_model(*model->model);
    }
    if (const auto* lost = std::get_if<LostInput>(&input.what)) {
        return integrator_.note_lost_upload(input.file, lost->entries, lost->why);
    }
    if (std::holds_alternative<MarkInput>(input.what)) {
        finish_input(input, std::nullopt);
        return {};
    }
    if (std::holds_alternative<RoleInput>(input.what)) {
        input.mailbox->is_dead = true;
        return {};
    }
    if (const auto* seen = std::get_if<SeenInput>(&input.what)) {
        {
            const MutexLock lock(mutex_);
            departed_.erase(input.file);
        }
        return integrator_.note_seen(input.file, seen->unix_ms, client_max_offline_ms_);
    }
    if (const auto* trim = std::get_if<TrimInput>(&input.what)) {
        return process_trim(*trim);
    }
    if (std::holds_alternative<CensusInput>(input.what)) {
        return process_census();
    }
    if (const auto* schema = std::get_if<SchemaInput>(&input.what)) {
        return integrator_.tell_schema(schema->known);
    }
    return process_death(input, std::get<DeathInput>(input.what));
}

/// When the batch is durable: the session's counters move, it sees its file as it is then.
void EngineImpl::finish_input(Input& input, std::optional<SessionError> error,
                              std::function<void(Mailbox::Content&)> also) {
    if (error && input.mailbox != nullptr) {
        input.mailbox->is_dead = true;
        input.is_quiet = false;
        ended_session_ = true;
    }
    const bool is_upload = std::holds_alternative<UploadInput>(input.what);
    std::shared_ptr<const SessionError> told;
    if (error) {
        told = std::make_shared<const SessionError>(*std::move(error));
    }
    integrator_.batch().effects.push_back([mailbox = input.mailbox, bytes = input.bytes(),
                                           is_upload, error = std::move(told),
                                           also = std::move(also)](store::Version) {
        const MutexLock lock(mailbox->mutex);
        Mailbox::Content& content = mailbox->content;
        content.backlog_bytes -= std::min(content.backlog_bytes, bytes);
        if (error && !content.error) {
            content.error = error;
            content.error_after = is_upload ? content.processed : 0;
        }
        ++content.processed;
        if (also) {
            also(content);
        }
    });
}

Result<void> EngineImpl::process_upload(Input& input, const UploadInput& upload) {
    Number uploaded_before = 0;
    if (input.is_quiet) {
        TOMBOLO_TRY(const LoadedFile* file, integrator_.load(input.file));
        uploaded_before = file->state.upload_client;
    }
    TOMBOLO_TRY(std::optional<SessionError> error,
                integrator_.upload(input.file, upload.progress, upload.locked, upload.entries));
    if (error) {
        error->body.is_recovery_mode_disabled = recovery_mode_disabled_;
        host_.log("sync: file " + std::to_string(input.file) + ": " + error->body.message);
        if (error->code != SyncErrorCode::write_not_allowed) { // what that refuses is logged
            input.mailbox->lost_because = error_text(*error);
            TOMBOLO_TRY_VOID(integrator_.note_lost_upload(input.file, upload.entries,
                                                          input.mailbox->lost_because));
        }
    }
    if (input.is_quiet) {
        // Progress that the client waits for is said at once.
        TOMBOLO_TRY(const LoadedFile* file, integrator_.load(input.file));
        input.is_quiet = !error && file->state.upload_client == uploaded_before;
    }
    finish_input(input, std::move(error));
    return {};
}

Result<void> EngineImpl::process_query(Input& input, const QueryInput& query) {
    TOMBOLO_TRY(const auto answer,
                integrator_.query(input.file, query.version, query.body, query.role, query.scan));
    const Number file = input.file;
    finish_input(input, std::nullopt,
                 [this, answer, file, version = query.version](Mailbox::Content& content) {
                     if (const auto* text = std::get_if<std::string>(&answer)) {
                         content.query_errors.push_back({{version}, *text});
                         return;
                     }
                     const Result<LoadedFile*> loaded = integrator_.load(file);
                     if (!loaded) {
                         return;
                     }
                     for (const auto& epoch : (*loaded)->state.epochs) {
                         if (epoch->query_version == version) {
                             content.requested.insert(epoch->point);
                         }
                     }
                 });
    return {};
}

Result<void> EngineImpl::process_ident(Input& input, const IdentInput& ident) {
    TOMBOLO_TRY(std::optional<SessionError> error, integrator_.identify(input.file, ident.wish));
    finish_input(input, std::move(error),
                 [](Mailbox::Content& content) { content.is_ready = true; });
    return {};
}

} // namespace tombolo::server::sync
