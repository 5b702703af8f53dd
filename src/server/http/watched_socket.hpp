#pragma once

// A plain TCP socket whose reader is called by a SocketPoller: a WebSocket's, after its upgrade.
//
// Thread-safety: none; all calls on the thread that runs the poller, but write_now(), which any
// thread may call while no write() is under way and close() is kept from happening.

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/http/socket_poller.hpp"

namespace tombolo::http {

class WatchedSocket final : private PolledSocket {
  public:
    class Reader {
      public:
        /// There is something to read, or the end of it. `is_ending`: read all of it, nothing more
        /// will be told.
        virtual void readable(bool is_ending) = 0;

      protected:
        ~Reader() = default;
    };

    /// Takes the descriptor over, unless null is returned: the system has no room for it. The
    /// reader and the poller outlive it.
    static std::unique_ptr<WatchedSocket>
    create(int socket, SocketPoller& poller, boost::asio::any_io_executor executor, Reader& reader);
    ~WatchedSocket() override;
    WatchedSocket(const WatchedSocket&) = delete;
    WatchedSocket& operator=(const WatchedSocket&) = delete;

    /// What is there: bytes, 0 at the end or after an error, -1 when there is nothing for now.
    std::ptrdiff_t read_now(boost::asio::mutable_buffer buffer) noexcept;
    /// For a reader that stopped before read_now() gave less than the buffer takes.
    void ask_again() noexcept { poller_.ask_again(socket_, *this); }
    /// As much of the buffers as the system takes at once; 0 when it takes nothing, also after an
    /// error, which write() then meets.
    std::size_t write_now(std::span<const boost::asio::const_buffer> buffers) noexcept;
    /// All of both.
    boost::asio::awaitable<boost::system::error_code>
    write(std::array<boost::asio::const_buffer, 2> buffers);
    /// As Stream's.
    void acknowledge_at_once() noexcept;
    /// Ends what is sent.
    void shutdown() noexcept;
    /// Ends a write() with an error; the reader is not called again.
    void close() noexcept;

  private:
    WatchedSocket(int socket, SocketPoller& poller, boost::asio::any_io_executor executor,
                  Reader& reader);
    void happened(Happened what) override;

    int socket_; ///< -1: closed
    SocketPoller& poller_;
    Reader& reader_;
    const boost::asio::any_io_executor executor_;
    std::unique_ptr<boost::asio::steady_timer> room_; ///< while write() waits for it
};

} // namespace tombolo::http
