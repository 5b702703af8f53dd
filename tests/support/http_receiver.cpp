#include "support/http_receiver.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace tombolo::testing {

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";

std::uint16_t bind_to_loopback(int socket) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot bind to the loopback");
    }
    return ntohs(address.sin_port);
}

std::string url_of(std::uint16_t port, const std::string& path) {
    return "http://127.0.0.1:" + std::to_string(port) + path;
}

std::size_t content_length(std::string head) {
    std::transform(head.begin(), head.end(), head.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const std::string_view name = "\r\ncontent-length:";
    const std::size_t at = head.find(name);
    return at == std::string::npos ? 0 : std::strtoul(head.c_str() + at + name.size(), nullptr, 10);
}

} // namespace

HttpReceiver::HttpReceiver(std::vector<int> statuses)
    : statuses_(std::move(statuses)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    port_ = bind_to_loopback(listener_);
    ::listen(listener_, 16);
    thread_ = std::thread([this] { run(); });
}

HttpReceiver::~HttpReceiver() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        ::shutdown(listener_, SHUT_RDWR);
        if (peer_ >= 0) {
            ::shutdown(peer_, SHUT_RDWR);
        }
    }
    thread_.join();
    ::close(listener_);
}

std::string HttpReceiver::url(const std::string& path) const {
    return url_of(port_, path);
}

std::vector<HttpReceiver::Request> HttpReceiver::wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return requests_.size() >= count; });
    return requests_;
}

std::vector<HttpReceiver::Request> HttpReceiver::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void HttpReceiver::run() {
    for (;;) {
        const int peer = ::accept(listener_, nullptr, nullptr);
        {
            const std::lock_guard lock(mutex_);
            if (peer < 0 || is_stopping_) {
                ::close(peer);
                return;
            }
            peer_ = peer;
        }
        serve(peer);
        const std::lock_guard lock(mutex_);
        peer_ = -1;
        ::close(peer);
    }
}

void HttpReceiver::serve(int peer) {
    std::string read;
    char buffer[4096];
    std::size_t head_bytes = std::string::npos;
    for (;;) {
        if (head_bytes == std::string::npos) {
            head_bytes = read.find(end_of_head);
        }
        const std::size_t begin = head_bytes + end_of_head.size();
        if (head_bytes != std::string::npos &&
            read.size() >= begin + content_length(read.substr(0, head_bytes))) {
            break;
        }
        const ssize_t count = ::recv(peer, buffer, sizeof buffer, 0);
        if (count <= 0) {
            return;
        }
        read.append(buffer, static_cast<std::size_t>(count));
    }
    std::size_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = requests_.size();
        requests_.push_back(
            {read.substr(0, head_bytes), read.substr(head_bytes + end_of_head.size())});
        arrived_.notify_all();
    }
    const int status = statuses_[std::min(number, statuses_.size() - 1)];
    const std::string answer = "HTTP/1.1 " + std::to_string(status) +
                               " Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    static_cast<void>(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL));
}

std::string url_of_nobody() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    const std::uint16_t port = bind_to_loopback(socket);
    ::close(socket);
    return url_of(port, "/");
}

} // namespace tombolo::testing
