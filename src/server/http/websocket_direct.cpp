// deliver(): writing from another thread than the connection's.

#include <algorithm>
#include <array>
#include <utility>

#include "server/http/websocket_connection.hpp"

namespace tombolo::http {

namespace {

namespace asio = boost::asio;

/// Written together; a sync connection's turn makes no more.
constexpr std::size_t messages_max = 16;

asio::const_buffer buffer_of(ByteView bytes) {
    return {bytes.data(), bytes.size()};
}

} // namespace

void WebSocketConnection::stop_direct() {
    const MutexLock lock(direct_.mutex);
    direct_.is_open = false;
}

// What was handed over and is not queued yet comes first.
void WebSocketConnection::allow_direct() {
    const MutexLock lock(direct_.mutex);
    direct_.is_open = state_ == State::open && direct_.handed_over == 0 && socket_ != nullptr;
}

WebSocketConnection::Remainder WebSocketConnection::take_remainder() {
    const MutexLock lock(direct_.mutex);
    return std::exchange(direct_.remainder, {});
}

void WebSocketConnection::close_stream() noexcept {
    const MutexLock lock(direct_.mutex);
    direct_.is_open = false;
    if (socket_ != nullptr) {
        socket_->close();
        stop_reading();
    } else {
        stream_->close();
    }
}

std::size_t WebSocketConnection::deliver(std::vector<BinaryMessage> messages) {
    std::size_t done = 0;
    bool has_remainder = false;
    {
        const MutexLock lock(direct_.mutex);
        if (direct_.is_open) {
            done = write_direct(messages);
            has_remainder = !direct_.remainder.bytes.empty();
        }
        if (messages.empty() && !has_remainder) {
            return done;
        }
        direct_.is_open = false;
        ++direct_.handed_over;
    }
    post([self = shared_from_this(), rest = std::move(messages)]() mutable {
        self->take_over(std::move(rest));
    });
    return done;
}

void WebSocketConnection::take_over(std::vector<BinaryMessage> messages) {
    bool has_remainder = false;
    {
        const MutexLock lock(direct_.mutex);
        --direct_.handed_over;
        has_remainder = !direct_.remainder.bytes.empty();
    }
    for (BinaryMessage& message : messages) {
        send(std::move(message), SendOrder::in_turn);
    }
    if (state_ == State::open && !is_writing_) {
        if (has_remainder) {
            start_writer();
        } else {
            allow_direct();
        }
    }
}

// Removes what was written, in whole or in part; the payload bytes of the former.
std::size_t WebSocketConnection::write_direct(std::vector<BinaryMessage>& messages) {
    std::size_t done = 0;
    while (!messages.empty()) {
        const std::size_t count = std::min(messages.size(), messages_max);
        std::array<FrameHead, messages_max> heads;
        std::array<asio::const_buffer, 2 * messages_max> buffers;
        for (std::size_t i = 0; i < count; ++i) {
            heads[i] = FrameHead(FrameOpcode::binary, messages[i].size());
            buffers[2 * i] = buffer_of(heads[i].bytes());
            buffers[2 * i + 1] = buffer_of(messages[i]);
        }
        std::size_t sent = socket_->write_now(std::span(buffers).first(2 * count));
        std::size_t whole = 0;
        for (; whole < count; ++whole) {
            const ByteView head = heads[whole].bytes();
            const std::size_t size = head.size() + messages[whole].size();
            if (sent < size) {
                break;
            }
            sent -= size;
            done += messages[whole].size();
        }
        if (whole < count && sent > 0) {
            Remainder& remainder = direct_.remainder;
            const ByteView head = heads[whole].bytes();
            const BinaryMessage& cut = messages[whole];
            remainder.payload_bytes = cut.size();
            if (sent < head.size()) {
                remainder.bytes.assign(head.begin() + static_cast<std::ptrdiff_t>(sent),
                                       head.end());
                sent = head.size();
            }
            remainder.bytes.insert(remainder.bytes.end(),
                                   cut.begin() + static_cast<std::ptrdiff_t>(sent - head.size()),
                                   cut.end());
            ++whole;
        }
        messages.erase(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(whole));
        if (whole < count || !direct_.remainder.bytes.empty()) {
            return done;
        }
    }
    return done;
}

} // namespace tombolo::http
