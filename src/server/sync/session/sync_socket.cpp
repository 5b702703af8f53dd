#include "server/sync/session/sync_socket.hpp"

#include <utility>

#include "server/sync/session/turn_batch.hpp"

namespace tombolo::server::sync {

namespace {

constexpr std::size_t inbox_bytes_max = std::size_t{1} << 20;
constexpr std::size_t inbox_messages_max = 256;
/// The engine is asked for more while less than this is unwritten.
constexpr std::size_t room_bytes = std::size_t{256} * 1024;
/// Messages in, and messages out, handled in one turn.
constexpr unsigned messages_a_turn = 16;
/// Out in a turn that others wait for; the second finds that there is none, as a rule.
constexpr unsigned few_messages = 2;
/// Handled on the I/O thread: there is no work in it that could keep others waiting.
constexpr std::size_t quick_bytes_max = 4096;

// A small UPLOAD that is not compressed: it is checked and queued for the engine.
bool is_quick(ByteView message) {
    const std::string_view text = as_text(message);
    if (message.size() > quick_bytes_max || !text.starts_with("upload ")) {
        return false;
    }
    const std::size_t ident_end = text.find(' ', 7);
    return ident_end != std::string_view::npos && text.substr(ident_end).starts_with(" 0 ");
}

} // namespace

std::shared_ptr<SyncSocket> SyncSocket::create(const ObjectId& app, ConnectionSetup setup,
                                               WorkerPool& pool,
                                               std::function<void(SyncSocket&)> on_end) {
    std::shared_ptr<SyncSocket> socket(
        new SyncSocket(app, setup.user_id, setup.dialect, pool, std::move(on_end)));
    socket->live_ = setup.live;
    socket->connection_ = std::make_unique<Connection>(std::move(setup), *socket, socket);
    return socket;
}

SyncSocket::SyncSocket(const ObjectId& app, std::string user_id, protocol::Dialect dialect,
                       WorkerPool& pool, std::function<void(SyncSocket&)> on_end)
    : app_id_(app), user_id_(std::move(user_id)), dialect_(dialect), pool_(pool),
      on_end_(std::move(on_end)) {}

SyncSocket::~SyncSocket() {
    connection_.reset();
    if (on_end_) {
        on_end_(*this);
    }
}

void SyncSocket::opened(std::shared_ptr<http::WebSocket> socket) {
    socket_ = std::move(socket);
    const MutexLock lock(mutex_);
    orders_.open = true;
    schedule();
}

void SyncSocket::received(http::BinaryMessage message) {
    protocol::MessageBytes pong = Connection::answer_ping(message, dialect_);
    if (!pong.empty()) {
        unwritten_bytes_ += pong.size();
        socket_->send(std::move(pong), http::SendOrder::first);
        return;
    }
    if (is_quick(message) && take_turn_here(message)) {
        return;
    }
    const MutexLock lock(mutex_);
    inbox_bytes_ += message.size();
    inbox_.push_back(std::move(message));
    if (inbox_bytes_ > inbox_bytes_max || inbox_.size() > inbox_messages_max) {
        is_paused_ = true;
        socket_->pause();
    }
    schedule();
}

// On the I/O thread, when the strand is free: the engine is told of an upload without a change of
// threads. False: the message has to wait its turn.
bool SyncSocket::take_turn_here(const http::BinaryMessage& message) {
    {
        const MutexLock lock(mutex_);
        if (is_scheduled_ || !inbox_.empty()) {
            return false;
        }
        is_scheduled_ = true;
        runs_again_ = false;
    }
    const bool takes = !connection_->is_over() && connection_->takes_input();
    if (takes) {
        connection_->receive(message);
        flush();
    }
    const MutexLock lock(mutex_);
    is_scheduled_ = false;
    if (runs_again_) {
        schedule();
    }
    return takes;
}

void SyncSocket::written(std::size_t bytes) {
    // Whoever makes room asks for the turn that uses it.
    const std::size_t before = unwritten_bytes_.fetch_sub(bytes);
    if (before >= room_bytes && before - bytes < room_bytes) {
        wake();
    }
}

void SyncSocket::stopping() {
    const MutexLock lock(mutex_);
    orders_.stop = true;
    schedule();
}

void SyncSocket::closed() {
    const MutexLock lock(mutex_);
    orders_.end = true;
    inbox_.clear();
    inbox_bytes_ = 0;
    schedule();
}

void SyncSocket::wake() {
    const MutexLock lock(mutex_);
    schedule();
}

void SyncSocket::close_soon(std::uint16_t code, std::string reason) {
    const MutexLock lock(mutex_);
    orders_.close = true;
    orders_.close_code = code;
    orders_.close_reason = std::move(reason);
    schedule();
}

void SyncSocket::schedule() {
    if (is_scheduled_) {
        runs_again_ = true;
        return;
    }
    if (TurnBatch* batch = TurnBatch::current()) {
        is_scheduled_ = true;
        batch->add(shared_from_this());
        return;
    }
    // A stopping pool takes nothing more; what is left ends with the last reference.
    is_scheduled_ = pool_.submit([self = shared_from_this()] { self->turn(); });
}

void SyncSocket::turn() {
    run_turn(Connection::messages_a_turn);
}

void SyncSocket::turn_in_crowd() {
    run_turn(few_messages);
}

bool SyncSocket::turn_here() {
    {
        const MutexLock lock(mutex_);
        if (!inbox_.empty()) {
            return false;
        }
    }
    run_turn(few_messages);
    return true;
}

void SyncSocket::run_turn(unsigned messages_max) {
    Orders orders;
    {
        const MutexLock lock(mutex_);
        runs_again_ = false;
        orders = std::exchange(orders_, {});
    }
    carry_out(orders);
    bool more = handle_input();
    more = connection_->pump(messages_max) || more;
    flush();
    const MutexLock lock(mutex_);
    is_scheduled_ = false;
    if (more || runs_again_) {
        schedule();
    }
}

void SyncSocket::carry_out(const Orders& orders) {
    if (orders.open) {
        connection_->open();
    }
    if (orders.close && !connection_->is_over()) {
        connection_->end();
        close(orders.close_code, orders.close_reason);
    }
    if (orders.stop) {
        connection_->shut_down();
    }
    if (orders.end) {
        connection_->end();
        outbox_.clear();
    }
}

// True when there is more that could be handled.
bool SyncSocket::handle_input() {
    for (unsigned count = 0; count < messages_a_turn; ++count) {
        http::BinaryMessage message;
        {
            const MutexLock lock(mutex_);
            if (inbox_.empty() || connection_->is_over() || !connection_->takes_input()) {
                return false;
            }
            message = std::move(inbox_.front());
            inbox_.erase(inbox_.begin());
            inbox_bytes_ -= message.size();
            if (inbox_.empty()) {
                std::vector<http::BinaryMessage>().swap(inbox_);
            }
            if (is_paused_ && inbox_bytes_ < inbox_bytes_max / 2 &&
                inbox_.size() < inbox_messages_max / 2) {
                is_paused_ = false;
                socket_->post([socket = socket_] { socket->resume(); });
            }
        }
        connection_->receive(message);
    }
    return true;
}

void SyncSocket::send(protocol::MessageBytes message) {
    unwritten_bytes_ += message.size();
    outbox_.push_back(std::move(message));
}

void SyncSocket::close(std::uint16_t code, std::string_view reason) {
    closes_ = true;
    close_code_ = code;
    close_reason_ = reason;
}

bool SyncSocket::has_room() const noexcept {
    return unwritten_bytes_ < room_bytes;
}

// Writes the turn's output, or hands it to the I/O thread where the socket is not ready for it.
void SyncSocket::flush() {
    if (!outbox_.empty()) {
        written(socket_->deliver(std::exchange(outbox_, {})));
    }
    if (std::exchange(closes_, false)) {
        socket_->post([socket = socket_, code = close_code_,
                       reason = std::exchange(close_reason_, {})] { socket->close(code, reason); });
    }
}

} // namespace tombolo::server::sync
