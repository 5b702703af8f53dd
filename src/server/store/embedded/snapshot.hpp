#pragma once

// Reads at one point of the commit order: a RocksDB snapshot and the version it stands for.

#include <atomic>
#include <memory>

#include <rocksdb/db.h>

#include "server/store/embedded/catalog.hpp"
#include "server/store/embedded/group.hpp"
#include "server/store/store.hpp"

namespace tombolo::store::embedded {

class EmbeddedSnapshot final : public Snapshot {
  public:
    /// Takes `snapshot` over. The references must outlive this.
    EmbeddedSnapshot(rocksdb::DB& db, const Families& families, const Catalog& catalog,
                     const rocksdb::Snapshot* snapshot, Version version,
                     const std::atomic<std::uint64_t>& floor);
    ~EmbeddedSnapshot() override;
    EmbeddedSnapshot(const EmbeddedSnapshot&) = delete;
    EmbeddedSnapshot& operator=(const EmbeddedSnapshot&) = delete;

    Version version() const override { return version_; }
    Result<std::optional<StoredDocument>> find(CollectionId collection,
                                               std::string_view key) const override;
    Result<std::optional<StoredDocument>> find_at(CollectionId collection, std::string_view key,
                                                  Version at) const override;
    std::unique_ptr<DocumentCursor> scan(CollectionId collection,
                                         std::string_view after) const override;
    Result<std::unique_ptr<DocumentCursor>> scan_index(CollectionId collection,
                                                       std::string_view index,
                                                       const IndexRange& range) const override;
    Result<std::optional<std::string>> record(Space space, std::string_view key) const override;
    std::unique_ptr<RecordCursor> scan_records(Space space, std::string_view begin,
                                               std::string_view end) const override;

  private:
    Result<void> check_retained(Version at) const;
    rocksdb::ReadOptions options() const;
    rocksdb::ColumnFamilyHandle* family(Family family) const {
        return families_[static_cast<std::size_t>(family)];
    }

    rocksdb::DB& db_;
    const Families& families_;
    const Catalog& catalog_;
    const rocksdb::Snapshot* snapshot_;
    Version version_;
    const std::atomic<std::uint64_t>&
        floor_; // the store's, not this snapshot's: trimming forgets for all
};

} // namespace tombolo::store::embedded
