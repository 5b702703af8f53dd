#pragma once

// A group of transactions on its way into one synced write.
//
// Each transaction is judged against the database plus the transactions before it in the group,
// takes the next version, and adds its writes to the batch; one that fails leaves nothing behind.
// Used by the committer's thread only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "core/result.hpp"
#include "server/store/embedded/catalog.hpp"
#include "server/store/embedded/layout.hpp"

namespace tombolo::store::embedded {

using Families = std::array<rocksdb::ColumnFamilyHandle*, family_count>;

/// Values not yet written, by key; a key that is there without a value is erased.
class Overlay {
  public:
    void put(std::string key, std::optional<std::string> value);
    void erase_range(const std::string& begin, const std::string& end);
    /// Null when the overlay says nothing of the key.
    const std::optional<std::string>* find(const std::string& key) const;
    /// Takes what `newer` says over.
    void merge(Overlay&& newer);

  private:
    std::unordered_map<std::string, std::optional<std::string>> values_;
    std::vector<std::pair<std::string, std::string>> erased_ranges_;
};

class Group {
  public:
    /// `first` is the version that the first transaction takes. The references must outlive the
    /// group.
    Group(rocksdb::DB& db, const Families& families, const Catalog& catalog, Version first,
          std::int64_t now_unix_ms);

    /// The version it took, or why nothing of it will happen. `is_last`: no other follows, so that
    /// nothing is remembered for it.
    Result<Version> add(Transaction transaction, bool is_last);

    /// Store::refused_documents(). Of a group of its own, on any thread.
    Result<std::vector<RefusedDocument>> refused(const Transaction& transaction) const;

    /// Transactions added.
    std::size_t size() const noexcept { return accepted_; }
    Version newest() const noexcept { return Version{number(next_) - 1}; }
    /// The writes of the group, with the catalog's "version".
    rocksdb::WriteBatch& finish();

  private:
    // One document over the course of one transaction.
    struct DocChange {
        CollectionId collection{};
        std::string id_key;
        std::optional<std::string> before; // encoded images
        std::optional<mql::BsonDocument> after;
        Version created{};
    };
    struct Staged {
        std::vector<DocChange> docs;
        std::unordered_map<std::string, std::size_t> doc_positions;
        std::array<Overlay, family_count> records;
        std::vector<Transaction::RecordRequest> record_writes;
        Overlay unique;            // unique entry -> id key of its owner
        bool keeps_records = true; // somebody may ask for them
    };
    // Index writes of one document change.
    struct IndexChange {
        std::vector<std::string> erased;
        std::vector<std::string> added;
    };

    Result<void> stage(Staged& staged, Transaction::DocumentRequest&& request) const;
    Result<void> stage(Staged& staged, Transaction::RecordRequest&& request);
    Result<DocChange*> doc_change(Staged& staged, CollectionId collection,
                                  std::string id_key) const;
    Result<std::optional<std::string>> current_record(const Staged& staged, Family family,
                                                      const std::string& key) const;
    Result<std::optional<std::string>> stored(Family family, std::string_view key) const;

    Result<IndexChange> index_change(const CollectionEntry& collection, const DocChange& doc) const;
    Result<void> claim_unique(Staged& staged, const CollectionEntry& collection,
                              const DocChange& doc, const IndexChange& change) const;
    Result<std::optional<std::string>> unique_owner(const Staged& staged,
                                                    const std::string& entry) const;
    void write_doc(const DocChange& doc, const IndexChange& change, std::uint32_t position,
                   bool is_last);
    void write_record(const Transaction::RecordRequest& request);
    void put(Family family, std::string_view key, std::string_view value);
    void erase(Family family, std::string_view key);

    rocksdb::DB& db_;
    const Families& families_;
    const Catalog& catalog_;
    Version next_;
    std::int64_t now_unix_ms_;
    std::size_t accepted_ = 0;
    rocksdb::WriteBatch batch_;
    std::array<Overlay, family_count> pending_;
    Overlay pending_unique_;
};

} // namespace tombolo::store::embedded
