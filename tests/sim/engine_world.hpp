#pragma once

// An engine over a store in memory, with everything around it that a test drives by hand.

#include <map>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/engine.hpp"
#include "support/manual_store.hpp"
#include "support/sync_device.hpp"

namespace tombolo::sim {

/// A store in memory that all worlds of the process share; each has collections of its own.
store::Store& shared_store();

/// Roles by user; everything is allowed to users that are not listed.
class RoleTable final : public server::sync::RoleProvider {
  public:
    Result<server::sync::Role> role_of(std::string_view user) override {
        const auto found = roles.find(user);
        return found == roles.end() ? server::sync::Role() : found->second;
    }
    std::map<std::string, server::sync::Role, std::less<>> roles;
};

class World final : public server::sync::EngineHost {
  public:
    World(std::uint64_t seed, server::sync::SyncModel model, server::sync::EngineBugs bugs = {});
    ~World() override;

    server::sync::Engine& engine() { return *engine_; }
    testing::ManualStore& disk() { return disk_; }
    RoleTable& roles() { return roles_; }
    ManualClock& clock() { return clock_; }
    /// Milliseconds since the zero of origin timestamps.
    std::uint64_t now() const;

    /// One call of run(), if it is asked for. False: it was not.
    bool run_once();
    /// Runs and commits until nothing is left to do.
    void settle();
    /// A batch waits for one whose commit is under way.
    bool has_ahead() const { return has_ahead_ && disk_.is_waiting(); }
    std::uint64_t batches_ahead() const { return batches_ahead_; }
    /// The commit below a batch that waits fails, for no reason that lasts. REQUIRES: has_ahead().
    void refuse();
    /// The process dies: what was not synced is lost (or was synced, and nobody heard).
    void crash(bool was_synced);

    /// Gives the device a file ident. Settles.
    void adopt(testing::SyncDevice& device);
    /// Sends and receives until nothing moves any more.
    void exchange(const std::vector<testing::SyncDevice*>& devices);
    /// The same, of those that are connected.
    void exchange(const std::vector<std::unique_ptr<testing::SyncDevice>>& devices);

    void schedule() override { is_scheduled_ = true; }

    /// The model's `T` and `E` in a database of the world's own.
    static server::sync::SyncModel model_of_views(const std::string& database);
    const server::sync::SyncModel& model() const { return options_.model; }
    server::sync::EngineOptions& options() { return options_; }

  private:
    void open();

    SeededRandom random_;
    ManualClock clock_;
    testing::ManualStore disk_;
    RoleTable roles_;
    server::sync::EngineOptions options_;
    std::unique_ptr<server::sync::Engine> engine_;
    bool is_scheduled_ = false;
    std::uint64_t batches_ahead_ = 0; ///< of all the engines
    std::uint64_t batches_ahead_now_ = 0;
    bool has_ahead_ = false; ///< unless the commit was answered since
};

/// A database name that no other world of the process has.
std::string fresh_database();

} // namespace tombolo::sim
