#include "server/sync/session/service.hpp"

#include <algorithm>
#include <utility>

#include "protocol/negotiation.hpp"
#include "server/app/alerts.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/trim.hpp"
#include "server/sync/session/service_slot.hpp"
#include "server/sync/session/sync_model.hpp"
#include "server/sync/session/sync_roles.hpp"
#include "server/sync/session/turn_batch.hpp"

namespace tombolo::server::sync {

namespace {

/// Of a client's User-Agent.
constexpr std::size_t client_shown_max = 120;
/// Bytes of an UPLOAD's body, inflated, for one as sent: more is not to be expected.
constexpr std::size_t upload_growth = 6;

// Closes at once, with a reason that a browser can see.
class Closer final : public http::WebSocketHandler {
  public:
    Closer(std::uint16_t code, std::string reason) : code_(code), reason_(std::move(reason)) {}
    void opened(std::shared_ptr<http::WebSocket> socket) override { socket->close(code_, reason_); }
    void received(http::BinaryMessage /*message*/) override {}
    void written(std::size_t /*bytes*/) override {}
    void stopping() override {}
    void closed() override {}

  private:
    std::uint16_t code_;
    std::string reason_;
};

// Published clients send one header with all versions.
Result<protocol::Dialect> negotiate(const http::Request& request) {
    return protocol::negotiate_subprotocol(request.headers.find("sec-websocket-protocol"));
}

} // namespace

SyncService::SyncService(ServiceOptions options, store::Store& store, const AppRepository& apps,
                         const Clock& clock, Random& random, const Log& log)
    : options_(std::move(options)), store_(store), apps_(apps), clock_(clock), random_(random),
      log_(log), routes_(store), user_data_(store), crowd_(session_pool_, options_.session_threads),
      engine_pool_({"sync-engine", options_.engine_threads, options_.connections_max, false}),
      session_pool_(
          {"sync-session", options_.session_threads, 2 * options_.connections_max, false}) {}

SyncService::~SyncService() {
    stop();
}

void SyncService::stop() {
    {
        const MutexLock lock(mutex_);
        is_stopped_ = true;
    }
    session_pool_.stop();
    engine_pool_.stop();
}

Result<std::shared_ptr<SyncService::Slot>>
SyncService::slot_of(const std::shared_ptr<const App>& app) {
    if (auto slot = find_slot(app->id)) {
        return slot;
    }
    const MutexLock opening(opening_);
    if (auto slot = find_slot(app->id)) {
        return slot;
    }
    if (const auto now = apps_.find(app->id);
        now == nullptr || now->config.sync.state.empty()) { // terminated meanwhile
        return Error(ErrorCode::unavailable, "sync is not enabled for the app");
    }
    if (const std::optional<SyncFailure> failed = failure(app->id)) {
        return Error(ErrorCode::unavailable, failed->name + ": " + failed->message);
    }
    TOMBOLO_TRY(AppModel model, make_app_model(app->config, app->schema_versions));
    TOMBOLO_TRY_VOID(routes_.add(app->id, documents_of_all(model.model).places));
    for (const std::string& warning : model.warnings) {
        log_.warning("sync configuration", {{"app", app->client_app_id}, {"warning", warning}});
    }
    auto slot = std::make_shared<Slot>(*this, *app);
    TOMBOLO_TRY_VOID(slot->open(std::move(model)));
    log_.info("sync started", {{"app", app->client_app_id}});
    slot->wait_for_initial_sync();
    const MutexLock lock(mutex_);
    slots_.emplace(app->id, slot);
    return slot;
}

Result<void> SyncService::claim(const App& app) {
    if (failure(app.id)) {
        return {}; // its documents are nobody's but the store's
    }
    TOMBOLO_TRY(const AppModel model, make_app_model(app.config, app.schema_versions));
    return routes_.add(app.id, documents_of_all(model.model).places);
}

std::shared_ptr<SyncService::Slot> SyncService::find_slot(const ObjectId& app) const {
    const MutexLock lock(mutex_);
    const auto found = slots_.find(app);
    return found == slots_.end() ? nullptr : found->second;
}

Error SyncService::refuse_connection(const App& app, const char* why) {
    ++counters_.connections_refused;
    if (options_.alerts != nullptr) {
        options_.alerts->raise(
            {app.id, app.client_app_id, alert_kind::rate_limit,
             std::string("a sync connection was refused: ") + why,
             "see who with tombolo sync devices; settings of the server limit connections"});
    }
    return {ErrorCode::unavailable, why};
}

Result<http::Response> SyncService::accept(const http::Request& request,
                                           const std::shared_ptr<const App>& app,
                                           const SyncUser& user) {
    TOMBOLO_TRY(const protocol::Dialect dialect, negotiate(request));
    if (!app->config.sync.enabled()) {
        return Error(ErrorCode::unavailable, "sync is not enabled for the app");
    }
    if (counters_.connections_open >= options_.connections_max) {
        return refuse_connection(*app, "too many sync connections; try again");
    }
    const auto opened = slot_of(app);
    if (!opened) {
        log_.error("sync cannot start",
                   {{"app", app->client_app_id}, {"error", opened.error().what()}});
        if (options_.alerts != nullptr && !failure(app->id)) {
            options_.alerts->raise({app->id, app->client_app_id, alert_kind::sync_failed,
                                    std::string("sync cannot start: ") + opened.error().what(),
                                    "deploy a configuration without the mistake"});
        }
        return Error(ErrorCode::unavailable, "sync cannot start; the server's log has the reason");
    }
    const std::shared_ptr<Slot>& slot = *opened;
    const std::shared_ptr<void> place = slot->take_place(options_.app_connections_max);
    if (place == nullptr) {
        return refuse_connection(*app, "too many sync connections of the app; try again");
    }
    slot->used(clock_.unix_ms());
    ConnectionSetup setup{slot->engine(), counters_, log_,    slot->name(),          user.user_id,
                          request.id,     {},        dialect, options_.test_commands};
    setup.live = std::make_shared<LiveConnection>();
    setup.live->id = request.id;
    setup.live->user_id = user.user_id;
    setup.live->address = request.remote_address;
    setup.live->client = request.headers.find("user-agent").substr(0, client_shown_max);
    setup.live->protocol = static_cast<int>(dialect.version);
    setup.live->opened_ms = clock_.unix_ms();
    setup.clock = &clock_;
    setup.limits = {options_.message_bytes_max,
                    std::max(protocol::limits::upload_body_bytes_max,
                             upload_growth * options_.message_bytes_max)};
    setup.app_log = options_.app_log;
    if (options_.measurements != nullptr) {
        setup.measured = options_.measurements->of(app->id);
    }
    setup.app = app->id;
    if (options_.public_url) {
        setup.log_url = options_.public_url() + "/logs?co_id=" + request.id;
    }
    auto socket = SyncSocket::create(app->id, std::move(setup), session_pool_,
                                     [this, slot, place](SyncSocket& ended) {
                                         --counters_.connections_open;
                                         const MutexLock lock(mutex_);
                                         sockets_.erase(&ended);
                                     });
    ++counters_.connections_open;
    ++counters_.connections_total;
    {
        const MutexLock lock(mutex_);
        sockets_.insert(socket.get());
    }
    log_.debug("sync connection opened",
               {{"app", slot->name()},
                {"connection", request.id},
                {"user", user.user_id},
                {"protocol", protocol::subprotocol_token(dialect)},
                {"client", std::string(request.headers.find("user-agent"))},
                {"address", request.remote_address}});
    http::Upgrade upgrade{std::move(socket), {}};
    upgrade.limits.message_bytes_max = options_.message_bytes_max;
    return http::websocket_response(request, protocol::subprotocol_token(dialect),
                                    std::move(upgrade));
}

Result<http::Response> SyncService::accept_to_close(const http::Request& request,
                                                    std::uint16_t code, std::string reason) {
    TOMBOLO_TRY(const protocol::Dialect dialect, negotiate(request));
    http::Upgrade upgrade{std::make_shared<Closer>(code, std::move(reason)), {}};
    return http::websocket_response(request, protocol::subprotocol_token(dialect),
                                    std::move(upgrade));
}

void SyncService::close_connections(const ObjectId& app, const std::string& user_id,
                                    std::uint16_t code, const std::string& reason) {
    std::vector<std::shared_ptr<SyncSocket>> found;
    {
        const MutexLock lock(mutex_);
        for (SyncSocket* socket : sockets_) {
            if (socket->app_id() == app && (user_id.empty() || socket->user_id() == user_id)) {
                if (auto held = socket->weak_from_this().lock()) {
                    found.push_back(std::move(held));
                }
            }
        }
    }
    for (const auto& socket : found) {
        socket->close_soon(code, reason);
    }
}

void SyncService::access_ended(const ObjectId& app, const std::string& user_id) {
    close_connections(app, user_id, 4001, "the session has ended");
}

void SyncService::roles_changed(const ObjectId& app, const std::string& user_id) {
    if (const auto slot = find_slot(app)) {
        slot->engine().roles_changed(user_id);
    }
}

bool SyncService::has_history(const ObjectId& app) const {
    const auto stored = stored_history(*store_.snapshot(), app);
    return !stored || stored->has_value();
}

bool SyncService::takes(store::CollectionId collection) const {
    return routes_.find(collection).has_value();
}

void SyncService::write(store::Transaction transaction, store::Store::Completion done) {
    std::optional<ObjectId> id;
    for (const store::Transaction::Request& request : transaction.requests()) {
        const auto* document = std::get_if<store::Transaction::DocumentRequest>(&request);
        const auto owner = document ? routes_.find(document->collection) : std::nullopt;
        if (owner && id && *owner != *id) {
            return done(Error(ErrorCode::unsupported,
                              "a transaction cannot write documents that two apps sync"));
        }
        id = owner ? owner : id;
    }
    const std::shared_ptr<const App> app = id ? apps_.find(*id) : nullptr;
    if (app == nullptr) { // sync was terminated since the caller looked
        return store_.commit_async(std::move(transaction), std::move(done));
    }
    {
        const MutexLock lock(mutex_);
        if (is_stopped_) {
            return done(Error(ErrorCode::unavailable, "the server is shutting down"));
        }
    }
    const auto slot = slot_of(app);
    if (!slot) {
        log_.error("sync cannot start",
                   {{"app", app->client_app_id}, {"error", slot.error().what()}});
        return done(Error(ErrorCode::unavailable,
                          "the collection is synced, and sync of the app cannot start; the "
                          "server's log has the reason"));
    }
    (*slot)->engine().write(std::move(transaction), std::move(done));
}

void SyncService::users_changed(std::vector<ChangedUser> users) {
    // Their roles are asked for anew, which reads the store: not here.
    const bool is_queued = session_pool_.submit([this, users = std::move(users)] {
        for (const ChangedUser& each : users) {
            roles_changed(each.app, each.user_id);
        }
    });
    if (!is_queued) {
        log_.warning(
            "sync roles of users whose data changed are asked for at their next connection", {});
    }
}

void SyncService::app_removed(const ObjectId& app) {
    user_data_.remove(app);
    close_connections(app, "", 1011, "the app was removed");
    terminate(app);
    if (const Result<void> forgotten = forget_sync(store_, app); !forgotten) {
        log_.error("cannot delete the sync state of an app",
                   {{"app", app.to_string()}, {"error", forgotten.error().what()}});
    }
}

void SyncService::app_changed(const std::shared_ptr<const App>& app) {
    if (const Result<void> set = user_data_.set(*app); !set) {
        log_.error("changes of custom user data will not be noticed",
                   {{"app", app->client_app_id}, {"error", set.error().what()}});
    }
    const auto slot = find_slot(app->id);
    if (slot == nullptr) {
        // Not used yet: its engine starts with the first device or write.
        const bool has_sync =
            app->config.sync.mode == SyncConfig::Mode::flexible && !app->config.sync.state.empty();
        if (!has_sync) {
            terminate(app->id);
        } else if (const Result<void> claimed = begin(app); !claimed) {
            log_.error("the app cannot sync",
                       {{"app", app->client_app_id}, {"error", claimed.error().what()}});
        }
        return;
    }
    if (app->config.sync.state.empty()) {
        terminate(app->id);
        return;
    }
    if (!app->config.sync.enabled()) {
        close_connections(app->id, "", 1011, "sync is paused");
        return;
    }
    Result<AppModel> model = make_app_model(app->config, app->schema_versions);
    Result<void> taken = model ? routes_.add(app->id, documents_of_all(model->model).places)
                               : Result<void>(model.error());
    if (model) {
        slot->engine().set_limits(model->client_max_offline_ms, model->recovery_mode_disabled);
    }
    if (taken) {
        taken = slot->engine().update_model(std::move(model->model));
    }
    if (!taken) {
        log_.error("sync keeps to the schema it had",
                   {{"app", app->client_app_id}, {"error", taken.error().what()}});
    }
    slot->engine().roles_changed("");
    slot->check_unsynced(); // resumed
}

void SyncService::store_model(Slot& slot) {
    const SyncModel model = slot.engine().model();
    Result<void> stored = routes_.add(slot.app_id(), documents_of_all(model).places);
    if (stored && options_.store_model) {
        stored = options_.store_model(slot.app_id(), model);
    }
    if (!stored) {
        log_.error("what clients added in development mode could not be put into the app's "
                   "configuration",
                   {{"app", slot.name()}, {"error", stored.error().what()}});
    }
}

std::vector<std::shared_ptr<const LiveConnection>>
SyncService::connections(const ObjectId& app) const {
    std::vector<std::shared_ptr<const LiveConnection>> out;
    const MutexLock lock(mutex_);
    for (const SyncSocket* socket : sockets_) {
        if (socket->app_id() == app) {
            out.push_back(socket->live());
        }
    }
    return out;
}

Result<UnsyncedPage> SyncService::unsynced(const App& app, std::string_view after,
                                           std::size_t count_max) const {
    constexpr std::size_t scanned_max = 200'000;
    if (const auto slot = find_slot(app.id)) {
        return unsynced_documents(slot->engine().model(), store_, after, count_max, scanned_max);
    }
    TOMBOLO_TRY(const AppModel model, make_app_model(app.config, app.schema_versions));
    return unsynced_documents(model.model, store_, after, count_max, scanned_max);
}

Result<std::shared_ptr<Engine>> SyncService::engine_of(const ObjectId& app) {
    const auto found = apps_.find(app);
    if (found == nullptr) {
        return Error(ErrorCode::not_found, "there is no such app");
    }
    TOMBOLO_TRY(const std::shared_ptr<Slot> slot, slot_of(found));
    return std::shared_ptr<Engine>(slot, &slot->engine());
}

std::map<ObjectId, std::pair<std::string, std::shared_ptr<Engine>>> SyncService::engines() const {
    std::map<ObjectId, std::pair<std::string, std::shared_ptr<Engine>>> out;
    const MutexLock lock(mutex_);
    for (const auto& [id, slot] : slots_) {
        out.emplace(id, std::pair(slot->name(), std::shared_ptr<Engine>(slot, &slot->engine())));
    }
    return out;
}

void SyncService::terminate(const ObjectId& app) {
    routes_.remove(app);
    const MutexLock opening(opening_);
    const auto slot = find_slot(app);
    if (slot == nullptr && !has_history(app) && !failure(app)) {
        return;
    }
    if (const Result<void> forgotten = forget_life(store_, app); !forgotten) {
        log_.error("cannot delete what was noted of an app's sync",
                   {{"app", app.to_string()}, {"error", forgotten.error().what()}});
    }
    close_connections(app, "", 1011, "sync was terminated");
    Result<void> ended;
    if (slot != nullptr) {
        ended = slot->retire();
        const MutexLock lock(mutex_);
        slots_.erase(app);
        retired_.push_back(slot);
    }
    if (ended) {
        ended = erase_sync(store_, app);
    }
    if (!ended) {
        log_.error("cannot delete the sync state of an app",
                   {{"app", app.to_string()}, {"error", ended.error().what()}});
    }
}

std::vector<SyncService::AppStatistics> SyncService::statistics() const {
    std::vector<std::shared_ptr<Slot>> slots;
    {
        const MutexLock lock(mutex_);
        for (const auto& [id, slot] : slots_) {
            slots.push_back(slot);
        }
    }
    std::vector<AppStatistics> out;
    out.reserve(slots.size());
    for (const auto& slot : slots) {
        out.push_back({slot->name(), slot->engine().statistics()});
    }
    return out;
}

} // namespace tombolo::server::sync
