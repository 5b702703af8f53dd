#include "server/http/watched_socket.hpp"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/http/stream.hpp"

namespace tombolo::http {

namespace {

namespace asio = boost::asio;

// Bytes, or -1 and errno.
ssize_t send_some(int socket, std::span<const asio::const_buffer> buffers) noexcept {
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    constexpr std::size_t pieces_max = 64;
    if (buffers.size() == 1) {
        return ::send(socket, buffers[0].data(), buffers[0].size(), flags);
    }
    std::array<iovec, pieces_max> pieces; // NOLINT(cppcoreguidelines-pro-type-member-init)
    const std::size_t count = std::min(buffers.size(), pieces_max);
    for (std::size_t i = 0; i < count; ++i) {
        pieces[i] = {const_cast<void*>(buffers[i].data()), buffers[i].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    return ::sendmsg(socket, &message, flags);
}

bool is_for_now(int error) noexcept {
    return error == EAGAIN || error == EINTR;
}

} // namespace

std::unique_ptr<WatchedSocket> WatchedSocket::create(int socket, SocketPoller& poller,
                                                     asio::any_io_executor executor,
                                                     Reader& reader) {
    std::unique_ptr<WatchedSocket> watched(
        new WatchedSocket(-1, poller, std::move(executor), reader));
    if (!poller.add(socket, *watched)) {
        return nullptr;
    }
    watched->socket_ = socket;
    return watched;
}

WatchedSocket::WatchedSocket(int socket, SocketPoller& poller, asio::any_io_executor executor,
                             Reader& reader)
    : socket_(socket), poller_(poller), reader_(reader), executor_(std::move(executor)) {}

WatchedSocket::~WatchedSocket() {
    close();
}

void WatchedSocket::happened(Happened what) {
    if (what.is_writable && room_ != nullptr) {
        room_->cancel();
    }
    if (what.is_readable) {
        reader_.readable(what.is_ending);
    }
}

std::ptrdiff_t WatchedSocket::read_now(asio::mutable_buffer buffer) noexcept {
    const ssize_t count = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return count < 0 && is_for_now(errno) ? -1 : std::max<ssize_t>(count, 0);
}

std::size_t WatchedSocket::write_now(std::span<const asio::const_buffer> buffers) noexcept {
    const ssize_t sent = send_some(socket_, buffers);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

awaitable<error_code> WatchedSocket::write(std::array<asio::const_buffer, 2> buffers) {
    while (buffers[0].size() + buffers[1].size() > 0) {
        const ssize_t sent = send_some(socket_, buffers);
        if (sent >= 0) {
            const std::size_t of_first =
                std::min(static_cast<std::size_t>(sent), buffers[0].size());
            buffers[0] += of_first;
            buffers[1] += static_cast<std::size_t>(sent) - of_first;
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            co_return error_code(errno, boost::system::system_category());
        }
        // The socket's poller tells of room once, after there was none.
        room_ =
            std::make_unique<asio::steady_timer>(executor_, asio::steady_timer::time_point::max());
        error_code ignored;
        co_await room_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        room_.reset();
        if (socket_ < 0) {
            co_return asio::error::operation_aborted;
        }
    }
    // Others come in between, however fast the peer reads.
    co_await asio::post(executor_, asio::use_awaitable);
    co_return error_code();
}

void WatchedSocket::acknowledge_at_once() noexcept {
    set_quick_ack(socket_);
}

void WatchedSocket::shutdown() noexcept {
    static_cast<void>(::shutdown(socket_, SHUT_WR));
}

void WatchedSocket::close() noexcept {
    if (socket_ < 0) {
        return;
    }
    poller_.remove(socket_, *this);
    static_cast<void>(::shutdown(socket_, SHUT_RDWR));
    ::close(socket_);
    socket_ = -1;
    if (room_ != nullptr) {
        room_->cancel();
    }
}

} // namespace tombolo::http
