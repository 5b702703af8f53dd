#pragma once

// The client's side of one sync session over a Replica (sync-protocol.md 4.4, 5.2): which message
// comes next, and what an incoming one does. No socket, no clock: the caller carries bytes.
//
//     ReplicaSession session(replica, options);
//     session.connected(false);
//     while (auto message = session.next()) { socket.send(*message); }
//     session.receive(bytes);  // then next() again
//
// One object for as long as an app would keep the file open; connected() and disconnected() as
// connections come and go. What published clients verify is verified (4.7); a violation or a
// changeset that cannot be integrated is an Error from receive(), after which both session and
// replica are of no more use.
//
// Thread-safety: none. The replica must outlive the session.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/replica.hpp"
#include "protocol/codec.hpp"
#include "protocol/download_checker.hpp"

namespace tombolo::client {

struct ReplicaSessionOptions {
    protocol::SessionIdent ident{1};
    protocol::Dialect dialect;
    std::uint64_t schema_version = 0;
    protocol::SessionReason reason = protocol::SessionReason::sync;
    /// An UPLOAD takes no more changesets once it holds so much.
    std::size_t upload_bytes = 131'072;
};

class ReplicaSession {
  public:
    ReplicaSession(Replica& replica, ReplicaSessionOptions options);

    /// `fast`: within a minute of losing the last connection; an open gate stays open.
    void connected(bool fast);
    void disconnected();
    /// Asks for a MARK: is_up_to_date() is false until it is answered.
    void request_mark() { ++requested_mark_; }

    /// The next message to send, or nothing for now.
    std::optional<protocol::MessageBytes> next();
    Result<void> receive(ByteView message);

    /// Ends the binding in order: UNBIND is sent.
    void unbind() { wants_unbind_ = true; }
    bool is_unbound() const noexcept { return phase_ == Phase::idle; }

    /// Every MARK asked for has been answered, and nothing waits to be sent.
    bool is_up_to_date() const noexcept;
    /// 231s that came, and the error that ended the last binding.
    const std::vector<protocol::JsonError>& errors() const noexcept { return errors_; }
    void clear_errors() { errors_.clear(); }

  private:
    enum class Phase : std::uint8_t {
        idle,           ///< BIND is to be sent
        awaiting_ident, ///< the server's
        bound,          ///< IDENT is to be sent
        active,
        failed,    ///< an error came: UNBIND is to be sent
        unbinding, ///< UNBOUND is awaited
        stopped,   ///< the error says not to try again
    };

    protocol::MessageBytes encode(const protocol::ClientMessage& message) const;
    protocol::MessageBytes bind();
    protocol::MessageBytes ident();
    protocol::MessageBytes query(QueryVersion version);
    std::optional<protocol::MessageBytes> upload();
    std::optional<protocol::MessageBytes> next_active();

    Result<void> take(const protocol::ServerIdent& message);
    Result<void> take(const protocol::Download& message);
    Result<void> take(const protocol::Mark& message);
    Result<void> take(const protocol::Unbound& message);
    Result<void> take(const protocol::Pong& message);
    Result<void> take(const protocol::JsonError& message);
    Result<void> take(const protocol::LegacyError& message);
    Result<void> take(const protocol::QueryError& message);
    Result<void> take(const protocol::LogMessage& message);
    Result<void> take(const protocol::TestCommand& message);

    Replica& replica_;
    const ReplicaSessionOptions options_;
    Phase phase_ = Phase::idle;
    bool is_connected_ = false;
    bool gate_open_ = false;
    bool wants_unbind_ = false;
    std::uint64_t requested_mark_ = 0;
    std::uint64_t sent_mark_ = 0;
    std::uint64_t answered_mark_ = 0;
    QueryVersion sent_query_;
    protocol::UploadCursor sent_upload_; ///< progress fields of the last UPLOAD of the binding
    std::optional<protocol::DownloadChecker> checker_;
    std::vector<protocol::JsonError> errors_;
};

} // namespace tombolo::client
