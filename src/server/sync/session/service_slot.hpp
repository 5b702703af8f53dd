#pragma once

// One app's engine with what it runs on. SyncService's own.
//
// Thread-safety: all members but open(), which comes first, from any thread. The service outlives
// it.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/sync/engine/records.hpp"
#include "server/sync/session/error_log.hpp"
#include "server/sync/session/service.hpp"
#include "server/sync/session/sync_model.hpp"
#include "server/sync/session/sync_roles.hpp"
#include "server/sync/session/turn_batch.hpp"

namespace tombolo::server::sync {

class SyncService::Slot final : public EngineHost {
  public:
    Slot(SyncService& service, const App& app)
        : service_(service), app_id_(app.id), name_(app.client_app_id),
          measured_(service.options_.measurements == nullptr
                        ? nullptr
                        : service.options_.measurements->of(app.id)),
          roles_([&apps = service.apps_, id = app.id] { return apps.find(id); }, service.log_,
                 service.options_.facts) {}

    Result<void> open(AppModel model) {
        EngineOptions options;
        const auto [bytes, objects] = download_sizes();
        options.app = app_id_;
        options.model = std::move(model.model);
        options.client_max_offline_ms = model.client_max_offline_ms;
        options.recovery_mode_disabled = model.recovery_mode_disabled;
        options.conflicts = service_.options_.conflicts;
        options.download_bytes = bytes;
        options.bootstrap_objects = objects;
        TOMBOLO_TRY(engine_, open_engine(std::move(options), service_.store_, roles_, *this,
                                         service_.clock_, service_.random_));
        is_open_ = true;
        schedule();
        return {};
    }

    /// One of the connections that the app may have, while it is held; null when all are taken.
    std::shared_ptr<void> take_place(std::size_t places) {
        if (connections_->fetch_add(1) >= places) {
            --*connections_;
            return nullptr;
        }
        return {connections_.get(), [connections = connections_](void*) { --*connections; }};
    }

    Engine& engine() noexcept { return *engine_; }
    std::uint64_t unsynced() const noexcept { return unsynced_; }
    /// A device comes. Settings count from the first one on: until then the engine may have worked
    /// on documents alone.
    void used(std::int64_t now_ms) {
        active_ms_ = now_ms;
        std::call_once(first_use_, [this] {
            const auto [bytes, objects] = download_sizes();
            engine_->set_download_sizes(bytes, objects);
        });
    }
    /// 0: not since the engine was opened.
    std::int64_t active_ms() const noexcept { return active_ms_; }
    bool has_failed() const noexcept { return has_failed_; }
    /// Little data is through before anybody notices.
    void wait_for_initial_sync() {
        constexpr auto patience = std::chrono::milliseconds(200);
        if (!engine_->accepts_clients()) {
            census_done_.get_future().wait_for(patience);
        }
    }
    /// Resumed: a new time without devices begins.
    void forget_use() { active_ms_ = 0; }
    const ObjectId& app_id() const noexcept { return app_id_; }
    const std::string& name() const noexcept { return name_; }

    // A second call while one is queued has nothing to add: the queued run sees all that came
    // before it starts.
    void schedule() override {
        if (is_open_ && !is_scheduled_.exchange(true) && !service_.engine_pool_.submit([this] {
                is_scheduled_ = false;
                TurnBatch batch(service_.crowd_);
                run();
                if (may_wait()) {
                    batch.take_here();
                }
            })) {
            is_scheduled_ = false;
        }
    }

    /// The engine integrates nothing more; who waits for it is answered.
    Result<void> retire() {
        {
            const MutexLock lock(run_mutex_);
            is_open_ = false;
        }
        // Behind a commit that may be under way.
        store::Transaction barrier;
        barrier.erase_record(store::Space::meta, RecordKeys(app_id_).schema(0));
        TOMBOLO_TRY([[maybe_unused]] const store::Version done,
                    service_.store_.commit(std::move(barrier)));
        const MutexLock lock(run_mutex_);
        engine_->end();
        set_unsynced(0);
        return {};
    }

    void told() override {
        if (TurnBatch* batch = TurnBatch::current()) {
            batch->flush();
        }
    }

    bool may_wait() override { return !is_scheduled_ && service_.engine_pool_.queued() == 0; }

    void census_moved(std::uint64_t unsynced, bool is_complete) override {
        set_unsynced(unsynced);
        if (is_complete) {
            std::call_once(census_ended_, [this] { census_done_.set_value(); });
        }
        check_unsynced();
    }

    void batch_took(const BatchTimes& times) override {
        if (measured_ == nullptr) {
            return;
        }
        if (times.uploads > 0) {
            measured_->count(Measured::integrations, times.uploads);
            measured_->took(Measured::integrate_ms, times.integrate_ms);
        }
        measured_->took(Measured::commit_ms, times.commit_ms);
    }

    /// Pauses the app when too many documents cannot be synced.
    void check_unsynced() {
        if (unsynced_ >= service_.options_.unsynced_max && !is_checking_.exchange(true) &&
            !service_.engine_pool_.submit([this] {
                is_checking_ = false;
                service_.check_unsynced(*this);
            })) {
            is_checking_ = false;
        }
    }

    void failed(std::string_view why) override {
        has_failed_ = true;
        service_.engine_failed(*this, std::string(why));
    }

    void model_grew() override {
        if (!is_storing_.exchange(true) && !service_.engine_pool_.submit([this] {
                is_storing_ = false;
                service_.store_model(*this);
            })) {
            is_storing_ = false;
        }
    }

    void taken_back(const TakenBack& said) override {
        log_taken_back(service_.options_.app_log, service_.log_, app_id_, name_, said);
    }

    void log(std::string_view line) override {
        service_.log_.warning("sync engine", {{"app", name_}, {"says", std::string(line)}});
    }

  private:
    void set_unsynced(std::uint64_t count) {
        const std::uint64_t before = unsynced_.exchange(count);
        if (measured_ != nullptr && count != before) {
            measured_->change(Measured::unsynced_documents,
                              static_cast<int>(static_cast<std::int64_t>(count) -
                                               static_cast<std::int64_t>(before)));
        }
    }

    void run() {
        const MutexLock lock(run_mutex_);
        if (is_open_) {
            engine_->run();
        }
    }

    // Settings by which test suites of SDKs force bootstraps of many messages
    // (device-sync-server.md 8.4): bytes of a DOWNLOAD, objects of a changeset.
    std::pair<std::size_t, std::size_t> download_sizes() const {
        const EngineOptions defaults;
        std::size_t bytes = defaults.download_bytes;
        std::size_t objects = defaults.bootstrap_objects;
        const auto settings = service_.apps_.setting(app_id_, "settings");
        const boost::json::value* sync = settings ? settings->if_contains("sync") : nullptr;
        const auto positive = [&](std::string_view name, std::size_t& out) {
            const boost::json::value* value = sync != nullptr && sync->is_object()
                                                  ? sync->get_object().if_contains(name)
                                                  : nullptr;
            if (value != nullptr && value->is_int64() && value->get_int64() > 0) {
                out = static_cast<std::size_t>(value->get_int64());
            }
        };
        positive("qbs_download_changeset_soft_max_byte_size", bytes);
        positive("num_objects_before_bootstrap_flush", objects);
        return {std::min(bytes, std::size_t{16} << 20), objects};
    }

    SyncService& service_;
    const ObjectId app_id_;
    const std::string name_;
    const std::shared_ptr<AppMeasurements> measured_; ///< null: nothing is measured
    AppRoles roles_;
    std::atomic<bool> is_open_{false};
    /// Shared: sockets may outlive the slot.
    const std::shared_ptr<std::atomic<std::size_t>> connections_ =
        std::make_shared<std::atomic<std::size_t>>(0);
    std::atomic<bool> is_scheduled_{false};
    std::atomic<bool> is_storing_{false};
    std::atomic<bool> is_checking_{false};
    std::atomic<bool> has_failed_{false};
    std::atomic<std::uint64_t> unsynced_{0};
    std::atomic<std::int64_t> active_ms_{0};
    std::once_flag first_use_;
    std::once_flag census_ended_;
    std::promise<void> census_done_;
    Mutex run_mutex_;
    std::unique_ptr<Engine> engine_;
};

} // namespace tombolo::server::sync
