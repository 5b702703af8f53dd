#pragma once

// The opened RocksDB with our column families, and how each family is tuned.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>

#include <rocksdb/db.h>

#include "core/mutex.hpp"
#include "core/result.hpp"
#include "server/store/embedded/embedded_store.hpp"
#include "server/store/embedded/group.hpp"

namespace tombolo::store::embedded {

/// What compactions may drop of a family: records with the prefix, up to a number at their end.
/// Thread-safety: safe.
class RecordFloors {
  public:
    using Floors = std::map<std::string, std::uint64_t, std::less<>>;

    /// Never moves back.
    void set(Family family, std::string prefix, std::uint64_t number);
    Floors get(Family family) const;

  private:
    mutable Mutex mutex_;
    std::array<Floors, family_count> floors_ TOMBOLO_GUARDED_BY(mutex_);
};

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
    RecordFloors& record_floors() noexcept { return *record_floors_; }

  private:
    Database() = default;

    std::shared_ptr<std::atomic<std::uint64_t>> floor_ =
        std::make_shared<std::atomic<std::uint64_t>>(0);
    std::shared_ptr<RecordFloors> record_floors_ = std::make_shared<RecordFloors>();
    std::unique_ptr<rocksdb::Env> env_; // outlives the next
    std::unique_ptr<rocksdb::DB> db_;
    rocksdb::ColumnFamilyHandle* default_family_ = nullptr;
    Families families_{};
};

} // namespace tombolo::store::embedded
