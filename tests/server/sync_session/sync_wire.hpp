#pragma once

// A sync connection as a client has it, message by message: what tests script conversations with.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "protocol/codec.hpp"
#include "support/websocket_client.hpp"

namespace tombolo::server {

struct Login {
    std::string user_id;
    std::string access_token;
    std::string refresh_token;
};

/// Signs a new anonymous user in. Throws std::runtime_error when that fails.
Login log_in_anonymously(std::uint16_t port, const std::string& app);
/// A new access token into it; false when the server gives none.
bool refresh(std::uint16_t port, Login& login);
/// What the server answers to a call of a data source's action by that user.
std::string ask_data_source(std::uint16_t port, const std::string& app, const Login& login,
                            const std::string& call);
/// The same, of a collection of the app's database: an action and its other arguments, as the
/// members of an object.
std::string ask_collection(std::uint16_t port, const std::string& app, const Login& login,
                           const std::string& collection, const std::string& action,
                           const std::string& arguments);
/// What POST auth/session gives: another access token. Throws when it gives none.
std::string refreshed_access_token(std::uint16_t port, const std::string& refresh_token);
/// Another session of the refresh token's user: status of POST auth/session.
int refresh_status(std::uint16_t port, const std::string& refresh_token);

struct WireOptions {
    std::uint16_t port = 0;
    std::string app;
    std::string token;
    /// Of Sec-WebSocket-Protocol; empty: all versions of flexible sync, as published clients offer.
    std::string subprotocols = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    bool tls = false;
    bool no_delay = true;
    int receive_buffer_bytes = 0;
};

class SyncWire {
  public:
    explicit SyncWire(const WireOptions& options);

    int status() const { return socket_.status(); }
    testing::WebSocketClient& socket() { return socket_; }
    const protocol::Dialect& dialect() const { return dialect_; }

    void send(const protocol::ClientMessage& message);
    void send_text(std::string_view message) { socket_.send(message); }

    struct Incoming {
        testing::WebSocketClient::Kind kind = testing::WebSocketClient::Kind::ended;
        std::uint16_t close_code = 0;
        std::string reason;
        /// Borrows from `bytes`.
        std::shared_ptr<const std::string> bytes;
        std::optional<protocol::ServerMessage> message;

        bool ended() const { return kind == testing::WebSocketClient::Kind::ended; }
        /// Null when it is another.
        template <class Message>
        const Message* as() const {
            return message ? std::get_if<Message>(&*message) : nullptr;
        }
        /// The message's header line, for failures.
        std::string head() const;
    };
    /// The next message that is not a LOG_MESSAGE. Throws std::runtime_error on what no server may
    /// send.
    Incoming receive(std::chrono::milliseconds timeout = std::chrono::seconds(30));
    /// True when nothing comes for this long.
    bool is_quiet(std::chrono::milliseconds time);

  private:
    testing::WebSocketClient socket_;
    protocol::Dialect dialect_;
};

} // namespace tombolo::server
