#include "client/device_connection.hpp"

#include <utility>

#include "protocol/close_codes.hpp"
#include "protocol/negotiation.hpp"

namespace tombolo::client {

namespace {

/// As published clients: well below the 12 minutes of silence that end a connection.
constexpr std::chrono::seconds ping_interval{54};
constexpr std::chrono::seconds fast_reconnect_max{60};
/// No further message is made while so much waits for the network.
constexpr std::size_t unsent_bytes_max = 1024 * 1024;

using Kind = ConnectionEnd::Kind;

} // namespace

DeviceConnection::DeviceConnection(Replica& replica, AppClient& app, UserTokens tokens,
                                   DeviceConnectionOptions options)
    : replica_(replica), app_(app), tokens_(std::move(tokens)), options_(std::move(options)),
      session_(replica,
               [this] {
                   ReplicaSessionOptions session;
                   session.schema_version = options_.schema_version;
                   return session;
               }()),
      lost_at_(Clock::now() - 2 * fast_reconnect_max) {}

bool DeviceConnection::fail(ConnectionEnd end) {
    if (socket_ != nullptr) {
        socket_.reset();
        session_.disconnected();
        lost_at_ = Clock::now();
    }
    end_ = std::move(end);
    return false;
}

bool DeviceConnection::connect() {
    disconnect();
    end_ = {};
    if (!open_socket(true)) {
        return false;
    }
    session_.connected(Clock::now() - lost_at_ < fast_reconnect_max);
    pinged_at_ = Clock::now();
    return true;
}

void DeviceConnection::disconnect() {
    if (socket_ != nullptr) {
        fail({});
    }
}

bool DeviceConnection::renew_token() {
    Result<std::string> token = app_.renew(tokens_.refresh_token);
    if (!token) {
        const bool is_over = token.error().code() == ErrorCode::access_denied;
        return fail({is_over ? Kind::signed_out : Kind::unreachable, 0, token.error().message()});
    }
    tokens_.access_token = *std::move(token);
    if (options_.on_renewed) {
        options_.on_renewed(tokens_);
    }
    return true;
}

bool DeviceConnection::open_socket(bool may_renew) {
    Result<std::string> origin = app_.socket_origin();
    if (!origin) {
        const bool is_lost = origin.error().code() == ErrorCode::unavailable ||
                             origin.error().code() == ErrorCode::io;
        return fail({is_lost ? Kind::unreachable : Kind::refused, 0, origin.error().message()});
    }
    origin_ = *std::move(origin);
    WebSocketRequest request;
    request.origin = origin_;
    request.target = "/api/client/v2.0/app/" + app_.address().app_id +
                     "/realm-sync?baas_at=" + tokens_.access_token;
    request.subprotocols = protocol::subprotocol_token({});
    request.ca_file = app_.address().ca_file;
    request.message_bytes_max = protocol::limits::server_message_bytes_max;
    request.timeout = options_.timeout;
    auto socket = WebSocket::open(request);
    if (!socket) {
        app_.forget_location();
        return fail({Kind::unreachable, 0, socket.error().message()});
    }
    const int status = (*socket)->status();
    if (status == 401 && may_renew) {
        return renew_token() && open_socket(false);
    }
    if (status != 101) {
        const Kind kind = status == 401   ? Kind::signed_out
                          : status == 403 ? Kind::forbidden
                          : status >= 500 ? Kind::unreachable
                                          : Kind::refused;
        return fail({kind, status, (*socket)->body()});
    }
    if (!protocol::parse_subprotocol_answer((*socket)->header("sec-websocket-protocol"),
                                            protocol::SyncMode::flexible)) {
        return fail({Kind::refused, status, "the server speaks another protocol"});
    }
    socket_ = *std::move(socket);
    return true;
}

bool DeviceConnection::send_due() {
    const auto now = Clock::now();
    if (now - pinged_at_ > ping_interval) {
        pinged_at_ = now;
        const auto ping = protocol::encode_client_message(
            protocol::Ping{
                std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch())
                    .count(),
                0},
            {});
        socket_->send(*ping);
    }
    bool is_saved = false;
    while (socket_->unsent_bytes() < unsent_bytes_max) {
        const auto message = session_.next();
        if (!message) {
            break;
        }
        // Nothing of the replica changes between the messages of one round.
        if (!is_saved && options_.save) {
            if (const Result<void> saved = options_.save(); !saved) {
                return fail({Kind::failed_to_save, 0, saved.error().what()});
            }
        }
        is_saved = true;
        bytes_sent_ += message->size();
        socket_->send(*message);
    }
    return true;
}

bool DeviceConnection::take(const WebSocket::Received& received) {
    if (received.kind == WebSocket::Kind::ended) {
        return fail({Kind::unreachable, 0, received.payload});
    }
    if (received.kind == WebSocket::Kind::close) {
        const auto reaction = protocol::close_reaction(received.code, true);
        const Kind kind = reaction.action == protocol::ErrorAction::refresh_user ? Kind::signed_out
                          : reaction.action == protocol::ErrorAction::log_out_user ? Kind::forbidden
                                                                                   : Kind::closed;
        // The access token may merely be too old.
        if (kind == Kind::signed_out && !renew_token()) {
            return false;
        }
        return fail(
            {kind == Kind::signed_out ? Kind::unreachable : kind, received.code, received.payload});
    }
    bytes_received_ += received.payload.size();
    if (const auto taken = session_.receive(as_bytes(received.payload)); !taken) {
        return fail({Kind::broken, 0, taken.error().what()});
    }
    return true;
}

bool DeviceConnection::step(std::chrono::milliseconds time) {
    if (socket_ == nullptr) {
        return false;
    }
    for (;;) {
        if (!send_due()) {
            return false;
        }
        const WebSocket::Received received = socket_->receive(time);
        if (received.kind == WebSocket::Kind::timeout) {
            return true;
        }
        if (!take(received)) {
            return false;
        }
        if (session_.is_up_to_date()) {
            time = std::chrono::milliseconds(0);
        } else {
            return send_due();
        }
    }
}

bool DeviceConnection::is_settled() const noexcept {
    return socket_ != nullptr && replica_.is_uploaded() && session_.is_up_to_date();
}

} // namespace tombolo::client
