#pragma once

// The Store as everything but the sync engine sees it: documents of synced classes are written
// through their app's engine, so that they become history in the commit that changes them and reach
// devices (docs/internals/sync.md, "Outside writes"). There is no other way to them.
//
// A decorator: a caller cannot forget the seam, and keeps the Store's answers (duplicate_key,
// write_conflict, the version) and its reads. The engine itself writes to the store below.
//
// A transaction may hold documents of one synced app, and anything of collections that are not
// synced; unsupported otherwise, and for dropping the collection of a synced class.
//
// Thread-safety: as Store. connect() before other threads use it. commit() of such documents waits
// for the engine: not on the engine's threads.

#include <vector>

#include "server/store/store.hpp"
#include "server/sync/session/user_data_watch.hpp"

namespace tombolo::server::sync {

/// Who takes writes to synced documents. Thread-safety: all members from any thread.
class OutsideWriter {
  public:
    virtual ~OutsideWriter() = default;
    virtual bool takes(store::CollectionId collection) const = 0;
    /// REQUIRES: takes() one of the transaction's collections, or did a moment ago.
    virtual void write(store::Transaction transaction, store::Store::Completion done) = 0;
    /// Users about whom the transaction says something that rules may ask for.
    virtual std::vector<ChangedUser> users_in(const store::Transaction& transaction) const = 0;
    /// Such a transaction is durable. Must not block.
    virtual void users_changed(std::vector<ChangedUser> users) = 0;
};

class SyncedStore final : public store::Store {
  public:
    explicit SyncedStore(store::Store& store) noexcept : store_(store) {}
    /// Until then, and with null, everything goes straight to the store.
    void connect(OutsideWriter* writer) noexcept { writer_ = writer; }

    Result<store::Version> commit(store::Transaction transaction) override;
    void commit_async(store::Transaction transaction, Completion done) override;
    Result<void> drop_collection(store::CollectionId collection) override;

    Result<store::CollectionId> ensure_collection(const store::CollectionName& name) override;
    std::optional<store::CollectionId>
    find_collection(const store::CollectionName& name) const override;
    std::vector<std::pair<store::CollectionName, store::CollectionId>> collections() const override;
    Result<void> ensure_index(store::CollectionId collection,
                              const store::IndexSpec& spec) override;
    Result<void> drop_index(store::CollectionId collection, std::string_view name) override;
    Result<std::vector<store::IndexSpec>> indexes(store::CollectionId collection) const override;
    Result<std::vector<store::RefusedDocument>>
    refused_documents(const store::Transaction& transaction) const override;
    std::unique_ptr<store::Snapshot> snapshot() const override;
    store::Version newest_version() const override;
    Result<std::vector<store::FeedEntry>> read_feed(store::Version after,
                                                    std::size_t count_max) const override;
    std::uint64_t add_listener(Listener listener) override;
    void remove_listener(std::uint64_t id) override;
    Result<void> trim(store::Version floor) override;
    Result<store::Version> version_before(std::int64_t unix_ms) const override;
    store::Version floor() const override;
    void drop_records_below(store::Space space, std::string prefix, std::uint64_t number) override;
    std::uint64_t record_bytes(store::Space space, std::string_view begin,
                               std::string_view end) const override;
    std::uint64_t past_bytes(store::CollectionId collection) const override;
    Result<void> backup(const std::string& directory) override;
    Result<store::VerifyReport> verify() const override;
    store::StoreStatistics statistics() const override;

  private:
    bool is_synced(const store::Transaction& transaction) const;
    std::vector<ChangedUser> users_in(const store::Transaction& transaction) const;
    Result<store::Version> commit_plainly(store::Transaction transaction);

    store::Store& store_;
    OutsideWriter* writer_ = nullptr;
};

} // namespace tombolo::server::sync
