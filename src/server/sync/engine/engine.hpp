#pragma once

// The Flexible Sync engine of one app: what devices upload is merged, judged, applied to documents
// and put into history; what each device is sent is computed from history, documents and its views
// (docs/spec/server-sync-algorithm.md; docs/internals/sync.md). No sockets, no threads, no clock of
// its own: the same code runs in tombolod and in simulation on virtual time.
//
// How the parts meet, seen from a session on a socket:
//
//   BIND need=1  -> Engine::allocate_file(user, schema version, done)  -> IDENT ident salt
//   IDENT        -> Engine::identify(request, listener)                -> Session, or an error to
//   send UPLOAD       -> Session::upload()    }
//   QUERY        -> Session::query()     }  queued; nullopt, or an error that ends the binding
//   MARK         -> Session::mark()      }
//   JSON_ERROR   -> Session::client_error()                            -> an error to send
//   UNBIND, lost -> Session::close(), or drop the last reference
//
//   SessionListener::on_outgoing() -> call Session::next() until it gives nothing, sending each
//   EngineHost::schedule()         -> call Engine::run() soon, on any thread
//
// next() gives messages in the order in which they must be sent (DOWNLOAD, MARK, QUERY_ERROR,
// JSON_ERROR): all ordering rules of the protocol chapter live in here. A caller that cannot write
// does not call next(): nothing is queued meanwhile, the stream is recomputed from history when it
// is asked for, so that slow readers cost nothing. Nothing that is not durable is ever given out.
//
// What the caller does: connection-level messages, BIND, states of a binding (109), parsing of
// messages and inflating of bodies (110 to 112), compression, form of messages per protocol
// version, ending the older connection when on_replaced() says so.
//
// Thread-safety: Engine's functions may be called from any thread. A Session belongs to one thread
// at a time (its connection's strand), in parallel with others and with run(). run() itself is
// called by one thread at a time (a second call returns at once). on_outgoing(), on_replaced(),
// schedule() and completions are called from any thread with no engine lock held; they must not
// block and must not call the engine: post to the strand instead. Calls may come in vain and are
// not repeated until next() (run()) was called again.
//
// Lifetime: the store, clock, random, role provider and host outlive the engine; the engine
// outlives the session, which shares its listener: a call to it may be under way while the session
// closes. The engine waits in its destructor for its commit in flight.
//
// Errors: what a client did wrong is a SessionError. Errors of the store put the engine into state
// failed: sessions end with 200 (retry) and identify() answers the same until the engine is made
// anew.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "core/object_id.hpp"
#include "core/random.hpp"
#include "core/result.hpp"
#include "protocol/messages.hpp"
#include "schema/app_mapping.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/object_ref.hpp"
#include "server/sync/engine/reports.hpp"
#include "server/sync/engine/roles.hpp"

namespace tombolo::changeset {
class Changeset;
}

namespace tombolo::server::sync {

/// The schema of an older version, for clients that have not moved on.
struct SchemaGeneration {
    std::uint64_t version = 0;
    schema::DocumentSchema documents;
};

/// What is synced.
struct SyncModel {
    /// Validated for flexible sync. Places of the classes name their collections.
    schema::DocumentSchema documents;
    schema::QueryableFields queryable;
    /// The indexed queryable field, or "": subscriptions of classes that have it are tied to its
    /// values, and devices do not change it (device-sync-server.md 3.3).
    std::string indexed_queryable;
    /// Those of them that a query added in development mode and that no configuration has named
    /// yet, by class. A configuration that was written without them does not take them away.
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> added_queryable;
    /// Schema changes of clients are accepted when they are additive.
    bool development_mode = false;
    /// Where classes that a client adds in development mode are stored.
    std::string data_source;
    std::string database;
    /// The newest version, whose schema `documents` is.
    std::uint64_t schema_version = 0;
    /// By version. BIND may name any of them.
    std::vector<SchemaGeneration> older;
};

/// Mistakes compiled in on purpose, by name, to prove that the tests notice them. All off outside
/// tests.
struct EngineBugs {
    bool merge_with_shared_history = false;
    bool bootstrap_at_reached_version = false;
    bool recips_not_kept = false;
    bool newest_client_version_everywhere = false;
    bool refusal_without_reset = false;
    bool cut_by_current_view = false;
    bool own_departure_not_erased = false;
    bool collapse_of_views_only = false;
    bool resent_upload_integrated_again = false;
    bool uploads_judged_by_no_view = false;
    bool bootstrap_from_current_documents = false;
    bool sent_before_durable = false;
    bool ahead_of_nothing = false;      ///< a batch made ahead does not see the one below
    bool ahead_told_with_below = false; ///< cursors that are not durable
    bool points_not_met = false;
    bool drained_under_the_old_role = false;
    bool hidden_fields_sent = false;
    bool unwritable_fields_taken = false;
    bool trimmed_by_age_only = false;
};

/// Of the log of what was dropped of uploads (conflict_log.hpp). 0: nothing is kept.
struct ConflictLimits {
    std::int64_t keep_ms = std::int64_t{30} * 24 * 3600 * 1000;
    std::uint64_t bytes_max = std::uint64_t{64} << 20;
};

struct EngineOptions {
    ObjectId app;
    SyncModel model;
    std::int64_t client_max_offline_ms = std::int64_t{30} * 24 * 3600 * 1000;
    bool recovery_mode_disabled = false;
    /// Uncompressed bytes of entries in one DOWNLOAD; one bigger entry still goes alone.
    std::size_t download_bytes = std::size_t{1} << 20;
    /// New objects in one changeset of a bootstrap; 0: as many as fit a message. Test suites of
    /// SDKs set it, and count changesets.
    std::size_t bootstrap_objects = 0;
    /// Uncompressed bytes of uploads integrated in one commit. What a batch makes of them takes
    /// thirty times as much memory: with more of them it leaves the processor's caches.
    std::size_t batch_bytes = std::size_t{256} << 10;
    /// So many bytes of uploads that wait are made a batch while the one before is being committed;
    /// less waits for company.
    std::size_t ahead_bytes = std::size_t{128} << 10;
    ConflictLimits conflicts;
    /// How long devices wait for the initial sync at most; it goes on behind them.
    std::int64_t initial_wait_ms = 60'000;
    EngineBugs bugs;
    /// For simulations: what an upload of the file is merged with of an object at a version, as the
    /// stream makes it, without what earlier merges left of it (invariant 2).
    std::function<void(std::uint64_t file, std::uint64_t version, const ObjectRef& object,
                       const changeset::Changeset& part)>
        on_met;
};

/// Objects of an upload that the indexes of their collections refuse, and why. The device takes
/// back what it wrote to them (device-sync-server.md 6.2, TranslatorCorrectiveErasure).
struct TakenBack {
    std::string user;
    std::uint64_t file = 0;
    std::map<ObjectRef, std::string> objects;
};

/// Of one batch. Its commit writes the documents and the history together.
struct BatchTimes {
    std::size_t uploads = 0; ///< of those with changesets; a batch that is tried again counts again
    std::int64_t integrate_ms = 0;
    std::int64_t commit_ms = 0;
};

class EngineHost {
  public:
    virtual ~EngineHost() = default;
    /// The engine has work: call Engine::run() soon.
    virtual void schedule() = 0;
    /// Everybody whom the last commit concerns was called; run() goes on with other work.
    virtual void told() {}
    /// May run() wait for a small commit? Nobody else needs its thread.
    virtual bool may_wait() { return false; }
    /// Something an operator should know: a refused document, a role that does not compile, a
    /// failed engine. One line, no secrets.
    virtual void log(std::string_view line) { static_cast<void>(line); }
    /// Durably.
    virtual void taken_back(const TakenBack& said) { static_cast<void>(said); }
    /// The store refused a commit for good: sync of the app stops until the server is started
    /// again.
    virtual void failed(std::string_view why) { static_cast<void>(why); }
    /// The initial sync moved, or the number of documents that no device gets: census() has it,
    /// durably. Must not block nor call the engine.
    virtual void census_moved(std::uint64_t unsynced, bool is_complete) {
        static_cast<void>(unsynced);
        static_cast<void>(is_complete);
    }
    /// A commit came to its end, also to a bad one. Must not block nor call the engine.
    virtual void batch_took(const BatchTimes& times) { static_cast<void>(times); }
    /// Clients changed the model in development mode, durably: Engine::model() has it. Must not
    /// block nor call the engine.
    virtual void model_grew() {}
};

class SessionListener {
  public:
    virtual ~SessionListener() = default;
    /// Session::next() may have something.
    virtual void on_outgoing() = 0;
    /// The same file was identified again elsewhere: end this connection (sync-protocol.md 4.5,
    /// S33). The session gives out nothing any more.
    virtual void on_replaced() = 0;
};

/// A JSON_ERROR for this session. `body` is complete.
struct SessionError {
    protocol::SyncErrorCode code = protocol::SyncErrorCode::other_session_error;
    protocol::ErrorBody body;

    /// Every code but 231 and 236: send it, then nothing more for the session.
    bool ends_binding() const noexcept { return protocol::ends_binding(static_cast<int>(code)); }
};

/// A DOWNLOAD without its session ident. `entries` are DownloadEntry records, not compressed.
struct OutgoingDownload {
    protocol::SyncProgress progress;
    protocol::QueryVersion query_version;
    protocol::BatchState batch_state = protocol::BatchState::steady;
    protocol::ProgressEstimate estimate;
    std::vector<std::byte> entries;
};

struct OutgoingMark {
    protocol::RequestIdent request;
};

/// QUERY_ERROR 226.
struct OutgoingQueryError {
    protocol::QueryVersion version;
    std::string message;
};

using Outgoing = std::variant<OutgoingDownload, OutgoingMark, OutgoingQueryError, SessionError>;

struct IdentRequest {
    std::string user_id;
    protocol::ProtocolVersion protocol_version = protocol::newest_protocol_version;
    /// Of BIND.
    std::uint64_t schema_version = 0;
    protocol::SessionReason reason = protocol::SessionReason::sync;
    // As in IDENT.
    protocol::SaltedFileIdent file;
    protocol::DownloadCursor scan;
    protocol::SaltedServerVersion latest;
    protocol::QueryVersion query_version;
    std::string query_body;
};

/// An identified binding. Made by Engine::identify().
class Session {
  public:
    using Refusal = std::optional<SessionError>;

    virtual ~Session() = default;

    virtual protocol::ClientFileIdent file() const noexcept = 0;

    /// `entries`: the inflated body, kept until it is integrated. Refusals by sync-protocol.md 4.6
    /// come at once; those that need the integration come from next().
    virtual Refusal upload(protocol::UploadCursor progress, protocol::ServerVersion locked,
                           std::vector<std::byte> entries) = 0;
    /// A query that is not allowed answers with a QUERY_ERROR through next(). Refusal: 109 when the
    /// version does not increase.
    virtual Refusal query(protocol::QueryVersion version, std::string_view body) = 0;
    virtual void mark(protocol::RequestIdent request) = 0;
    /// The client could not integrate something: gives the error to send (S34), of the reset class
    /// unless the trouble was the client's own.
    virtual SessionError client_error(int code, std::string_view message) = 0;

    /// Bytes of uploads taken and not integrated yet: stop reading from the socket while it is too
    /// much; on_outgoing() comes when it shrinks.
    virtual std::size_t backlog_bytes() const noexcept = 0;

    /// The next message to send, or nothing for now. After an error that ends the binding, nothing
    /// for ever.
    virtual std::optional<Outgoing> next() = 0;
    /// After next(): it would give nothing now, unless on_outgoing() came since it began.
    virtual bool is_drained() const noexcept = 0;

    /// Idempotent; uploads taken before are integrated all the same.
    virtual void close() = 0;
};

struct EngineStatistics {
    std::uint64_t server_version = 0; ///< newest durable one
    std::uint64_t sessions = 0;
    std::uint64_t groups = 0; ///< sets of sessions with equal views
    std::uint64_t changesets = 0;
    std::uint64_t merges = 0;
    std::uint64_t refused_objects = 0;
    std::uint64_t refused_uploads = 0; ///< UPLOAD messages that ended a session, or came behind
    std::uint64_t resets = 0;
    std::uint64_t points = 0;
    std::uint64_t batches = 0;
    std::uint64_t batches_ahead = 0; ///< begun before the one below was durable
    std::uint64_t outside_changes = 0;
    std::uint64_t unsyncable_writes = 0;  ///< outside writes that left a document unsyncable
    std::uint64_t unsynced_documents = 0; ///< that no device gets, now
    std::uint64_t encoded_entries = 0; ///< changesets encoded for sending; shared ones count once
};

class Engine {
  public:
    using FileCompletion = std::function<void(Result<protocol::SaltedFileIdent>)>;
    using IdentResult = std::variant<std::shared_ptr<Session>, SessionError>;

    virtual ~Engine() = default;

    /// A new file ident for that user; `done` is called when it is durable.
    virtual void allocate_file(std::string user_id, std::uint64_t schema_version,
                               FileCompletion done) = 0;

    /// IDENT. An older session of the same file is replaced. The listener is called from now on.
    virtual IdentResult identify(const IdentRequest& request,
                                 std::shared_ptr<SessionListener> listener) = 0;

    /// Integrates what is waiting and starts its commit; publishes commits that have ended. Returns
    /// after a bounded amount of work and calls EngineHost::schedule() when there is more.
    virtual void run() = 0;

    /// A write to synced documents that does not come from a device: remote collection operations,
    /// functions, import. All writes to the collections of synced classes go through here: they
    /// become history entries with minimal differences in the commit that changes the documents, so
    /// that there is no second truth. Requests of the transaction that concern other collections
    /// or records are committed with them. `done` as Store::commit_async: the transaction's own
    /// errors (duplicate_key, write_conflict, ...) come there.
    virtual void write(store::Transaction transaction, store::Store::Completion done) = 0;
    /// True for a collection whose writes belong to write().
    virtual bool is_synced(store::CollectionId collection) const = 0;

    /// Takes an additively changed model: known devices are told of new classes and properties, and
    /// of values that documents have there already. What is known and not in it is kept.
    /// incompatible_schema when something known is different.
    virtual Result<void> update_model(SyncModel model) = 0;

    /// The role of the user may have changed: sessions whose role did end with 200 and come back
    /// (sync-protocol.md 5.7). Empty: everybody's.
    virtual void roles_changed(std::string_view user_id) = 0;

    /// True for the schema versions that BIND may name.
    virtual bool serves(std::uint64_t schema_version) const = 0;

    /// False while the initial sync of documents that were there already is under way: BIND is
    /// answered with 229 (device-sync-server.md 6.4).
    virtual bool accepts_clients() const = 0;
    /// How far it is, by class.
    virtual std::vector<ClassProgress> census() const = 0;
    /// Of what is sent to devices. REQUIRES: no session yet.
    virtual void set_download_sizes(std::size_t bytes, std::size_t bootstrap_objects) = 0;

    // Operations

    /// Forgets history that is old enough and that no live device needs (trim.hpp), a slice of work
    /// at a time between other inputs. `done` when it is durable.
    using TrimCompletion = std::function<void(Result<TrimReport>)>;
    virtual void trim(TrimCompletion done) = 0;
    /// Past images that the store keeps for versions at or below this are not needed here.
    virtual store::Version past_needed_above() const = 0;
    /// How long a client may be offline, from the next trimming on; whether a client that is told
    /// to reset may bring its unsynced changes along.
    virtual void set_limits(std::int64_t client_max_offline_ms, bool recovery_mode_disabled) = 0;
    /// The file is told to reset, now if it is connected: 208, or 222 for one that was given up.
    /// `done`: not_found when there is no such file.
    using ResetCompletion = std::function<void(Result<void>)>;
    virtual void reset_file(std::uint64_t ident, bool is_given_up, ResetCompletion done) = 0;
    /// Files with an ident above `after`, in order of ident, at most `count_max`.
    virtual Result<std::vector<DeviceReport>> devices(std::uint64_t after,
                                                      std::size_t count_max) const = 0;
    virtual Result<HistoryReport> history() const = 0;
    /// Publishes what is durable and answers all other requests with unavailable, then and from now
    /// on. REQUIRES: run() is neither running nor called again, no commit is under way.
    virtual void end() = 0;

    /// The model with what clients added to it in development mode.
    virtual SyncModel model() const = 0;
    virtual EngineStatistics statistics() const = 0;
};

/// Reads the app's sync state from the store. Errors of the store; corrupt when records cannot be
/// read.
Result<std::unique_ptr<Engine>> open_engine(EngineOptions options, store::Store& store,
                                            RoleProvider& roles, EngineHost& host,
                                            const Clock& clock, Random& random);

} // namespace tombolo::server::sync
