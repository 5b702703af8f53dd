// The life of an app's sync (device-sync-server.md 6.1): it begins with the documents that are
// there, pauses by itself, and fails.

#include <algorithm>

#include "server/app/alerts.hpp"
#include "server/sync/engine/census.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/session/service.hpp"
#include "server/sync/session/service_slot.hpp"

namespace tombolo::server::sync {

namespace {

/// The use of an app is noted so often.
constexpr std::int64_t noted_ms = std::int64_t{3600} * 1000;

bool is_on(const App& app) {
    return app.config.sync.mode == SyncConfig::Mode::flexible && app.config.sync.enabled();
}

Result<std::optional<Census>> stored_census(const store::Store& store, const ObjectId& app) {
    TOMBOLO_TRY(const std::optional<std::string> record,
                store.snapshot()->record(store::Space::meta, census_key(app)));
    if (!record) {
        return std::optional<Census>();
    }
    TOMBOLO_TRY(Census census, decode_census(*record));
    return std::optional(std::move(census));
}

bool covers(const Census& census, const schema::DocumentSchema& documents) {
    const auto& classes = documents.schema.classes();
    return census.is_complete() &&
           std::all_of(classes.begin(), classes.end(), [&](const schema::ClassSchema& each) {
               return each.is_embedded() || each.is_asymmetric() ||
                      !documents.places.contains(each.name()) ||
                      census.classes.find(each.name()) != census.classes.end();
           });
}

} // namespace

std::string SyncService::name_of(const ObjectId& app) const {
    const auto found = apps_.find(app);
    return found == nullptr ? app.to_string() : found->client_app_id;
}

Result<void> SyncService::begin(const std::shared_ptr<const App>& app) {
    TOMBOLO_TRY_VOID(claim(*app));
    if (!is_on(*app) || failure(app->id)) {
        return {};
    }
    TOMBOLO_TRY(const AppModel model, make_app_model(app->config, app->schema_versions));
    TOMBOLO_TRY(const std::optional<Census> census, stored_census(store_, app->id));
    if (!census || !covers(*census, documents_of_all(model.model))) {
        TOMBOLO_TRY([[maybe_unused]] const std::shared_ptr<Slot> slot, slot_of(app));
    }
    return {};
}

Result<SyncService::Progress> SyncService::progress(const App& app) {
    if (const std::optional<SyncFailure> failed = failure(app.id)) {
        return Error(ErrorCode::unavailable, failed->name + ": " + failed->message);
    }
    Progress out;
    if (const auto slot = find_slot(app.id)) {
        out.accepts_clients = slot->engine().accepts_clients();
        out.classes = slot->engine().census();
        out.places = documents_of_all(slot->engine().model()).places;
        return out;
    }
    TOMBOLO_TRY_VOID(claim(app));
    TOMBOLO_TRY(const AppModel model, make_app_model(app.config, app.schema_versions));
    out.places = documents_of_all(model.model).places;
    TOMBOLO_TRY(const std::optional<Census> census, stored_census(store_, app.id));
    out.accepts_clients = true; // nothing holds them but an engine
    for (const auto& [name, each] : census ? census->classes : decltype(census->classes)()) {
        out.classes.push_back({name, each.total, each.done, each.unsynced,
                               each.phase == ClassCensus::Phase::complete});
    }
    return out;
}

// Failure

std::optional<SyncFailure> SyncService::failure(const ObjectId& app) const {
    Result<std::optional<SyncFailure>> stored = stored_failure(*store_.snapshot(), app);
    if (!stored) {
        return SyncFailure{0, "store_corrupt", stored.error().what()};
    }
    if (!*stored) {
        const auto slot = find_slot(app);
        if (slot != nullptr && slot->has_failed()) {
            return SyncFailure{0, "the store refused a commit",
                               "see the server's log, then start the server again"};
        }
    }
    return *std::move(stored);
}

Result<void> SyncService::fail(const ObjectId& app, const std::string& message) {
    static const std::string what_to_do =
        "terminate sync (tombolo sync terminate) and enable it again; devices then reset";
    const MutexLock opening(opening_);
    TOMBOLO_TRY_VOID(
        store_failure(store_, app,
                      {clock_.unix_ms(), "TranslatorFatalError - ChangeStreamHistoryLost",
                       message + "; " + what_to_do}));
    routes_.remove(app);
    close_connections(app, "", 1011, "sync has failed");
    if (const auto slot = find_slot(app)) {
        TOMBOLO_TRY_VOID(slot->retire());
        const MutexLock lock(mutex_);
        slots_.erase(app);
        retired_.push_back(slot);
    }
    if (options_.alerts != nullptr) {
        options_.alerts->raise({app, name_of(app), alert_kind::sync_failed, message, what_to_do});
    }
    return {};
}

void SyncService::engine_failed(const Slot& slot, const std::string& why) {
    if (options_.alerts != nullptr) {
        options_.alerts->raise({slot.app_id(), slot.name(), alert_kind::sync_failed,
                                "sync stopped, the store refused a commit: " + why,
                                "see the server's log and the disk, then start the server again"});
    }
}

Result<bool> SyncService::drop_collection(const store::CollectionName& name) {
    const std::optional<store::CollectionId> id = store_.find_collection(name);
    if (!id) {
        return Error(ErrorCode::not_found, "there is no such collection", name.to_string());
    }
    const std::optional<ObjectId> app = routes_.find(*id);
    if (app) {
        TOMBOLO_TRY_VOID(fail(*app, "the synced collection " + name.to_string() + " was dropped"));
    }
    if (const auto exact = store_.find_collection(sidecar_of(name))) {
        TOMBOLO_TRY_VOID(store_.drop_collection(*exact));
    }
    TOMBOLO_TRY_VOID(store_.drop_collection(*id));
    return app.has_value();
}

// Pauses

void SyncService::pause(const ObjectId& app, const std::string& name, const std::string& why,
                        const std::string& what_to_do) {
    const Result<void> done = options_.pause
                                  ? options_.pause(app)
                                  : Error(ErrorCode::unsupported, "this server cannot pause apps");
    if (!done) {
        log_.error("sync could not be paused",
                   {{"app", name}, {"why", why}, {"error", done.error().what()}});
        return;
    }
    log_.warning("sync paused", {{"app", name}, {"why", why}});
    if (options_.alerts != nullptr) {
        options_.alerts->raise(
            {app, name, alert_kind::sync_paused, "sync was paused: " + why, what_to_do});
    }
}

void SyncService::check_unsynced(const Slot& slot) {
    const auto app = apps_.find(slot.app_id());
    if (app == nullptr || !is_on(*app) || slot.unsynced() < options_.unsynced_max) {
        return;
    }
    pause(slot.app_id(), slot.name(),
          std::to_string(slot.unsynced()) + " documents cannot be synced, the limit is " +
              std::to_string(options_.unsynced_max),
          "repair them (tombolo sync unsynced) or raise sync_unsynced_max, then tombolo sync "
          "resume");
}

void SyncService::pause_idle() {
    if (options_.idle_pause_ms == 0) {
        return;
    }
    const std::int64_t now = clock_.unix_ms();
    for (const auto& app : apps_.all()) {
        if (!is_on(*app) || failure(app->id)) {
            continue;
        }
        const auto slot = find_slot(app->id);
        const bool is_connected = !connections(app->id).empty();
        const std::int64_t here = is_connected ? now : slot == nullptr ? 0 : slot->active_ms();
        const auto stored = last_active(*store_.snapshot(), app->id);
        const std::int64_t known = stored ? stored->value_or(0) : now;
        const std::int64_t newest = std::max(here, known);
        if (newest == 0 || newest - known > noted_ms) {
            const Result<void> noted = store_active(store_, app->id, newest == 0 ? now : newest);
            if (!noted) {
                log_.error("cannot note that an app is used",
                           {{"app", app->client_app_id}, {"error", noted.error().what()}});
            }
        }
        if (newest == 0 || now - newest < options_.idle_pause_ms) {
            continue;
        }
        // Resumed, it has as long again.
        static_cast<void>(forget_active(store_, app->id));
        if (slot != nullptr) {
            slot->forget_use();
        }
        pause(app->id, app->client_app_id,
              "no device used it for " +
                  std::to_string(options_.idle_pause_ms / (std::int64_t{24} * 3600 * 1000)) +
                  " days",
              "tombolo sync resume when it is used again; devices go on without a reset");
    }
}

} // namespace tombolo::server::sync
