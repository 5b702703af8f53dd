#include "support/websocket_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <openssl/ssl.h>

namespace tombolo::testing {

using Clock = std::chrono::steady_clock;

struct WebSocketClient::Transport {
    int socket = -1;
    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;

    ~Transport() {
        SSL_free(ssl);
        SSL_CTX_free(context);
        if (socket >= 0) {
            ::close(socket);
        }
    }

    void start_tls() {
        ::signal(SIGPIPE, SIG_IGN);
        context = SSL_CTX_new(TLS_client_method());
        ssl = SSL_new(context);
        SSL_set_fd(ssl, socket);
        if (SSL_connect(ssl) != 1) {
            throw std::runtime_error("no TLS");
        }
    }

    bool has_more() const { return ssl != nullptr && SSL_pending(ssl) > 0; }
    ssize_t read(char* buffer, std::size_t size) const {
        return ssl != nullptr ? SSL_read(ssl, buffer, static_cast<int>(size))
                              : ::recv(socket, buffer, size, 0);
    }
    ssize_t write(const char* bytes, std::size_t size) const {
        return ssl != nullptr ? SSL_write(ssl, bytes, static_cast<int>(size))
                              : ::send(socket, bytes, size, MSG_NOSIGNAL);
    }
};

namespace {

std::string request_of(const WebSocketClientOptions& options) {
    std::string request = "GET " + options.target +
                          " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
                          "\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                          "dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if (!options.subprotocols.empty()) {
        request += "Sec-WebSocket-Protocol: " + options.subprotocols + "\r\n";
    }
    request += "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
    for (const auto& [name, value] : options.headers) {
        request += name + ": " + value + "\r\n";
    }
    return request + "\r\n";
}

} // namespace

WebSocketClient::WebSocketClient(const WebSocketClientOptions& options)
    : transport_(std::make_unique<Transport>()), patience_(options.patience) {
    transport_->socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (options.receive_buffer_bytes > 0) {
        ::setsockopt(transport_->socket, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer_bytes,
                     sizeof options.receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(transport_->socket, reinterpret_cast<const sockaddr*>(&address),
                  sizeof address) != 0) {
        throw std::runtime_error("cannot connect");
    }
    if (options.no_delay) {
        const int on = 1;
        ::setsockopt(transport_->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (options.tls) {
        transport_->start_tls();
    }
    send_bytes(request_of(options));
    const auto until = Clock::now() + patience_;
    bool timed_out = false;
    std::size_t end = std::string::npos;
    while ((end = read_.find("\r\n\r\n")) == std::string::npos) {
        if (!read_more(until, timed_out)) {
            return;
        }
    }
    head_ = read_.substr(0, end + 2);
    read_.erase(0, end + 4);
    status_ = std::atoi(head_.c_str() + std::min<std::size_t>(9, head_.size()));
    if (status_ != 101) {
        const std::string length = header("content-length");
        const auto size = static_cast<std::size_t>(std::atol(length.c_str()));
        while (read_.size() < size && read_more(until, timed_out)) {
        }
        body_ = read_.substr(0, size);
    }
}

WebSocketClient::~WebSocketClient() = default;

std::string WebSocketClient::header(std::string_view name) const {
    std::size_t at = head_.find("\r\n");
    while (at != std::string::npos && at + 2 < head_.size()) {
        const std::size_t line = at + 2;
        at = head_.find("\r\n", line);
        const std::string_view text = std::string_view(head_).substr(line, at - line);
        const std::size_t colon = text.find(": ");
        if (colon == name.size() &&
            std::equal(name.begin(), name.end(), text.begin(), [](char a, char b) {
                return std::tolower(static_cast<unsigned char>(a)) ==
                       std::tolower(static_cast<unsigned char>(b));
            })) {
            return std::string(text.substr(colon + 2));
        }
    }
    return {};
}

void WebSocketClient::send(std::string_view message) {
    send_frame(0x82, message);
}

void WebSocketClient::send_frame(std::uint8_t first_byte, std::string_view payload, bool masked) {
    std::string frame(1, static_cast<char>(first_byte));
    const unsigned mask_bit = masked ? 0x80 : 0;
    const std::size_t size = payload.size();
    if (size < 126) {
        frame.push_back(static_cast<char>(mask_bit | size));
    } else {
        const std::size_t bytes = size < 65'536 ? 2 : 8;
        frame.push_back(static_cast<char>(mask_bit | (bytes == 2 ? 126U : 127U)));
        for (std::size_t i = bytes; i-- > 0;) {
            frame.push_back(static_cast<char>(size >> (8 * i) & 0xff));
        }
    }
    const std::size_t start = frame.size() + (masked ? 4 : 0);
    if (masked) {
        frame += "\x12\x34\x56\x78";
    }
    frame += payload;
    if (masked) {
        constexpr std::string_view mask = "\x12\x34\x56\x78";
        for (std::size_t i = start; i < frame.size(); ++i) {
            frame[i] = static_cast<char>(frame[i] ^ mask[(i - start) % 4]);
        }
    }
    send_bytes(frame);
}

void WebSocketClient::send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = transport_->write(bytes.data(), bytes.size());
        if (sent <= 0) {
            return; // the server may close while we still write
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool WebSocketClient::read_more(Clock::time_point until, bool& timed_out) {
    timed_out = false;
    if (!transport_->has_more()) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd waiting{transport_->socket, POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left))) <= 0) {
            timed_out = true;
            return false;
        }
    }
    char buffer[16 * 1024];
    const ssize_t count = transport_->read(buffer, sizeof buffer);
    if (count <= 0) {
        return false;
    }
    read_.append(buffer, static_cast<std::size_t>(count));
    return true;
}

WebSocketClient::Received WebSocketClient::receive(std::chrono::milliseconds timeout) {
    const auto until = Clock::now() + timeout;
    const auto number = [this](std::size_t at, std::size_t bytes) {
        std::size_t value = 0;
        for (std::size_t i = 0; i < bytes; ++i) {
            value = value << 8 | static_cast<unsigned char>(read_[at + i]);
        }
        return value;
    };
    for (;;) {
        std::size_t head = 2;
        std::size_t size = 0;
        bool whole = read_.size() >= 2;
        if (whole) {
            size = static_cast<unsigned char>(read_[1]) & 0x7fU;
            head += size == 126 ? 2U : size == 127 ? 8U : 0U;
            whole = read_.size() >= head;
        }
        if (whole) {
            size = head == 2 ? size : number(2, head - 2);
            whole = read_.size() >= head + size;
        }
        if (whole) {
            Received received;
            received.first_byte = static_cast<std::uint8_t>(read_[0]);
            received.is_masked = (static_cast<unsigned char>(read_[1]) & 0x80U) != 0;
            const unsigned opcode = received.first_byte & 0x0fU;
            received.payload = read_.substr(head, size);
            read_.erase(0, head + size);
            received.kind = opcode == 1    ? Kind::text
                            : opcode == 2  ? Kind::binary
                            : opcode == 8  ? Kind::close
                            : opcode == 9  ? Kind::ping
                            : opcode == 10 ? Kind::pong
                                           : throw std::runtime_error("a frame of another kind");
            if (received.kind == Kind::close) {
                received.code = 1005;
                if (size >= 2) {
                    received.code = static_cast<std::uint16_t>(
                        static_cast<unsigned char>(received.payload[0]) << 8 |
                        static_cast<unsigned char>(received.payload[1]));
                    received.payload.erase(0, 2);
                }
            }
            return received;
        }
        bool timed_out = false;
        if (!read_more(until, timed_out)) {
            return {timed_out ? Kind::timeout : Kind::ended, {}, 0, 0, false};
        }
    }
}

void WebSocketClient::abort() {
    const linger reset{1, 0};
    ::setsockopt(transport_->socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    transport_ = std::make_unique<Transport>();
}

void WebSocketClient::finish() {
    ::shutdown(transport_->socket, SHUT_WR);
}

} // namespace tombolo::testing
