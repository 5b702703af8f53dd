// The engine as tombolod uses it: sessions on threads of their own, run() on another, commits on
// the store's, outside writes and changing roles in between. For the thread sanitizer above all;
// whatever the order, everybody agrees in the end.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "sim/engine_world.hpp"
#include "sim/view_documents.hpp"

namespace tombolo::sim {

namespace {

using server::sync::Role;
using testing::SyncDevice;

/// An engine whose run() has a thread of its own.
class ThreadedEngine final : public server::sync::EngineHost {
  public:
    explicit ThreadedEngine(server::sync::SyncModel model) : random_(7), roles_(Role()) {
        server::sync::EngineOptions options;
        options.app.bytes.fill(std::byte{0x7e});
        options.model = std::move(model);
        options.download_bytes = 300;
        engine_ = server::sync::open_engine(options, shared_store(), roles_, *this, clock_, random_)
                      .value();
        thread_ = std::thread([this] { run(); });
    }
    ~ThreadedEngine() override {
        {
            const std::lock_guard lock(mutex_);
            is_ending_ = true;
        }
        changed_.notify_all();
        thread_.join();
        engine_.reset();
    }

    server::sync::Engine& engine() { return *engine_; }
    void schedule() override {
        {
            const std::lock_guard lock(mutex_);
            is_scheduled_ = true;
        }
        changed_.notify_all();
    }
    protocol::SaltedFileIdent new_file(const std::string& user) {
        std::mutex mutex;
        std::condition_variable done;
        std::optional<protocol::SaltedFileIdent> file;
        engine_->allocate_file(user, 0, [&](Result<protocol::SaltedFileIdent> made) {
            const std::lock_guard lock(mutex);
            file = made.value();
            done.notify_all();
        });
        std::unique_lock lock(mutex);
        done.wait(lock, [&] { return file.has_value(); });
        return *file;
    }

  private:
    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return is_scheduled_ || is_ending_; });
            if (is_ending_) {
                return;
            }
            is_scheduled_ = false;
            lock.unlock();
            engine_->run();
            lock.lock();
        }
    }

    SeededRandom random_;
    server::sync::FixedRole roles_;
    ManualClock clock_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_scheduled_ = false;
    bool is_ending_ = false;
    std::unique_ptr<server::sync::Engine> engine_;
    std::thread thread_;
};

constexpr int writes_per_device = 60;
constexpr const char* everything = "{\"T\":\"(TRUEPREDICATE)\"}";

/// Writes, sends and receives, reconnecting now and then.
void live(ThreadedEngine& server, SyncDevice& device, std::uint64_t seed) {
    Choices choices(seed);
    device.connect(server.engine());
    device.subscribe(everything);
    for (int i = 0; i < writes_per_device && !device.failure(); ++i) {
        changeset::MemoryState after = device.state();
        const changeset::Changeset written = write_random(after, ~View{0}, choices);
        device.commit(written, 1000 + static_cast<std::uint64_t>(i), std::move(after));
        device.send();
        device.receive(1 + choices.pick(4));
        if (choices.percent(10) || !device.is_connected()) {
            device.connect(server.engine(), choices.percent(50));
        }
    }
}

/// Until nothing is pending and a fresh MARK was answered. An eager device asks all the time, which
/// finds what is published by halves; the other one relies on being told.
void settle(ThreadedEngine& server, SyncDevice& device, bool is_eager) {
    if (!device.is_connected()) {
        device.connect(server.engine());
    }
    const auto exchange_until = [&](auto done) {
        while (!done() && !device.failure() && device.is_connected()) {
            device.send();
            if (device.receive() > 0 || done()) {
                continue;
            }
            if (is_eager) {
                std::this_thread::yield();
            } else {
                device.wait_until_told();
            }
        }
    };
    exchange_until([&] { return !device.has_pending() && !device.has_pending_query(); });
    const std::uint64_t answered = device.marks_answered();
    device.mark();
    exchange_until([&] { return device.marks_answered() > answered; });
}

} // namespace

TEST(SyncEngineThreads, sessions_run_and_commits_go_on_at_the_same_time) {
    server::sync::SyncModel model = World::model_of_views(fresh_database());
    const std::string database = model.database;
    ThreadedEngine server(std::move(model));
    std::vector<std::unique_ptr<SyncDevice>> devices;
    for (int i = 0; i < 4; ++i) {
        devices.push_back(std::make_unique<SyncDevice>("user" + std::to_string(i), empty_state()));
        devices.back()->allow_early_messages();
        devices.back()->take_file(server.new_file(devices.back()->user()));
    }
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        threads.emplace_back([&server, &device = *devices[i], i] { live(server, device, i); });
    }
    const auto collection = *shared_store().find_collection({"source", database, "T"});
    for (std::int64_t i = 0; i < 40; ++i) {
        mql::BsonWriter writer;
        writer.append_int64("_id", 10 + i % 3);
        writer.append_int64("q", i % 3);
        writer.append_int64("x", i);
        store::Transaction transaction;
        transaction.put(collection, std::move(writer).finish());
        std::atomic<bool> is_done = false;
        server.engine().write(std::move(transaction), [&](Result<store::Version> done) {
            EXPECT_TRUE(done);
            is_done = true;
            is_done.notify_all();
        });
        is_done.wait(false);
        server.engine().roles_changed("user1");
        static_cast<void>(server.engine().statistics());
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (int round = 0; round < 2; ++round) {
        for (const auto& device : devices) {
            settle(server, *device, round == 0);
        }
    }
    for (const auto& device : devices) {
        EXPECT_FALSE(device->failure()) << *device->failure();
        EXPECT_FALSE(device->error()) << device->error()->body.message;
        EXPECT_TRUE(identical(device->state(), devices[0]->state()));
        device->disconnect();
    }
    EXPECT_EQ(server.engine().statistics().sessions, 0U);
}

} // namespace tombolo::sim
