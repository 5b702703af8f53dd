// What operators ask of what uploads lost: the list, and to bring one back.

#include <chrono>
#include <future>

#include "server/sync/engine/model.hpp"
#include "server/sync/session/service.hpp"

namespace tombolo::server::sync {

namespace {

/// An engine that failed answers nothing any more.
constexpr auto answer_time = std::chrono::seconds(10);
/// Each meets a document that somebody changed meanwhile.
constexpr int tries_max = 10;

Result<store::Version> write_outside(Engine& engine, store::Transaction transaction) {
    // Shared: the waiter may be gone before set_value.
    const auto answer = std::make_shared<std::promise<Result<store::Version>>>();
    std::future<Result<store::Version>> result = answer->get_future();
    engine.write(std::move(transaction),
                 [answer](Result<store::Version> done) { answer->set_value(std::move(done)); });
    if (result.wait_for(answer_time) != std::future_status::ready) {
        return Error(ErrorCode::unavailable, "sync of this app has stopped");
    }
    return result.get();
}

} // namespace

Result<ConflictPage> SyncService::conflicts(const ObjectId& app, const ConflictFilter& filter,
                                            std::uint64_t before, std::size_t count_max) const {
    const std::int64_t oldest = clock_.unix_ms() - options_.conflicts.keep_ms;
    return list_conflicts(store_, app, filter, before, count_max, oldest);
}

Result<Conflict> SyncService::restore_conflict(const ObjectId& app, std::uint64_t number,
                                               const std::string& by) {
    TOMBOLO_TRY(const std::shared_ptr<Engine> engine, engine_of(app));
    TOMBOLO_TRY(const std::shared_ptr<const Model> model, Model::make(engine->model(), store_));
    for (int tried = 1;; ++tried) {
        TOMBOLO_TRY(store::Transaction transaction,
                    restoration(model, store_, app, number, by, clock_.unix_ms()));
        const Result<store::Version> done = write_outside(*engine, std::move(transaction));
        if (done) {
            return find_conflict(*store_.snapshot(), app, number);
        }
        const bool is_race = done.error().code() == ErrorCode::write_conflict ||
                             done.error().code() == ErrorCode::duplicate_key;
        if (!is_race || tried == tries_max) {
            return done.error();
        }
    }
}

/// A bounded number at a time; the next call goes on.
void SyncService::trim_conflicts() {
    for (const auto& app : apps_.all()) {
        const ConflictWriter writer(app->id, options_.conflicts);
        store::Transaction transaction;
        const Result<bool> done = writer.trim(*store_.snapshot(), clock_.unix_ms(), transaction);
        const Result<store::Version> committed = done && !transaction.empty()
                                                     ? store_.commit(std::move(transaction))
                                                     : Result<store::Version>(store::Version());
        if (!done || !committed) {
            log_.error("cannot trim the conflict log",
                       {{"app", app->client_app_id},
                        {"error", done ? committed.error().what() : done.error().what()}});
        }
    }
}

} // namespace tombolo::server::sync
