#include "server_load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <stdexcept>
#include <string_view>

#include "server_process.hpp"

namespace tombolo::bench {

namespace {

// The length of the first response in `bytes`, 0 when it is not whole.
std::size_t response_bytes(std::string_view bytes) {
    const std::size_t head = bytes.find("\r\n\r\n");
    if (head == std::string_view::npos) {
        return 0;
    }
    static constexpr std::string_view name = "Content-Length: ";
    const std::size_t at = bytes.find(name);
    const std::size_t body =
        at < head ? std::strtoul(bytes.data() + at + name.size(), nullptr, 10) : 0;
    return bytes.size() >= head + 4 + body ? head + 4 + body : 0;
}

class Load {
  public:
    explicit Load(const LoadOptions& options) : options_(options), epoll_(::epoll_create1(0)) {
        connections_.resize(options.connections);
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            connections_[i].socket = connect_to(options.port);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket, &event);
            idle_.push_back(i);
        }
    }

    LoadResult run() {
        const double start = seconds_now();
        const double end = start + options_.seconds;
        double due = start;
        const double step = options_.rate > 0 ? 1 / options_.rate : 0;
        for (double now = start; now < end; now = seconds_now()) {
            if (step > 0) {
                for (; due <= now; due += step) {
                    waiting_.push_back(due);
                }
            }
            while (!idle_.empty() && (step == 0 || !waiting_.empty())) {
                double since = now;
                if (step > 0) {
                    since = waiting_.front();
                    waiting_.pop_front();
                }
                send(idle_.back(), since);
                idle_.pop_back();
            }
            receive(step > 0 ? std::clamp(due - seconds_now(), 0.0, 0.1) : 0.1);
        }
        const double took = seconds_now() - start;
        std::sort(latencies_.begin(), latencies_.end());
        LoadResult result;
        result.per_second = static_cast<double>(latencies_.size()) / took;
        if (!latencies_.empty()) {
            result.p50_us = latencies_[latencies_.size() / 2] * 1e6;
            result.p99_us = latencies_[latencies_.size() * 99 / 100] * 1e6;
        }
        result.wrong = wrong_;
        return result;
    }

  private:
    struct Connection {
        int socket = -1;
        double since = 0;
        std::string read;
    };

    void send(std::size_t index, double since) {
        connections_[index].since = since;
        if (::send(connections_[index].socket, options_.request.data(), options_.request.size(),
                   MSG_NOSIGNAL) != static_cast<ssize_t>(options_.request.size())) {
            throw std::runtime_error("the server closed a connection under load");
        }
    }

    void receive(double seconds) {
        epoll_event events[64];
        timespec wait{};
        wait.tv_nsec = static_cast<long>(std::min(seconds, 0.999) * 1e9);
        const int count = ::epoll_pwait2(epoll_, events, 64, &wait, nullptr);
        for (int i = 0; i < count; ++i) {
            take(events[i].data.u64);
        }
    }

    void take(std::size_t index) {
        Connection& connection = connections_[index];
        char buffer[8192];
        const ssize_t count = ::recv(connection.socket, buffer, sizeof buffer, 0);
        if (count <= 0) {
            throw std::runtime_error("the server closed a connection under load");
        }
        connection.read.append(buffer, static_cast<std::size_t>(count));
        const std::size_t size = response_bytes(connection.read);
        if (size == 0) {
            return;
        }
        if (options_.status != 0 && std::atoi(connection.read.c_str() + 9) != options_.status) {
            ++wrong_;
        }
        connection.read.erase(0, size);
        latencies_.push_back(seconds_now() - connection.since);
        idle_.push_back(index);
    }

    const LoadOptions& options_;
    int epoll_;
    std::vector<Connection> connections_;
    std::vector<std::size_t> idle_;
    std::deque<double> waiting_; // when requests were due that found no idle connection
    std::vector<double> latencies_;
    double wrong_ = 0;
};

} // namespace

LoadResult run_load_here(const LoadOptions& options) {
    return Load(options).run();
}

LoadResult run_load(const LoadOptions& options) {
    const std::vector<double> numbers = in_child([&] {
        const LoadResult result = run_load_here(options);
        return std::vector<double>{result.per_second, result.p50_us, result.p99_us, result.wrong};
    });
    return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

int connect_to(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket < 0 ||
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        give_up("cannot connect to the server");
    }
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

Reply ask(int socket, const std::string& request) {
    send_request(socket, request);
    return receive_reply(socket);
}

void send_request(int socket, const std::string& request) {
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
        give_up("cannot send to the server");
    }
}

Reply receive_reply(int socket) {
    std::string read;
    char buffer[8192];
    std::size_t size = 0;
    while ((size = response_bytes(read)) == 0) {
        const ssize_t count = ::recv(socket, buffer, sizeof buffer, 0);
        if (count <= 0) {
            give_up("the server closed the connection");
        }
        read.append(buffer, static_cast<std::size_t>(count));
    }
    return {std::atoi(read.c_str() + 9), read.substr(read.find("\r\n\r\n") + 4)};
}

} // namespace tombolo::bench
