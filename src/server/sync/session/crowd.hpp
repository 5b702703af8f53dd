#pragma once

// Turns of a crowd: thousands of connections that one commit concerns.
//
// They take half of the pool's threads, whatever waits, and each is short; who has more to say goes
// on in the pool. The other threads are there for that and for those who are not of the crowd, the
// processors for the threads that read what a crowd answers: more threads that write only get in
// their way. A crowd whose turns turn out to be long (200 devices that sign on together read a
// bootstrap each) is none: the rest of it takes its turns in the pool. On a pool of one thread the
// crowd lets go of it between two chunks when somebody else waits.
//
// Thread-safety: all members from any thread. The pool stops before the crowd goes.

#include <deque>
#include <memory>
#include <vector>

#include "core/mutex.hpp"
#include "server/runtime/worker_pool.hpp"

namespace tombolo::server::sync {

class SyncSocket;

class Crowd {
  public:
    using Chunk = std::vector<std::shared_ptr<SyncSocket>>;

    Crowd(WorkerPool& pool, unsigned pool_threads)
        : pool_(pool), threads_max_((pool_threads + 1) / 2), has_pool_alone_(pool_threads < 2) {}

    /// Their turns are taken, one chunk after the other. A stopping pool takes none: they end with
    /// their last references.
    void submit(Chunk chunk) TOMBOLO_EXCLUDES(mutex_);
    /// Of one that is none of a crowd.
    void submit_alone(std::shared_ptr<SyncSocket> socket);

  private:
    void run() TOMBOLO_EXCLUDES(mutex_);
    /// False: there is none, and the calling thread counts no more.
    bool take(Chunk& chunk) TOMBOLO_EXCLUDES(mutex_);
    /// What waits, and the rest of the chunk, to the pool one by one.
    void disperse(Chunk rest) TOMBOLO_EXCLUDES(mutex_);
    void give_up() TOMBOLO_EXCLUDES(mutex_);

    WorkerPool& pool_;
    const unsigned threads_max_;
    const bool has_pool_alone_; ///< others have no thread but the one it takes
    Mutex mutex_;
    std::deque<Chunk> chunks_ TOMBOLO_GUARDED_BY(mutex_);
    unsigned threads_ TOMBOLO_GUARDED_BY(mutex_) = 0;
};

} // namespace tombolo::server::sync
