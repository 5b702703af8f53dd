#pragma once

// Threads for work that blocks (the store, password hashing), with a queue that has an end.
//
// Thread-safety: submit from any thread. The destructor finishes what is queued.

#include <semaphore.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tombolo::server {

struct WorkerPoolOptions {
    std::string name; ///< of the threads, at most 15 characters
    unsigned threads = 2;
    std::size_t queue_max = 1024;
    /// Yields to everything else on the machine (SCHED_IDLE). Such work must hold no lock that
    /// others wait for: it may be kept from running for long.
    bool idle = false;
};

class WorkerPool {
  public:
    using Work = std::function<void()>;

    explicit WorkerPool(WorkerPoolOptions options);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// False, and `work` is not run, when the queue is full or the pool is stopping. `work` must
    /// not throw.
    [[nodiscard]] bool submit(Work work);
    /// Waits until what is queued is done, then refuses more.
    void stop();

    std::size_t queued() const;

  private:
    void loop();

    const WorkerPoolOptions options_;
    mutable std::mutex mutex_;
    ::sem_t wake_{}; ///< one for each entry of the queue, and one for each thread at the stop
    std::deque<Work> queue_; // guarded by mutex_
    bool stopping_ = false;  // guarded by mutex_
    std::vector<std::thread> threads_;
};

} // namespace tombolo::server
