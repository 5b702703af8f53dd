#pragma once

// A WebSocket to a server over libcurl's connection, so that TLS, proxies and name look-up are the
// same as for HTTP.
//
// receive() waits; send() never does: what the network does not take at once goes out while
// receive() waits. Thread-safety: none.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace tombolo::client {

struct WebSocketRequest {
    std::string origin; ///< ws://, wss://, http:// or https://, host and port
    std::string target; ///< path and query
    std::string subprotocols;
    std::string ca_file; ///< empty: the system's authorities
    std::size_t message_bytes_max = 0;
    std::chrono::milliseconds timeout{10'000}; ///< of the connection and of the upgrade's answer
};

class WebSocket {
  public:
    /// Connects and asks for the upgrade; status() says how the server answered. unavailable, io or
    /// invalid_argument when there was no answer, in words.
    static Result<std::unique_ptr<WebSocket>> open(const WebSocketRequest& request);
    ~WebSocket();

    int status() const noexcept; ///< 101 when it is open
    /// The response's header of that lower-case name, or empty.
    std::string header(std::string_view name) const;
    const std::string& body() const noexcept; ///< of a refusal, as far as it came with the head

    void send(ByteView message);
    std::size_t unsent_bytes() const noexcept;

    enum class Kind : std::uint8_t { binary, close, ended, timeout };
    struct Received {
        Kind kind = Kind::ended;
        std::string payload;    ///< of close: the reason; of ended: why
        std::uint16_t code = 0; ///< of close
    };
    /// The next message. Pings are answered. A signal ends the waiting as a timeout does.
    Received receive(std::chrono::milliseconds timeout);

  private:
    struct Impl;
    explicit WebSocket(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::client
