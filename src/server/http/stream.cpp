#include "server/http/stream.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace tombolo::http {

namespace {

namespace asio = boost::asio;

auto into(error_code& error) {
    return asio::redirect_error(asio::use_awaitable, error);
}

std::string address_of(const Tcp::socket& socket) {
    error_code error;
    const Tcp::endpoint peer = socket.remote_endpoint(error);
    return error ? std::string() : peer.address().to_string();
}

void close_socket(Tcp::socket& socket) noexcept {
    error_code ignored;
    socket.shutdown(Tcp::socket::shutdown_both, ignored);
    socket.close(ignored);
}

class PlainStream final : public Stream {
  public:
    explicit PlainStream(Tcp::socket socket) : socket_(std::move(socket)) {}

    awaitable<error_code> handshake() override { co_return error_code(); }
    awaitable<error_code> wait_readable() override {
        error_code error;
        co_await socket_.async_wait(Tcp::socket::wait_read, into(error));
        co_return error;
    }
    awaitable<std::pair<error_code, std::size_t>> read_some(asio::mutable_buffer buffer) override {
        error_code error;
        const std::size_t count = co_await socket_.async_read_some(buffer, into(error));
        co_return std::pair(error, count);
    }
    awaitable<error_code> write(std::array<asio::const_buffer, 2> buffers) override {
        error_code error;
        co_await asio::async_write(socket_, buffers, into(error));
        co_return error;
    }
    void acknowledge_at_once() noexcept override { set_quick_ack(socket_.native_handle()); }
    std::unique_ptr<WatchedSocket> watch(SocketPoller& poller,
                                         const asio::any_io_executor& executor,
                                         WatchedSocket::Reader& reader) override {
        auto watched = WatchedSocket::create(socket_.native_handle(), poller, executor, reader);
        if (watched != nullptr) {
            error_code ignored;
            static_cast<void>(socket_.release(ignored));
        }
        return watched;
    }
    awaitable<void> shutdown() override {
        error_code ignored;
        socket_.shutdown(Tcp::socket::shutdown_send, ignored);
        co_return;
    }
    void close() noexcept override { close_socket(socket_); }
    bool secure() const noexcept override { return false; }
    std::string remote_address() const override { return address_of(socket_); }

  private:
    Tcp::socket socket_;
};

class TlsStream final : public Stream {
  public:
    TlsStream(Tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
        : context_(std::move(context)), stream_(std::move(socket), *context_) {}

    awaitable<error_code> handshake() override {
        error_code error;
        co_await stream_.async_handshake(asio::ssl::stream_base::server, into(error));
        co_return error;
    }
    awaitable<error_code> wait_readable() override {
        // What was read from the socket already: of the current record, and whole records behind
        // it, which SSL_pending() does not count.
        SSL* const ssl = stream_.native_handle();
        if (SSL_pending(ssl) > 0 || BIO_ctrl_pending(SSL_get_rbio(ssl)) > 0) {
            co_return error_code();
        }
        error_code error;
        co_await stream_.next_layer().async_wait(Tcp::socket::wait_read, into(error));
        co_return error;
    }
    awaitable<std::pair<error_code, std::size_t>> read_some(asio::mutable_buffer buffer) override {
        error_code error;
        const std::size_t count = co_await stream_.async_read_some(buffer, into(error));
        co_return std::pair(error, count);
    }
    awaitable<error_code> write(std::array<asio::const_buffer, 2> buffers) override {
        error_code error;
        co_await asio::async_write(stream_, buffers, into(error));
        co_return error;
    }
    void acknowledge_at_once() noexcept override {
        set_quick_ack(stream_.next_layer().native_handle());
    }
    // Reading and writing share the state of the encryption: they stay on one thread.
    std::unique_ptr<WatchedSocket> watch(SocketPoller& /*poller*/,
                                         const asio::any_io_executor& /*executor*/,
                                         WatchedSocket::Reader& /*reader*/) override {
        return nullptr;
    }
    awaitable<void> shutdown() override {
        error_code ignored;
        co_await stream_.async_shutdown(into(ignored));
    }
    void close() noexcept override { close_socket(stream_.next_layer()); }
    bool secure() const noexcept override { return true; }
    std::string remote_address() const override { return address_of(stream_.next_layer()); }

  private:
    std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<Tcp::socket> stream_;
};

} // namespace

void set_quick_ack(int socket) noexcept {
#ifdef TCP_QUICKACK
    const int on = 1;
    static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
#endif
}

std::unique_ptr<Stream> make_plain_stream(Tcp::socket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<Stream> make_tls_stream(Tcp::socket socket,
                                        std::shared_ptr<asio::ssl::context> context) {
    return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

} // namespace tombolo::http
