#pragma once

// A sync connection on a WebSocket: moves messages between the I/O thread, which must not block,
// and the connection's strand, which may.
//
// The strand is a turn at a time on a shared pool: whatever happens (a message, room to write, news
// from the engine) asks for a turn, and one connection has at most one turn queued or running. A
// turn is short, so that connections alternate. A turn writes to the socket itself as long as the
// system takes it, and a small UPLOAD that finds the strand free is taken on the I/O thread: each
// saves a change of threads where a write waits for it. PINGs are answered on the I/O thread, ahead
// of bulk data (S28).
//
// Memory: at most about inbox_bytes_max of unhandled input, then the socket is not read; at most
// about room_bytes plus one message of unwritten output, then the engine is not asked. Idle:
// neither.
//
// Thread-safety: WebSocketHandler's members on the I/O thread, written() also on the strand, wake()
// and close_soon() on any.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/mutex.hpp"
#include "server/http/websocket.hpp"
#include "server/runtime/worker_pool.hpp"
#include "server/sync/session/connection.hpp"

namespace tombolo::server::sync {

class SyncSocket final : public http::WebSocketHandler,
                         public Waker,
                         public Outlet,
                         public std::enable_shared_from_this<SyncSocket> {
  public:
    /// `on_end` is called once, from any thread, when nothing more happens here. The pool outlives
    /// this.
    static std::shared_ptr<SyncSocket> create(const ObjectId& app, ConnectionSetup setup,
                                              WorkerPool& pool,
                                              std::function<void(SyncSocket&)> on_end);
    ~SyncSocket() override;

    const ObjectId& app_id() const noexcept { return app_id_; }
    const std::string& user_id() const noexcept { return user_id_; }
    /// Null when the setup had none.
    const std::shared_ptr<LiveConnection>& live() const noexcept { return live_; }

    void opened(std::shared_ptr<http::WebSocket> socket) override;
    void received(http::BinaryMessage message) override;
    void written(std::size_t bytes) override;
    void stopping() override;
    void closed() override;

    void wake() override;
    /// Ends the connection with this close code; 0: only TCP.
    void close_soon(std::uint16_t code, std::string reason);

    void send(protocol::MessageBytes message) override;
    void close(std::uint16_t code, std::string_view reason) override;
    bool has_room() const noexcept override;

    /// For the pool that was asked for it.
    void turn() TOMBOLO_EXCLUDES(mutex_);
    /// The same as one of many: short. Who has more to say goes on in the pool.
    void turn_in_crowd() TOMBOLO_EXCLUDES(mutex_);
    /// The turn that was asked for, by a thread that is none of the pool's: only when nothing came
    /// in, and for two messages at most. False: it is still to be had.
    bool turn_here() TOMBOLO_EXCLUDES(mutex_);

  private:
    SyncSocket(const ObjectId& app, std::string user_id, protocol::Dialect dialect,
               WorkerPool& pool, std::function<void(SyncSocket&)> on_end);

    struct Orders {
        bool open = false;
        bool stop = false;
        bool end = false;
        bool close = false;
        std::uint16_t close_code = 0;
        std::string close_reason;
    };

    bool take_turn_here(const http::BinaryMessage& message);
    void run_turn(unsigned messages_max) TOMBOLO_EXCLUDES(mutex_);
    void carry_out(const Orders& orders);
    bool handle_input();
    void flush();
    void schedule() TOMBOLO_REQUIRES(mutex_);

    const ObjectId app_id_;
    const std::string user_id_;
    const protocol::Dialect dialect_;
    std::shared_ptr<LiveConnection> live_; ///< set by create()
    WorkerPool& pool_;
    std::shared_ptr<http::WebSocket> socket_; ///< set by opened(), before any turn
    std::atomic<std::size_t> unwritten_bytes_{0};

    // The strand's.
    std::unique_ptr<Connection> connection_;
    std::vector<protocol::MessageBytes> outbox_;
    bool closes_ = false;
    std::uint16_t close_code_ = 0;
    std::string close_reason_;

    Mutex mutex_;
    std::vector<http::BinaryMessage> inbox_ TOMBOLO_GUARDED_BY(mutex_);
    std::size_t inbox_bytes_ TOMBOLO_GUARDED_BY(mutex_) = 0;
    Orders orders_ TOMBOLO_GUARDED_BY(mutex_);
    bool is_paused_ TOMBOLO_GUARDED_BY(mutex_) = false;
    bool is_scheduled_ TOMBOLO_GUARDED_BY(mutex_) = false;
    bool runs_again_ TOMBOLO_GUARDED_BY(mutex_) = false;
    std::function<void(SyncSocket&)> on_end_;
};

} // namespace tombolo::server::sync
