#include "server/sync/session/turn_batch.hpp"

#include <algorithm>
#include <utility>

#include "server/sync/session/sync_socket.hpp"

namespace tombolo::server::sync {

namespace {

/// Turns are short, but one may read a part of a bootstrap.
constexpr std::size_t chunk_max = 16;

thread_local TurnBatch* batch_of_thread = nullptr;

} // namespace

TurnBatch::TurnBatch(WorkerPool& pool) : pool_(pool) {
    batch_of_thread = this;
}

TurnBatch::~TurnBatch() {
    flush();
    batch_of_thread = nullptr;
}

TurnBatch* TurnBatch::current() noexcept {
    return batch_of_thread;
}

void TurnBatch::add(std::shared_ptr<SyncSocket> socket) {
    sockets_.push_back(std::move(socket));
    if (sockets_.size() >= chunk_) {
        flush();
        // One, one, two, four...
        chunk_ = is_first_ ? 1 : std::min(2 * chunk_, chunk_max);
        is_first_ = false;
    }
}

void TurnBatch::flush() {
    if (sockets_.empty()) {
        return;
    }
    // A stopping pool takes nothing more; what is left ends with the last reference.
    static_cast<void>(pool_.submit([sockets = std::exchange(sockets_, {})]() mutable {
        for (std::shared_ptr<SyncSocket>& socket : sockets) {
            std::exchange(socket, nullptr)->turn();
        }
    }));
}

} // namespace tombolo::server::sync
