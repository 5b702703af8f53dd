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

TurnBatch::TurnBatch(Crowd& crowd) : crowd_(crowd) {
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
    if (sockets_.size() > (chunk_ == 0 ? kept_max : chunk_ - 1)) {
        flush();
    }
}

void TurnBatch::flush() {
    if (sockets_.empty()) {
        return;
    }
    std::vector<std::shared_ptr<SyncSocket>> sockets = std::exchange(sockets_, {});
    if (chunk_ != 0) {
        crowd_.submit(std::move(sockets));
        chunk_ = std::min(2 * chunk_, chunk_max);
        return;
    }
    for (std::shared_ptr<SyncSocket>& socket : sockets) {
        crowd_.submit_alone(std::move(socket));
    }
    chunk_ = 2;
}

void TurnBatch::take_here() {
    if (chunk_ != 0) {
        return;
    }
    batch_of_thread = nullptr; // a turn may ask for the next one
    for (std::shared_ptr<SyncSocket>& socket : std::exchange(sockets_, {})) {
        if (!socket->turn_here()) {
            crowd_.submit_alone(std::move(socket));
        }
    }
}

} // namespace tombolo::server::sync
