#pragma once

// The engine's outer part: queues what sessions ask for, runs the integrator, commits, publishes.
//
// State has two owners. What run() works with (integrator_, the batch, the inputs of a commit in
// flight) is touched by the one thread that is inside run(). What sessions read and write (inputs_,
// published_, sessions_) is under mutex_, held for moments only.

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "core/mutex.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/engine/integrator.hpp"
#include "server/sync/engine/matching.hpp"
#include "server/sync/engine/session_impl.hpp"

namespace tombolo::server::sync {

class EngineImpl final : public Engine, public SessionContext {
  public:
    EngineImpl(EngineOptions options, store::Store& store, RoleProvider& roles, EngineHost& host,
               const Clock& clock, Random& random);
    ~EngineImpl() override;
    EngineImpl(const EngineImpl&) = delete;
    EngineImpl& operator=(const EngineImpl&) = delete;

    Result<void> open();

    // Engine
    void allocate_file(std::string user_id, std::uint64_t schema_version,
                       FileCompletion done) override;
    IdentResult identify(const IdentRequest& request,
                         std::shared_ptr<SessionListener> listener) override;
    void run() override;
    void write(store::Transaction transaction, store::Store::Completion done) override;
    bool is_synced(store::CollectionId collection) const override;
    Result<void> update_model(SyncModel model) override;
    void roles_changed(std::string_view user_id) override;
    bool serves(std::uint64_t schema_version) const override;
    bool accepts_clients() const override;
    std::vector<ClassProgress> census() const override;
    void set_download_sizes(std::size_t bytes, std::size_t bootstrap_objects) override;
    void trim(TrimCompletion done) override;
    store::Version past_needed_above() const override { return store::Version{past_floor_.load()}; }
    void set_limits(std::int64_t client_max_offline_ms, bool recovery_mode_disabled) override;
    void reset_file(std::uint64_t ident, bool is_given_up, ResetCompletion done) override;
    Result<std::vector<DeviceReport>> devices(std::uint64_t after,
                                              std::size_t count_max) const override;
    Result<HistoryReport> history() const override;
    void end() override;
    SyncModel model() const override;
    EngineStatistics statistics() const override;

    // SessionContext
    Published published() const override;
    std::int64_t salt_of(Number version) const override;
    void submit_upload(const std::shared_ptr<Mailbox>& mailbox, Number file,
                       protocol::UploadCursor progress, Number locked,
                       std::vector<std::byte> entries) override;
    void submit_lost(Number file, std::vector<std::byte> entries, std::string why) override;
    void submit_mark(const std::shared_ptr<Mailbox>& mailbox, Number file) override;
    void submit_query(const std::shared_ptr<Mailbox>& mailbox, Number file, std::int64_t version,
                      std::string body, std::shared_ptr<const Role> role, Number scan) override;
    void submit_death(Number file) override;
    void leave(const std::shared_ptr<Mailbox>& mailbox, Number file) override;
    void count_encoded() override;
    bool is_refused_again(const std::string& user) override;
    bool recovery_mode_disabled() const override { return recovery_mode_disabled_; }
    const EngineOptions& options() const override { return options_; }
    store::Store& store() const override { return store_; }
    const RecordKeys& keys() const override { return keys_; }
    const EntryCache& cache() const override { return cache_; }
    ViewCache& views() const override { return views_; }

  private:
    struct AllocateInput {
        std::string user;
        Number schema_version = 0;
        FileCompletion done;
    };
    struct IdentInput {
        IdentWish wish;
    };
    struct UploadInput {
        protocol::UploadCursor progress;
        Number locked = 0;
        std::vector<std::byte> entries;
    };
    struct QueryInput {
        std::int64_t version = 0;
        std::string body;
        std::shared_ptr<const Role> role;
        Number scan = 0;
    };
    /// An UPLOAD that ended its session and that no batch has.
    struct LostInput {
        std::vector<std::byte> entries;
        std::string why;
    };
    /// Tells the session that what it sent before is integrated.
    struct MarkInput {};
    struct DeathInput {
        bool is_given_up = false;
        ResetCompletion done; ///< null: nobody asks
    };
    struct SeenInput {
        std::int64_t unix_ms = 0;
    };
    struct TrimInput {
        std::shared_ptr<FileSweep> sweep;
        std::int64_t started_ms = 0;
        std::int64_t offline_ms = 0;
        TrimCompletion done;
    };
    struct WriteInput {
        store::Transaction transaction;
        store::Store::Completion done;
    };
    struct ModelInput {
        std::unique_ptr<SyncModel> model; ///< large, and inputs are moved a lot
    };
    /// A slice of the initial sync.
    struct CensusInput {};
    /// Devices are told all classes and properties.
    struct SchemaInput {
        schema::Schema known; ///< what devices were told last
    };
    /// The session's role is no more: what it still sends is for its next binding.
    struct RoleInput {};
    struct Input {
        std::variant<AllocateInput, IdentInput, UploadInput, QueryInput, DeathInput, WriteInput,
                     ModelInput, RoleInput, TrimInput, SeenInput, MarkInput, LostInput, CensusInput,
                     SchemaInput>
            what;
        std::shared_ptr<Mailbox> mailbox; ///< null: nobody's
        Number file = 0;
        /// An empty UPLOAD, after which the session has nothing new to say: it can wait for what
        /// comes next, and nobody is told.
        bool is_quiet = false;

        std::size_t bytes() const noexcept;
    };
    /// What a session is shown of its file when the batch is durable.
    struct ToldFile {
        std::shared_ptr<Mailbox> mailbox;
        std::shared_ptr<const FileState> state;
        bool is_new = false; ///< the session has not seen it before
    };
    /// A batch of uploads that waits for the one below to be durable.
    struct Ahead {
        std::vector<Input> inputs;
        std::vector<ToldFile> told;
        Result<store::Transaction> transaction;
        bool is_plain;
        Clock::Monotonic took; ///< to make
    };
    struct Attached {
        std::shared_ptr<Mailbox> mailbox;
        std::string user;
        std::shared_ptr<const std::string> role; ///< its text
    };

    Result<bool> load_facts(const store::Snapshot& snapshot, const std::string& key,
                            SyncModel& model) const;
    Result<std::optional<SchemaInput>> untold_schema(const store::Snapshot& snapshot,
                                                     SyncModel& model) const;
    void submit(Input input);
    void step();
    bool take_commit_result();
    void publish(store::Version version);
    void give_up(const Error& error);
    void retry();
    std::deque<Input> take_inputs(bool is_ahead) TOMBOLO_REQUIRES(mutex_);
    void integrate(std::deque<Input> inputs);
    static bool is_plain(const Input& input);
    static bool may_be_ahead(const Input& input);
    bool wants_ahead() const TOMBOLO_REQUIRES(mutex_);
    void go_ahead();
    Result<void> integrate_ahead(std::deque<Input> inputs);
    void commit_ahead();
    void take_back_ahead();
    void take_back(std::vector<Input> inputs);
    void queue_again(std::vector<Input> inputs) TOMBOLO_REQUIRES(mutex_);
    std::vector<ToldFile> files_to_tell(const std::vector<Input>& inputs);
    Result<store::Transaction> finish_batch();
    Result<bool> deny_refused(const store::Transaction& transaction);
    void note_taken_back(const Input& upload);
    void put_back(std::deque<Input> inputs);
    bool keeps_lost(Input& input);
    Result<void> process(Input& input);
    Result<void> process_upload(Input& input, const UploadInput& upload);
    Result<void> process_query(Input& input, const QueryInput& query);
    Result<void> process_ident(Input& input, const IdentInput& ident);
    Result<void> process_death(Input& input, const DeathInput& death);
    Result<void> process_trim(const TrimInput& trim);
    Result<void> finish_trim(const TrimInput& trim);
    void note_trimmed();
    Result<void> process_census();
    void note_census();
    void go_on_with_census();
    void end_session(const std::shared_ptr<Mailbox>& mailbox, protocol::SyncErrorCode code,
                     std::string message);
    /// If it has one.
    void end_session_of(Number file, protocol::SyncErrorCode code, std::string message);
    void end_bad_queries();
    void commit(store::Transaction transaction, bool waits);
    void finish_input(Input& input, std::optional<SessionError> error,
                      std::function<void(Mailbox::Content&)> also = {});
    void fail_input(Input& input, const Error& error);
    void notify_all();
    void notify(const std::vector<Input>& finished, const Matching::Woken& concerned);
    void tell_own(const Batch& batch);
    void tell_files(const Batch& batch);
    /// REQUIRES: an epoch.
    void join(const Batch& batch, const FileState& state, const std::shared_ptr<Mailbox>& mailbox);
    void join_all(const Batch& batch);
    bool is_attached(Number file, const Mailbox& mailbox) const;

    std::optional<SessionError> check(const IdentRequest& request, const FileState& file,
                                      const Published& now) const;

    EngineOptions options_;
    store::Store& store_;
    RoleProvider& roles_;
    EngineHost& host_;
    const Clock& clock_;
    const RecordKeys keys_;
    EntryCache cache_;
    mutable ViewCache views_;
    Matching matching_;

    std::atomic<std::int64_t> client_max_offline_ms_;
    std::atomic<bool> recovery_mode_disabled_;
    std::atomic<std::uint64_t> past_floor_{0};
    std::atomic<bool> holds_clients_{false};
    std::int64_t opened_ms_ = 0;

    // run()'s own.
    Integrator integrator_;
    std::vector<Input> in_flight_;
    std::vector<ToldFile> told_; ///< of these, as their batch leaves them
    bool is_plain_ = false;      ///< they are uploads and MARKs, and every session goes on
    bool ended_session_ = false; ///< one of the inputs of the batch that is being made did
    std::optional<Ahead> ahead_;
    std::set<Number> to_be_reset_; ///< files whose sessions have not been told yet
    bool census_is_queued_ = false;
    std::size_t one_by_one_ = 0; ///< inputs still to be tried alone after a failed commit
    bool asks_indexes_ = false;  ///< the next batch is one upload that a commit refused
    Clock::Monotonic integrate_began_{};
    Clock::Monotonic commit_began_{};
    BatchTimes batch_times_; ///< of the batch whose commit is under way

    mutable Mutex mutex_;
    Condition idle_;
    std::deque<Input> inputs_ TOMBOLO_GUARDED_BY(mutex_);
    std::size_t inputs_bytes_ TOMBOLO_GUARDED_BY(mutex_) = 0;
    bool is_running_ TOMBOLO_GUARDED_BY(mutex_) = false;
    bool is_committing_ TOMBOLO_GUARDED_BY(mutex_) = false;
    Clock::Monotonic commit_ended_ TOMBOLO_GUARDED_BY(mutex_) = {};
    std::optional<Result<store::Version>> commit_result_ TOMBOLO_GUARDED_BY(mutex_);
    Published published_ TOMBOLO_GUARDED_BY(mutex_);
    std::vector<SaltGeneration> generations_ TOMBOLO_GUARDED_BY(mutex_);
    std::map<Number, Attached> sessions_ TOMBOLO_GUARDED_BY(mutex_);
    /// Files whose session ended and whose SeenInput waits.
    std::set<Number> departed_ TOMBOLO_GUARDED_BY(mutex_);
    std::int64_t trim_ran_ms_ TOMBOLO_GUARDED_BY(mutex_) = 0;
    TrimReport last_trim_ TOMBOLO_GUARDED_BY(mutex_);
    std::vector<ClassProgress> census_ TOMBOLO_GUARDED_BY(mutex_);
    EngineStatistics statistics_ TOMBOLO_GUARDED_BY(mutex_);
    /// Users whose new file refused what it was sent, and when.
    std::map<std::string, std::int64_t> refusals_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo::server::sync
