#include "server/http/socket_poller.hpp"

#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tombolo::http {

namespace {

epoll_event event_of(PolledSocket& owner) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &owner;
    return event;
}

int create_epoll() {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        throw std::system_error(errno, std::generic_category(), "cannot make an epoll");
    }
    return epoll;
}

} // namespace

SocketPoller::SocketPoller() : epoll_(create_epoll()) {}

SocketPoller::~SocketPoller() {
    ::close(epoll_);
}

bool SocketPoller::add(int socket, PolledSocket& owner) noexcept {
    epoll_event event = event_of(owner);
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
}

void SocketPoller::ask_again(int socket, PolledSocket& owner) noexcept {
    epoll_event event = event_of(owner);
    static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event));
}

void SocketPoller::remove(int socket, const PolledSocket& owner) noexcept {
    static_cast<void>(::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr));
    for (std::size_t i = 0; i < event_count_; ++i) {
        if (events_[i].data.ptr == &owner) {
            events_[i].data.ptr = nullptr;
        }
    }
}

std::size_t SocketPoller::dispatch() {
    const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_max), 0);
    event_count_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    for (std::size_t i = 0; i < event_count_; ++i) {
        const epoll_event event = events_[i];
        if (event.data.ptr != nullptr) {
            const bool is_ending = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
            static_cast<PolledSocket*>(event.data.ptr)
                ->happened({(event.events & EPOLLIN) != 0 || is_ending,
                            (event.events & EPOLLOUT) != 0 || is_ending, is_ending});
        }
    }
    return std::exchange(event_count_, 0);
}

} // namespace tombolo::http
