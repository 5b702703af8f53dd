#include "server/sync_session/islands.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <stdexcept>

#include "server/auth/tokens.hpp"
#include "server/runtime/sealer.hpp"
#include "server/store/embedded/embedded_store.hpp"

namespace tombolo::server {

using changeset::ChangesetBuilder;
using changeset::CollectionKind;
using changeset::PayloadType;
using changeset::TableKind;

namespace {

constexpr std::chrono::seconds patience{60};

// TOMBOLO_TEST_TRACE=1 shows the header line of every message.
void trace(const void* device, const char* direction, std::string_view message) {
    static const bool is_on = std::getenv("TOMBOLO_TEST_TRACE") != nullptr;
    if (is_on) {
        const std::string head(message.substr(0, std::min<std::size_t>(message.find('\n'), 150)));
        std::printf("%p %s %s\n", device, direction, head.c_str());
    }
}

} // namespace

std::string islands_directory() {
    return std::string(TOMBOLO_TEST_DATA) + "/server/sync_session/app";
}

changeset::Changeset islands_schema() {
    ChangesetBuilder builder;
    builder.add_embedded_table("E");
    builder.add_table("Item", TableKind::top_level, "_id", PayloadType::integer, false);
    builder.add_table("T", TableKind::top_level, "_id", PayloadType::integer, false);
    builder.add_column("E", "y", {PayloadType::integer, false});
    builder.add_column("E", "ys", {PayloadType::integer, false, CollectionKind::list});
    builder.add_column("Item", "name", {PayloadType::string, true});
    builder.add_column("Item", "owner", {PayloadType::string, true});
    builder.add_column("Item", "priority", {PayloadType::integer, true});
    builder.add_column("Item", "tags", {PayloadType::string, false, CollectionKind::list});
    builder.add_column("T", "q", {PayloadType::integer, false});
    builder.add_column("T", "x", {PayloadType::integer, false});
    builder.add_column("T", "l", {PayloadType::integer, false, CollectionKind::list});
    builder.add_column("T", "k", {PayloadType::link, true, CollectionKind::single, "T"});
    builder.add_column("T", "e", {PayloadType::link, true, CollectionKind::single, "E"});
    return builder.finish().value();
}

changeset::Changeset item(std::int64_t id, const std::string& name, const std::string& owner,
                          std::int64_t priority) {
    ChangesetBuilder builder;
    builder.create_object("Item", id);
    builder.update({"Item", id, "name"}, std::string_view(name));
    if (!owner.empty()) {
        builder.update({"Item", id, "owner"}, std::string_view(owner));
    }
    builder.update({"Item", id, "priority"}, priority);
    return builder.finish().value();
}

IslandsServer::IslandsServer(const std::function<void(Config&)>& configure) : log_(Log::none()) {
    if (const char* level = std::getenv("TOMBOLO_TEST_LOG")) {
        log_ = Log::open({parse_log_level(level).value(), LogFormat::text, {}}).value();
    }
    config_.data = folder_.file("data");
    config_.listen = "127.0.0.1:0";
    config_.apps = {islands_directory()};
    config_.requests_per_minute = 0;
    config_.stop_seconds = 5;
    if (configure) {
        configure(config_);
    }
    start();
}

IslandsServer::~IslandsServer() = default;

void IslandsServer::start() {
    daemon_ = Daemon::start(config_, *log_).value();
    const std::string url = daemon_->url();
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

void IslandsServer::stop() {
    daemon_->stop();
    daemon_.reset();
}

void IslandsServer::restart(const std::function<void(Config&)>& configure) {
    stop();
    if (configure) {
        configure(config_);
    }
    start();
}

void IslandsServer::back_up() {
    stop();
    std::filesystem::copy(folder_.file("data"), folder_.file("backup"),
                          std::filesystem::copy_options::recursive);
    start();
}

void IslandsServer::with_store(const std::function<void(store::Store&)>& work) {
    stop();
    {
        const auto store = store::open_embedded({folder_.file("data/store")}).value();
        work(*store);
    }
    start();
}

void IslandsServer::restore() {
    stop();
    std::filesystem::remove_all(folder_.file("data"));
    std::filesystem::copy(folder_.file("backup"), folder_.file("data"),
                          std::filesystem::copy_options::recursive);
    start();
}

std::string IslandsServer::expired(const std::string& access_token) {
    stop();
    const std::int64_t now = std::time(nullptr);
    std::string token;
    {
        const auto store = store::open_embedded({folder_.file("data/store")}).value();
        const Sealer sealer = Sealer::from_file(folder_.file("data/master.key")).value();
        const auto tokens = auth::Tokens::open(*store, sealer, now).value();
        auth::TokenClaims claims =
            tokens->verify(access_token, auth::TokenKind::access, now).claims.value();
        claims.expires_at = now - 1;
        claims.issued_at = claims.expires_at - auth::access_token_seconds;
        token = tokens->issue(claims);
    }
    start();
    return token;
}

Device::Device(std::uint16_t port, Login login)
    : port_(port), login_(std::move(login)), session_(std::make_unique<client::ReplicaSession>(
                                                 replica_, client::ReplicaSessionOptions{})) {}

void Device::connect(bool fast) {
    WireOptions options;
    options.port = port_;
    options.app = islands_app;
    options.token = login_.access_token;
    options.tls = tls_;
    wire_ = std::make_unique<SyncWire>(options);
    if (wire_->status() == 401 && !tls_ && refresh(port_, login_)) {
        options.token = login_.access_token;
        wire_ = std::make_unique<SyncWire>(options);
    }
    if (wire_->status() != 101) {
        const std::string body = wire_->socket().body();
        const int status = wire_->status();
        wire_.reset();
        if (status == 0 || status == 503) {
            throw ConnectionEnded("the upgrade was answered with " + std::to_string(status));
        }
        throw std::runtime_error("the upgrade was answered with " + std::to_string(status) + " " +
                                 body);
    }
    session_->connected(fast);
}

void Device::disconnect() {
    if (wire_ != nullptr) {
        wire_->socket().abort();
        wire_.reset();
        session_->disconnected();
    }
}

void Device::crash() {
    disconnect();
    session_ = std::make_unique<client::ReplicaSession>(replica_, client::ReplicaSessionOptions{});
}

void Device::write_skewed(const changeset::Changeset& changeset, std::uint64_t ahead_ms) {
    replica_.write(changeset, ++clock_ms_ + ahead_ms).value();
}

bool Device::step(std::chrono::milliseconds time) {
    if (wire_ == nullptr) {
        return false;
    }
    for (;;) {
        while (const auto message = session_->next()) {
            trace(this, ">", as_text(*message));
            wire_->socket().send(as_text(*message));
        }
        const auto received = wire_->socket().receive(time);
        using Kind = testing::WebSocketClient::Kind;
        if (received.kind == Kind::timeout) {
            return true;
        }
        if (received.kind != Kind::binary) {
            disconnect();
            return false;
        }
        trace(this, "<", received.payload);
        const Result<void> taken = session_->receive(as_bytes(received.payload));
        if (!taken) {
            throw std::runtime_error(std::string("the device cannot take what it was sent: ") +
                                     taken.error().what() + ": " +
                                     received.payload.substr(0, received.payload.find('\n')));
        }
        time = std::chrono::milliseconds(0);
    }
}

void Device::synchronize() {
    const auto until = std::chrono::steady_clock::now() + patience;
    bool asked = false;
    for (;;) {
        if (!step(std::chrono::milliseconds(asked ? 50 : 0))) {
            throw ConnectionEnded("the connection ended");
        }
        const auto& errors = session_->errors();
        if (!errors.empty() && protocol::ends_binding(errors.back().code) &&
            !errors.back().body.try_again) {
            const std::string what =
                "error " + std::to_string(errors.back().code) + ": " + errors.back().body.message;
            if (errors.back().body.action == protocol::ErrorAction::client_reset) {
                throw ResetDemanded(what);
            }
            throw std::runtime_error(what);
        }
        if (replica_.is_uploaded() && session_->is_up_to_date()) {
            if (asked) {
                return;
            }
            session_->request_mark();
            asked = true;
        } else if (!asked) {
            step(std::chrono::milliseconds(20));
        }
        if (std::chrono::steady_clock::now() > until) {
            throw std::runtime_error("the device does not come up to date");
        }
    }
}

} // namespace tombolo::server
