#pragma once

// Turns of many connections that are asked for by one thread, handed to the pool together.
//
// A commit concerns thousands of sessions at once, and waking a thread for each costs more than
// what it then does. The first turns go to the pool at once, so that a write that concerns few is
// not held up; then in growing chunks, which a thread of the pool runs one after the other; the
// last when the batch ends.
//
// Thread-safety: a batch belongs to the thread that made it.

#include <cstddef>
#include <memory>
#include <vector>

#include "server/runtime/worker_pool.hpp"

namespace tombolo::server::sync {

class SyncSocket;

class TurnBatch {
  public:
    /// Collects what this thread asks for until it goes. One at a time.
    explicit TurnBatch(WorkerPool& pool);
    ~TurnBatch();
    TurnBatch(const TurnBatch&) = delete;
    TurnBatch& operator=(const TurnBatch&) = delete;

    /// The calling thread's, if it has one.
    static TurnBatch* current() noexcept;
    void add(std::shared_ptr<SyncSocket> socket);

  private:
    void flush();

    WorkerPool& pool_;
    std::vector<std::shared_ptr<SyncSocket>> sockets_;
    std::size_t chunk_ = 1;
    bool is_first_ = true;
};

} // namespace tombolo::server::sync
