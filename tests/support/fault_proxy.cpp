#include "support/fault_proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/random_schema.hpp"

namespace tombolo::testing {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t buffer_bytes_max = std::size_t{256} * 1024;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void reset(int& socket) {
    if (socket >= 0) {
        const linger now{1, 0};
        ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(socket);
        socket = -1;
    }
}

/// Bytes under way in one direction.
struct Flow {
    std::string held;
    std::uint64_t passed = 0;
    Clock::time_point held_until;
};

enum class Fault : std::uint8_t {
    none,
    cut,    ///< both sides are reset after so many bytes
    zombie, ///< the device's side is reset, the server's stays open for a while
    stall,  ///< bytes are held back for a while
};

struct Connection {
    int device = -1;
    int server = -1;
    Flow up;
    Flow down;
    Fault fault = Fault::none;
    bool counts_up = false; ///< which direction's bytes trigger the fault
    std::uint64_t after_bytes = 0;
    Clock::time_point dies_at = Clock::time_point::max();
};

} // namespace

class FaultProxy::Impl {
  public:
    Impl(std::uint16_t target, std::uint64_t seed) : target_(target), choices_(seed) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(listener_, 128) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("the proxy cannot listen");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }

    ~Impl() {
        stopping_ = true;
        thread_.join();
        for (Connection& one : connections_) {
            reset(one.device);
            reset(one.server);
        }
        ::close(listener_);
    }

    std::uint16_t port() const { return port_; }
    std::atomic<std::uint16_t> target_;
    std::atomic<std::uint32_t> percent_{0};
    std::atomic<bool> cut_all_{false};
    std::atomic<std::uint64_t> faults_{0};

  private:
    void run() {
        while (!stopping_) {
            std::vector<pollfd> waits{{listener_, POLLIN, 0}};
            for (const Connection& one : connections_) {
                waits.push_back({one.device, events_of(one.up, one.down), 0});
                waits.push_back({one.server, events_of(one.down, one.up), 0});
            }
            ::poll(waits.data(), waits.size(), 5);
            if (cut_all_.exchange(false)) {
                for (Connection& one : connections_) {
                    cut(one);
                }
            }
            for (Connection& one : connections_) {
                serve(one);
            }
            connections_.remove_if(
                [](const Connection& one) { return one.device < 0 && one.server < 0; });
            accept();
        }
    }

    // Reads into `in`, writes from `out`.
    static short events_of(const Flow& in, const Flow& out) {
        return static_cast<short>(
            (in.held.size() < buffer_bytes_max ? POLLIN : 0) |
            (!out.held.empty() && Clock::now() >= out.held_until ? POLLOUT : 0));
    }

    void accept() {
        for (;;) {
            const int device = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (device < 0) {
                return;
            }
            Connection one;
            one.device = device;
            one.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_in address = loopback(target_);
            if (::connect(one.server, reinterpret_cast<const sockaddr*>(&address),
                          sizeof address) != 0) {
                reset(one.device);
                reset(one.server);
                continue;
            }
            for (const int socket : {one.device, one.server}) {
                const int on = 1;
                ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                ::fcntl(socket, F_SETFL, O_NONBLOCK);
            }
            if (choices_.percent(percent_)) {
                const std::uint32_t what = choices_.pick(10);
                one.fault = what < 6 ? Fault::cut : what < 8 ? Fault::zombie : Fault::stall;
                one.counts_up = choices_.percent(50);
                // The upgrade alone is some 500 bytes; most conversations are a few kilobytes.
                one.after_bytes = choices_.pick(choices_.percent(50) ? 1500 : 12'000);
            }
            connections_.push_back(std::move(one));
        }
    }

    void cut(Connection& one) {
        reset(one.device);
        reset(one.server);
    }

    void serve(Connection& one) {
        if (one.device >= 0) {
            pump(one.device, one.server, one.up, one);
        }
        if (one.server >= 0) {
            pump(one.server, one.device, one.down, one);
        }
        const std::uint64_t passed = one.counts_up ? one.up.passed : one.down.passed;
        if (one.fault != Fault::none && percent_ == 0) {
            one.fault = Fault::none;
        }
        if (one.fault != Fault::none && passed >= one.after_bytes) {
            ++faults_;
            strike(one);
        }
        if (Clock::now() >= one.dies_at) {
            cut(one);
        }
    }

    void strike(Connection& one) {
        switch (one.fault) {
        case Fault::cut:
            cut(one);
            break;
        case Fault::zombie:
            reset(one.device);
            one.dies_at = Clock::now() + std::chrono::milliseconds(choices_.pick(400));
            break;
        case Fault::stall:
            one.up.held_until = one.down.held_until =
                Clock::now() + std::chrono::milliseconds(choices_.pick(150));
            break;
        case Fault::none:
            break;
        }
        one.fault = Fault::none;
    }

    // Takes what has come from one side and passes it to the other.
    void pump(int& from, int& to, Flow& flow, Connection& one) {
        char buffer[16 * 1024];
        while (flow.held.size() < buffer_bytes_max) {
            std::size_t want = sizeof buffer;
            // Stop exactly where the fault is to strike.
            const bool counts = one.fault != Fault::none && (&flow == &one.up) == one.counts_up;
            if (counts) {
                const std::uint64_t seen = flow.passed + flow.held.size();
                if (seen >= one.after_bytes) {
                    break;
                }
                want = std::min<std::size_t>(want, one.after_bytes - seen);
            }
            const ssize_t count = ::recv(from, buffer, want, 0);
            if (count > 0) {
                flow.held.append(buffer, static_cast<std::size_t>(count));
            } else if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
                if (flow.held.empty() || to < 0) {
                    cut(one);
                    return;
                }
                break;
            } else {
                break;
            }
        }
        if (to < 0) {
            flow.held.clear(); // nobody is there any more
            return;
        }
        while (!flow.held.empty() && Clock::now() >= flow.held_until) {
            const ssize_t count = ::send(to, flow.held.data(), flow.held.size(), MSG_NOSIGNAL);
            if (count <= 0) {
                if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
                    cut(one);
                }
                return;
            }
            flow.passed += static_cast<std::uint64_t>(count);
            flow.held.erase(0, static_cast<std::size_t>(count));
        }
    }

    Choices choices_; // the thread's
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::list<Connection> connections_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

FaultProxy::FaultProxy(std::uint16_t target, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(target, seed)) {}
FaultProxy::~FaultProxy() = default;
std::uint16_t FaultProxy::port() const {
    return impl_->port();
}
void FaultProxy::set_target(std::uint16_t port) {
    impl_->target_ = port;
}
void FaultProxy::set_faults(std::uint32_t percent) {
    impl_->percent_ = percent;
}
void FaultProxy::cut_all() {
    impl_->cut_all_ = true;
}
std::uint64_t FaultProxy::faults() const {
    return impl_->faults_;
}

} // namespace tombolo::testing
