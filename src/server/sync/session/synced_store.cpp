#include "server/sync/session/synced_store.hpp"

#include <future>

namespace tombolo::server::sync {

using store::CollectionId;
using store::Version;

bool SyncedStore::is_synced(const store::Transaction& transaction) const {
    if (writer_ == nullptr) {
        return false;
    }
    std::optional<CollectionId> asked; // most transactions are about one collection
    for (const store::Transaction::Request& request : transaction.requests()) {
        const auto* document = std::get_if<store::Transaction::DocumentRequest>(&request);
        if (document == nullptr || document->collection == asked) {
            continue;
        }
        asked = document->collection;
        if (writer_->takes(document->collection)) {
            return true;
        }
    }
    return false;
}

std::vector<ChangedUser> SyncedStore::users_in(const store::Transaction& transaction) const {
    return writer_ == nullptr ? std::vector<ChangedUser>() : writer_->users_in(transaction);
}

Result<Version> SyncedStore::commit(store::Transaction transaction) {
    std::vector<ChangedUser> users = users_in(transaction);
    Result<Version> made = commit_plainly(std::move(transaction));
    if (made && !users.empty()) {
        writer_->users_changed(std::move(users));
    }
    return made;
}

Result<Version> SyncedStore::commit_plainly(store::Transaction transaction) {
    if (!is_synced(transaction)) {
        return store_.commit(std::move(transaction));
    }
    // Shared: the completion may still be inside set_value() when the waiter has gone on.
    const auto promise = std::make_shared<std::promise<Result<Version>>>();
    std::future<Result<Version>> answer = promise->get_future();
    writer_->write(std::move(transaction),
                   [promise](Result<Version> made) { promise->set_value(std::move(made)); });
    return answer.get();
}

void SyncedStore::commit_async(store::Transaction transaction, Completion done) {
    if (std::vector<ChangedUser> users = users_in(transaction); !users.empty()) {
        done = [writer = writer_, users = std::move(users),
                inner = std::move(done)](Result<Version> made) {
            if (made) {
                writer->users_changed(users);
            }
            inner(std::move(made));
        };
    }
    if (is_synced(transaction)) {
        writer_->write(std::move(transaction), std::move(done));
    } else {
        store_.commit_async(std::move(transaction), std::move(done));
    }
}

Result<void> SyncedStore::drop_collection(CollectionId collection) {
    if (writer_ != nullptr && writer_->takes(collection)) {
        return Error(ErrorCode::unsupported,
                     "the collection is synced; erase its documents, or terminate sync first");
    }
    return store_.drop_collection(collection);
}

// What sync has no part in.

Result<CollectionId> SyncedStore::ensure_collection(const store::CollectionName& name) {
    return store_.ensure_collection(name);
}
std::optional<CollectionId> SyncedStore::find_collection(const store::CollectionName& name) const {
    return store_.find_collection(name);
}
std::vector<std::pair<store::CollectionName, CollectionId>> SyncedStore::collections() const {
    return store_.collections();
}
Result<void> SyncedStore::ensure_index(CollectionId collection, const store::IndexSpec& spec) {
    return store_.ensure_index(collection, spec);
}
Result<void> SyncedStore::drop_index(CollectionId collection, std::string_view name) {
    return store_.drop_index(collection, name);
}
Result<std::vector<store::IndexSpec>> SyncedStore::indexes(CollectionId collection) const {
    return store_.indexes(collection);
}
Result<std::vector<store::RefusedDocument>>
SyncedStore::refused_documents(const store::Transaction& transaction) const {
    return store_.refused_documents(transaction);
}
std::unique_ptr<store::Snapshot> SyncedStore::snapshot() const {
    return store_.snapshot();
}
Version SyncedStore::newest_version() const {
    return store_.newest_version();
}
Result<std::vector<store::FeedEntry>> SyncedStore::read_feed(Version after,
                                                             std::size_t count_max) const {
    return store_.read_feed(after, count_max);
}
std::uint64_t SyncedStore::add_listener(Listener listener) {
    return store_.add_listener(std::move(listener));
}
void SyncedStore::remove_listener(std::uint64_t id) {
    store_.remove_listener(id);
}
Result<void> SyncedStore::trim(Version floor) {
    return store_.trim(floor);
}
Result<Version> SyncedStore::version_before(std::int64_t unix_ms) const {
    return store_.version_before(unix_ms);
}
Version SyncedStore::floor() const {
    return store_.floor();
}

void SyncedStore::drop_records_below(store::Space space, std::string prefix, std::uint64_t number) {
    store_.drop_records_below(space, std::move(prefix), number);
}

std::uint64_t SyncedStore::record_bytes(store::Space space, std::string_view begin,
                                        std::string_view end) const {
    return store_.record_bytes(space, begin, end);
}

std::uint64_t SyncedStore::past_bytes(store::CollectionId collection) const {
    return store_.past_bytes(collection);
}
Result<void> SyncedStore::backup(const std::string& directory) {
    return store_.backup(directory);
}
Result<store::VerifyReport> SyncedStore::verify() const {
    return store_.verify();
}
store::StoreStatistics SyncedStore::statistics() const {
    return store_.statistics();
}

} // namespace tombolo::server::sync
