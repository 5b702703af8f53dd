#pragma once

// The app "islands" of these tests (the folder app/), a server that runs it in this process, and
// devices that speak to it over sockets.

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "changeset/builder.hpp"
#include "client/replica_session.hpp"
#include "server/daemon/daemon.hpp"
#include "server/store/store.hpp"
#include "server/sync_session/sync_wire.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::server {

inline constexpr const char* islands_app = "islands-abcde";
/// The app directory.
std::string islands_directory();

/// What an SDK uploads when it opens a file with the classes Item and T.
changeset::Changeset islands_schema();
/// An Item with these fields; the empty owner is left out.
changeset::Changeset item(std::int64_t id, const std::string& name, const std::string& owner,
                          std::int64_t priority);

class IslandsServer {
  public:
    /// `configure` may change the configuration.
    explicit IslandsServer(const std::function<void(Config&)>& configure = {});
    ~IslandsServer();

    std::uint16_t port() const { return port_; }
    Daemon& daemon() { return *daemon_; }
    /// Stops in order and starts again with the same data, on a new port.
    void restart(const std::function<void(Config&)>& configure = {});
    void stop();
    /// What the server's store holds, while it is stopped; it is started again.
    void with_store(const std::function<void(store::Store&)>& work);
    /// A copy of the data as it is on disk now; the server is started again.
    void back_up();
    /// The data as they were then.
    void restore();
    /// The access token of the same session when its time is over, signed by the server's own key;
    /// the server is started again.
    std::string expired(const std::string& access_token);
    Login log_in() const { return log_in_anonymously(port_, islands_app); }
    WireOptions wire(const Login& login) const {
        WireOptions options;
        options.port = port_;
        options.app = islands_app;
        options.token = login.access_token;
        return options;
    }

  private:
    void start();

    TemporaryFolder folder_;
    Config config_;
    std::unique_ptr<Log> log_;
    std::unique_ptr<Daemon> daemon_;
    std::uint16_t port_ = 0;
};

/// The network's doing: worth another try.
struct ConnectionEnded : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The server told the device to reset: its replica is of no more use.
struct ResetDemanded : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A headless device on a socket. Everything blocks for what it waits for, with a generous limit;
/// what the server may not do throws std::runtime_error.
class Device {
  public:
    Device(std::uint16_t port, Login login);

    client::Replica& replica() { return replica_; }
    client::ReplicaSession& session() { return *session_; }
    const Login& login() const { return login_; }

    /// Over another port: the server was started again, or a proxy is between.
    void set_port(std::uint16_t port) { port_ = port; }
    void set_tls(bool tls) { tls_ = tls; }
    void connect(bool fast = false);
    bool is_connected() const { return wire_ != nullptr; }
    /// Drops the connection without a word.
    void disconnect();
    /// The process ended: what was not on disk is gone, and so is the session object.
    void crash();

    void write(const changeset::Changeset& changeset) { write_skewed(changeset, 0); }
    /// With a clock that is so far ahead at the moment.
    void write_skewed(const changeset::Changeset& changeset, std::uint64_t ahead_ms);
    protocol::QueryVersion subscribe(const protocol::QueryBody& body) {
        return replica_.subscribe(body);
    }

    /// Sends what there is to send and takes what has come; waits at most `time` for more. False
    /// when the connection has ended.
    bool step(std::chrono::milliseconds time = std::chrono::milliseconds(0));
    /// Until every write is acknowledged, every set complete or in error, and a fresh MARK
    /// answered.
    void synchronize();

  private:
    std::uint16_t port_;
    Login login_;
    client::Replica replica_;
    std::unique_ptr<client::ReplicaSession> session_;
    std::unique_ptr<SyncWire> wire_;
    std::uint64_t clock_ms_ = 360'000'000'000;
    bool tls_ = false;
};

} // namespace tombolo::server
