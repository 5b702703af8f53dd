#include "server/sync/session/crowd.hpp"

#include <utility>

#include "server/sync/session/sync_socket.hpp"

namespace tombolo::server::sync {

void Crowd::submit(Chunk chunk) {
    {
        const MutexLock lock(mutex_);
        chunks_.push_back(std::move(chunk));
        if (threads_ == threads_max_) {
            return;
        }
        ++threads_;
    }
    if (!pool_.submit([this] { run(); })) {
        give_up();
    }
}

void Crowd::run() {
    for (Chunk chunk; take(chunk);) {
        for (std::shared_ptr<SyncSocket>& socket : chunk) {
            std::exchange(socket, nullptr)->turn_in_crowd();
        }
        if (has_pool_alone_ && pool_.queued() > 0 && pool_.submit([this] { run(); })) {
            return;
        }
    }
}

bool Crowd::take(Chunk& chunk) {
    const MutexLock lock(mutex_);
    if (chunks_.empty()) {
        --threads_;
        return false;
    }
    chunk = std::move(chunks_.front());
    chunks_.pop_front();
    return true;
}

void Crowd::give_up() {
    std::deque<Chunk> dropped; // goes without the lock
    const MutexLock lock(mutex_);
    --threads_;
    if (threads_ == 0) {
        dropped.swap(chunks_);
    }
}

} // namespace tombolo::server::sync
