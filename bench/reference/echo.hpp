#pragma once

// Our listener's WebSocket with nothing behind it: every message goes back on the I/O thread.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tombolo::bench {

/// Writes its port to `port_pipe`, then serves until killed.
void serve_echo(int port_pipe);

/// Sockets that are upgraded and wait for frames.
class EchoClients {
  public:
    EchoClients(std::uint16_t port, std::size_t connections, std::size_t message_bytes);
    ~EchoClients();
    EchoClients(const EchoClients&) = delete;
    EchoClients& operator=(const EchoClients&) = delete;

    /// Seconds of one message's way there and back, on the first socket.
    double round_trip();
    /// Messages a second, each connection sending the next when the last is back.
    double rate(double seconds);

  private:
    void send(int socket) const;
    bool receive(std::size_t index);

    int epoll_;
    std::vector<int> sockets_;
    std::vector<std::size_t> received_; ///< bytes of the message under way
    std::vector<char> frame_;
    std::size_t answer_bytes_;
};

} // namespace tombolo::bench
