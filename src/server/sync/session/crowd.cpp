#include "server/sync/session/crowd.hpp"

#include <chrono>
#include <utility>

#include "server/sync/session/sync_socket.hpp"

namespace tombolo::server::sync {

namespace {

/// A hundred times what it takes to tell a session of one write.
constexpr std::chrono::milliseconds long_turn{1};

} // namespace

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

void Crowd::submit_alone(std::shared_ptr<SyncSocket> socket) {
    // A stopping pool takes nothing more; what is left ends with the last reference.
    static_cast<void>(pool_.submit(
        [socket = std::move(socket)]() mutable { std::exchange(socket, nullptr)->turn(); }));
}

void Crowd::run() {
    for (Chunk chunk; take(chunk);) {
        for (std::shared_ptr<SyncSocket>& socket : chunk) {
            const auto began = std::chrono::steady_clock::now();
            std::exchange(socket, nullptr)->turn_in_crowd();
            if (std::chrono::steady_clock::now() - began > long_turn) {
                disperse(std::move(chunk));
                break;
            }
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

void Crowd::disperse(Chunk rest) {
    std::deque<Chunk> chunks;
    {
        const MutexLock lock(mutex_);
        chunks.swap(chunks_);
    }
    chunks.push_front(std::move(rest));
    for (Chunk& chunk : chunks) {
        for (std::shared_ptr<SyncSocket>& socket : chunk) {
            if (socket != nullptr) { // has not had its turn
                submit_alone(std::move(socket));
            }
        }
    }
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
