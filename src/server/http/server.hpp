#pragma once

// The listener: accepts connections, speaks HTTP/1.1 on them, plain or TLS, and hands requests to a
// Handler.
//
// One thread accepts, N threads do the I/O; a connection stays on its thread for life. Requests of
// a connection are answered one after another; pipelined ones wait in the socket, so a client
// cannot make the server hold many. Idle connections hold no buffers. Beyond connections_max the
// answer is 503, beyond requests_max 429, both with Retry-After.
//
// Thread-safety: all members from any thread. start() once; stop() ends accepting, lets running
// requests finish for at most the grace time, then closes what is left and returns.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "server/http/message.hpp"

namespace tombolo::http {

struct ServerOptions {
    std::string address = "127.0.0.1"; ///< IP address
    std::uint16_t port = 0;            ///< 0: any free one, see Server::port
    unsigned io_threads = 2;

    /// PEM files; both or none.
    std::string tls_certificate_file;
    std::string tls_key_file;

    std::size_t connections_max = 20'000;
    /// Being handled at a time, all connections together.
    std::size_t requests_max = 10'000;
    std::size_t header_bytes_max =
        std::size_t{16} * 1024; ///< a token travels in the query (baas_at)
    std::chrono::milliseconds header_timeout{
        10'000}; ///< from a request's first byte to its last header
    std::chrono::milliseconds body_timeout{60'000};
    std::chrono::milliseconds write_timeout{60'000};
    std::chrono::milliseconds idle_timeout{75'000};
    /// Addresses and ranges (10.0.0.0/8) whose X-Forwarded-For and X-Forwarded-Proto are believed.
    std::vector<std::string> trusted_proxies;
};

struct ServerCounts {
    std::uint64_t connections_open = 0;
    std::uint64_t connections_accepted = 0;
    std::uint64_t requests_running = 0;
    std::uint64_t requests_served = 0;
    std::uint64_t requests_refused = 0; ///< overload
};

class Server {
  public:
    /// Binds and reads the certificates; `handler` must outlive the server. io names the address or
    /// file at fault.
    static Result<std::unique_ptr<Server>> create(const ServerOptions& options, Handler& handler);
    ~Server();

    void start();
    void stop(std::chrono::milliseconds grace);

    /// The port that is bound.
    std::uint16_t port() const noexcept;
    /// Reads the certificate files again for new connections. On an error the old ones stay in use.
    Result<void> reload_certificates();
    ServerCounts counts() const noexcept;

    class Impl;

  private:
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::http
