#pragma once

// One binding: where it stands in its stream, and what is to be said next.
//
// The session computes its messages from what is durable; it shares with the integrator only the
// mailbox. Thread-safety: SessionImpl belongs to its caller's thread; Mailbox is safe.

#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/mutex.hpp"
#include "protocol/upload_checker.hpp"
#include "server/sync/engine/bootstrap.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/engine/matching.hpp"
#include "server/sync/engine/records.hpp"
#include "server/sync/engine/stream.hpp"

namespace tombolo::server::sync {

/// An entry that a file made, or a reset for it.
struct OwnVersion {
    Number version = 0;
    Number client_version = 0; ///< 0: a reset
    bool is_silent = false;    ///< nothing is sent for it
};

/// What run() tells a session. All of it is durable.
struct Mailbox {
    struct Content {
        bool is_ready = false; ///< IDENT was integrated
        std::shared_ptr<const FileState> file;
        std::set<Number> requested;                 ///< points whose QUERY came in this binding
        std::list<OutgoingQueryError> query_errors; ///< takes no memory while empty
        std::shared_ptr<const SessionError> error;  ///< null: none
        /// How many of the session's inputs came before what the error is about: MARKs among them
        /// are answered first. 0: nothing is said before the error.
        std::uint64_t error_after = 0;
        std::uint64_t processed = 0; ///< how many of the session's inputs
        std::size_t backlog_bytes = 0;
        /// Of the newest epoch's view.
        std::shared_ptr<const ViewGroup> group;
        /// What is the file's own doing or meant for it alone; all of it above `own_since`, but
        /// for what the session took.
        std::vector<OwnVersion> own;
        Number own_since = 0;
        bool is_closed = false; ///< replaced, or closed by its owner
    };

    Mutex mutex;
    Content content TOMBOLO_GUARDED_BY(mutex);
    std::shared_ptr<SessionListener> listener TOMBOLO_GUARDED_BY(mutex);
    /// Further inputs are dropped. Engine::run()'s own.
    bool is_dead = false;
    /// The error of the upload that ended the session; what came behind it is lost too. run()'s
    /// own.
    std::string lost_because;

    void notify() TOMBOLO_EXCLUDES(mutex);
};

/// What sessions read of the engine. Thread-safety: safe.
class SessionContext {
  public:
    struct Published {
        Number top = 0;
        std::shared_ptr<const Model> model;
        bool has_failed = false;
    };

    virtual ~SessionContext() = default;
    virtual Published published() const = 0;
    virtual std::int64_t salt_of(Number version) const = 0;
    virtual void submit_upload(const std::shared_ptr<Mailbox>& mailbox, Number file,
                               protocol::UploadCursor progress, Number locked,
                               std::vector<std::byte> entries) = 0;
    /// Of an UPLOAD that is refused before anything reads its content.
    virtual void submit_lost(Number file, std::vector<std::byte> entries, std::string why) = 0;
    virtual void submit_mark(const std::shared_ptr<Mailbox>& mailbox, Number file) = 0;
    virtual void submit_query(const std::shared_ptr<Mailbox>& mailbox, Number file,
                              std::int64_t version, std::string body,
                              std::shared_ptr<const Role> role, Number scan) = 0;
    virtual void submit_death(Number file) = 0;
    virtual void leave(const std::shared_ptr<Mailbox>& mailbox, Number file) = 0;
    virtual void count_encoded() = 0;
    /// A new file of the user refused what it was sent: true when another did so not long ago.
    virtual bool is_refused_again(const std::string& user) = 0;

    virtual bool recovery_mode_disabled() const = 0;
    virtual const EngineOptions& options() const = 0;
    virtual store::Store& store() const = 0;
    virtual const RecordKeys& keys() const = 0;
    virtual const EntryCache& cache() const = 0;
    virtual ViewCache& views() const = 0;
};

class SessionImpl final : public Session {
  public:
    SessionImpl(SessionContext& context, std::shared_ptr<Mailbox> mailbox,
                const IdentRequest& request, std::shared_ptr<const Role> role,
                const protocol::UploadChecker::Start& uploads);
    ~SessionImpl() override { close(); }
    SessionImpl(const SessionImpl&) = delete;
    SessionImpl& operator=(const SessionImpl&) = delete;

    /// Said before anything else; does not end the binding.
    void announce(SessionError error) {
        announcement_ = std::make_unique<const SessionError>(std::move(error));
    }

    protocol::ClientFileIdent file() const noexcept override { return {file_}; }
    Refusal upload(protocol::UploadCursor progress, protocol::ServerVersion locked,
                   std::vector<std::byte> entries) override;
    Refusal query(protocol::QueryVersion version, std::string_view body) override;
    void mark(protocol::RequestIdent request) override;
    SessionError client_error(int code, std::string_view message) override;
    std::size_t backlog_bytes() const noexcept override;
    std::optional<Outgoing> next() override;
    bool is_drained() const noexcept override { return is_drained_; }
    void close() override;

  private:
    struct PendingMark {
        protocol::RequestIdent request;
        std::uint64_t after_inputs = 0;
        /// The version that must have been sent; known once the inputs before are integrated.
        std::optional<Number> target;
    };
    struct RunningBootstrap {
        explicit RunningBootstrap(Bootstrap::Options options) : content(std::move(options)) {}
        Bootstrap content;
        OutgoingDownload header;
        std::int32_t steps = 0;
    };
    /// What next() works with.
    struct Now {
        SessionContext::Published published;
        bool is_ready = false;
        bool is_closed = false;
        std::shared_ptr<const FileState> file;
        std::optional<OutgoingQueryError> query_error;
        std::shared_ptr<const SessionError> error;
        std::uint64_t error_after = 0;
        std::uint64_t processed = 0;
        std::shared_ptr<const Model> model; ///< of the file's schema version; null: gone
        const Epoch* point = nullptr;       ///< the next point above the cursor
        bool is_requested = false;
        Number limit = 0; ///< state 2 may go up to here
        bool has_more_mail = false;
    };

    std::uint64_t processed() const;
    Now look();
    void take_mail(Now& now);
    std::shared_ptr<const View> current_view(const Now& now);
    Number next_concerned(const View* view, Number limit);
    const ViewGroup* group_of(const View& view) const;
    Result<std::optional<Outgoing>> step();
    Result<std::optional<Outgoing>> advance(const Now& now);
    bool owes_mark_before(std::uint64_t inputs) const;
    void start_bootstrap(const Now& now);
    Result<std::optional<Outgoing>> continue_bootstrap(const Now& now);
    Result<std::optional<Outgoing>> steady(const Now& now);
    bool must_send(const Now& now) const;
    bool has_said_all(const Now& now) const;
    Result<bool> add_entry(const Now& now, const Stream& stream, const HistorySource& history,
                           Number version, OutgoingDownload& download,
                           std::optional<Outgoing>& first);
    std::optional<Outgoing> answer_mark(const Now& now);
    protocol::SyncProgress progress_at(Number version, Number client, const FileState& file) const;
    Outgoing finish_download(OutgoingDownload download, const FileState& file);
    SessionError rejection(const HistoryEntry& head, Number version) const;
    Refusal end(SessionError error);

    SessionContext& context_;
    const std::shared_ptr<Mailbox> mailbox_;
    const std::string user_;
    const Number file_;
    const Number scan_;
    const std::shared_ptr<const Role> role_;
    protocol::UploadChecker uploads_;
    std::int64_t last_query_version_;
    const std::int64_t ident_query_version_; ///< its points need no QUERY

    Number cursor_;
    Number client_version_; ///< last own version integrated at or before the cursor
    std::optional<protocol::SyncProgress> sent_;
    Number told_rejections_ = 0; ///< newest version whose 231 was given out
    /// Those the session was in, newest last; the cursor may still be in an older one's time.
    std::vector<std::shared_ptr<const ViewGroup>> groups_;
    std::vector<OwnVersion> own_; ///< above the cursor from `own_at_` on
    std::size_t own_at_ = 0;
    Number own_since_ = std::numeric_limits<Number>::max();
    std::shared_ptr<const Epoch> view_epoch_;
    std::shared_ptr<const View> view_;
    std::unique_ptr<RunningBootstrap> bootstrap_; ///< null: none is under way
    std::vector<PendingMark> marks_;
    std::uint64_t submitted_ = 0;
    std::unique_ptr<const SessionError> announcement_;
    bool is_over_ = false;
    bool is_drained_ = false;
};

} // namespace tombolo::server::sync
