#pragma once

// Device Sync of all apps of a server: an engine for each app that syncs, made when its first
// device connects or the first write to its documents comes, and the connections on them.
//
// Thread-safety: all members from any thread. stop() before the listener's threads are gone is not
// needed: connections that still live find no pool and end with their sockets. The references of
// the constructor outlive the service; the service outlives the listener.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/clock.hpp"
#include "core/mutex.hpp"
#include "core/random.hpp"
#include "server/app/app_repository.hpp"
#include "server/http/websocket.hpp"
#include "server/runtime/log.hpp"
#include "server/runtime/worker_pool.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/conflict_log.hpp"
#include "server/sync/engine/explain.hpp"
#include "server/sync/engine/unsynced.hpp"
#include "server/sync/session/counters.hpp"
#include "server/sync/session/crowd.hpp"
#include "server/sync/session/live_connection.hpp"
#include "server/sync/session/routes.hpp"
#include "server/sync/session/sync_life.hpp"
#include "server/sync/session/sync_roles.hpp"
#include "server/sync/session/sync_socket.hpp"
#include "server/sync/session/synced_store.hpp"

namespace tombolo::server {
class Alerts;
class AppLog;
class Measurements;
} // namespace tombolo::server

namespace tombolo::server::sync {

struct ServiceOptions {
    unsigned session_threads = 2;
    unsigned engine_threads = 1;
    /// Turns queued at a time: one a connection.
    std::size_t connections_max = 20'000;
    std::size_t app_connections_max = 20'000; ///< of one app at a time
    std::size_t message_bytes_max = protocol::limits::client_message_bytes_max;
    /// Do what TEST_COMMANDs say.
    bool test_commands = false;
    /// How much of what uploads lost is kept, an app.
    ConflictLimits conflicts;
    /// Prefix of links in errors.
    std::function<std::string()> public_url;
    /// What rules may ask about users.
    FactsOf facts;
    /// What an app's administrators read; may be null.
    AppLog* app_log = nullptr;
    /// What they are shown of speed and use; may be null.
    Measurements* measurements = nullptr;
    /// Who is told when sync fails or is paused; may be null.
    Alerts* alerts = nullptr;
    /// So many documents that no device gets pause the sync of an app.
    std::uint64_t unsynced_max = 100'000;
    /// So long without a device pauses it too; 0: never.
    std::int64_t idle_pause_ms = 0;
    /// Sets the state of the app's sync to paused in its configuration. On any thread.
    std::function<Result<void>(const ObjectId& app)> pause;
    /// Puts what clients added to the model in development mode into the app's configuration. On a
    /// thread of the engines.
    std::function<Result<void>(const ObjectId& app, const SyncModel& model)> store_model;
};

/// Who asks for the upgrade, checked.
struct SyncUser {
    std::string user_id;
};

class SyncService final : public OutsideWriter {
  public:
    SyncService(ServiceOptions options, store::Store& store, const AppRepository& apps,
                const Clock& clock, Random& random, const Log& log);
    ~SyncService() override;

    // OutsideWriter: what is no device's write, of a collection that some app syncs.
    bool takes(store::CollectionId collection) const override;
    void write(store::Transaction transaction, store::Store::Completion done) override;
    std::vector<ChangedUser> users_in(const store::Transaction& transaction) const override {
        return user_data_.users_in(transaction);
    }
    void users_changed(std::vector<ChangedUser> users) override;

    /// The answer to a WebSocket upgrade: a 101, or invalid_argument (400) when it is not a proper
    /// one or no version is common, unavailable (503) when the app does not sync now.
    Result<http::Response> accept(const http::Request& request,
                                  const std::shared_ptr<const App>& app, const SyncUser& user);
    /// For clients that cannot see an HTTP status (browsers): upgrades, then closes with the code.
    static Result<http::Response> accept_to_close(const http::Request& request, std::uint16_t code,
                                                  std::string reason);

    /// The user was disabled, removed or signed out everywhere: connections end with 4001, and the
    /// refresh that follows tells the client what happened.
    void access_ended(const ObjectId& app, const std::string& user_id);
    /// The user's role may have changed; empty: everybody's.
    void roles_changed(const ObjectId& app, const std::string& user_id);
    /// A new deployment is in force; also once for every app at the start.
    void app_changed(const std::shared_ptr<const App>& app);
    void app_removed(const ObjectId& app);
    /// Lets what is queued end; nothing is accepted any more.
    void stop();

    // Operations (service_operations.cpp)
    /// The file is told to reset, now if it is connected; not_found when there is no such file.
    Result<void> reset_file(const ObjectId& app, std::uint64_t ident, bool is_given_up);
    Result<std::vector<DeviceReport>> devices(const ObjectId& app, std::uint64_t after,
                                              std::size_t count_max);
    Result<HistoryReport> history(const ObjectId& app);
    /// Why devices could not sync with the app as it is configured.
    Result<void> check(const App& app);
    /// Begins to forget history of every app; it goes on in the background.
    void trim();
    /// The newest store version up to which no app needs past images, at most `most`.
    Result<store::Version> past_needed_above(store::Version most) const;

    // What uploads lost (service_conflicts.cpp)
    /// Newest first; `before` as list_conflicts().
    Result<ConflictPage> conflicts(const ObjectId& app, const ConflictFilter& filter,
                                   std::uint64_t before, std::size_t count_max) const;
    /// Writes it back for everybody; the conflict as it is then. Errors as restoration().
    Result<Conflict> restore_conflict(const ObjectId& app, std::uint64_t number,
                                      const std::string& by);
    void trim_conflicts();

    // The life of an app's sync (service_life.cpp)
    struct Progress {
        bool accepts_clients = false;
        std::vector<ClassProgress> classes;
        schema::Places places;
    };
    /// Of the initial sync. An error: the app cannot sync, and why.
    Result<Progress> progress(const App& app);
    /// Why the sync of the app has stopped for good; nothing: it has not.
    std::optional<SyncFailure> failure(const ObjectId& app) const;
    /// Erases the collection. An app that syncs it fails: its sync has to be terminated; true then.
    /// not_found when there is no such collection.
    Result<bool> drop_collection(const store::CollectionName& name);
    /// Pauses apps that no device has used for so long. From time to time.
    void pause_idle();

    // Why a user's devices have a document, or not (service_explain.cpp)
    struct Explanation {
        ObjectRef object;
        AppRoles::Choice choice;
        ClassPermissions permissions; ///< of the role, in the class
        ObjectStanding standing;
        std::vector<std::uint64_t> connected; ///< files of the user that sync now
    };
    /// Errors as parse_object().
    Result<Explanation> explain(const ObjectId& app, const std::string& user,
                                const std::string& class_name, const std::string& key);

    const Counters& counters() const noexcept { return counters_; }
    struct AppStatistics {
        std::string client_app_id;
        EngineStatistics engine;
    };
    std::vector<AppStatistics> statistics() const;
    std::vector<std::shared_ptr<const LiveConnection>> connections(const ObjectId& app) const;
    /// Documents of the app that no device gets; `after` and the page as unsynced_documents().
    Result<UnsyncedPage> unsynced(const App& app, std::string_view after,
                                  std::size_t count_max) const;

  private:
    class Slot;

    Result<std::shared_ptr<Slot>> slot_of(const std::shared_ptr<const App>& app);
    std::shared_ptr<Slot> find_slot(const ObjectId& app) const;
    /// Its collections are written through the engine from now on.
    Result<void> claim(const App& app);
    void store_model(Slot& slot);
    Error refuse_connection(const App& app, const char* why);
    /// Opens the engine when documents wait for their initial sync.
    Result<void> begin(const std::shared_ptr<const App>& app);
    void pause(const ObjectId& app, const std::string& name, const std::string& why,
               const std::string& what_to_do);
    void check_unsynced(const Slot& slot);
    void engine_failed(const Slot& slot, const std::string& why);
    Result<void> fail(const ObjectId& app, const std::string& message);
    std::string name_of(const ObjectId& app) const;
    bool has_history(const ObjectId& app) const;
    Result<std::shared_ptr<Engine>> engine_of(const ObjectId& app);
    std::map<ObjectId, std::pair<std::string, std::shared_ptr<Engine>>> engines() const;
    void open_for_trimming();
    /// Sync of the app ends for good: its devices have to reset when it begins again.
    void terminate(const ObjectId& app);
    void close_connections(const ObjectId& app, const std::string& user_id, std::uint16_t code,
                           const std::string& reason);

    const ServiceOptions options_;
    store::Store& store_;
    const AppRepository& apps_;
    const Clock& clock_;
    Random& random_;
    const Log& log_;
    Counters counters_;
    Routes routes_;
    UserDataWatch user_data_;
    Mutex opening_; ///< one engine is opened at a time
    mutable Mutex mutex_;
    std::map<ObjectId, std::shared_ptr<Slot>> slots_ TOMBOLO_GUARDED_BY(mutex_);
    /// Of removed apps: a commit may still call back.
    std::vector<std::shared_ptr<Slot>> retired_ TOMBOLO_GUARDED_BY(mutex_);
    std::unordered_set<SyncSocket*> sockets_ TOMBOLO_GUARDED_BY(mutex_);
    bool is_stopped_ TOMBOLO_GUARDED_BY(mutex_) = false;
    Crowd crowd_; ///< on session_pool_, after whose threads it goes
    WorkerPool engine_pool_;
    WorkerPool session_pool_;
};

} // namespace tombolo::server::sync
