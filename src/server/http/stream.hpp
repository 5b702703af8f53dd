#pragma once

// One accepted connection's bytes, plain or TLS behind one face, so that the HTTP code is compiled
// once.
//
// Thread-safety: none; all calls on the thread that runs the socket's io_context, but write_now(),
// which any thread may call while no write() is under way and close() is kept from happening.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

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
    /// As much of the buffers as the system takes at once; 0 when it takes nothing, also after an
    /// error, which write() then meets.
    virtual std::size_t write_now(std::span<const boost::asio::const_buffer> buffers) noexcept = 0;
    /// What is there: bytes, 0 at the end or after an error, -1 when there is nothing for now.
    virtual std::ptrdiff_t read_now(boost::asio::mutable_buffer buffer) noexcept = 0;
    /// write_now() and read_now() are of use.
    virtual bool is_direct() const noexcept = 0;
    /// Has what was received acknowledged now and not with the next data sent: a peer that leaves
    /// Nagle's algorithm on waits for it (sync-protocol.md 1.8). Call it after every read.
    virtual void acknowledge_at_once() noexcept = 0;
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

} // namespace tombolo::http
