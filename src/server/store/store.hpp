#pragma once

// The Store: documents, their past, indexes, and the records that must change with them, in one
// durable order.
//
// A transaction is atomic and durable once its commit answered; it takes one Version, and versions
// have no gaps. Transactions that arrive while the disk is busy are committed together (group
// commit), each still on its own: one that fails does not take others with it.
//
// A Snapshot sees everything up to one version and nothing after. A document can be read as it was
// at any version above the retention floor: that is what initial sync, resumed devices and change
// events with images are built on (server-sync-algorithm.md 2). The change feed lists every
// document change in commit order.
//
// Implementations: embedded/ (RocksDB). MongoDB is to come; what is here is what both can answer.
//
// Thread-safety: all of Store may be called from any thread. A Snapshot and its cursors belong to
// one thread at a time and must not outlive the Store.
//
// Errors: duplicate_key, write_conflict, already_exists, not_found are the caller's to handle;
// disk_full and io mean that nothing of the transaction happened; corrupt means the files need
// `verify` and a backup.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "server/store/types.hpp"

namespace tombolo::store {

/// Order-preserving key of an `_id`: equal for ids that compare equal (1 and 1.0), ordered as
/// MongoDB compares. invalid_argument for an `_id` MongoDB refuses too (array, undefined, regex).
Result<std::string> document_key(mql::BsonView id);

/// A position that moves over (key, value) pairs in key order.
class RecordCursor {
  public:
    virtual ~RecordCursor() = default;
    /// Moves to the next pair; false at the end or on an error (see status).
    virtual bool next() = 0;
    /// Valid until the next call of next().
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
    /// An error that ended the cursor early, if any.
    virtual Result<void> status() const = 0;
};

class DocumentCursor {
  public:
    virtual ~DocumentCursor() = default;
    virtual bool next() = 0;
    /// The document's key; valid until the next call of next().
    virtual std::string_view key() const = 0;
    /// Borrowed; valid until the next call of next().
    virtual mql::BsonDocumentView document() const = 0;
    virtual Version modified() const = 0;
    virtual Result<void> status() const = 0;
};

/// A range of index entries: those whose leading fields equal `equal`, and whose next field lies
/// between the bounds.
struct IndexRange {
    std::vector<mql::BsonValue> equal;
    std::optional<mql::BsonValue> lower; ///< inclusive
    std::optional<mql::BsonValue> upper; ///< inclusive
};

class Snapshot {
  public:
    virtual ~Snapshot() = default;

    virtual Version version() const = 0;

    virtual Result<std::optional<StoredDocument>> find(CollectionId collection,
                                                       std::string_view key) const = 0;
    /// The document as it was at `at`; nullopt when it did not exist then. out_of_range when `at`
    /// is below the retention floor or above version().
    virtual Result<std::optional<StoredDocument>>
    find_at(CollectionId collection, std::string_view key, Version at) const = 0;
    /// All documents in key order, those with key > `after` when given.
    virtual std::unique_ptr<DocumentCursor> scan(CollectionId collection,
                                                 std::string_view after = {}) const = 0;
    /// Documents in index order. not_found when there is no such index.
    virtual Result<std::unique_ptr<DocumentCursor>>
    scan_index(CollectionId collection, std::string_view index, const IndexRange& range) const = 0;

    virtual Result<std::optional<std::string>> record(Space space, std::string_view key) const = 0;
    /// Records with begin <= key < end, in key order. An empty end means "to the last".
    virtual std::unique_ptr<RecordCursor> scan_records(Space space, std::string_view begin,
                                                       std::string_view end) const = 0;
};

struct VerifyReport {
    std::uint64_t documents = 0;
    std::uint64_t past_images = 0;
    std::uint64_t index_entries = 0;
    std::uint64_t records = 0;
    /// Each names what is wrong and where; empty when all is well. At most
    /// limits::verify_problems_max are kept.
    std::vector<std::string> problems;
};

struct StoreStatistics {
    std::uint64_t commits = 0; ///< transactions committed since open
    std::uint64_t groups = 0;  ///< synced writes that carried them
    std::uint64_t disk_bytes = 0;
};

class Store {
  public:
    using Completion = std::function<void(Result<Version>)>;
    using Listener = std::function<void(Version)>;

    virtual ~Store() = default;

    /// The collection's id, made durable at its first use.
    virtual Result<CollectionId> ensure_collection(const CollectionName& name) = 0;
    virtual std::optional<CollectionId> find_collection(const CollectionName& name) const = 0;
    virtual std::vector<std::pair<CollectionName, CollectionId>> collections() const = 0;
    /// Erases the collection with its documents, past, indexes and name.
    virtual Result<void> drop_collection(CollectionId collection) = 0;

    /// Builds the index over what is there; equal specs are a no-op. already_exists when the name
    /// has another spec, duplicate_key when documents contradict a unique one (nothing is left of
    /// the index then).
    virtual Result<void> ensure_index(CollectionId collection, const IndexSpec& spec) = 0;
    virtual Result<void> drop_index(CollectionId collection, std::string_view name) = 0;
    virtual Result<std::vector<IndexSpec>> indexes(CollectionId collection) const = 0;

    /// Waits until the transaction is durable, or failed. An empty transaction answers the newest
    /// version.
    virtual Result<Version> commit(Transaction transaction) = 0;
    /// `done` runs on the store's own thread, in commit order: it must not block or call commit().
    virtual void commit_async(Transaction transaction, Completion done) = 0;
    /// The same for a caller who has nothing else to do meanwhile: it may be committed, and `done`
    /// run, on the caller's thread before this returns, which saves two changes of threads.
    virtual void commit_waiting(Transaction transaction, Completion done) {
        commit_async(std::move(transaction), std::move(done));
    }

    /// Documents of the transaction that its commit would be refused for, as things are: a unique
    /// index holds their value for another document, or an index cannot hold theirs. Without them
    /// the others may be refused in turn (they keep values that were to be given up): ask again.
    virtual Result<std::vector<RefusedDocument>>
    refused_documents(const Transaction& transaction) const = 0;

    /// Everything durable now.
    virtual std::unique_ptr<Snapshot> snapshot() const = 0;
    virtual Version newest_version() const = 0;

    /// Changes after `after` in commit order, at most `count_max`. out_of_range when `after` is
    /// below the floor.
    virtual Result<std::vector<FeedEntry>> read_feed(Version after,
                                                     std::size_t count_max) const = 0;
    /// `listener` is told of new versions on the store's own thread, after they are durable: it
    /// must not block. Returns a number for remove_listener, which waits for a running call to end.
    virtual std::uint64_t add_listener(Listener listener) = 0;
    virtual void remove_listener(std::uint64_t id) = 0;

    /// Past and feed at or below the floor may go; it never moves back.
    virtual Result<void> trim(Version floor) = 0;
    /// The newest version committed at least that long ago: what an age limit trims to.
    virtual Result<Version> version_before(std::int64_t unix_ms) const = 0;
    virtual Version floor() const = 0;
    /// Records whose key begins with the prefix and ends in a big-endian 8-byte number at or below
    /// `number` may go whenever that costs little; until then they are seen. Their owner no longer
    /// reads them. Not kept over a restart: said again by who knows.
    virtual void drop_records_below(Space space, std::string prefix, std::uint64_t number) = 0;

    /// About how much disk the records with begin <= key < end take.
    virtual std::uint64_t record_bytes(Space space, std::string_view begin,
                                       std::string_view end) const = 0;
    /// About how much disk the past images of the collection take.
    virtual std::uint64_t past_bytes(CollectionId collection) const = 0;

    /// Writes a consistent copy into `directory` (made if absent; earlier backups there are kept
    /// and shared) while the store goes on.
    virtual Result<void> backup(const std::string& directory) = 0;
    /// Reads everything and checks it against itself.
    virtual Result<VerifyReport> verify() const = 0;
    virtual StoreStatistics statistics() const = 0;
};

} // namespace tombolo::store
