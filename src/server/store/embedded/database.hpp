#pragma once

// The opened RocksDB with our column families, and how each family is tuned.

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include <rocksdb/db.h>

#include "core/result.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/store/embedded/group.hpp"

namespace tombolo::store::embedded {

class Database {
  public:
    static Result<std::unique_ptr<Database>> open(const EmbeddedOptions& options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    rocksdb::DB& db() const noexcept { return *db_; }
    const Families& families() const noexcept { return families_; }
    rocksdb::ColumnFamilyHandle* family(Family family) const noexcept {
        return families_[static_cast<std::size_t>(family)];
    }

    /// A number in the catalog family, 0 when it is not there.
    Result<std::uint64_t> catalog_number(const std::string& key) const;

    /// What the past's compaction filter drops: entries at or below it.
    std::atomic<std::uint64_t>& floor() noexcept { return *floor_; }

  private:
    Database() = default;

    std::shared_ptr<std::atomic<std::uint64_t>> floor_ =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::ColumnFamilyHandle* default_family_ = nullptr;
    Families families_{};
};

} // namespace tombolo::store::embedded
