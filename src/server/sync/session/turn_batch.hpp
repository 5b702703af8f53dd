#pragma once

// Turns of many connections that are asked for by one thread, handed to the pool together.
//
// A commit concerns thousands of sessions at once, and waking a thread for each costs more than
// what it then does. The first two are kept: where they are all, a thread that has nothing else to
// do takes them itself. When there are more they go to the pool, at first one by one, then in
// growing chunks to the crowd, which runs each one after the other; the last when the batch ends.
//
// Thread-safety: a batch belongs to the thread that made it.

#include <cstddef>
#include <memory>
#include <vector>

#include "server/sync/session/crowd.hpp"

namespace tombolo::server::sync {

class SyncSocket;

class TurnBatch {
  public:
    /// Collects what this thread asks for until it goes. One at a time.
    explicit TurnBatch(Crowd& crowd);
    ~TurnBatch();
    TurnBatch(const TurnBatch&) = delete;
    TurnBatch& operator=(const TurnBatch&) = delete;

    /// The calling thread's, if it has one.
    static TurnBatch* current() noexcept;
    void add(std::shared_ptr<SyncSocket> socket);
    /// To the pool with what is left.
    void flush();
    /// Runs what is left on this thread, where that is little; the batch ends with it.
    void take_here();

  private:
    static constexpr std::size_t kept_max = 2;

    Crowd& crowd_;
    std::vector<std::shared_ptr<SyncSocket>> sockets_;
    std::size_t chunk_ = 0; ///< 0: the first are kept
};

} // namespace tombolo::server::sync
