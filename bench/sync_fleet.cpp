#include "sync_fleet.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <openssl/ssl.h>

#include "server_process.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t read_bytes = std::size_t{256} * 1024;
constexpr std::size_t signing_on_max = 256;

} // namespace

void append_frame(std::string& out, std::string_view message) {
    const std::size_t size = message.size();
    out += '\x82';
    if (size < 126) {
        out += static_cast<char>(0x80 | size);
    } else {
        const int length_bytes = size < 65'536 ? 2 : 8;
        out += static_cast<char>(0x80 | (length_bytes == 2 ? 126 : 127));
        for (int i = length_bytes - 1; i >= 0; --i) {
            out += static_cast<char>(size >> (8 * i) & 0xff);
        }
    }
    out.append(4, '\0');
    out += message;
}

Fleet::Fleet(FleetOptions options)
    : options_(std::move(options)), epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(new char[read_bytes]) {
    set_server(options_.port, options_.tls);
}

void Fleet::set_server(std::uint16_t port, bool tls) {
    options_.port = port;
    options_.tls = tls;
    if (tls && tls_ == nullptr) {
        tls_ = ::SSL_CTX_new(::TLS_client_method());
        ::SSL_CTX_set_verify(tls_, SSL_VERIFY_NONE, nullptr);
        ::SSL_CTX_set_mode(tls_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
}

Fleet::~Fleet() {
    drop_all();
    ::close(epoll_);
    if (tls_ != nullptr) {
        ::SSL_CTX_free(tls_);
    }
}

Fleet::Index Fleet::add(std::string token, std::string query) {
    auto device = std::make_unique<Device>();
    device->token = std::move(token);
    device->query = std::move(query);
    devices_.push_back(std::move(device));
    connect(devices_.size() - 1);
    return devices_.size() - 1;
}

void Fleet::add_all(const std::vector<std::string>& tokens,
                    const std::function<std::string(std::size_t)>& query) {
    const std::size_t before = devices_.size();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        add(tokens[i], query(i));
        run_until([&] { return devices_.size() - ready_ < signing_on_max; }, "devices to sign on");
    }
    run_until([&] { return ready_ == before + tokens.size(); }, "devices to sign on");
}

void Fleet::drop(Index index) {
    Device& device = *devices_[index];
    if (device.socket < 0) {
        return;
    }
    if (device.tls != nullptr) {
        ::SSL_free(device.tls);
        device.tls = nullptr;
    }
    ::close(device.socket);
    device.socket = -1;
    ready_ -= device.phase == Device::Phase::ready ? 1 : 0;
    device.phase = Device::Phase::away;
    device.watches_writing = false;
    device.in.clear();
    device.out.clear();
}

void Fleet::drop_all() {
    for (Index i = 0; i < devices_.size(); ++i) {
        drop(i);
    }
}

void Fleet::reconnect(Index index) {
    drop(index);
    connect(index);
}

void Fleet::connect(Index index) {
    Device& device = *devices_[index];
    device.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (device.socket < 0) {
        give_up("no more sockets: the limit of open files is too low (ulimit -n)");
    }
    if (options_.no_delay) {
        const int on = 1;
        ::setsockopt(device.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(device.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0 &&
        errno != EINPROGRESS) {
        give_up("cannot connect to the server");
    }
    device.phase = Device::Phase::connecting;
    device.watches_writing = true;
    watch(index, true);
}

void Fleet::watch(Index index, bool add) {
    epoll_event event{};
    event.events = EPOLLIN | (devices_[index]->watches_writing ? EPOLLOUT : 0U);
    event.data.u64 = index;
    ::epoll_ctl(epoll_, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, devices_[index]->socket, &event);
}

void Fleet::advance_connection(Index index) {
    Device& device = *devices_[index];
    if (device.phase == Device::Phase::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(device.socket, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            fail(index, std::string("cannot connect: ") + std::strerror(error));
            return;
        }
        if (options_.tls) {
            device.tls = ::SSL_new(tls_);
            ::SSL_set_fd(device.tls, device.socket);
            ::SSL_set_connect_state(device.tls);
        }
        device.phase = Device::Phase::handshaking;
    }
    if (device.tls != nullptr) {
        const int done = ::SSL_do_handshake(device.tls);
        if (done != 1) {
            const int why = ::SSL_get_error(device.tls, done);
            if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
                fail(index, "the TLS handshake failed");
            } else if (device.watches_writing != (why == SSL_ERROR_WANT_WRITE)) {
                device.watches_writing = why == SSL_ERROR_WANT_WRITE;
                watch(index, false);
            }
            return;
        }
    }
    device.phase = Device::Phase::upgrading;
    device.watches_writing = false;
    watch(index, false);
    send_upgrade(index);
}

void Fleet::poll(double seconds) {
    epoll_event events[256];
    timespec wait{};
    wait.tv_sec = static_cast<time_t>(seconds);
    wait.tv_nsec = static_cast<long>((seconds - static_cast<double>(wait.tv_sec)) * 1e9);
    const int count = ::epoll_pwait2(epoll_, events, 256, &wait, nullptr);
    for (int i = 0; i < count; ++i) {
        const Index index = events[i].data.u64;
        const Device::Phase phase = devices_[index]->phase;
        if (phase == Device::Phase::connecting || phase == Device::Phase::handshaking) {
            advance_connection(index);
            continue;
        }
        if ((events[i].events & EPOLLOUT) != 0) {
            flush(index);
        }
        if ((events[i].events & ~static_cast<unsigned>(EPOLLOUT)) != 0 &&
            devices_[index]->socket >= 0) {
            read(index);
        }
    }
}

void Fleet::run_until(const std::function<bool()>& done, const char* what, double patience) {
    const double end = seconds_now() + patience;
    while (!done()) {
        if (seconds_now() > end) {
            give_up(std::string("waited too long for ") + what);
        }
        poll(0.2);
    }
}

void Fleet::run_for(double seconds) {
    const double end = seconds_now() + seconds;
    for (double now = seconds_now(); now < end; now = seconds_now()) {
        poll(end - now);
    }
}

// Bytes read into the buffer; 0: none for now, or the connection is over.
std::size_t Fleet::receive(Index index) {
    Device& device = *devices_[index];
    const auto size = static_cast<int>(read_bytes);
    const ssize_t count = device.tls != nullptr
                              ? ::SSL_read(device.tls, buffer_.get(), size)
                              : ::recv(device.socket, buffer_.get(), read_bytes, 0);
    if (count > 0) {
        return static_cast<std::size_t>(count);
    }
    const bool later =
        device.tls != nullptr
            ? ::SSL_get_error(device.tls, static_cast<int>(count)) == SSL_ERROR_WANT_READ
            : count < 0 && (errno == EAGAIN || errno == EINTR);
    if (!later) {
        fail(index, "the server ended the connection");
    }
    return 0;
}

void Fleet::read(Index index) {
    Device& device = *devices_[index];
    for (;;) {
        const std::size_t count = receive(index);
        if (count == 0) {
            return;
        }
        take_bytes(index, {buffer_.get(), count});
        if (device.socket < 0 || (device.tls == nullptr && count < read_bytes)) {
            return;
        }
    }
}

void Fleet::take_bytes(Index index, std::string_view bytes) {
    Device& device = *devices_[index];
    std::string kept;
    if (!device.in.empty()) {
        device.in += bytes;
        kept.swap(device.in);
        bytes = kept;
    }
    while (!bytes.empty() && device.socket >= 0) {
        const std::size_t taken = device.phase == Device::Phase::upgrading
                                      ? take_upgrade(index, bytes)
                                      : take_frame(index, bytes);
        if (taken == 0) {
            break;
        }
        bytes.remove_prefix(taken);
    }
    if (bytes.empty() || device.socket < 0) {
        return;
    }
    if (bytes.size() == kept.size()) {
        device.in.swap(kept); // of a large message: not copied again and again
    } else {
        device.in.assign(bytes);
    }
}

std::size_t Fleet::take_frame(Index index, std::string_view bytes) {
    if (bytes.size() < 2) {
        return 0;
    }
    const auto octet = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    std::size_t size = octet(1) & 0x7f;
    std::size_t at = 2;
    if (size >= 126) {
        const std::size_t length_bytes = size == 126 ? 2 : 8;
        if (bytes.size() < at + length_bytes) {
            return 0;
        }
        size = 0;
        for (std::size_t i = 0; i < length_bytes; ++i) {
            size = size << 8 | octet(at++);
        }
    }
    if (bytes.size() - at < size) {
        return 0;
    }
    if (octet(0) != 0x82) {
        fail(index,
             "the server sent a frame that is no message: " + std::string(bytes.substr(at, size)));
        return 0;
    }
    take_message(index, bytes.substr(at, size));
    return at + size;
}

void Fleet::send(Index index, std::string_view message) {
    frame_.clear();
    append_frame(frame_, message);
    ++messages_sent_;
    write(index, frame_);
}

void Fleet::write(Index index, std::string_view bytes) {
    Device& device = *devices_[index];
    if (device.socket < 0) {
        return;
    }
    if (!device.out.empty()) {
        device.out += bytes;
        return;
    }
    ssize_t count = device.tls != nullptr
                        ? ::SSL_write(device.tls, bytes.data(), static_cast<int>(bytes.size()))
                        : ::send(device.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    count = count < 0 ? 0 : count; // a lost connection is noticed by reading
    if (static_cast<std::size_t>(count) < bytes.size()) {
        device.out.assign(bytes.substr(static_cast<std::size_t>(count)));
        device.watches_writing = true;
        watch(index, false);
    }
}

void Fleet::flush(Index index) {
    Device& device = *devices_[index];
    const std::string bytes = std::move(device.out);
    device.out.clear();
    device.watches_writing = false;
    if (!bytes.empty()) {
        write(index, bytes);
    }
    if (!device.watches_writing && device.socket >= 0) {
        watch(index, false);
    }
}

void Fleet::fail(Index index, const std::string& why) {
    if (!tolerates_loss) {
        give_up("device " + std::to_string(index) + ": " + why);
    }
    ++lost_;
    drop(index);
}

} // namespace tombolo::bench
