#include "server/sync_session/sync_wire.hpp"

#include <stdexcept>

#include <boost/json/parse.hpp>

#include "core/bytes.hpp"
#include "protocol/negotiation.hpp"
#include "server/http/raw_client.hpp"

namespace tombolo::server {

namespace {

namespace json = boost::json;

http::RawClient::Answer post(std::uint16_t port, const std::string& path, const std::string& body,
                             const std::string& token) {
    http::RawClient client(port);
    std::string request = "POST " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    if (!token.empty()) {
        request += "Authorization: Bearer " + token + "\r\n";
    }
    request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    client.send(request);
    return client.receive();
}

testing::WebSocketClientOptions socket_options(const WireOptions& options) {
    testing::WebSocketClientOptions out;
    out.port = options.port;
    out.target = "/api/client/v2.0/app/" + options.app + "/realm-sync?baas_at=" + options.token;
    out.subprotocols = options.subprotocols.empty()
                           ? protocol::subprotocol_offer(protocol::SyncMode::flexible)
                           : options.subprotocols;
    out.headers = options.headers;
    out.tls = options.tls;
    out.no_delay = options.no_delay;
    out.receive_buffer_bytes = options.receive_buffer_bytes;
    return out;
}

} // namespace

Login log_in_anonymously(std::uint16_t port, const std::string& app) {
    const auto answer =
        post(port, "/api/client/v2.0/app/" + app + "/auth/providers/anon-user/login", "{}", "");
    if (answer.status != 200 && answer.status != 201) {
        throw std::runtime_error("log-in answered " + std::to_string(answer.status) + " " +
                                 answer.body);
    }
    const json::object body = json::parse(answer.body).as_object();
    const auto text = [&](const char* key) { return std::string(body.at(key).as_string()); };
    return {text("user_id"), text("access_token"), text("refresh_token")};
}

bool refresh(std::uint16_t port, Login& login) {
    const auto answer = post(port, "/api/client/v2.0/auth/session", "", login.refresh_token);
    if (answer.status != 200 && answer.status != 201) {
        return false;
    }
    login.access_token = json::parse(answer.body).at("access_token").as_string().c_str();
    return true;
}

std::string ask_data_source(std::uint16_t port, const std::string& app, const Login& login,
                            const std::string& call) {
    return post(port, "/api/client/v2.0/app/" + app + "/functions/call", call, login.access_token)
        .body;
}

std::string ask_collection(std::uint16_t port, const std::string& app, const Login& login,
                           const std::string& collection, const std::string& action,
                           const std::string& arguments) {
    return ask_data_source(
        port, app, login,
        R"({"name":")" + action +
            R"(","service":"mongodb-atlas","arguments":[{"database":"app","collection":")" +
            collection + R"(",)" + arguments + "}]}");
}

std::string refreshed_access_token(std::uint16_t port, const std::string& refresh_token) {
    const auto answer = post(port, "/api/client/v2.0/auth/session", "", refresh_token);
    return std::string(json::parse(answer.body).at("access_token").as_string());
}

int refresh_status(std::uint16_t port, const std::string& refresh_token) {
    return post(port, "/api/client/v2.0/auth/session", "", refresh_token).status;
}

SyncWire::SyncWire(const WireOptions& options) : socket_(socket_options(options)) {
    if (status() == 101) {
        const std::string token = socket_.header("sec-websocket-protocol");
        auto dialect = protocol::parse_subprotocol_answer(token, protocol::SyncMode::flexible);
        if (!dialect) {
            dialect = protocol::parse_subprotocol_answer(token, protocol::SyncMode::partition);
        }
        dialect_ = dialect.value();
    }
}

void SyncWire::send(const protocol::ClientMessage& message) {
    const protocol::MessageBytes bytes = protocol::encode_client_message(message, dialect_).value();
    socket_.send(as_text(bytes));
}

std::string SyncWire::Incoming::head() const {
    if (bytes != nullptr) {
        return bytes->substr(0, std::min<std::size_t>(bytes->find('\n'), 200)) +
               (as<protocol::JsonError>() != nullptr ? " " + as<protocol::JsonError>()->body.message
                                                     : "");
    }
    return close_code != 0 ? "close " + std::to_string(close_code) + " " + reason
           : ended()       ? "end of TCP"
                           : "nothing";
}

SyncWire::Incoming SyncWire::receive(std::chrono::milliseconds timeout) {
    using Kind = testing::WebSocketClient::Kind;
    for (;;) {
        auto received = socket_.receive(timeout);
        Incoming incoming;
        incoming.kind = received.kind;
        if (received.kind == Kind::close) {
            incoming.close_code = received.code;
            incoming.reason = received.payload;
        }
        if (received.kind != Kind::binary) {
            return incoming;
        }
        incoming.bytes = std::make_shared<const std::string>(std::move(received.payload));
        auto parsed = protocol::parse_server_message(as_bytes(*incoming.bytes), dialect_);
        if (!parsed) {
            throw std::runtime_error(std::string("the server sent what cannot be read: ") +
                                     parsed.error().what() + ": " + *incoming.bytes);
        }
        incoming.message = *std::move(parsed);
        if (incoming.as<protocol::LogMessage>() == nullptr) {
            return incoming;
        }
    }
}

bool SyncWire::is_quiet(std::chrono::milliseconds time) {
    return receive(time).kind == testing::WebSocketClient::Kind::timeout;
}

} // namespace tombolo::server
