#pragma once

// Integrates what devices upload, what the outside writes and what views change, in one order, into
// one batch at a time (server-sync-algorithm.md 4, 5, 7, 8).
//
// Works on top of a snapshot and the batch's own changes; whoever owns it commits the batch and
// then calls forget() or, when the commit failed, abandon(). While the commit is under way a second
// batch may be made ahead, on top of it. Not thread-safe: Engine::run()'s.
//
// Errors of a client are SessionErrors and leave the batch as it was before that client's input
// (a refused object is no error). An Error from here is the store's: the batch is void.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <variant>
#include <vector>

#include "changeset/merge.hpp"
#include "protocol/body.hpp"
#include "server/sync/engine/batch.hpp"
#include "server/sync/engine/census.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/engine/recent_objects.hpp"
#include "server/sync/engine/stream.hpp"
#include "server/sync/engine/trim.hpp"

namespace tombolo::server::sync {

/// One changeset of an UPLOAD.
struct UploadItem {
    Number client_version = 0;
    Number base = 0;
    Number timestamp = 0;
    ByteView changeset;
};

/// What IDENT asks the integrator to arrange.
struct IdentWish {
    Number scan = 0;
    std::int64_t query_version = 0;
    std::string body;
    std::shared_ptr<const Role> role;
    bool can_rebootstrap = true; ///< protocol version 14
};

/// Of the record of what devices know of the model.
enum class ModelTold : std::uint8_t {
    recorded,
    unrecorded, ///< the next commit writes it
    due,        ///< the model has more: tell_schema() first
};

class Integrator {
  public:
    Integrator(const EngineOptions& options, store::Store& store, const RecordKeys& keys,
               ViewCache& views, const EntryCache& cache, EngineHost& host, const Clock& clock,
               Random& random);

    /// What the store says; a fresh salt generation begins.
    void start(EngineState state, HistoryAges ages, std::shared_ptr<const Model> model,
               ModelTold told);

    // One batch.
    void begin(std::unique_ptr<store::Snapshot> snapshot);
    /// Begins another on top of the one that is finished, and was not committed when its snapshot
    /// was taken. REQUIRES: may_go_ahead(), and only uploads come into it.
    void begin_ahead();
    /// Nothing in the batch forbids it: what is finished has only what uploads do.
    bool may_go_ahead() const noexcept;
    /// The one that is being made, or was made last.
    Batch& batch() noexcept { return *batch_; }
    /// The one that is committed first.
    Batch& oldest_batch() noexcept { return older_ == nullptr ? *batch_ : *older_; }

    Result<protocol::SaltedFileIdent> allocate(const std::string& user, Number schema_version);
    Result<std::optional<SessionError>> identify(Number file, const IdentWish& wish);
    /// Everything of one UPLOAD message that is still new.
    Result<std::optional<SessionError>> upload(Number file, protocol::UploadCursor progress,
                                               Number locked, ByteView entries);
    /// Nothing: there will be a point. An error: the text of the QUERY_ERROR. False: the same query
    /// has its point already.
    Result<std::variant<bool, std::string>> query(Number file, std::int64_t version,
                                                  const std::string& body,
                                                  const std::shared_ptr<const Role>& role,
                                                  Number scan);
    /// Keeps what an UPLOAD carried that ended its session in the log of conflicts, as far as it
    /// can be read and is not integrated or logged already.
    Result<void> note_lost_upload(Number file, ByteView entries, const std::string& why);
    /// The transaction's own error, or nothing when it is in the batch.
    Result<std::optional<Error>> write(const store::Transaction& transaction);
    Result<void> change_model(SyncModel model);
    /// What is declared beyond `known`, and what documents have of it.
    Result<void> tell_schema(const schema::Schema& known);
    Result<void> mark_dead(Number file, bool is_given_up);
    /// The file had a session until then.
    Result<void> note_seen(Number file, std::int64_t unix_ms, std::int64_t offline_ms);
    /// History up to there is forgotten. REQUIRES: no live file needs it.
    void trim(Number to);
    /// Nothing is kept of the file. REQUIRES: it has no session.
    Result<void> forget_file(Number file);
    /// Notes which versions there are now; written with the next commit.
    void note_age(store::Version version, Number top, std::int64_t offline_ms);

    /// A slice of the initial sync. REQUIRES: the first of the batch.
    Result<void> take_census() { return census_.step(*model_, batch_->snapshot()); }
    CensusTaker& census() noexcept { return census_; }

    /// Adds the point, if anybody wishes one, and everything to write. Empty: nothing to commit.
    Result<store::Transaction> finish();

    /// The oldest batch is durable. REQUIRES: the one on top of it is not committed yet.
    void forget();
    /// Nothing of the batches happened: files are read anew.
    void abandon();

    /// The indexes refuse what these objects would become, and why: uploads do not change them
    /// until allow_all(). False: all of them are known.
    bool deny(std::map<ObjectRef, std::string> objects);
    void allow_all() noexcept { denied_.clear(); }
    const std::map<ObjectRef, std::string>& denied() const noexcept { return denied_; }
    std::string user_of(Number file);

    const EngineState& state() const noexcept { return state_; }
    const HistoryAges& ages() const noexcept { return ages_; }
    const std::shared_ptr<const Model>& model() const noexcept { return model_; }
    const EngineStatistics& statistics() const noexcept { return statistics_; }
    Result<LoadedFile*> load(Number file);
    /// Nothing of the file waits to be written.
    bool is_idle(Number file) const {
        return !lazy_cores_.contains(file) && !batch_->changed_cores.contains(file);
    }
    Number now() const;

  private:
    /// What became of one object of an upload.
    struct Judged {
        ObjectRef object;
        changeset::Changeset kept; ///< empty: nothing, or the whole upload as it came
        bool keeps_upload = false; ///< which names nothing else
        bool is_refused = false;
        bool is_outside_view = false; ///< why it was refused
        bool breaks_geo_field = false;
        bool breaks_index = false;
        bool leaves_view = false; ///< by an update that is kept
        bool meets_edge = false;
        bool has_change = false; ///< before and after say something
        Image before;
        Image after;
        std::vector<std::pair<LoadedFile::ReciprocalKey, Reciprocal>> reciprocals;
        const char* why_refused = nullptr; ///< in words
        std::vector<Conflict> lost;        ///< what the merge dropped, of both sides
    };

    Result<std::optional<SessionError>> integrate(LoadedFile& file, const UploadItem& item);
    Result<std::optional<SessionError>> take_schema(const LoadedFile& file, const CutChangeset& cut,
                                                    changeset::ChangesetBuilder& kept,
                                                    SyncModel& model, bool& changed);
    std::optional<SessionError> check_objects(const Model& model, const CutChangeset& cut) const;
    Result<Judged> judge(LoadedFile& file, const View* view, const UploadItem& item,
                         const CutChangeset& cut, const ObjectPart& part, bool& is_bad);
    Result<std::vector<std::pair<LoadedFile::ReciprocalKey, Reciprocal>>>
    met(LoadedFile& file, const ObjectRef& object, Number base);
    Result<void> decide(const View& view, Judged& judged, const changeset::Changeset& part);
    Result<void> decide_asymmetric(const View* view, Judged& judged,
                                   const changeset::Changeset& part);
    using Met = std::vector<std::pair<LoadedFile::ReciprocalKey, Reciprocal>>;
    void note_merge(const FileState& file, const UploadItem& item,
                    const changeset::MergeInput& theirs,
                    const std::vector<changeset::MergeInput>& major, const Met& ours,
                    Judged& judged);
    void refuse_object(const FileState& file, const UploadItem& item,
                       const changeset::Changeset& part, Judged& judged);
    void note_refused(const FileState& file, const UploadItem& item,
                      const changeset::Changeset& part, Judged& judged);
    void name_cause(const ObjectRef& object, Number version, Conflict& conflict);
    void keep_conflicts(std::vector<Judged>& judged);
    void refuse_ingest(const char* why, std::string reason, Judged& judged);
    std::string reason_of(const Judged& refused) const;
    Result<void> append_reset(LoadedFile& file, const std::vector<Judged>& judged,
                              Number client_version);
    Result<std::shared_ptr<Entry>> entry_of(HistoryEntry head, CutChangeset cut,
                                            changeset::ChangesetBuilder kept,
                                            const std::vector<Judged>& judged) const;
    std::shared_ptr<const View> newest_view(LoadedFile& file);
    Result<Number> append_reset(LoadedFile& file, const std::vector<ObjectRef>& objects,
                                std::vector<RejectedObject> rejected, Number client_version);
    void set_cursor(LoadedFile& file, Number client, Number server);
    SessionError write_not_allowed(Number client_version);

    void collapse(LoadedFile& file, const IdentWish& wish);
    Result<void> append_point();
    void add_lazy_cores();
    Result<void> append_reissued_resets(LoadedFile& file, Number after, Number point);
    Number append(HistoryEntry head, changeset::Changeset whole,
                  std::vector<Entry::Images> images = {});
    /// Of seen_.
    PartApplier& applier();

    struct OutsideChange {
        ObjectRef object;
        Entry::Images images;
    };
    /// What one transaction makes of objects, in the order in which it names them.
    struct Staging {
        std::vector<OutsideChange> changes;
        std::unordered_map<ObjectRef, std::size_t, ObjectRefHash> by_object;
    };
    Result<SyncModel> united(SyncModel config) const;
    Result<void> take_model(SyncModel model);
    Result<void> allow_query(const std::string& body);
    Result<void> append_known_values(const schema::Schema& old, const std::vector<Judged>& upload);
    Result<void> append_facts(const std::vector<schema::SchemaFact>& added);
    Result<void> put_model(store::Transaction& transaction) const;
    bool append_values(changeset::ChangesetBuilder& out, OutsideChange& change,
                       const std::vector<std::string>& properties);

    Result<std::optional<ObjectRef>> object_of(const std::string& class_name,
                                               const store::Transaction::DocumentRequest& request,
                                               const Staging& staging) const;
    Result<std::optional<Error>> stage(const store::Transaction::DocumentRequest& request,
                                       const std::string& class_name, Staging& staging);
    Result<void> append_outside(Staging& staging);
    void append_outside_part(changeset::ChangesetBuilder& out, const ObjectRef& object,
                             Entry::Images& images);
    Result<void> count_unsynced(const ObjectRef& object, const Entry::Images& images);
    void note_unsyncable(const ObjectRef& object, const Image& image);
    /// False: no device was ever here that could miss a change.
    bool has_files() const noexcept { return state_.next_ident > first_file_ident; }

    const EngineOptions& options_;
    store::Store& store_;
    const RecordKeys& keys_;
    ViewCache& views_;
    const EntryCache& cache_;
    EngineHost& host_;
    const Clock& clock_;
    Random& random_;

    EngineState state_;
    /// Of the file whose upload is being integrated.
    std::shared_ptr<const Model> seen_;
    HistoryAges ages_;
    std::uint64_t ages_changes_ = 0;
    std::uint64_t ages_durable_ = 0; ///< as many of them
    std::shared_ptr<const Model> model_;
    ModelTold told_ = ModelTold::unrecorded;
    std::unique_ptr<PartApplier> applier_;
    std::unordered_map<Number, LoadedFile> files_;
    /// Files whose cursors moved without a version: written with the next commit.
    std::set<Number> lazy_cores_;
    Number last_lazy_core_ = 0; ///< that a commit took along
    RecentObjects recent_;
    /// What was true before a batch.
    struct Undo {
        EngineState state;
        std::shared_ptr<const Model> model;
        ModelTold told = ModelTold::unrecorded;
    };
    std::unique_ptr<Batch> older_; ///< below batch_, on its way to the disk; mostly null
    Undo older_undo_;
    std::unique_ptr<Batch> batch_;
    Undo undo_;
    std::map<ObjectRef, std::string> denied_;
    CensusTaker census_;
    const ConflictWriter conflict_writer_;
    /// Of the UPLOAD at hand.
    std::vector<protocol::RejectedUpdate> refused_ingests_;
    EngineStatistics statistics_;
};

} // namespace tombolo::server::sync
