#pragma once

// One accepted connection's bytes, plain or TLS behind one face, so that the HTTP code is compiled
// once.
//
// Thread-safety: none; all calls on the thread that runs the socket's io_context.

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "server/http/watched_socket.hpp"

namespace tombolo::http {

using Tcp = boost::asio::ip::tcp;
using boost::asio::awaitable;
using boost::system::error_code;

class Stream {
  public:
    virtual ~Stream() = default;

    virtual awaitable<error_code> handshake() = 0;
    /// Waits without a buffer until there is something to read.
    virtual awaitable<error_code> wait_readable() = 0;
    /// At least one byte, or an error.
    virtual awaitable<std::pair<error_code, std::size_t>>
    read_some(boost::asio::mutable_buffer buffer) = 0;
    /// All of both.
    virtual awaitable<error_code> write(std::array<boost::asio::const_buffer, 2> buffers) = 0;
    /// Has what was received acknowledged now and not with the next data sent: a peer that leaves
    /// Nagle's algorithm on waits for it (sync-protocol.md 1.8). Call it after every read.
    virtual void acknowledge_at_once() noexcept = 0;
    /// Plain TCP becomes a watched socket and this stream is over; null: it goes on as it is.
    virtual std::unique_ptr<WatchedSocket> watch(SocketPoller& poller,
                                                 const boost::asio::any_io_executor& executor,
                                                 WatchedSocket::Reader& reader) = 0;
    /// Says goodbye as the transport has it, as far as that is possible at once.
    virtual awaitable<void> shutdown() = 0;
    /// Ends all of the above with an error.
    virtual void close() noexcept = 0;
    virtual bool secure() const noexcept = 0;
    /// Empty when the peer is gone already.
    virtual std::string remote_address() const = 0;
};

std::unique_ptr<Stream> make_plain_stream(Tcp::socket socket);
/// `context` is kept alive by the stream.
std::unique_ptr<Stream> make_tls_stream(Tcp::socket socket,
                                        std::shared_ptr<boost::asio::ssl::context> context);

/// What Stream::acknowledge_at_once() does, with any TCP socket. Not kept by the system: it turns
/// itself off again.
void set_quick_ack(int socket) noexcept;

} // namespace tombolo::http
