// What operators ask of the sync of an app: trimming, resets, lists.

#include <algorithm>
#include <chrono>
#include <future>

#include "server/sync/engine/trim.hpp"
#include "server/sync/session/service.hpp"

namespace tombolo::server::sync {

namespace {

/// An engine that failed answers nothing any more.
constexpr auto answer_time = std::chrono::seconds(10);

/// What the engine answers, or unavailable.
Result<void> reset(Engine& engine, std::uint64_t ident, bool is_given_up) {
    // Shared: the waiter may be gone before set_value.
    const auto answer = std::make_shared<std::promise<Result<void>>>();
    std::future<Result<void>> result = answer->get_future();
    engine.reset_file(ident, is_given_up,
                      [answer](Result<void> done) { answer->set_value(std::move(done)); });
    if (result.wait_for(answer_time) != std::future_status::ready) {
        return Error(ErrorCode::unavailable, "sync of this app has stopped");
    }
    return result.get();
}

} // namespace

Result<void> SyncService::reset_file(const ObjectId& app, std::uint64_t ident, bool is_given_up) {
    TOMBOLO_TRY(const std::shared_ptr<Engine> engine, engine_of(app));
    return reset(*engine, ident, is_given_up);
}

Result<std::vector<DeviceReport>> SyncService::devices(const ObjectId& app, std::uint64_t after,
                                                       std::size_t count_max) {
    TOMBOLO_TRY(const std::shared_ptr<Engine> engine, engine_of(app));
    return engine->devices(after, count_max);
}

Result<HistoryReport> SyncService::history(const ObjectId& app) {
    TOMBOLO_TRY(const std::shared_ptr<Engine> engine, engine_of(app));
    return engine->history();
}

Result<void> SyncService::check(const App& app) {
    return find_slot(app.id) != nullptr ? Result<void>() : claim(app);
}

/// Apps that nobody has used since the server started: what is old of theirs has to go too, since
/// it holds back the documents' past of all.
void SyncService::open_for_trimming() {
    const auto snapshot = store_.snapshot();
    const auto open = engines();
    for (const auto& app : apps_.all()) {
        const SyncConfig& sync = app->config.sync;
        if (sync.mode != SyncConfig::Mode::flexible || sync.state.empty() ||
            open.contains(app->id)) {
            continue;
        }
        const auto stored = stored_history(*snapshot, app->id);
        const std::int64_t limit_ms = sync.client_max_offline_days * 24 * 3600 * 1000;
        if (!stored || !*stored || !(*stored)->has_before(clock_.unix_ms() - limit_ms)) {
            continue;
        }
        if (const auto slot = slot_of(app); !slot) {
            log_.error("cannot trim the sync history",
                       {{"app", app->client_app_id}, {"error", slot.error().what()}});
        }
    }
}

void SyncService::trim() {
    open_for_trimming();
    trim_conflicts();
    for (const auto& [id, named] : engines()) {
        const auto& [name, engine] = named;
        engine->trim([&log = log_, name = name](const Result<TrimReport>& done) {
            if (!done) {
                log.error("cannot trim the sync history",
                          {{"app", name}, {"error", done.error().what()}});
            } else if (done->trimmed > done->trimmed_before || done->files_forgotten > 0) {
                log.info("sync history trimmed",
                         {{"app", name},
                          {"up_to", std::to_string(done->trimmed)},
                          {"newest", std::to_string(done->top)},
                          {"held_back_by_file", std::to_string(done->holder)},
                          {"files_forgotten", std::to_string(done->files_forgotten)}});
            }
        });
    }
}

Result<store::Version> SyncService::past_needed_above(store::Version most) const {
    const auto snapshot = store_.snapshot();
    const auto open = engines();
    for (const auto& app : apps_.all()) {
        if (app->config.sync.mode != SyncConfig::Mode::flexible || app->config.sync.state.empty()) {
            continue;
        }
        if (const auto found = open.find(app->id); found != open.end()) {
            most = std::min(most, found->second.second->past_needed_above());
            continue;
        }
        TOMBOLO_TRY(const std::optional<StoredHistory> stored, stored_history(*snapshot, app->id));
        if (stored) {
            most = std::min(most, stored->store_floor());
        }
    }
    return most;
}

} // namespace tombolo::server::sync
