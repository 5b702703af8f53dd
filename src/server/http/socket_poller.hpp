#pragma once

// Tells what happens on many sockets of one I/O thread, without Asio.
//
// Asio renews its wait for a socket by a system call after every message and resumes a coroutine
// for each, which is more than a small message itself costs. This is an epoll of its own, edge-
// triggered: nothing has to be asked for between two messages, but whoever stops before a socket is
// empty has to ask again. The thread waits for descriptor() to be readable, then calls dispatch().
//
// Thread-safety: none. Lifetime: longer than what is in it.

#include <sys/epoll.h>

#include <array>
#include <cstddef>

namespace tombolo::http {

class PolledSocket {
  public:
    struct Happened {
        bool is_readable = false; ///< also at its end and after an error
        bool is_writable = false;
        bool is_ending = false; ///< nothing will be told of what is left to read
    };
    virtual ~PolledSocket() = default;
    virtual void happened(Happened what) = 0;
};

class SocketPoller {
  public:
    /// As many sockets are told of by one dispatch().
    static constexpr std::size_t events_max = 128;

    /// Throws std::system_error when the system has no more descriptors.
    SocketPoller();
    ~SocketPoller();
    SocketPoller(const SocketPoller&) = delete;
    SocketPoller& operator=(const SocketPoller&) = delete;

    int descriptor() const noexcept { return epoll_; }
    /// False when the system has no room for it.
    bool add(int socket, PolledSocket& owner) noexcept;
    /// Has what can be read and written told once more.
    void ask_again(int socket, PolledSocket& owner) noexcept;
    /// Nothing is told afterwards, also by a dispatch() that is under way.
    void remove(int socket, const PolledSocket& owner) noexcept;
    /// What has happened until now, of how many sockets.
    std::size_t dispatch();

  private:
    const int epoll_;
    std::array<epoll_event, events_max> events_{};
    std::size_t event_count_ = 0; ///< while dispatch() is under way
};

} // namespace tombolo::http
