#pragma once

// A blocking socket that sends exactly the bytes it is told to, for tests of the listener.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tombolo::http {

class RawClient {
  public:
    explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // A server that never answers fails the test instead of hanging it.
        const timeval patience{30, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("cannot connect");
        }
    }
    ~RawClient() { ::close(socket_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return; // the server may close while we still write
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    struct Answer {
        int status = 0; ///< 0: the connection ended without one
        std::string head;
        std::string body;

        bool has_body(std::string_view text) const { return body.find(text) != std::string::npos; }
        bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
    };

    /// Reads on until the text has come, in whatever; false when the connection ends before.
    bool receive_until(std::string_view text) {
        while (read_.find(text) == std::string::npos) {
            if (!more()) {
                return false;
            }
        }
        return true;
    }

    /// The next response, by its Content-Length.
    Answer receive() {
        Answer answer;
        std::size_t end = std::string::npos;
        while ((end = read_.find("\r\n\r\n")) == std::string::npos) {
            if (!more()) {
                return answer;
            }
        }
        answer.head = read_.substr(0, end + 4);
        read_.erase(0, end + 4);
        answer.status = std::atoi(answer.head.c_str() + 9);
        std::size_t length = 0;
        const std::size_t at = answer.head.find("Content-Length: ");
        if (at != std::string::npos) {
            length = std::strtoul(answer.head.c_str() + at + 16, nullptr, 10);
        }
        while (read_.size() < length) {
            if (!more()) {
                return answer;
            }
        }
        answer.body = read_.substr(0, length);
        read_.erase(0, length);
        return answer;
    }

    /// The next `count` bytes, or fewer at the end.
    std::string receive_bytes(std::size_t count) {
        while (read_.size() < count && more()) {
        }
        const std::string bytes = read_.substr(0, count);
        read_.erase(0, count);
        return bytes;
    }

    /// True when the server has ended the connection and nothing is left to read.
    bool ended() { return read_.empty() && !more(); }

  private:
    bool more() {
        char buffer[4096];
        const ssize_t count = ::recv(socket_, buffer, sizeof buffer, 0);
        if (count > 0) {
            read_.append(buffer, static_cast<std::size_t>(count));
        }
        return count > 0;
    }

    int socket_;
    std::string read_;
};

} // namespace tombolo::http
