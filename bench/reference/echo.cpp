#include "reference/echo.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "server/http/server.hpp"
#include "server/http/websocket.hpp"
#include "server_load.hpp"
#include "server_process.hpp"
#include "sync_fleet.hpp"

namespace tombolo::bench {

namespace {

class Echo final : public http::WebSocketHandler {
  public:
    void opened(std::shared_ptr<http::WebSocket> socket) override { socket_ = std::move(socket); }
    void received(http::BinaryMessage message) override { socket_->send(std::move(message)); }
    void written(std::size_t /*bytes*/) override {}
    void stopping() override {}
    void closed() override { socket_.reset(); }

  private:
    std::shared_ptr<http::WebSocket> socket_;
};

class EchoRoute final : public http::Handler {
  public:
    std::size_t body_bytes_max(http::Method /*method*/, std::string_view /*path*/) const override {
        return 0;
    }
    void handle(http::Request request, http::Responder respond) override {
        respond(http::websocket_response(request, "", {std::make_shared<Echo>(), {}}).value());
    }
    http::Response refuse(int status, std::string_view reason,
                          const http::Request& /*request*/) const override {
        return http::Response::text(status, std::string(reason));
    }
    void served(const http::Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}
};

constexpr std::size_t head_bytes(std::size_t message_bytes) {
    return message_bytes < 126 ? 2 : 4;
}

} // namespace

void serve_echo(int port_pipe) {
    EchoRoute route;
    const auto server = http::Server::create(http::ServerOptions(), route);
    if (!server) {
        return;
    }
    (*server)->start();
    const std::uint16_t port = (*server)->port();
    if (::write(port_pipe, &port, sizeof port) != sizeof port) {
        return;
    }
    for (;;) {
        ::pause();
    }
}

EchoClients::EchoClients(std::uint16_t port, std::size_t connections, std::size_t message_bytes)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), received_(connections),
      answer_bytes_(head_bytes(message_bytes) + message_bytes) {
    std::string frame;
    append_frame(frame, std::string(message_bytes, 'x'));
    frame_.assign(frame.begin(), frame.end());
    for (std::size_t i = 0; i < connections; ++i) {
        const int socket = connect_to(port);
        send_request(socket, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        if (receive_reply(socket).status != 101) {
            give_up("the echo server does not answer");
        }
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
        sockets_.push_back(socket);
    }
}

EchoClients::~EchoClients() {
    for (const int socket : sockets_) {
        ::close(socket);
    }
    ::close(epoll_);
}

void EchoClients::send(int socket) const {
    if (::send(socket, frame_.data(), frame_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(frame_.size())) {
        give_up("the echo server does not take a message");
    }
}

// True when a whole message is back.
bool EchoClients::receive(std::size_t index) {
    char buffer[16'384];
    const ssize_t count = ::recv(sockets_[index], buffer, sizeof buffer, MSG_DONTWAIT);
    if (count <= 0) {
        give_up("the echo server went away");
    }
    received_[index] += static_cast<std::size_t>(count);
    if (received_[index] < answer_bytes_) {
        return false;
    }
    received_[index] = 0;
    return true;
}

double EchoClients::round_trip() {
    const double start = seconds_now();
    send(sockets_[0]);
    epoll_event event;
    do {
        ::epoll_wait(epoll_, &event, 1, -1);
    } while (!receive(event.data.u64));
    return seconds_now() - start;
}

double EchoClients::rate(double seconds) {
    const double start = seconds_now();
    const double end = start + seconds;
    for (const int socket : sockets_) {
        send(socket);
    }
    std::size_t messages = 0;
    std::size_t under_way = sockets_.size();
    double took = 0;
    while (under_way > 0) {
        epoll_event events[256];
        const int count = ::epoll_wait(epoll_, events, 256, -1);
        const bool goes_on = seconds_now() < end;
        for (int i = 0; i < count; ++i) {
            if (!receive(events[i].data.u64)) {
                continue;
            }
            ++messages;
            if (goes_on) {
                send(sockets_[events[i].data.u64]);
            } else {
                --under_way;
            }
        }
        took = seconds_now() - start;
    }
    return static_cast<double>(messages) / took;
}

} // namespace tombolo::bench
