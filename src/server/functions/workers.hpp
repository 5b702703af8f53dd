#pragma once

// The worker processes of all apps: a bounded set, each bound to one app from its start to its end.
//
// A call takes one (acquire), has it for itself, and gives it back (release) or, when anything went
// wrong, throws it away (discard). Idle ones are stopped and wait for the next call of their app;
// when the set is full, the one that idled longest makes place for another app's. One thread starts
// them and ends those that idled too long.
//
// Thread-safety: all members from any thread.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/object_id.hpp"
#include "server/functions/functions.hpp"
#include "server/functions/worker_process.hpp"

namespace tombolo::functions {

struct Worker {
    std::unique_ptr<WorkerProcess> process;
    ObjectId app;
    std::string version;   ///< of the app; a worker of an old one is not used again
    bool is_extra = false; ///< beyond the set's size, for a call inside a call
    std::uint32_t calls = 0;
    Deadline idle_since;
};

/// What a new worker is told of its app.
struct WorkerApp {
    ObjectId id;
    std::string version;
    std::string folder;                       ///< with node_modules; empty: none
    std::function<std::string()> description; ///< body of the app frame
};

class Workers {
  public:
    /// REQUIRES: `node` is the path of a program.
    Workers(std::string node, const FunctionOptions& options);
    ~Workers();

    /// `extra`: the caller holds one already. unavailable when none was free before the deadline;
    /// io when a process did not start.
    Result<Worker> acquire(const WorkerApp& app, bool extra, Deadline deadline);
    void release(Worker worker);
    /// Kills it.
    void discard(Worker worker);
    /// Kills the idle ones; acquire() fails from now on.
    void stop();

    struct Counts {
        std::uint64_t started = 0;
        std::uint64_t now = 0;
        std::uint64_t busy = 0;
    };
    Counts counts() const;

  private:
    struct Start;

    Result<std::optional<Worker>> take(const WorkerApp& app, bool extra, Deadline deadline);
    static bool is_ready(Worker& worker);
    Result<Worker> start(const WorkerApp& app, bool extra, Deadline deadline);
    ProcessOptions process_options(const WorkerApp& app) const;
    void loop();

    const std::string node_;
    const FunctionOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::condition_variable work_;
    std::deque<Worker> idle_;   // guarded by mutex_; the longest idle first
    std::deque<Start*> starts_; // guarded by mutex_
    Counts counts_;             // guarded by mutex_
    std::size_t extras_ = 0;    // guarded by mutex_
    bool stopping_ = false;     // guarded by mutex_
    std::thread thread_;
};

} // namespace tombolo::functions
