#include "reference/fan_writes.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_load.hpp"
#include "server_process.hpp"

namespace tombolo::bench {

namespace {

constexpr char go = 'g';   ///< write a frame to each
constexpr char done = 'd'; ///< say when all answers were read

struct FanServer {
    FanShape shape;
    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    int control = -1;
    std::vector<int> sockets;
    std::vector<char> frame;
    std::size_t wanted_bytes = 0;
    bool is_asked = false;

    void watch(int socket) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = socket;
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
    }
    void write_all() {
        for (const int socket : sockets) {
            // A frame is far smaller than the socket's buffer, which is empty.
            if (::send(socket, frame.data(), frame.size(), MSG_NOSIGNAL) !=
                static_cast<ssize_t>(frame.size())) {
                ::_exit(2);
            }
        }
        wanted_bytes += sockets.size() * shape.answer_bytes;
    }
    void say_done() {
        if (is_asked && wanted_bytes == 0) {
            is_asked = false;
            if (::send(control, &done, 1, MSG_NOSIGNAL) != 1) {
                ::_exit(2);
            }
        }
    }
    void take(int socket) {
        char buffer[4096];
        const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
        if (count <= 0) {
            ::_exit(0);
        }
        if (socket != control) {
            wanted_bytes -= static_cast<std::size_t>(count);
        }
        for (ssize_t i = 0; socket == control && i < count; ++i) {
            if (buffer[i] == go) {
                write_all();
            } else {
                is_asked = true;
            }
        }
        say_done();
    }
};

} // namespace

void serve_fan(int port_pipe, const FanShape& shape) {
    FanServer server;
    server.shape = shape;
    server.frame.assign(shape.frame_bytes, 'x');
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(listener, 1024) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return;
    }
    const std::uint16_t port = ntohs(address.sin_port);
    if (::write(port_pipe, &port, sizeof port) != sizeof port) {
        return;
    }
    const int on = 1;
    while (server.sockets.size() < shape.sockets || server.control < 0) {
        const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) {
            return;
        }
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        server.watch(socket);
        if (server.control < 0) {
            server.control = socket;
        } else {
            server.sockets.push_back(socket);
        }
    }
    for (;;) {
        epoll_event events[256];
        const int count = ::epoll_wait(server.epoll, events, 256, -1);
        for (int i = 0; i < count; ++i) {
            server.take(events[i].data.fd);
        }
    }
}

FanClients::FanClients(std::uint16_t port, const FanShape& shape)
    : shape_(shape), epoll_(::epoll_create1(EPOLL_CLOEXEC)), control_(connect_to(port)),
      received_(shape.sockets) {
    for (std::size_t i = 0; i < shape.sockets; ++i) {
        const int socket = connect_to(port);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = i;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
        sockets_.push_back(socket);
    }
}

FanClients::~FanClients() {
    for (const int socket : sockets_) {
        ::close(socket);
    }
    ::close(control_);
    ::close(epoll_);
}

void FanClients::trigger(char what) const {
    if (::send(control_, &what, 1, MSG_NOSIGNAL) != 1) {
        give_up("the raw write loop went away");
    }
}

double FanClients::rate(std::size_t rounds) {
    const std::vector<char> answer(shape_.answer_bytes, 'y');
    const double start = seconds_now();
    for (std::size_t round = 0; round < rounds; ++round) {
        trigger(go);
        for (std::size_t complete = 0; complete < sockets_.size();) {
            epoll_event events[256];
            const int count = ::epoll_wait(epoll_, events, 256, -1);
            for (int i = 0; i < count; ++i) {
                const std::size_t index = events[i].data.u64;
                char buffer[16'384];
                const ssize_t bytes = ::recv(sockets_[index], buffer, sizeof buffer, MSG_DONTWAIT);
                if (bytes <= 0) {
                    give_up("the raw write loop went away");
                }
                received_[index] += static_cast<std::size_t>(bytes);
                if (received_[index] < shape_.frame_bytes) {
                    continue;
                }
                received_[index] = 0;
                ++complete;
                if (!answer.empty() &&
                    ::send(sockets_[index], answer.data(), answer.size(), MSG_NOSIGNAL) !=
                        static_cast<ssize_t>(answer.size())) {
                    give_up("the raw write loop takes no answer");
                }
            }
        }
    }
    trigger(done);
    char said = 0;
    if (::recv(control_, &said, 1, 0) != 1) {
        give_up("the raw write loop went away");
    }
    return static_cast<double>(rounds * sockets_.size()) / (seconds_now() - start);
}

} // namespace tombolo::bench
