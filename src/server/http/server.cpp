#include "server/http/server.hpp"

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/http/connection.hpp"
#include "server/http/poll_pace.hpp"
#include "server/http/socket_poller.hpp"

namespace tombolo::http {

namespace {

namespace asio = boost::asio;
using Milliseconds = std::chrono::milliseconds;

// One I/O thread with the connections that live on it.
class Reactor {
  public:
    explicit Reactor(Milliseconds sweep)
        : context_(1), work_(context_.get_executor()), polled_(context_, poller_.descriptor()),
          sweeper_(context_), sweep_(sweep) {}
    ~Reactor() { polled_.release(); }
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    asio::io_context& context() { return context_; }
    SocketPoller& poller() { return poller_; }

    void start() {
        schedule_sweep();
        wait_for_sockets();
        thread_ = std::thread([this] { context_.run(); });
    }

    // On this reactor's thread.
    void add(const std::shared_ptr<Connection>& connection, Shared& shared) {
        connections_.insert(connection.get());
        asio::co_spawn(
            context_,
            [this, connection, &shared]() -> awaitable<void> {
                // A connection's failure is its own: it ends, the server goes on.
                try {
                    co_await connection->run();
                } catch (const std::exception&) {
                    connection->close();
                }
                connections_.erase(connection.get());
                --shared.connections_open;
            },
            asio::detached);
    }

    void stop_connections() {
        asio::post(context_, [this] {
            for (Connection* connection : connections_) {
                connection->stop();
            }
        });
    }

    void close_connections() {
        asio::post(context_, [this] {
            for (Connection* connection : connections_) {
                connection->close();
            }
        });
    }

    void end() {
        work_.reset();
        context_.stop();
        if (thread_.joinable()) {
            thread_.join();
        }
        // What is left is held up in a handler: its WebSocket still has to be told.
        for (Connection* connection : connections_) {
            connection->abandon();
        }
    }

  private:
    void schedule_sweep() {
        sweeper_.expires_after(sweep_);
        sweeper_.async_wait([this](const error_code& error) {
            if (error) {
                return;
            }
            const auto now = Connection::Clock::now();
            for (Connection* connection : connections_) {
                if (connection->expired(now)) {
                    connection->close();
                }
            }
            schedule_sweep();
        });
    }

    void wait_for_sockets() {
        polled_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this](const error_code& error) {
                               if (!error) {
                                   serve_sockets();
                               }
                           });
    }

    void serve_sockets() {
        const std::size_t count = poller_.dispatch();
        const bool rests = pace_.rests_after(count, Connection::Clock::now());
        if (!rests) {
            wait_for_sockets();
            return;
        }
        if (count < SocketPoller::events_max) {
            std::this_thread::sleep_for(PollPace::rest);
        }
        asio::post(context_, [this] { serve_sockets(); }); // what else there is to do comes between
    }

    SocketPoller poller_; // outlives the connections that the context holds
    asio::io_context context_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::posix::stream_descriptor polled_; // the poller's
    PollPace pace_;
    asio::steady_timer sweeper_;
    Milliseconds sweep_;
    std::unordered_set<Connection*> connections_; // this thread's
    std::thread thread_;
};

Result<std::shared_ptr<asio::ssl::context>> load_tls(const ServerOptions& options) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                         asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
    // An idle connection keeps no 32 KB of record buffers.
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    error_code error;
    context->use_certificate_chain_file(options.tls_certificate_file, error);
    if (error) {
        return Error(ErrorCode::io, "cannot read the TLS certificate: " + error.message(),
                     options.tls_certificate_file);
    }
    context->use_private_key_file(options.tls_key_file, asio::ssl::context::pem, error);
    if (error) {
        return Error(ErrorCode::io, "cannot read the TLS key: " + error.message(),
                     options.tls_key_file);
    }
    if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
        return Error(ErrorCode::invalid_argument, "the TLS key does not belong to the certificate",
                     options.tls_key_file);
    }
    return context;
}

Milliseconds sweep_interval(const ServerOptions& options) {
    const Milliseconds shortest = std::min({options.header_timeout, options.body_timeout,
                                            options.write_timeout, options.idle_timeout});
    return std::clamp(shortest / 4, Milliseconds(10), Milliseconds(1000));
}

} // namespace

class Server::Impl {
  public:
    Impl(const ServerOptions& options, Handler& handler)
        : shared_{options, handler}, accept_context_(1), acceptor_(accept_context_) {
        for (unsigned i = 0; i < std::max(1U, options.io_threads); ++i) {
            reactors_.push_back(std::make_unique<Reactor>(sweep_interval(options)));
        }
    }

    ~Impl() { stop(Milliseconds(0)); }

    Result<void> bind() {
        const ServerOptions& options = shared_.options;
        TOMBOLO_TRY(shared_.trusted_proxies, AddressList::parse(options.trusted_proxies));
        if (!options.tls_certificate_file.empty() || !options.tls_key_file.empty()) {
            TOMBOLO_TRY(tls_, load_tls(options));
        }
        error_code error;
        const asio::ip::address address = asio::ip::make_address(options.address, error);
        if (error) {
            return Error(ErrorCode::invalid_argument,
                         "'" + options.address + "' is not an IP address to listen on");
        }
        const Tcp::endpoint endpoint(address, options.port);
        acceptor_.open(endpoint.protocol(), error);
        if (!error) {
            acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
        }
        if (!error) {
            acceptor_.bind(endpoint, error);
        }
        if (!error) {
            acceptor_.listen(4096, error);
        }
        if (error) {
            return Error(ErrorCode::io, "cannot listen on " + options.address + ":" +
                                            std::to_string(options.port) + ": " + error.message());
        }
        port_ = acceptor_.local_endpoint().port();
        return {};
    }

    void start() {
        for (const auto& reactor : reactors_) {
            reactor->start();
        }
        asio::co_spawn(accept_context_, accept(), asio::detached);
        accept_thread_ = std::thread([this] { accept_context_.run(); });
    }

    void stop(Milliseconds grace) {
        if (shared_.stopping.exchange(true)) {
            return;
        }
        accept_context_.stop();
        if (accept_thread_.joinable()) {
            accept_thread_.join();
        }
        error_code ignored;
        acceptor_.close(ignored);
        for (const auto& reactor : reactors_) {
            reactor->stop_connections();
        }
        wait_for_connections(grace);
        for (const auto& reactor : reactors_) {
            reactor->close_connections();
        }
        wait_for_connections(std::min(grace, Milliseconds(1000)));
        for (const auto& reactor : reactors_) {
            reactor->end();
        }
    }

    Result<void> reload_certificates() {
        if (shared_.options.tls_certificate_file.empty()) {
            return {};
        }
        TOMBOLO_TRY(std::shared_ptr<asio::ssl::context> fresh, load_tls(shared_.options));
        const std::lock_guard lock(tls_mutex_);
        tls_ = std::move(fresh);
        return {};
    }

    std::uint16_t port() const noexcept { return port_; }
    const Shared& shared() const noexcept { return shared_; }

  private:
    awaitable<void> accept() {
        std::size_t next = 0;
        asio::steady_timer pause(accept_context_);
        for (;;) {
            Reactor& reactor = *reactors_[next++ % reactors_.size()];
            error_code error;
            Tcp::socket socket = co_await acceptor_.async_accept(
                reactor.context(), asio::redirect_error(asio::use_awaitable, error));
            if (error == asio::error::operation_aborted) {
                co_return;
            }
            if (error) {
                // Out of descriptors or memory: what is open goes on, new ones wait.
                pause.expires_after(Milliseconds(50));
                co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
                continue;
            }
            ++shared_.connections_accepted;
            if (shared_.connections_open.fetch_add(1) >= shared_.options.connections_max) {
                turn_away(std::move(socket));
                --shared_.connections_open;
                continue;
            }
            socket.set_option(Tcp::no_delay(true), error);
            auto stream = make_stream(std::move(socket));
            asio::post(reactor.context(), [&reactor, this,
                                           connection = std::make_shared<Connection>(
                                               shared_, reactor.poller(), std::move(stream))] {
                reactor.add(connection, shared_);
            });
        }
    }

    void wait_for_connections(Milliseconds time) const {
        const auto until = Connection::Clock::now() + time;
        while (shared_.connections_open > 0 && Connection::Clock::now() < until) {
            std::this_thread::sleep_for(Milliseconds(5));
        }
    }

    std::unique_ptr<Stream> make_stream(Tcp::socket socket) {
        const std::lock_guard lock(tls_mutex_);
        return tls_ ? make_tls_stream(std::move(socket), tls_)
                    : make_plain_stream(std::move(socket));
    }

    // Too many connections: say so as far as it fits the socket's buffer, then close.
    void turn_away(Tcp::socket socket) {
        ++shared_.requests_refused;
        if (shared_.options.tls_certificate_file.empty()) {
            static constexpr std::string_view answer =
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
                "Connection: close\r\n\r\n";
            error_code ignored;
            socket.non_blocking(true, ignored);
            socket.write_some(asio::const_buffer(answer.data(), answer.size()), ignored);
        }
    }

    Shared shared_;
    std::vector<std::unique_ptr<Reactor>> reactors_;
    asio::io_context accept_context_;
    Tcp::acceptor acceptor_;
    std::thread accept_thread_;
    std::uint16_t port_ = 0;
    std::mutex tls_mutex_;
    std::shared_ptr<asio::ssl::context> tls_; // guarded by tls_mutex_ once started
};

Result<std::unique_ptr<Server>> Server::create(const ServerOptions& options, Handler& handler) {
    auto impl = std::make_unique<Impl>(options, handler);
    TOMBOLO_TRY_VOID(impl->bind());
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;
void Server::start() {
    impl_->start();
}
void Server::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}
std::uint16_t Server::port() const noexcept {
    return impl_->port();
}
Result<void> Server::reload_certificates() {
    return impl_->reload_certificates();
}

ServerCounts Server::counts() const noexcept {
    const Shared& shared = impl_->shared();
    return {shared.connections_open, shared.connections_accepted, shared.requests_running,
            shared.requests_served, shared.requests_refused};
}

} // namespace tombolo::http
