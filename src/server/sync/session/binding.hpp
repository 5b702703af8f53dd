#pragma once

// One session ident on a connection, from BIND to UNBIND (sync-protocol.md 4.5): the state that
// decides which messages are legal, and the engine's session behind it.
//
// A Binding belongs to its connection's strand. The BindingSignal is what other threads reach: the
// engine calls it at any time, the strand picks up later what it was told.

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "core/mutex.hpp"
#include "protocol/download_checker.hpp"
#include "protocol/messages.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/session/outlet.hpp"

namespace tombolo::server::sync {

/// Thread-safety: all members from any thread.
class BindingSignal final : public SessionListener {
  public:
    explicit BindingSignal(std::weak_ptr<Waker> waker) : waker_(std::move(waker)) {}

    void on_outgoing() override {
        has_outgoing_ = true;
        wake();
    }
    void on_replaced() override {
        is_replaced_ = true;
        wake();
    }
    void on_allocated(Result<protocol::SaltedFileIdent> file) TOMBOLO_EXCLUDES(mutex_);

    bool take_outgoing() noexcept { return has_outgoing_.exchange(false); }
    /// The strand stopped asking before there was nothing left.
    void keep_outgoing() noexcept { has_outgoing_ = true; }
    bool is_replaced() const noexcept { return is_replaced_; }
    std::optional<Result<protocol::SaltedFileIdent>> take_allocated() TOMBOLO_EXCLUDES(mutex_);

  private:
    void wake();

    const std::weak_ptr<Waker> waker_;
    std::atomic<bool> has_outgoing_{false};
    std::atomic<bool> is_replaced_{false};
    std::atomic<bool> is_allocated_{false};
    Mutex mutex_;
    std::optional<Result<protocol::SaltedFileIdent>> allocated_ TOMBOLO_GUARDED_BY(mutex_);
};

struct Binding {
    enum class State : std::uint8_t {
        allocating,     ///< a file ident is being made
        awaiting_ident, ///< the client has to send IDENT
        active,
        failed, ///< an error was sent: everything but UNBIND is ignored
    };

    protocol::SessionIdent ident;
    State state = State::awaiting_ident;
    std::uint64_t schema_version = 0;
    protocol::SessionReason reason = protocol::SessionReason::sync;
    std::shared_ptr<BindingSignal> signal;
    std::shared_ptr<Session> session; ///< of active
    /// Judges what is sent, before it is.
    std::unique_ptr<protocol::DownloadChecker> checker;
    // Of setup.measured's clock.
    std::int64_t asked_ms = 0; ///< when the last IDENT or QUERY came
    struct Upload {
        protocol::ClientVersion version;
        std::int64_t came_ms = 0;
    };
    std::vector<Upload> uploads; ///< not acknowledged; the first of many
    /// By a test command.
    bool downloads_paused = false;
};

} // namespace tombolo::server::sync
