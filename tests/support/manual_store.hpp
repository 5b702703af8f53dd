#pragma once

// A Store whose commits happen when the test says so, on the test's thread: what a disk does to an
// engine, without waiting for one.
//
// commit_async() only queues. settle() commits what is queued through the store behind and answers;
// lose() forgets it, as a power cut does before the sync. Everything else passes through. Not
// thread-safe.

#include <deque>
#include <utility>

#include "server/store/store.hpp"

namespace tombolo::testing {

class ManualStore final : public store::Store {
  public:
    explicit ManualStore(store::Store& behind) : behind_(behind) {}

    /// Commits everything that waits; returns how many transactions.
    std::size_t settle() {
        std::size_t count = 0;
        while (!waiting_.empty()) {
            auto [transaction, done] = std::move(waiting_.front());
            waiting_.pop_front();
            done(behind_.commit(std::move(transaction)));
            ++count;
        }
        return count;
    }
    /// Refuses the oldest that waits. REQUIRES: is_waiting().
    void refuse(const Error& why) {
        const Completion done = std::move(waiting_.front().second);
        waiting_.pop_front();
        done(why);
    }
    /// Commits what waits, but nobody hears of it: the process died after the sync.
    void commit_unheard() {
        for (auto& [transaction, done] : waiting_) {
            static_cast<void>(behind_.commit(std::move(transaction)));
            done(Error(ErrorCode::io, "the process died"));
        }
        waiting_.clear();
    }
    void lose() {
        for (auto& [transaction, done] : waiting_) {
            done(Error(ErrorCode::io, "the power went"));
        }
        waiting_.clear();
    }
    bool is_waiting() const { return !waiting_.empty(); }

    Result<store::CollectionId> ensure_collection(const store::CollectionName& name) override {
        return behind_.ensure_collection(name);
    }
    std::optional<store::CollectionId>
    find_collection(const store::CollectionName& name) const override {
        return behind_.find_collection(name);
    }
    std::vector<std::pair<store::CollectionName, store::CollectionId>>
    collections() const override {
        return behind_.collections();
    }
    Result<void> drop_collection(store::CollectionId collection) override {
        return behind_.drop_collection(collection);
    }
    Result<void> ensure_index(store::CollectionId collection,
                              const store::IndexSpec& spec) override {
        return behind_.ensure_index(collection, spec);
    }
    Result<void> drop_index(store::CollectionId collection, std::string_view name) override {
        return behind_.drop_index(collection, name);
    }
    Result<std::vector<store::IndexSpec>> indexes(store::CollectionId collection) const override {
        return behind_.indexes(collection);
    }
    Result<store::Version> commit(store::Transaction transaction) override {
        return behind_.commit(std::move(transaction));
    }
    void commit_async(store::Transaction transaction, Completion done) override {
        waiting_.emplace_back(std::move(transaction), std::move(done));
    }
    Result<std::vector<store::RefusedDocument>>
    refused_documents(const store::Transaction& transaction) const override {
        return behind_.refused_documents(transaction);
    }
    std::unique_ptr<store::Snapshot> snapshot() const override { return behind_.snapshot(); }
    store::Version newest_version() const override { return behind_.newest_version(); }
    Result<std::vector<store::FeedEntry>> read_feed(store::Version after,
                                                    std::size_t count_max) const override {
        return behind_.read_feed(after, count_max);
    }
    std::uint64_t add_listener(Listener listener) override {
        return behind_.add_listener(std::move(listener));
    }
    void remove_listener(std::uint64_t id) override { behind_.remove_listener(id); }
    Result<void> trim(store::Version floor) override { return behind_.trim(floor); }
    Result<store::Version> version_before(std::int64_t unix_ms) const override {
        return behind_.version_before(unix_ms);
    }
    store::Version floor() const override { return behind_.floor(); }
    /// They may go at any time, so they go at once.
    void drop_records_below(store::Space space, std::string prefix, std::uint64_t number) override {
        store::Transaction transaction;
        const auto snapshot = behind_.snapshot();
        const auto cursor = snapshot->scan_records(space, prefix, {});
        while (cursor->next() && cursor->key().starts_with(prefix)) {
            const std::string_view key = cursor->key();
            std::uint64_t found = 0;
            for (const char byte : key.substr(key.size() - 8)) {
                found = found << 8 | static_cast<unsigned char>(byte);
            }
            if (found <= number) {
                transaction.erase_record(space, std::string(key));
            }
        }
        static_cast<void>(behind_.commit(std::move(transaction)));
    }
    std::uint64_t record_bytes(store::Space space, std::string_view begin,
                               std::string_view end) const override {
        return behind_.record_bytes(space, begin, end);
    }
    std::uint64_t past_bytes(store::CollectionId collection) const override {
        return behind_.past_bytes(collection);
    }
    Result<void> backup(const std::string& directory) override { return behind_.backup(directory); }
    Result<store::VerifyReport> verify() const override { return behind_.verify(); }
    store::StoreStatistics statistics() const override { return behind_.statistics(); }

  private:
    store::Store& behind_;
    std::deque<std::pair<store::Transaction, Completion>> waiting_;
};

} // namespace tombolo::testing
