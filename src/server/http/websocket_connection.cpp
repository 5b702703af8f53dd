#include "server/http/websocket_connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tombolo::http {

namespace {

namespace asio = boost::asio;

constexpr std::size_t read_bytes = std::size_t{16} * 1024;
/// Of one socket before others of its thread.
constexpr std::size_t rounds_max = 16;
/// Messages are put together up to this, and larger ones written in pieces of it: each piece has
/// the write timeout, so a slow reader is not cut off as long as it reads at all.
constexpr std::size_t piece_bytes = std::size_t{16} * 1024;
/// Pings beyond are a nuisance, not a sign of life.
constexpr std::size_t pong_queue_bytes_max = std::size_t{256} * 1024;
constexpr std::chrono::seconds close_linger{2};

asio::const_buffer buffer_of(ByteView bytes) {
    return {bytes.data(), bytes.size()};
}

} // namespace

WebSocketConnection::WebSocketConnection(asio::any_io_executor executor, SocketPoller& poller,
                                         std::unique_ptr<Stream> stream, Upgrade upgrade,
                                         std::chrono::milliseconds write_timeout)
    : executor_(std::move(executor)), stream_(std::move(stream)),
      handler_(std::move(upgrade.handler)), limits_(upgrade.limits), write_timeout_(write_timeout),
      reader_(limits_.message_bytes_max), heard_at_(Clock::now()) {
    socket_ = stream_->watch(poller, executor_, *this);
    if (socket_ != nullptr) {
        stream_.reset();
    }
    allow_direct();
}

WebSocketConnection::~WebSocketConnection() {
    end();
}

bool WebSocketConnection::expired(Clock::time_point now) const noexcept {
    return now >= write_deadline_ ||
           (!is_paused_ && now >= heard_at_ + std::chrono::seconds(limits_.silence_seconds));
}

void WebSocketConnection::stop() {
    if (handler_ != nullptr && state_ == State::open) {
        handler_->stopping();
    }
}

void WebSocketConnection::post(std::function<void()> work) {
    asio::post(executor_, std::move(work));
}

void WebSocketConnection::end() {
    if (handler_ == nullptr) {
        return;
    }
    state_ = State::ended;
    close_stream();
    std::vector<Outgoing>().swap(queue_);
    queued_bytes_ = 0;
    const auto handler = std::exchange(handler_, nullptr);
    handler->closed();
}

awaitable<void> WebSocketConnection::run(std::string already_read) {
    const auto self = shared_from_this();
    try {
        handler_->opened(self);
        take(as_bytes(already_read));
        std::string().swap(already_read);
        if (socket_ != nullptr) {
            co_await wait_for_end();
        } else {
            co_await read_loop();
        }
    } catch (const std::exception&) {
        // A handler's failure is its connection's.
        static_cast<void>(self);
    }
    end();
}

awaitable<void> WebSocketConnection::read_loop() {
    for (;;) {
        if (waits_to_read() && !co_await wait_until_resumed()) {
            co_return;
        }
        if (co_await stream_->wait_readable()) {
            co_return;
        }
        const std::unique_ptr<std::byte[]> buffer(new std::byte[read_bytes]);
        const auto [error, count] =
            co_await stream_->read_some(asio::mutable_buffer(buffer.get(), read_bytes));
        if (error || count == 0) {
            co_return;
        }
        heard_at_ = Clock::now();
        take(ByteView(buffer.get(), count));
        stream_->acknowledge_at_once(); // behind it, as below
    }
}

awaitable<bool> WebSocketConnection::wait_until_resumed() {
    signal_ = std::make_unique<asio::steady_timer>(executor_, Clock::time_point::max());
    error_code ignored;
    co_await signal_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    signal_.reset();
    co_return state_ != State::ended;
}

awaitable<void> WebSocketConnection::wait_for_end() {
    if (is_read_) {
        co_return;
    }
    signal_ = std::make_unique<asio::steady_timer>(executor_, Clock::time_point::max());
    error_code ignored;
    co_await signal_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// By the poller, which has nothing more to say of this socket until it was read empty.
void WebSocketConnection::readable(bool is_ending) {
    try {
        if (!read_what_is_there(is_ending)) {
            stop_reading();
        }
    } catch (const std::exception&) {
        stop_reading(); // a handler's failure is its connection's
    }
}

// Into a buffer that all connections of the thread share. False at the end.
bool WebSocketConnection::read_what_is_there(bool is_ending) {
    static thread_local std::array<std::byte, read_bytes> buffer;
    for (std::size_t round = 0; !is_read_ && !waits_to_read(); ++round) {
        if (round == rounds_max) {
            socket_->ask_again(); // others come in between
            return true;
        }
        const std::ptrdiff_t count = socket_->read_now(asio::buffer(buffer));
        if (count <= 0) {
            return count < 0;
        }
        heard_at_ = Clock::now();
        const auto size = static_cast<std::size_t>(count);
        take(ByteView(buffer.data(), size));
        socket_->acknowledge_at_once(); // an answer that was written meanwhile has done it
        if (size < buffer.size() && !is_ending) {
            return true;
        }
    }
    return !is_read_;
}

void WebSocketConnection::stop_reading() noexcept {
    is_read_ = true;
    if (signal_ != nullptr) {
        signal_->cancel();
    }
}

void WebSocketConnection::resume() {
    if (!std::exchange(is_paused_, false)) {
        return;
    }
    heard_at_ = Clock::now();
    if (socket_ != nullptr) {
        socket_->ask_again();
    } else if (signal_ != nullptr) {
        signal_->cancel();
    }
}

void WebSocketConnection::take(ByteView bytes) {
    while (!bytes.empty() && state_ == State::open) {
        FrameReader::Event event = reader_.read(bytes);
        switch (event.kind) {
        case FrameReader::Kind::need_more:
            return;
        case FrameReader::Kind::binary:
            handler_->received(std::move(event.payload));
            break;
        case FrameReader::Kind::text:
            close(1003, "only binary messages are understood");
            return;
        case FrameReader::Kind::ping:
            answer_ping(std::move(event.payload));
            break;
        case FrameReader::Kind::pong:
            break;
        case FrameReader::Kind::close:
            // The code is echoed; without one, without.
            close_payload_ = std::move(event.payload);
            close_payload_.resize(close_payload_.size() < 2 ? 0 : 2);
            state_ = State::closing;
            stop_direct();
            start_writer();
            return;
        case FrameReader::Kind::fault:
            close(event.code, event.reason);
            return;
        }
    }
}

void WebSocketConnection::answer_ping(BinaryMessage payload) {
    if (queued_bytes_ <= pong_queue_bytes_max) {
        enqueue({FrameOpcode::pong, std::move(payload)}, SendOrder::first);
    }
}

void WebSocketConnection::send(BinaryMessage message, SendOrder order) {
    if (state_ == State::open) {
        enqueue({FrameOpcode::binary, std::move(message)}, order);
    }
}

void WebSocketConnection::enqueue(Outgoing outgoing, SendOrder order) {
    queued_bytes_ += outgoing.payload.size();
    queue_.insert(order == SendOrder::first ? queue_.begin() : queue_.end(), std::move(outgoing));
    start_writer();
}

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
    if (state_ != State::open) {
        return;
    }
    state_ = State::closing;
    stop_direct();
    if (code != 0) {
        close_payload_ = close_payload(code, reason);
    } else {
        close_payload_.clear();
    }
    resume();
    start_writer();
}

void WebSocketConnection::start_writer() {
    if (!is_writing_) {
        stop_direct();
        is_writing_ = true;
        asio::co_spawn(executor_, write_loop(shared_from_this()), asio::detached);
    }
}

// Takes the shared pointer so that the connection outlives the coroutine.
awaitable<void> WebSocketConnection::write_loop(std::shared_ptr<WebSocketConnection> self) {
    try {
        bool goes_on = true;
        for (;;) {
            write_deadline_ = Clock::now() + write_timeout_;
            if (Remainder remainder = take_remainder(); !remainder.bytes.empty()) {
                goes_on = co_await write_remainder(std::move(remainder));
            }
            if (!goes_on || queue_.empty() || state_ == State::ended) {
                break;
            }
            goes_on = co_await write_next();
        }
        if (state_ == State::closing) {
            co_await write_close();
        }
    } catch (const std::exception&) {
        close_stream();
    }
    if (state_ == State::open) {
        write_deadline_ = Clock::time_point::max();
    }
    is_writing_ = false;
    allow_direct();
    static_cast<void>(self);
}

// False when the connection is gone.
awaitable<bool> WebSocketConnection::write_remainder(Remainder remainder) {
    const error_code error = co_await write_pieces({}, remainder.bytes);
    if (error || state_ == State::ended) {
        close_stream();
        co_return false;
    }
    if (state_ == State::open) {
        handler_->written(remainder.payload_bytes);
    }
    co_return true;
}

// One message, or several small ones together; false when the connection is gone.
awaitable<bool> WebSocketConnection::write_next() {
    Outgoing first = std::move(queue_.front());
    queue_.erase(queue_.begin());
    const FrameHead first_head(first.opcode, first.payload.size());
    std::size_t size = first.payload.size();
    std::size_t messages_size = first.opcode == FrameOpcode::binary ? size : 0;
    error_code error;
    if (queue_.empty() || size >= piece_bytes) {
        error = co_await write_pieces(first_head.bytes(), first.payload);
    } else {
        BinaryMessage together;
        const auto append = [&together](const Outgoing& one) {
            const FrameHead head(one.opcode, one.payload.size());
            together.insert(together.end(), head.bytes().begin(), head.bytes().end());
            together.insert(together.end(), one.payload.begin(), one.payload.end());
        };
        append(first);
        auto next = queue_.begin();
        for (; next != queue_.end() && together.size() + next->payload.size() < piece_bytes;
             ++next) {
            append(*next);
            size += next->payload.size();
            messages_size += next->opcode == FrameOpcode::binary ? next->payload.size() : 0;
        }
        queue_.erase(queue_.begin(), next);
        error = co_await write_pieces(together, {});
    }
    if (state_ == State::ended) {
        co_return false;
    }
    queued_bytes_ -= size;
    if (state_ == State::open && !error && messages_size > 0) {
        handler_->written(messages_size);
    }
    if (queue_.empty()) {
        std::vector<Outgoing>().swap(queue_);
    }
    if (error) {
        close_stream(); // the reader notices and ends the connection
        co_return false;
    }
    co_return true;
}

awaitable<error_code> WebSocketConnection::write_pieces(ByteView head, ByteView payload) {
    for (;;) {
        const ByteView piece = payload.first(std::min(payload.size(), piece_bytes));
        payload = payload.subspan(piece.size());
        const error_code error = co_await write_all(head, piece);
        if (error || payload.empty()) {
            co_return error;
        }
        head = {};
        write_deadline_ = Clock::now() + write_timeout_;
    }
}

awaitable<void> WebSocketConnection::write_close() {
    // Whoever does not end TCP now has it ended for him.
    write_deadline_ = Clock::now() + close_linger;
    if (!close_payload_.empty()) {
        const FrameHead head(FrameOpcode::close, close_payload_.size());
        const error_code error = co_await write_all(head.bytes(), close_payload_);
        if (error) {
            close_stream();
            co_return;
        }
    }
    if (socket_ != nullptr) {
        socket_->shutdown();
    } else {
        co_await stream_->shutdown();
    }
}

awaitable<error_code> WebSocketConnection::write_all(ByteView head, ByteView payload) {
    const std::array buffers{buffer_of(head), buffer_of(payload)};
    return socket_ != nullptr ? socket_->write(buffers) : stream_->write(buffers);
}

} // namespace tombolo::http
