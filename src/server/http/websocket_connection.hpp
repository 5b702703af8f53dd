#pragma once

// A connection after its upgrade: the reading and writing behind WebSocket.
//
// Lives on one I/O thread. Plain TCP is watched by the thread's SocketPoller, which calls
// readable(); of TLS a coroutine reads for as long as the connection lives. Another coroutine
// writes while there is something to write, so that an idle connection holds neither buffers nor a
// second frame. deliver() writes from the caller's thread as long as the writing coroutine has
// nothing to do (direct_): what thousands of connections are told at once then costs a system call
// each, and no change of threads. Not with TLS, whose state reading shares. After close() what
// still comes is read and dropped, so that the system does not answer it with a reset that
// overtakes the close frame.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "core/mutex.hpp"
#include "server/http/stream.hpp"
#include "server/http/websocket.hpp"
#include "server/http/websocket_frames.hpp"

namespace tombolo::http {

class WebSocketConnection final : public WebSocket,
                                  private WatchedSocket::Reader,
                                  public std::enable_shared_from_this<WebSocketConnection> {
  public:
    using Clock = std::chrono::steady_clock;

    /// The poller is the executor's thread's.
    WebSocketConnection(boost::asio::any_io_executor executor, SocketPoller& poller,
                        std::unique_ptr<Stream> stream, Upgrade upgrade,
                        std::chrono::milliseconds write_timeout);
    ~WebSocketConnection() override;

    /// Until the connection ends. `already_read` came behind the upgrade request.
    awaitable<void> run(std::string already_read);
    /// Tells the handler that the server stops.
    void stop();
    /// Ends TCP at once.
    void close_now() noexcept { close_stream(); }
    /// After the thread has ended.
    void abandon() { end(); }
    bool expired(Clock::time_point now) const noexcept;

    void post(std::function<void()> work) override;
    void send(BinaryMessage message, SendOrder order) override;
    std::size_t deliver(std::vector<BinaryMessage> messages) override;
    std::size_t queued_bytes() const noexcept override { return queued_bytes_; }
    void pause() noexcept override { is_paused_ = true; }
    void resume() override;
    void close(std::uint16_t code, std::string_view reason) override;
    bool is_open() const noexcept override { return state_ == State::open; }

  private:
    struct Outgoing {
        FrameOpcode opcode = FrameOpcode::binary;
        BinaryMessage payload;
    };
    /// What the system did not take of a deliver(): goes before everything else.
    struct Remainder {
        BinaryMessage bytes;
        std::size_t payload_bytes = 0;
    };
    /// May deliver() write? Guards the stream against being closed meanwhile.
    struct Direct {
        Mutex mutex;
        bool is_open TOMBOLO_GUARDED_BY(mutex) = false;
        unsigned handed_over TOMBOLO_GUARDED_BY(mutex) = 0; ///< and not yet queued
        Remainder remainder TOMBOLO_GUARDED_BY(mutex);
    };
    enum class State : std::uint8_t { open, closing, ended };

    awaitable<void> read_loop();
    awaitable<bool> wait_until_resumed();
    awaitable<void> wait_for_end();
    void readable(bool is_ending) override;
    bool read_what_is_there(bool is_ending);
    void stop_reading() noexcept;
    bool waits_to_read() const noexcept { return is_paused_ && state_ == State::open; }
    void take(ByteView bytes);
    void answer_ping(BinaryMessage payload);
    void enqueue(Outgoing outgoing, SendOrder order);
    void start_writer();
    void stop_direct();
    void allow_direct();
    Remainder take_remainder();
    void take_over(std::vector<BinaryMessage> messages);
    std::size_t write_direct(std::vector<BinaryMessage>& messages) TOMBOLO_REQUIRES(direct_.mutex);
    void close_stream() noexcept;
    awaitable<void> write_loop(std::shared_ptr<WebSocketConnection> self);
    awaitable<bool> write_next();
    awaitable<bool> write_remainder(Remainder remainder);
    awaitable<error_code> write_pieces(ByteView head, ByteView payload);
    awaitable<error_code> write_all(ByteView head, ByteView payload);
    awaitable<void> write_close();
    void end();

    boost::asio::any_io_executor executor_;
    // One of both.
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<WatchedSocket> socket_;
    std::shared_ptr<WebSocketHandler> handler_; ///< until closed() was called
    WebSocketLimits limits_;
    std::chrono::milliseconds write_timeout_;
    FrameReader reader_;
    std::vector<Outgoing> queue_;
    std::size_t queued_bytes_ = 0;
    /// While run() waits to go on reading, or for the end of what is read elsewhere.
    std::unique_ptr<boost::asio::steady_timer> signal_;
    BinaryMessage close_payload_;
    Clock::time_point heard_at_;
    Clock::time_point write_deadline_ = Clock::time_point::max();
    State state_ = State::open;
    Direct direct_;
    bool is_paused_ = false;
    bool is_read_ = false; ///< to the end, or closed
    bool is_writing_ = false;
};

} // namespace tombolo::http
