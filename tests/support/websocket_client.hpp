#pragma once

// A blocking WebSocket client that does as it is told, wrong things too: for tests of the server.
//
// Plain sockets, over TLS on demand (the certificate is not checked). Waiting has a generous limit,
// so that a server that never answers fails a test instead of hanging it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tombolo::testing {

struct WebSocketClientOptions {
    std::uint16_t port = 0;
    std::string target = "/"; ///< path and query
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string subprotocols = {}; ///< of Sec-WebSocket-Protocol; not sent when empty
    bool tls = false;
    /// Published clients leave Nagle's algorithm on.
    bool no_delay = true;
    /// Of the socket; 0: the system's default. Small for slow readers.
    int receive_buffer_bytes = 0;
    std::chrono::milliseconds patience{30'000};
};

class WebSocketClient {
  public:
    /// Connects and asks for the upgrade. Throws std::runtime_error when there is nobody to talk
    /// to; status() says how the server answered.
    explicit WebSocketClient(const WebSocketClientOptions& options);
    ~WebSocketClient();
    WebSocketClient(const WebSocketClient&) = delete;
    WebSocketClient& operator=(const WebSocketClient&) = delete;

    int status() const { return status_; } ///< 101 when it is open, 0: no answer
    /// The response's header of that name, or empty.
    std::string header(std::string_view name) const;
    const std::string& body() const { return body_; } ///< of a refusal

    void send(std::string_view message);
    /// One frame, masked: opcode with FIN and RSV bits as given.
    void send_frame(std::uint8_t first_byte, std::string_view payload, bool masked = true);
    void send_bytes(std::string_view bytes);

    enum class Kind : std::uint8_t { binary, text, ping, pong, close, ended, timeout };
    struct Received {
        Kind kind = Kind::ended;
        std::string payload;    ///< of close: the reason
        std::uint16_t code = 0; ///< of close; 1005 when there was none
        /// FIN, RSV and opcode as they came.
        std::uint8_t first_byte = 0;
        bool is_masked = false;
    };
    Received receive() { return receive(patience_); }
    Received receive(std::chrono::milliseconds timeout);

    /// Ends TCP: with a reset, as a killed process may, or in order.
    void abort();
    void finish();

  private:
    struct Transport;

    bool read_more(std::chrono::steady_clock::time_point until, bool& timed_out);

    std::unique_ptr<Transport> transport_;
    std::chrono::milliseconds patience_;
    int status_ = 0;
    std::string head_;
    std::string body_;
    std::string read_;
};

} // namespace tombolo::testing
