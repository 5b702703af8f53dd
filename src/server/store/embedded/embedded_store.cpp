#include "server/store/embedded/embedded_store.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <map>

#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include "core/check.hpp"
#include "server/store/embedded/catalog.hpp"
#include "server/store/embedded/committer.hpp"
#include "server/store/embedded/database.hpp"
#include "server/store/embedded/snapshot.hpp"
#include "server/store/embedded/status.hpp"
#include "server/store/embedded/verify.hpp"
#include "server/store/index_keys.hpp"
#include "server/store/value_key.hpp"

namespace tombolo::store {

namespace embedded {
namespace {

std::string encode_number(std::uint64_t value) {
    std::string bytes;
    append_u64(bytes, value);
    return bytes;
}

class EmbeddedStore final : public Store {
  public:
    EmbeddedStore(std::unique_ptr<Database> database, const EmbeddedOptions& options)
        : database_(std::move(database)),
          env_(options.env != nullptr ? options.env : rocksdb::Env::Default()),
          skip_sync_(options.planted_bug_skip_sync) {}

    ~EmbeddedStore() override {
        if (committer_) {
            committer_->stop();
        }
    }

    // Reads the catalog, ends what a crash interrupted, starts the committer.
    Result<void> start();

    Result<CollectionId> ensure_collection(const CollectionName& name) override;
    std::optional<CollectionId> find_collection(const CollectionName& name) const override;
    std::vector<std::pair<CollectionName, CollectionId>> collections() const override;
    Result<void> drop_collection(CollectionId collection) override;

    Result<void> ensure_index(CollectionId collection, const IndexSpec& spec) override;
    Result<void> drop_index(CollectionId collection, std::string_view name) override;
    Result<std::vector<IndexSpec>> indexes(CollectionId collection) const override;

    Result<Version> commit(Transaction transaction) override;
    void commit_waiting(Transaction transaction, Completion done) override {
        committer_->submit_waiting(std::move(transaction), std::move(done));
    }
    void commit_async(Transaction transaction, Completion done) override;

    Result<std::vector<RefusedDocument>>
    refused_documents(const Transaction& transaction) const override {
        return Group(database_->db(), database_->families(), catalog_, Version{}, 0)
            .refused(transaction);
    }
    std::unique_ptr<Snapshot> snapshot() const override;
    Version newest_version() const override { return Version{newest_.load()}; }

    Result<std::vector<FeedEntry>> read_feed(Version after, std::size_t count_max) const override;
    std::uint64_t add_listener(Listener listener) override;
    void remove_listener(std::uint64_t id) override;

    Result<void> trim(Version floor) override;
    Result<Version> version_before(std::int64_t unix_ms) const override;
    Version floor() const override { return Version{database_->floor().load()}; }
    void drop_records_below(Space space, std::string prefix, std::uint64_t number) override {
        database_->record_floors().set(family_of(space), std::move(prefix), number);
    }
    std::uint64_t record_bytes(Space space, std::string_view begin,
                               std::string_view end) const override {
        return bytes_between(family_of(space), begin, end);
    }
    std::uint64_t past_bytes(CollectionId collection) const override {
        const std::string begin = collection_prefix(collection);
        return bytes_between(Family::past, begin, prefix_end(begin));
    }

    Result<void> backup(const std::string& directory) override;
    Result<VerifyReport> verify() const override;
    StoreStatistics statistics() const override;

  private:
    // Runs `work` on the committer's thread, between groups.
    Result<void> exclusively(const std::function<Result<void>()>& work);
    void commit_group(std::vector<Committer::Waiting>& group);
    Result<void> write(rocksdb::WriteBatch& batch);
    Result<void> save_collection(const CollectionEntry& entry);
    Result<void> build_index(const CollectionEntry& entry, const IndexEntry& index);
    Result<void> remove_index(CollectionEntry entry, const std::string& name);
    std::uint64_t bytes_between(Family family, std::string_view begin, std::string_view end) const;
    void tell_listeners(Version version);

    std::unique_ptr<Database> database_;
    rocksdb::Env* env_;
    const bool skip_sync_;
    Catalog catalog_;
    std::atomic<std::uint64_t> newest_{0};
    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> groups_{0};
    bool write_failed_ = false; // committer's thread only

    std::mutex listeners_mutex_;
    std::map<std::uint64_t, Listener> listeners_; // guarded by listeners_mutex_
    std::uint64_t next_listener_ = 1;             // guarded by listeners_mutex_

    std::mutex backup_mutex_;
    std::unique_ptr<Committer> committer_; // last: its thread uses all of the above
};

Result<void> EmbeddedStore::start() {
    TOMBOLO_TRY(const std::uint64_t format, database_->catalog_number("format"));
    if (format > format_version) {
        return Error(ErrorCode::unsupported,
                     "the store has format " + std::to_string(format) +
                         ", written by a newer version of Tombolo; this one reads up to " +
                         std::to_string(format_version));
    }
    TOMBOLO_TRY(const std::uint64_t newest, database_->catalog_number("version"));
    TOMBOLO_TRY(const std::uint64_t floor, database_->catalog_number("floor"));
    newest_ = newest;
    database_->floor() = floor;
    if (format == 0) {
        rocksdb::WriteBatch batch;
        batch.Put(database_->family(Family::catalog), "format", encode_number(format_version));
        TOMBOLO_TRY_VOID(write(batch));
    }

    std::vector<CollectionEntry> entries;
    {
        const std::unique_ptr<rocksdb::Iterator> cursor(database_->db().NewIterator(
            rocksdb::ReadOptions(), database_->family(Family::catalog)));
        for (cursor->Seek("collection/");
             cursor->Valid() && cursor->key().starts_with("collection/"); cursor->Next()) {
            TOMBOLO_TRY(CollectionEntry entry,
                        decode_collection({cursor->key().data(), cursor->key().size()},
                                          {cursor->value().data(), cursor->value().size()}));
            entries.push_back(std::move(entry));
        }
        if (!cursor->status().ok()) {
            return to_error(cursor->status(), "read the store's catalog");
        }
    }
    for (CollectionEntry& entry : entries) {
        std::vector<std::string> unfinished;
        for (const IndexEntry& index : entry.indexes) {
            if (!index.ready) {
                unfinished.push_back(index.spec.name);
            }
        }
        catalog_.set(entry);
        for (const std::string& name : unfinished) {
            TOMBOLO_TRY_VOID(remove_index(*catalog_.find(entry.id), name));
        }
    }
    committer_ = std::make_unique<Committer>(
        [this](std::vector<Committer::Waiting>& group) { commit_group(group); });
    return {};
}

Result<void> EmbeddedStore::exclusively(const std::function<Result<void>()>& work) {
    Result<void> result;
    const bool ran = committer_->run([&] {
        try {
            result = work();
        } catch (const Error& error) {
            result = error;
        }
    });
    if (!ran) {
        return Error(ErrorCode::unavailable, "the store is closing");
    }
    return result;
}

Result<void> EmbeddedStore::write(rocksdb::WriteBatch& batch) {
    if (write_failed_) {
        // After a full disk RocksDB takes no writes until told that there is room again.
        const rocksdb::Status resumed = database_->db().Resume();
        if (!resumed.ok()) {
            return to_error(resumed, "commit");
        }
        write_failed_ = false;
    }
    rocksdb::WriteOptions options;
    options.sync = !skip_sync_;
    const rocksdb::Status status = database_->db().Write(options, &batch);
    if (!status.ok()) {
        write_failed_ = true;
        return to_error(status, "commit");
    }
    return {};
}

void EmbeddedStore::commit_group(std::vector<Committer::Waiting>& group) {
    const std::int64_t now = static_cast<std::int64_t>(env_->NowMicros() / 1000);
    std::vector<Result<Version>> answers;
    answers.reserve(group.size());
    Result<void> written;
    Version newest = newest_version();
    {
        Group pending(database_->db(), database_->families(), catalog_, Version{number(newest) + 1},
                      now);
        for (Committer::Waiting& waiting : group) {
            try {
                answers.push_back(
                    pending.add(std::move(waiting.transaction), &waiting == &group.back()));
            } catch (const Error& error) {
                answers.emplace_back(error);
            }
        }
        if (pending.size() > 0) {
            written = write(pending.finish());
            if (written) {
                newest = pending.newest();
                commits_ += pending.size();
                ++groups_;
            }
        }
    }
    const bool advanced = number(newest) != newest_.exchange(number(newest));
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (answers[i] && !written) {
            answers[i] = written.error();
        }
        group[i].done(std::move(answers[i]));
    }
    if (advanced) {
        tell_listeners(newest);
    }
}

void EmbeddedStore::tell_listeners(Version version) {
    const std::lock_guard lock(listeners_mutex_);
    for (const auto& [id, listener] : listeners_) {
        listener(version);
    }
}

std::uint64_t EmbeddedStore::add_listener(Listener listener) {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.emplace(next_listener_, std::move(listener));
    return next_listener_++;
}

void EmbeddedStore::remove_listener(std::uint64_t id) {
    const std::lock_guard lock(listeners_mutex_);
    listeners_.erase(id);
}

void EmbeddedStore::commit_async(Transaction transaction, Completion done) {
    committer_->submit(std::move(transaction), std::move(done));
}

Result<Version> EmbeddedStore::commit(Transaction transaction) {
    if (transaction.empty()) {
        return newest_version();
    }
    // Shared: the waiter may be gone before set_value returns.
    const auto answer = std::make_shared<std::promise<Result<Version>>>();
    std::future<Result<Version>> result = answer->get_future();
    committer_->submit(std::move(transaction), [answer](Result<Version> version) {
        answer->set_value(std::move(version));
    });
    return result.get();
}

Result<void> EmbeddedStore::save_collection(const CollectionEntry& entry) {
    rocksdb::WriteBatch batch;
    batch.Put(database_->family(Family::catalog), catalog_key(entry.id), encode_collection(entry));
    TOMBOLO_TRY_VOID(write(batch));
    catalog_.set(entry);
    return {};
}

Result<CollectionId> EmbeddedStore::ensure_collection(const CollectionName& name) {
    if (const auto id = find_collection(name)) {
        return *id;
    }
    for (const std::string* part : {&name.data_source, &name.database, &name.collection}) {
        if (part->empty() || part->size() > limits::collection_name_bytes_max ||
            part->find('\0') != std::string::npos) {
            return Error(ErrorCode::invalid_argument,
                         "'" + name.to_string() + "' is not the name of a collection");
        }
    }
    const Result<void> made = exclusively([&]() -> Result<void> {
        if (find_collection(name)) {
            return {}; // made meanwhile
        }
        TOMBOLO_TRY(std::uint64_t next, database_->catalog_number("next_collection"));
        next = std::max<std::uint64_t>(next, 1);
        CollectionEntry entry;
        entry.id = CollectionId{static_cast<std::uint32_t>(next)};
        entry.name = name;
        rocksdb::WriteBatch batch;
        batch.Put(database_->family(Family::catalog), "next_collection", encode_number(next + 1));
        batch.Put(database_->family(Family::catalog), catalog_key(entry.id),
                  encode_collection(entry));
        TOMBOLO_TRY_VOID(write(batch));
        catalog_.set(std::move(entry));
        return {};
    });
    if (!made) {
        return made.error();
    }
    return *find_collection(name);
}

std::optional<CollectionId> EmbeddedStore::find_collection(const CollectionName& name) const {
    const auto entry = catalog_.find(name);
    return entry ? std::optional(entry->id) : std::nullopt;
}

std::vector<std::pair<CollectionName, CollectionId>> EmbeddedStore::collections() const {
    std::vector<std::pair<CollectionName, CollectionId>> out;
    for (const auto& entry : catalog_.all()) {
        out.emplace_back(entry->name, entry->id);
    }
    return out;
}

Result<void> EmbeddedStore::drop_collection(CollectionId collection) {
    return exclusively([&]() -> Result<void> {
        if (catalog_.find(collection) == nullptr) {
            return Error(ErrorCode::not_found, "there is no such collection");
        }
        const std::string begin = collection_prefix(collection);
        const std::string end = prefix_end(begin);
        rocksdb::WriteBatch batch;
        for (const Family family : {Family::doc, Family::past, Family::index}) {
            batch.DeleteRange(database_->family(family), begin, end);
        }
        batch.Delete(database_->family(Family::catalog), catalog_key(collection));
        TOMBOLO_TRY_VOID(write(batch));
        catalog_.erase(collection);
        return {};
    });
}

Result<void> EmbeddedStore::ensure_index(CollectionId collection, const IndexSpec& spec) {
    TOMBOLO_TRY_VOID(check_index_spec(spec));
    return exclusively([&]() -> Result<void> {
        const auto current = catalog_.find(collection);
        if (current == nullptr) {
            return Error(ErrorCode::not_found, "there is no such collection");
        }
        if (const IndexEntry* same = current->find_index(spec.name)) {
            if (same->spec == spec) {
                return {};
            }
            return Error(ErrorCode::already_exists,
                         "index '" + spec.name + "' exists with other fields or options",
                         current->name.to_string());
        }
        if (current->indexes.size() >= limits::indexes_per_collection_max) {
            return Error(ErrorCode::limit_exceeded,
                         "a collection has at most " +
                             std::to_string(limits::indexes_per_collection_max) + " indexes",
                         current->name.to_string());
        }
        CollectionEntry entry = *current;
        entry.indexes.push_back({entry.next_index++, spec, false});
        TOMBOLO_TRY_VOID(save_collection(entry));
        const Result<void> built = build_index(entry, entry.indexes.back());
        if (!built) {
            TOMBOLO_TRY_VOID(remove_index(entry, spec.name));
            return built.error();
        }
        entry.indexes.back().ready = true;
        return save_collection(entry);
    });
}

Result<void> EmbeddedStore::build_index(const CollectionEntry& entry, const IndexEntry& index) {
    const std::unique_ptr<Snapshot> all = snapshot();
    const std::unique_ptr<DocumentCursor> cursor = all->scan(entry.id);
    const std::string prefix = index_prefix(entry.id, index.number);
    rocksdb::WriteBatch batch;
    while (cursor->next()) {
        TOMBOLO_TRY(const std::vector<std::string> keys,
                    index_keys(index.spec, cursor->document()));
        for (const std::string& key : keys) {
            batch.Put(database_->family(Family::index), prefix + key + std::string(cursor->key()),
                      {});
        }
        if (batch.GetDataSize() > limits::commit_group_bytes_max) {
            TOMBOLO_TRY_VOID(write(batch));
            batch.Clear();
        }
    }
    TOMBOLO_TRY_VOID(cursor->status());
    TOMBOLO_TRY_VOID(write(batch));
    if (!index.spec.unique) {
        return {};
    }
    // Neighbours with the same values are two documents with one unique value.
    const std::unique_ptr<rocksdb::Iterator> entries(
        database_->db().NewIterator(rocksdb::ReadOptions(), database_->family(Family::index)));
    std::string previous;
    for (entries->Seek(prefix); entries->Valid() && entries->key().starts_with(prefix);
         entries->Next()) {
        const std::string_view key(entries->key().data(), entries->key().size());
        std::size_t size = prefix.size();
        for (std::size_t i = 0; i < index.spec.fields.size(); ++i) {
            size += value_key_size(key.substr(size));
        }
        if (key.substr(0, size) == previous) {
            return Error(ErrorCode::duplicate_key,
                         "cannot build unique index '" + index.spec.name +
                             "': two documents have the same value",
                         entry.name.to_string());
        }
        previous = key.substr(0, size);
    }
    if (!entries->status().ok()) {
        return to_error(entries->status(), "build an index");
    }
    return {};
}

Result<void> EmbeddedStore::remove_index(CollectionEntry entry, const std::string& name) {
    const auto found =
        std::find_if(entry.indexes.begin(), entry.indexes.end(),
                     [&](const IndexEntry& index) { return index.spec.name == name; });
    if (found == entry.indexes.end()) {
        return Error(ErrorCode::not_found, "there is no index '" + name + "'",
                     entry.name.to_string());
    }
    const std::string begin = index_prefix(entry.id, found->number);
    entry.indexes.erase(found);
    rocksdb::WriteBatch batch;
    batch.DeleteRange(database_->family(Family::index), begin, prefix_end(begin));
    batch.Put(database_->family(Family::catalog), catalog_key(entry.id), encode_collection(entry));
    TOMBOLO_TRY_VOID(write(batch));
    catalog_.set(std::move(entry));
    return {};
}

Result<void> EmbeddedStore::drop_index(CollectionId collection, std::string_view name) {
    return exclusively([&]() -> Result<void> {
        const auto current = catalog_.find(collection);
        if (current == nullptr) {
            return Error(ErrorCode::not_found, "there is no such collection");
        }
        return remove_index(*current, std::string(name));
    });
}

Result<std::vector<IndexSpec>> EmbeddedStore::indexes(CollectionId collection) const {
    const auto entry = catalog_.find(collection);
    if (entry == nullptr) {
        return Error(ErrorCode::not_found, "there is no such collection");
    }
    std::vector<IndexSpec> specs;
    for (const IndexEntry& index : entry->indexes) {
        specs.push_back(index.spec);
    }
    return specs;
}

std::unique_ptr<Snapshot> EmbeddedStore::snapshot() const {
    const rocksdb::Snapshot* taken = database_->db().GetSnapshot();
    // The version that this snapshot stands for is the one it sees, whatever was committed
    // meanwhile.
    rocksdb::ReadOptions options;
    options.snapshot = taken;
    std::string value;
    const rocksdb::Status status =
        database_->db().Get(options, database_->family(Family::catalog), "version", &value);
    const Version version{status.ok() && value.size() == 8 ? read_u64(value) : 0};
    return std::make_unique<EmbeddedSnapshot>(database_->db(), database_->families(), catalog_,
                                              taken, version, database_->floor());
}

Result<std::vector<FeedEntry>> EmbeddedStore::read_feed(Version after,
                                                        std::size_t count_max) const {
    if (after < floor()) {
        return Error(ErrorCode::out_of_range, "the change feed no longer reaches back to version " +
                                                  std::to_string(number(after)) +
                                                  "; it begins after " +
                                                  std::to_string(number(floor())));
    }
    std::vector<FeedEntry> entries;
    const std::unique_ptr<rocksdb::Iterator> cursor(
        database_->db().NewIterator(rocksdb::ReadOptions(), database_->family(Family::feed)));
    for (cursor->Seek(feed_key(Version{number(after) + 1}, 0));
         cursor->Valid() && entries.size() < count_max; cursor->Next()) {
        const std::string_view key(cursor->key().data(), cursor->key().size());
        const std::string_view value(cursor->value().data(), cursor->value().size());
        if (key.size() != 12 || value.size() < 13) {
            return Error(ErrorCode::store_corrupt, "an entry of the change feed cannot be read");
        }
        FeedEntry entry;
        entry.version = Version{read_u64(key)};
        entry.committed_unix_ms = static_cast<std::int64_t>(read_u64(value));
        entry.operation = static_cast<Operation>(value[8]);
        entry.collection = CollectionId{read_u32(value, 9)};
        entry.key = value.substr(13);
        entries.push_back(std::move(entry));
    }
    if (!cursor->status().ok()) {
        return to_error(cursor->status(), "read the change feed");
    }
    return entries;
}

Result<void> EmbeddedStore::trim(Version floor) {
    return exclusively([&]() -> Result<void> {
        const Version to = std::min(floor, newest_version());
        if (to <= this->floor()) {
            return {};
        }
        rocksdb::WriteBatch batch;
        batch.Put(database_->family(Family::catalog), "floor", encode_number(number(to)));
        batch.DeleteRange(database_->family(Family::feed), feed_key(Version{}, 0),
                          feed_key(Version{number(to) + 1}, 0));
        TOMBOLO_TRY_VOID(write(batch));
        database_->floor() = number(to);
        return {};
    });
}

Result<Version> EmbeddedStore::version_before(std::int64_t unix_ms) const {
    const std::unique_ptr<rocksdb::Iterator> cursor(
        database_->db().NewIterator(rocksdb::ReadOptions(), database_->family(Family::feed)));
    Version found = floor();
    for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
        const std::string_view value(cursor->value().data(), cursor->value().size());
        if (value.size() < 13 || static_cast<std::int64_t>(read_u64(value)) > unix_ms) {
            break;
        }
        found = Version{read_u64({cursor->key().data(), cursor->key().size()})};
    }
    if (!cursor->status().ok()) {
        return to_error(cursor->status(), "read the change feed");
    }
    return found;
}

Result<void> EmbeddedStore::backup(const std::string& directory) {
    const std::lock_guard lock(backup_mutex_);
    rocksdb::BackupEngine* opened = nullptr;
    rocksdb::BackupEngineOptions options(directory, env_);
    rocksdb::Status status = rocksdb::BackupEngine::Open(env_, options, &opened);
    if (!status.ok()) {
        return to_error(status, "open the backup folder").within(directory);
    }
    const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
    status = engine->CreateNewBackup(&database_->db(), /*flush_before_backup=*/true);
    if (!status.ok()) {
        return to_error(status, "back up the store").within(directory);
    }
    return {};
}

Result<VerifyReport> EmbeddedStore::verify() const {
    return embedded::verify(*database_, catalog_);
}

std::uint64_t EmbeddedStore::bytes_between(Family family, std::string_view begin,
                                           std::string_view end) const {
    const rocksdb::Range range({begin.data(), begin.size()}, {end.data(), end.size()});
    rocksdb::SizeApproximationOptions options;
    options.include_memtables = true;
    std::uint64_t bytes = 0;
    const rocksdb::Status status =
        database_->db().GetApproximateSizes(options, database_->family(family), &range, 1, &bytes);
    return status.ok() ? bytes : 0;
}

StoreStatistics EmbeddedStore::statistics() const {
    StoreStatistics statistics;
    statistics.commits = commits_;
    statistics.groups = groups_;
    for (std::size_t i = 0; i < family_count; ++i) {
        std::uint64_t bytes = 0;
        if (database_->db().GetIntProperty(database_->families()[i],
                                           rocksdb::DB::Properties::kTotalSstFilesSize, &bytes)) {
            statistics.disk_bytes += bytes;
        }
    }
    return statistics;
}

} // namespace
} // namespace embedded

Result<std::unique_ptr<Store>> open_embedded(const EmbeddedOptions& options) {
    TOMBOLO_TRY(std::unique_ptr<embedded::Database> database, embedded::Database::open(options));
    auto store = std::make_unique<embedded::EmbeddedStore>(std::move(database), options);
    TOMBOLO_TRY_VOID(store->start());
    return std::unique_ptr<Store>(std::move(store));
}

Result<void> restore_embedded(const std::string& backup_directory, const std::string& directory) {
    rocksdb::Env* const env = rocksdb::Env::Default();
    std::vector<std::string> there;
    if (env->GetChildren(directory, &there).ok()) {
        const bool occupied = std::any_of(there.begin(), there.end(), [](const std::string& name) {
            return name != "." && name != "..";
        });
        if (occupied) {
            return Error(ErrorCode::already_exists,
                         "cannot restore into a folder that is not empty", directory);
        }
    }
    if (!env->FileExists(backup_directory).ok()) {
        return Error(ErrorCode::not_found, "there is no backup folder", backup_directory);
    }
    rocksdb::BackupEngineReadOnly* opened = nullptr;
    rocksdb::Status status = rocksdb::BackupEngineReadOnly::Open(
        env, rocksdb::BackupEngineOptions(backup_directory), &opened);
    if (!status.ok()) {
        return embedded::to_error(status, "read the backup").within(backup_directory);
    }
    const std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(opened);
    status = engine->RestoreDBFromLatestBackup(directory, directory);
    if (status.IsNotFound()) {
        return Error(ErrorCode::not_found, "the folder holds no backup", backup_directory);
    }
    if (!status.ok()) {
        return embedded::to_error(status, "restore the backup").within(directory);
    }
    return {};
}

} // namespace tombolo::store
