#pragma once

// An engine over a store in a folder of its own, a thread that runs it, and devices without
// sockets: the bed of bench/sync_engine.cpp and bench/rules.cpp.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "changeset/builder.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::bench {

/// Roles by user; users that are not listed may do everything.
class Roles final : public server::sync::RoleProvider {
  public:
    Result<server::sync::Role> role_of(std::string_view user) override;
    void set(const std::string& user, server::sync::Role role);

  private:
    std::mutex mutex_;
    std::map<std::string, server::sync::Role, std::less<>> roles_;
};

/// The machine's clock, that can be set ahead.
class ShiftedClock final : public Clock {
  public:
    Timestamp now() const override {
        return Timestamp::from_unix_ms(real_.now().to_unix_ms() + shift_ms_);
    }
    Monotonic monotonic() const override { return real_.monotonic(); }
    void advance(std::int64_t ms) { shift_ms_ += ms; }

  private:
    SystemClock real_;
    std::atomic<std::int64_t> shift_ms_{0};
};

class Bed final : public server::sync::EngineHost {
  public:
    /// The folder is emptied, and removed at the end.
    explicit Bed(std::string folder, const server::sync::ConflictLimits& conflicts = {});
    ~Bed() override;

    server::sync::Engine& engine() { return *engine_; }
    store::Store& store() { return *store_; }
    Roles& roles() { return roles_; }
    ShiftedClock& clock() { return clock_; }
    store::CollectionId collection() const;
    static ObjectId app();
    void schedule() override;

  private:
    void loop();

    std::string folder_;
    ShiftedClock clock_;
    SystemRandom random_;
    Roles roles_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<server::sync::Engine> engine_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool is_scheduled_ = false;
    bool is_stopping_ = false;
    std::thread thread_;
};

/// A device that takes what it is sent and keeps its cursors, and no objects.
class Device {
  public:
    Device(Bed& bed, std::string user);
    ~Device() { session_->close(); }

    void subscribe(const std::string& query);
    /// Another binding of the same file, where the last one ended.
    void come_back(Bed& bed);
    /// Takes everything there is; returns how many messages.
    std::size_t receive();
    /// Takes messages until `done`, waiting in between.
    void receive_until(const std::function<bool()>& done);
    /// The changesets as UPLOADs, as fast as they are taken, with the answers read.
    void upload(const std::vector<std::vector<std::byte>>& changesets);

    bool was_told() const { return signal_->is_told; }
    std::uint64_t cursor() const { return progress_.download.server.value; }
    std::uint64_t acknowledged() const { return progress_.upload.client.value; }
    std::uint64_t client_version() const { return client_version_; }
    std::uint64_t entries() const { return entries_; }
    std::uint64_t bytes() const { return bytes_; }
    std::int64_t query_version() const { return active_query_; }

  private:
    struct Signal final : server::sync::SessionListener {
        void on_outgoing() override;
        void on_replaced() override {}
        std::atomic<bool> is_told{false};
        std::mutex mutex;
        std::condition_variable wake;
    };

    void identify(Bed& bed);

    std::string user_;
    std::string body_ = "{}";
    protocol::SaltedFileIdent file_;
    std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
    std::shared_ptr<server::sync::Session> session_;
    protocol::SyncProgress progress_;
    std::uint64_t client_version_ = 1;
    std::uint64_t entries_ = 0;
    std::uint64_t bytes_ = 0;
    std::int64_t query_ = 0;
    std::int64_t active_query_ = -1;
};

/// A changeset that creates Note[key] with all eight fields.
std::vector<std::byte> new_note(std::int64_t key, std::int64_t group);
/// One that changes its text.
std::vector<std::byte> changed_note(std::int64_t key, std::int64_t value);
/// A document of about the size of a city.
mql::BsonDocument city(std::int64_t key);

double now_seconds();
double cpu_seconds();
/// The peak of resident memory since start_peak().
void start_peak();
std::size_t peak_bytes();

} // namespace tombolo::bench
