#pragma once

// A device as published clients behave (sync-protocol.md 4 and 5, changesets-and-merge.md 5.2),
// over an in-memory state, speaking to the engine's interface directly.
//
// It checks everything a client checks (protocol/download_checker.hpp), refuses changesets that do
// not apply, and wants to be told of every message; what it finds wrong is kept in failure(). It
// keeps what a client keeps over a crash or a lost connection, and forgets what a client forgets.
// Not thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "changeset/memory_state.hpp"
#include "protocol/download_checker.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::testing {

class SyncDevice final {
  public:
    SyncDevice(std::string user, changeset::MemoryState state)
        : user_(std::move(user)), state_(std::move(state)) {}
    ~SyncDevice() { disconnect(); }
    SyncDevice(const SyncDevice&) = delete;
    SyncDevice& operator=(const SyncDevice&) = delete;

    const std::string& user() const { return user_; }
    const changeset::MemoryState& state() const { return state_; }
    std::uint64_t file() const { return file_.ident.value; }
    /// What IDENT would say now.
    server::sync::IdentRequest ident() const;
    /// What BIND says; also of the file, when set before it is taken.
    void set_schema_version(std::uint64_t version) { schema_version_ = version; }
    std::uint64_t schema_version() const { return schema_version_; }
    bool has_file() const { return file_.ident.value != 0; }
    /// After allocate_file().
    void take_file(protocol::SaltedFileIdent file) { file_ = file; }
    std::uint64_t cursor() const { return progress_.download.server.value; }
    std::int64_t active_query() const { return active_version_; }
    const std::string& active_body() const { return active_body_; }
    bool has_pending_query() const { return !queries_.empty(); }
    /// Local commits that a download has not covered.
    bool has_pending() const { return !commits_.empty(); }
    bool is_connected() const { return session_ != nullptr; }
    bool is_inside_bootstrap() const { return !batches_.empty(); }
    /// Of the newest local commit.
    std::uint64_t client_version() const { return client_version_; }
    /// Bootstraps that were applied.
    std::uint64_t bootstraps() const { return bootstraps_; }
    /// Called with every entry that comes, integrated or not.
    void set_on_entry(std::function<void(const protocol::DownloadEntry&, protocol::BatchState,
                                         const changeset::Changeset& told)>
                          called) {
        on_entry_ = std::move(called);
    }

    /// The first thing that a published client would not have accepted.
    const std::optional<std::string>& failure() const { return failure_; }
    /// An error that ended the binding.
    const std::optional<server::sync::SessionError>& error() const { return error_; }
    const std::vector<server::sync::SessionError>& rejections() const { return rejections_; }
    /// 236, which ends nothing.
    const std::vector<server::sync::SessionError>& announcements() const { return announcements_; }
    const std::vector<std::string>& query_errors() const { return query_errors_; }
    std::uint64_t marks_answered() const { return mark_answered_; }
    std::uint64_t messages() const { return messages_; }
    /// Bytes of every message received, in order.
    const std::string& log() const { return log_; }

    /// A local transaction that was applied to `state` already.
    void commit(const changeset::Changeset& written, std::uint64_t timestamp,
                changeset::MemoryState after);
    /// The same, applied here.
    void commit(const changeset::Changeset& written, std::uint64_t timestamp);
    /// A new subscription set.
    void subscribe(std::string body);

    /// A fast reconnect sends what is due at once; any other waits for its MARK (the upload gate).
    void connect(server::sync::Engine& engine, bool is_fast = false);
    /// The connection is lost. What is stored of an unfinished bootstrap stays.
    void disconnect();
    /// The app stops and starts: an unfinished bootstrap is forgotten.
    void restart();

    /// Sends UPLOADs, QUERYs and MARKs that are due. `messages_max` bounds how many.
    void send(std::size_t messages_max = 1000);
    /// Takes messages from the session, at most that many. The last DOWNLOAD's entries after
    /// `entries_max` are not integrated, and the connection is lost then.
    std::size_t receive(std::size_t messages_max = 1000,
                        std::optional<std::size_t> entries_max = std::nullopt);
    void mark();

    bool is_replaced() const { return signal_->is_replaced; }
    /// The engine runs on another thread: what is published is there a moment before it is told.
    void allow_early_messages() { allows_early_messages_ = true; }
    /// Until the listener was called since the last receive() that found nothing.
    void wait_until_told() const { signal_->is_told.wait(false); }

  private:
    struct Signal final : server::sync::SessionListener {
        void on_outgoing() override {
            is_told = true;
            is_told.notify_all();
        }
        void on_replaced() override {
            is_replaced = true;
            on_outgoing();
        }
        std::atomic<bool> is_replaced = false;
        std::atomic<bool> is_told = true; ///< or knows by itself that there may be something
    };
    struct Commit {
        std::uint64_t client_version = 0;
        std::uint64_t base = 0;
        std::uint64_t timestamp = 0;
        changeset::Changeset original;
        changeset::Changeset reciprocal;
    };
    struct PendingQuery {
        std::int64_t version = 0;
        std::string body;
        std::uint64_t snapshot = 0; ///< client version that must be uploaded before
        bool is_sent = false;
    };
    struct Entry {
        protocol::DownloadEntry head;
        std::vector<std::byte> bytes;
    };

    void upload(std::uint64_t up_to);
    void take(server::sync::Outgoing message, std::optional<std::size_t> entries_max);
    void take_download(server::sync::OutgoingDownload& download,
                       std::optional<std::size_t> entries_max);
    void integrate(const Entry& entry);
    void trim();
    void fail(std::string what);
    void finish_bootstrap(const server::sync::OutgoingDownload& download);

    std::string user_;
    std::uint64_t schema_version_ = 0;
    changeset::MemoryState state_;
    protocol::SaltedFileIdent file_;
    protocol::SyncProgress progress_;
    std::uint64_t client_version_ = 1;
    std::vector<Commit> commits_;
    std::int64_t newest_query_ = 0;
    std::int64_t active_version_ = 0;
    std::string active_body_ = "{}";
    std::vector<PendingQuery> queries_;
    std::vector<Entry> batches_; ///< of an unfinished bootstrap
    std::int64_t batch_version_ = -1;
    /// Server version integrated as of a client version.
    std::map<std::uint64_t, std::uint64_t> integrated_{{0, 0}};

    std::shared_ptr<server::sync::Session> session_;
    std::unique_ptr<protocol::DownloadChecker> checker_;
    std::uint64_t sent_client_version_ = 0;
    std::uint64_t sent_server_version_ = 0;
    std::uint64_t mark_asked_ = 0;
    std::uint64_t mark_answered_ = 0;
    std::uint64_t gate_mark_ = 0;
    std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
    bool allows_early_messages_ = false;

    std::optional<std::string> failure_;
    std::optional<server::sync::SessionError> error_;
    std::vector<server::sync::SessionError> rejections_;
    std::vector<server::sync::SessionError> announcements_;
    std::vector<std::string> query_errors_;
    std::uint64_t messages_ = 0;
    std::uint64_t bootstraps_ = 0;
    std::function<void(const protocol::DownloadEntry&, protocol::BatchState,
                       const changeset::Changeset&)>
        on_entry_;
    std::string log_;
};

} // namespace tombolo::testing
