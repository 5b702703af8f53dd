#pragma once

// The protocol on one sync connection: messages in, messages out, several bindings at a time
// (sync-protocol.md 3, 4). What is between the socket and the engine, and nothing else: parsing,
// legal states, the level and form of errors, compression, pacing.
//
// Wrong input ends the connection with a connection-level JSON_ERROR (or 1009 when it is too
// large), or its binding with a session-level one; after either nothing more is said about it (4.5,
// S24). Codes that abort published clients cannot be sent: the encoder refuses them. Every DOWNLOAD
// is checked by the client's own rules before it leaves; one that breaks them is never sent: the
// binding ends with 200 and is bound again, and the log has the rule.
//
// Fairness: pump() serves bindings in turn, a message each, and stops while the peer takes less
// than it is sent. Memory: a message being handled; the engine recomputes what was not sent.
//
// Thread-safety: none; everything on the connection's strand.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/object_id.hpp"
#include "protocol/codec.hpp"
#include "server/runtime/log.hpp"
#include "server/runtime/measurements.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/session/binding.hpp"
#include "server/sync/session/counters.hpp"
#include "server/sync/session/live_connection.hpp"
#include "server/sync/session/outlet.hpp"

namespace tombolo::server {
class AppLog;
}

namespace tombolo::server::sync {

/// For connections of which nobody asks.
std::shared_ptr<AppMeasurements> unmeasured();

struct ConnectionSetup {
    Engine& engine;
    Counters& counters;
    const Log& log;
    std::string app_name; ///< client app id, for the log
    std::string user_id;
    /// The upgrade's request id: names the connection in logs on both sides.
    std::string id;
    std::string log_url; ///< in errors, where they name none
    protocol::Dialect dialect;
    /// Answer TEST_COMMANDs by doing what they say.
    bool test_commands = false;
    /// What operators are shown; may be null, as the clock with it.
    std::shared_ptr<LiveConnection> live = {};
    const Clock* clock = nullptr;
    /// What the app's administrators read; may be null.
    AppLog* app_log = nullptr;
    /// Never null.
    std::shared_ptr<AppMeasurements> measured = unmeasured();
    ObjectId app = {};
    protocol::ParseLimits limits = protocol::server_parse_limits;
    std::size_t bindings_max = 1000;
    /// Uploads taken and not integrated: no more input beyond.
    std::size_t backlog_bytes_max = std::size_t{4} << 20;
};

class Connection {
  public:
    /// Messages sent by one pump() before others have their turn.
    static constexpr unsigned messages_a_turn = 16;

    Connection(ConnectionSetup setup, Outlet& outlet, std::weak_ptr<Waker> waker);
    ~Connection();

    /// Tells the client the connection's id, for its log.
    void open();
    /// One message of the client. REQUIRES: takes_input().
    void receive(ByteView message);
    /// False while the engine has enough to do for this connection; wake() comes when it changes.
    bool takes_input() const;
    /// Sends what the bindings have, at most so many messages; true when there is more that could
    /// be sent.
    bool pump(unsigned messages_max = messages_a_turn);
    /// Says 100 and closes: the server stops.
    void shut_down();
    /// Ends all bindings; nothing is sent any more.
    void end();
    bool is_over() const noexcept { return is_over_; }

    /// The PONG to a PING, or empty when the message is none: so that a transport can answer out of
    /// turn (S28).
    static protocol::MessageBytes answer_ping(ByteView message, protocol::Dialect dialect);

  private:
    using Bindings = std::map<protocol::SessionIdent, Binding>;

    void handle(const protocol::Bind& message);
    void handle(const protocol::ClientIdent& message);
    void handle(const protocol::Query& message);
    void handle(const protocol::Upload& message);
    void handle(const protocol::Mark& message);
    void handle(const protocol::Unbind& message);
    void handle(const protocol::Ping& message);
    void handle(const protocol::ClientError& message);
    void handle(const protocol::TestCommand& message);

    Binding* find(protocol::SessionIdent ident, std::string_view what);
    Binding* find_active(protocol::SessionIdent ident, std::string_view what);
    void bind_new(const protocol::Bind& message);
    bool is_bound(protocol::ClientFileIdent file) const;
    /// The answer, and the error that the command wants sent behind it.
    std::string run_test_command(Binding& binding, std::string_view text,
                                 std::optional<protocol::EchoError>& echo_error);

    void pick_up(Binding& binding);
    Binding* next_with_outgoing();
    void allocated(Binding& binding, const Result<protocol::SaltedFileIdent>& file);
    /// Sends the binding's next message; false when it has none.
    bool send_next(Binding& binding);
    void send(Binding& binding, const OutgoingDownload& download);
    void send(Binding& binding, const OutgoingMark& mark);
    void send(Binding& binding, const OutgoingQueryError& error);
    void send(Binding& binding, const SessionError& error);
    void note_upload(Binding& binding, protocol::ClientVersion version, bool is_empty);
    void note_download(Binding& binding, const OutgoingDownload& download);

    bool send_message(const protocol::ServerMessage& message);
    /// A session-level error that ends the binding.
    void fail(Binding& binding, protocol::SyncErrorCode code, std::string message);
    /// A connection-level error, then the end.
    void fail(protocol::SyncErrorCode code, std::string message);
    void close(std::uint16_t code, std::string_view reason);
    void drop_session(Binding& binding);

    ConnectionSetup setup_;
    Outlet& outlet_;
    std::weak_ptr<Waker> waker_;
    Bindings bindings_;
    protocol::SessionIdent last_served_;
    bool is_over_ = false;
};

} // namespace tombolo::server::sync
