#pragma once

// A device's file, in memory and without an app: objects, local commits, subscriptions, and how far
// it has come with the server (changesets-and-merge.md 5.2, sync-protocol.md 4.3, 5.2). What tools
// and tests are devices with; the whole of it is what a real client keeps on disk.
//
// A plain value: a copy is a snapshot, and has no log and no observer. Every member function is one
// transaction: on an error the replica is what it was before, but for integrate(), after which it
// must not be used any more: the server has sent what no client can take.
//
// Thread-safety: none.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "core/result.hpp"
#include "protocol/json_bodies.hpp"
#include "protocol/messages.hpp"

namespace tombolo::client {

using protocol::ClientVersion;
using protocol::QueryVersion;
using protocol::ServerVersion;

/// A local transaction that the server may not have integrated, or the device has not heard of it.
struct LocalCommit {
    ClientVersion version;
    ServerVersion base;               ///< the last server version integrated when it was made
    std::uint64_t timestamp_ms = 0;   ///< since 2015-01-01
    std::vector<std::byte> changeset; ///< as written: sent again byte for byte
    /// What it has become towards the server (5.1 of changesets-and-merge.md).
    changeset::Changeset reciprocal;
};

struct SubscriptionSet {
    enum class State : std::uint8_t { pending, bootstrapping, awaiting_mark, complete, error };
    State state = State::pending;
    std::string body = "{}";
    ClientVersion snapshot = {}; ///< local writes up to here go first
    std::string error = {};
};

/// An entry of a DOWNLOAD, owned.
struct ReceivedEntry {
    ServerVersion server_version;
    ClientVersion client_version;
    std::uint64_t timestamp_ms = 0;
    protocol::ClientFileIdent origin;
    std::vector<std::byte> changeset;
};

/// Everything a replica keeps when its app ends: all but the batches of an unfinished bootstrap.
struct ReplicaData {
    changeset::MemoryState state;
    protocol::SaltedFileIdent file;
    protocol::SyncProgress progress;
    ClientVersion newest{1};
    std::vector<LocalCommit> commits;
    /// Where the download cursor moved: local version, server version. The first is (0, 0) or older
    /// than every commit. Never empty.
    std::vector<std::pair<ClientVersion, ServerVersion>> bases{{{}, {}}};
    /// Never empty: a file begins with the empty set.
    std::map<QueryVersion, SubscriptionSet> sets{{{}, SubscriptionSet{}}};
};

/// Told of each transaction after it has happened, so that it can be kept and done again with
/// another replica of the same content: transactions are functions of what is told here.
class ReplicaLog {
  public:
    virtual ~ReplicaLog() = default;
    virtual void on_file(const protocol::SaltedFileIdent& file) = 0;
    virtual void on_write(ByteView changeset, std::uint64_t timestamp_ms) = 0;
    virtual void on_subscribe(const std::string& body) = 0;
    virtual void on_download(const protocol::Download& header,
                             const std::vector<ReceivedEntry>& entries) = 0;
    virtual void on_query_error(QueryVersion version, const std::string& message) = 0;
    virtual void on_up_to_date() = 0;
    virtual void on_discard() = 0;
};

/// Shown what comes from the server, merged, before it is applied to the state.
class ReplicaObserver {
  public:
    virtual ~ReplicaObserver() = default;
    virtual void before_remote(const changeset::Changeset& changeset,
                               const changeset::MemoryState& state) = 0;
};

class Replica {
  public:
    Replica() = default;
    /// REQUIRES: data of a replica.
    explicit Replica(ReplicaData data) : data_(std::move(data)) {}

    const ReplicaData& data() const noexcept { return data_; }
    const changeset::MemoryState& state() const noexcept { return data_.state; }

    /// Both may be null and must outlive the replica, or be set to null.
    void set_log(ReplicaLog* log) noexcept { log_.pointer = log; }
    void set_observer(ReplicaObserver* observer) noexcept { observer_.pointer = observer; }

    /// Applies and records a write. An empty changeset writes nothing.
    Result<void> write(const changeset::Changeset& changeset, std::uint64_t timestamp_ms);
    /// A new subscription set; its version.
    QueryVersion subscribe(const protocol::QueryBody& body);
    /// Nothing for sets that a later one has replaced.
    const SubscriptionSet* subscriptions(QueryVersion version) const noexcept;
    QueryVersion newest_subscriptions() const noexcept { return data_.sets.rbegin()->first; }

    /// Batches of an unfinished bootstrap are held, which data() does not have.
    bool is_inside_bootstrap() const noexcept { return !bootstrap_.empty(); }
    /// All local writes are known to be in the server's history.
    bool is_uploaded() const noexcept;

    // For the session.

    const protocol::SaltedFileIdent& file() const noexcept { return data_.file; }
    void set_file(const protocol::SaltedFileIdent& file);
    const protocol::SyncProgress& progress() const noexcept { return data_.progress; }
    ClientVersion newest_version() const noexcept { return data_.newest; }
    /// The newest set in state complete or awaiting_mark; version 0 with body {} when there is
    /// none.
    QueryVersion active_version() const noexcept;
    std::string active_body() const;
    /// The lowest set above `sent` that the server has to be told of.
    std::optional<QueryVersion> next_query(QueryVersion sent) const noexcept;
    /// Commits above `from`, at most up to `to`.
    std::vector<const LocalCommit*> commits(ClientVersion from, ClientVersion to) const;
    /// The last server version that was integrated as of a local version.
    ServerVersion base_as_of(ClientVersion version) const noexcept;

    /// A whole DOWNLOAD that the checker has accepted: stored, or merged and applied.
    Result<void> integrate(const protocol::Download& header, std::vector<ReceivedEntry> entries);
    void query_error(QueryVersion version, std::string message);
    /// The newest MARK was answered.
    void up_to_date();
    /// What was stored of an unfinished bootstrap is thrown away: a session object was made.
    void discard_partial_bootstrap();

  private:
    Result<void> apply_local(const changeset::Changeset& changeset);
    Result<void> apply_entry(const ReceivedEntry& entry);
    void advance(const protocol::SyncProgress& progress);
    void complete_bootstrap(QueryVersion version);

    /// Not copied with what holds it.
    template <class T>
    struct Uncopied {
        Uncopied() = default;
        Uncopied(const Uncopied& /*other*/) noexcept {}
        // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): nothing is assigned
        Uncopied& operator=(const Uncopied& /*other*/) noexcept { return *this; }
        T* pointer = nullptr;
    };

    ReplicaData data_;
    QueryVersion bootstrap_version_;
    std::vector<ReceivedEntry> bootstrap_; ///< batches of an unfinished bootstrap
    Uncopied<ReplicaLog> log_;
    Uncopied<ReplicaObserver> observer_;
};

} // namespace tombolo::client
