#pragma once

// One HTTP/1.1 connection: reads a request, has it handled, writes the response, and again.
//
// Lives on one I/O thread. Its deadline is watched by the thread's sweeper (reactor.hpp), which
// closes it when passed.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "server/http/address_list.hpp"
#include "server/http/server.hpp"
#include "server/http/stream.hpp"
#include "server/http/websocket_connection.hpp"

namespace tombolo::http {

/// What the connections of a server share.
struct Shared {
    ServerOptions options;
    Handler& handler;
    std::atomic<std::uint64_t> connections_open{0};
    std::atomic<std::uint64_t> connections_accepted{0};
    std::atomic<std::uint64_t> requests_running{0};
    std::atomic<std::uint64_t> requests_served{0};
    std::atomic<std::uint64_t> requests_refused{0};
    std::atomic<bool> stopping{false};
    AddressList trusted_proxies = {}; ///< of the options, constant
};

class Connection {
  public:
    using Clock = std::chrono::steady_clock;

    /// The poller is that of the thread it lives on.
    Connection(Shared& shared, SocketPoller& poller, std::unique_ptr<Stream> stream);

    /// Until the connection ends. The caller keeps the connection alive meanwhile.
    awaitable<void> run();

    /// Closes at once when it is idle or sends a stream, else after the response that is under way.
    void stop();
    void close() noexcept;
    /// After the thread has ended: the WebSocket's handler is told that it is over.
    void abandon();
    bool expired(Clock::time_point now) const noexcept {
        return websocket_ != nullptr ? websocket_->expired(now) : now >= deadline_;
    }

  private:
    struct Incoming; // a request being read
    enum class ReadEnd : std::uint8_t { complete, closed, refused };

    awaitable<bool> serve_one();
    awaitable<ReadEnd> read_request(Incoming& incoming);
    awaitable<ReadEnd> read_head(Incoming& incoming);
    awaitable<ReadEnd> read_body(Incoming& incoming);
    awaitable<bool> feed(Incoming& incoming, std::size_t read_bytes);
    awaitable<Response> handle(Request request);
    awaitable<void> run_websocket();
    awaitable<bool> write(Response response, bool keep_alive, bool head_only,
                          std::string_view request_id);
    /// Sends a body that has no end yet, then closes the connection; the number of its bytes.
    awaitable<std::size_t> write_stream(std::shared_ptr<BodyStream> body);
    awaitable<std::size_t> write_chunks(std::shared_ptr<BodyStream> body);
    awaitable<void> watch_reader(std::shared_ptr<BodyStream> body);
    bool take_head(Incoming& incoming);
    void allow(std::chrono::milliseconds time) { deadline_ = Clock::now() + time; }

    Shared& shared_;
    SocketPoller& poller_;
    std::unique_ptr<Stream> stream_;
    std::string pending_; ///< read beyond the last request; empty when idle
    std::string remote_address_;
    Clock::time_point deadline_;
    std::shared_ptr<Upgrade> upgrade_;               ///< between the 101 and run_websocket()
    std::shared_ptr<WebSocketConnection> websocket_; ///< has the stream
    bool idle_ = false;
    std::shared_ptr<BodyStream> streamed_; ///< while write_stream runs
};

} // namespace tombolo::http
