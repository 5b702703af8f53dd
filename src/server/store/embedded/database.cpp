#include "server/store/embedded/database.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include "server/store/embedded/log_tail.hpp"
#include "server/store/embedded/status.hpp"
#include "server/store/embedded/zeroed_logs.hpp"

namespace tombolo::store::embedded {

namespace {

// Drops images of versions that nobody may ask for any more, whenever RocksDB rewrites a file
// anyway.
class PastFilter final : public rocksdb::CompactionFilter {
  public:
    explicit PastFilter(std::uint64_t floor) : floor_(floor) {}
    const char* Name() const override { return "tombolo.past"; }
    bool Filter(int /*level*/, const rocksdb::Slice& key, const rocksdb::Slice& /*value*/,
                std::string* /*new_value*/, bool* /*changed*/) const override {
        return key.size() >= 8 && read_u64({key.data(), key.size()}, key.size() - 8) <= floor_;
    }

  private:
    std::uint64_t floor_;
};

class PastFilterFactory final : public rocksdb::CompactionFilterFactory {
  public:
    explicit PastFilterFactory(std::shared_ptr<std::atomic<std::uint64_t>> floor)
        : floor_(std::move(floor)) {}
    const char* Name() const override { return "tombolo.past"; }
    std::unique_ptr<rocksdb::CompactionFilter>
    CreateCompactionFilter(const rocksdb::CompactionFilter::Context& /*context*/) override {
        return std::make_unique<PastFilter>(floor_->load());
    }

  private:
    std::shared_ptr<std::atomic<std::uint64_t>> floor_;
};

// Drops records that their owner gave up. Prefixes do not nest, so the last one at or before a key
// is the only one that can fit.
class RecordFilter final : public rocksdb::CompactionFilter {
  public:
    explicit RecordFilter(RecordFloors::Floors floors) : floors_(std::move(floors)) {}
    const char* Name() const override { return "tombolo.records"; }
    bool Filter(int /*level*/, const rocksdb::Slice& key, const rocksdb::Slice& /*value*/,
                std::string* /*new_value*/, bool* /*changed*/) const override {
        const std::string_view bytes(key.data(), key.size());
        auto above = floors_.upper_bound(bytes);
        if (bytes.size() < 8 || above == floors_.begin()) {
            return false;
        }
        const auto& [prefix, floor] = *--above;
        return bytes.size() >= prefix.size() + 8 && bytes.starts_with(prefix) &&
               read_u64(bytes, bytes.size() - 8) <= floor;
    }

  private:
    RecordFloors::Floors floors_;
};

class RecordFilterFactory final : public rocksdb::CompactionFilterFactory {
  public:
    RecordFilterFactory(std::shared_ptr<RecordFloors> floors, Family family)
        : floors_(std::move(floors)), family_(family) {}
    const char* Name() const override { return "tombolo.records"; }
    std::unique_ptr<rocksdb::CompactionFilter>
    CreateCompactionFilter(const rocksdb::CompactionFilter::Context& /*context*/) override {
        return std::make_unique<RecordFilter>(floors_->get(family_));
    }

  private:
    std::shared_ptr<RecordFloors> floors_;
    Family family_;
};

// After a full disk the store itself tries again with the next commit; RocksDB's own polling would
// meanwhile refuse that.
class NoPolling final : public rocksdb::EventListener {
  public:
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                              bool* auto_recovery) override {
        *auto_recovery = false;
    }
};

// Families that history fills and trimming empties: a file of them is rewritten at the latest after
// this long, so that what was trimmed leaves the disk where nothing is written any more.
constexpr std::uint64_t rewrite_after_s = std::uint64_t{24} * 3600;

bool is_trimmed(Family family) {
    return family == Family::past || family == Family::part || family == Family::hist ||
           family == Family::feed;
}

rocksdb::CompressionType best_compression() {
    for (const rocksdb::CompressionType type : rocksdb::GetSupportedCompressions()) {
        if (type == rocksdb::kLZ4Compression) {
            return type;
        }
    }
    return rocksdb::kNoCompression;
}

rocksdb::ColumnFamilyOptions family_options(const EmbeddedOptions& options,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::ColumnFamilyOptions family;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.format_version = 5;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.compression = best_compression();
    family.write_buffer_size = options.write_buffer_bytes / 2;
    // Whether an _id is new is asked for each insert: the memtable answers most of it from a
    // filter.
    family.memtable_prefix_bloom_size_ratio = 0.02;
    family.memtable_whole_key_filtering = true;
    return family;
}

rocksdb::DBOptions db_options(const EmbeddedOptions& options, rocksdb::Env& env) {
    rocksdb::DBOptions db;
    db.create_if_missing = true;
    db.create_missing_column_families = true;
    db.db_write_buffer_size = options.write_buffer_bytes;
    db.max_background_jobs = 2;
    // Syncing a log whose space was reserved also has to mark that space as written: a quarter more
    // time for each durable commit.
    db.allow_fallocate = false;
    db.listeners.push_back(std::make_shared<NoPolling>());
    db.keep_log_file_num = 4;
    db.max_log_file_size = std::size_t{8} << 20;
    // A record cut off at the log's end was never acknowledged; any other damage must not pass in
    // silence.
    db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    db.env = &env;
    return db;
}

} // namespace

void RecordFloors::set(Family family, std::string prefix, std::uint64_t number) {
    const MutexLock lock(mutex_);
    std::uint64_t& floor = floors_.at(static_cast<std::size_t>(family))[std::move(prefix)];
    floor = std::max(floor, number);
}

RecordFloors::Floors RecordFloors::get(Family family) const {
    const MutexLock lock(mutex_);
    return floors_.at(static_cast<std::size_t>(family));
}

Result<std::unique_ptr<Database>> Database::open(const EmbeddedOptions& options) {
    std::unique_ptr<Database> database(new Database());
    rocksdb::Env* const env = options.env != nullptr ? options.env : rocksdb::Env::Default();
    const rocksdb::Status made = env->CreateDirIfMissing(options.directory);
    if (!made.ok()) {
        return to_error(made, "make the store's folder").within(options.directory);
    }
    TOMBOLO_TRY_VOID(cut_torn_logs(*env, options.directory));
    database->env_ = with_zeroed_logs(*env);

    const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);
    const rocksdb::ColumnFamilyOptions family = family_options(options, cache);
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, family);
    for (std::size_t i = 0; i < family_count; ++i) {
        descriptors.emplace_back(family_names[i], family);
        if (static_cast<Family>(i) == Family::past) {
            descriptors.back().options.compaction_filter_factory =
                std::make_shared<PastFilterFactory>(database->floor_);
        }
        if (static_cast<Family>(i) == Family::part) {
            descriptors.back().options.compaction_filter_factory =
                std::make_shared<RecordFilterFactory>(database->record_floors_, Family::part);
        }
        if (is_trimmed(static_cast<Family>(i))) {
            descriptors.back().options.periodic_compaction_seconds = rewrite_after_s;
        }
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(
        db_options(options, *database->env_), options.directory, descriptors, &handles, &opened);
    if (!status.ok()) {
        return to_error(status, "open the store").within(options.directory);
    }
    database->db_.reset(opened);
    database->default_family_ = handles.front();
    std::copy(handles.begin() + 1, handles.end(), database->families_.begin());
    return database;
}

Database::~Database() {
    if (db_ == nullptr) {
        return;
    }
    for (rocksdb::ColumnFamilyHandle* handle : families_) {
        db_->DestroyColumnFamilyHandle(handle);
    }
    db_->DestroyColumnFamilyHandle(default_family_);
    db_->Close();
}

Result<std::uint64_t> Database::catalog_number(const std::string& key) const {
    std::string value;
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), family(Family::catalog), key, &value);
    if (status.IsNotFound()) {
        return std::uint64_t{0};
    }
    if (!status.ok()) {
        return to_error(status, "read the store's catalog");
    }
    if (value.size() != 8) {
        return Error(ErrorCode::store_corrupt, "the store's catalog has a bad '" + key + "'");
    }
    return read_u64(value);
}

} // namespace tombolo::store::embedded
