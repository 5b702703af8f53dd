#pragma once

// A WebSocket as the application sees it: whole binary messages, no Asio (sync-protocol.md 1.8).
//
// A route answers an upgrade with websocket_response(); the connection then belongs to the given
// WebSocketHandler until it ends. Only binary messages count; pings are answered here. Nothing is
// held for an idle connection but the objects themselves.
//
// Back-pressure: what is sent is queued without limit, so the handler counts what it has sent and
// what written() tells it, and stops reading by pause() while it has enough to do. A peer that
// takes nothing for the write timeout is cut off.
//
// Thread-safety: every connection lives on one I/O thread. All calls of the handler come on it, and
// all members are to be called on it, but post() and deliver(), which any thread may call as long
// as the Server lives.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "server/http/message.hpp"

namespace tombolo::http {

using BinaryMessage = std::vector<std::byte>;

enum class SendOrder : std::uint8_t {
    in_turn,
    first, ///< in front of what is queued, behind what is being written
};

class WebSocket {
  public:
    virtual ~WebSocket() = default;

    /// Runs `work` on the connection's thread, later, also after the connection has ended.
    virtual void post(std::function<void()> work) = 0;

    /// Nothing happens after close() or the connection's end.
    virtual void send(BinaryMessage message, SendOrder order = SendOrder::in_turn) = 0;
    /// As send(), from a thread of the caller's: written there and then when nothing waits before
    /// it and the system takes it. The payload bytes that are done with; written() tells of the
    /// others. One call at a time.
    virtual std::size_t deliver(std::vector<BinaryMessage> messages) = 0;
    /// Not yet handed to the system.
    virtual std::size_t queued_bytes() const noexcept = 0;

    /// No more messages are read until resume(); those that were read already still come.
    virtual void pause() noexcept = 0;
    virtual void resume() = 0;

    /// Sends what is queued, a close frame, and ends TCP. Code 0: no frame, only the end of TCP.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    virtual bool is_open() const noexcept = 0;
};

class WebSocketHandler {
  public:
    virtual ~WebSocketHandler() = default;

    /// First of all. The socket lives until closed() has returned, or longer if it is kept.
    virtual void opened(std::shared_ptr<WebSocket> socket) = 0;
    virtual void received(BinaryMessage message) = 0;
    /// So many payload bytes of what was sent were handed to the system.
    virtual void written(std::size_t bytes) = 0;
    /// The server stops: say goodbye and close().
    virtual void stopping() = 0;
    /// Last of all, on every connection that was opened.
    virtual void closed() = 0;
};

struct WebSocketLimits {
    /// A longer message ends the connection with 1009.
    std::size_t message_bytes_max = std::size_t{20} * 1024 * 1024;
    /// A connection from which nothing comes for so long is given up.
    std::uint32_t silence_seconds = 720;
};

/// What a 101 turns the connection into.
struct Upgrade {
    std::shared_ptr<WebSocketHandler> handler;
    WebSocketLimits limits;
};

/// True when the request's headers ask for a WebSocket.
bool asks_for_websocket(const Request& request) noexcept;

/// The 101 to a request that asks for a WebSocket. invalid_argument, to be answered with 400, when
/// it does so in a way that RFC 6455 does not allow. An empty subprotocol is not sent.
Result<Response> websocket_response(const Request& request, std::string_view subprotocol,
                                    Upgrade upgrade);

} // namespace tombolo::http
