#pragma once

// A replica on a socket: location, upgrade, tokens, and the session's messages to and fro
// (sync-protocol.md 1, 4.4, 7). What `tombolo sync`, tests and examples connect devices with.
//
//     DeviceConnection connection(replica, app, tokens, {});
//     if (connection.connect()) {
//         while (connection.step(std::chrono::seconds(1))) { ... }
//     }
//
// No threads and no timers: everything happens in connect() and step(). The replica and the app
// must outlive the connection. Thread-safety: none.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "client/app_client.hpp"
#include "client/replica_session.hpp"
#include "client/websocket.hpp"

namespace tombolo::client {

struct DeviceConnectionOptions {
    std::uint64_t schema_version = 0;
    std::chrono::milliseconds timeout{10'000};
    /// Called before anything is sent: what the messages say must be kept.
    std::function<Result<void>()> save = {};
    /// Told of a renewed access token.
    std::function<void(const UserTokens&)> on_renewed = {};
};

/// Why there is no connection (any more).
struct ConnectionEnd {
    enum class Kind : std::uint8_t {
        none,
        unreachable,    ///< nobody answers, or the connection was lost: try again
        signed_out,     ///< the session is over, or the user is disabled: sign in again
        forbidden,      ///< the user may not sync
        refused,        ///< the upgrade was refused for another reason
        closed,         ///< by the server, with `code`
        broken,         ///< the server has sent what no device can take: the replica is of no use
        failed_to_save, ///< by `save`
    };
    Kind kind = Kind::none;
    int code = 0;     ///< a close code or an HTTP status, 0: neither
    std::string text; ///< the server's or the system's words
};

class DeviceConnection {
  public:
    DeviceConnection(Replica& replica, AppClient& app, UserTokens tokens,
                     DeviceConnectionOptions options);

    /// False: end() says why. A refused access token is renewed once.
    bool connect();
    bool is_connected() const noexcept { return socket_ != nullptr; }
    /// Sends what there is to send, takes what has come, and waits at most so long for the first
    /// message. False when the connection has ended.
    bool step(std::chrono::milliseconds time);
    /// Drops the connection.
    void disconnect();

    /// Every local write is acknowledged, every subscription set settled, and the newest MARK
    /// answered.
    bool is_settled() const noexcept;

    ReplicaSession& session() noexcept { return session_; }
    const ConnectionEnd& end() const noexcept { return end_; }
    const UserTokens& tokens() const noexcept { return tokens_; }
    const std::string& socket_origin() const noexcept { return origin_; }
    std::uint64_t bytes_received() const noexcept { return bytes_received_; }
    std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }

  private:
    using Clock = std::chrono::steady_clock;

    bool open_socket(bool may_renew);
    bool renew_token();
    bool fail(ConnectionEnd end);
    bool send_due();
    bool take(const WebSocket::Received& received);

    Replica& replica_;
    AppClient& app_;
    UserTokens tokens_;
    DeviceConnectionOptions options_;
    ReplicaSession session_;
    std::unique_ptr<WebSocket> socket_;
    std::string origin_;
    ConnectionEnd end_;
    Clock::time_point lost_at_;
    Clock::time_point pinged_at_;
    std::uint64_t bytes_received_ = 0;
    std::uint64_t bytes_sent_ = 0;
};

} // namespace tombolo::client
