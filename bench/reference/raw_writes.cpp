#include "reference/raw_writes.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <unordered_map>

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace tombolo::bench {

namespace {

void check(const rocksdb::Status& status) {
    if (!status.ok()) {
        throw std::runtime_error(status.ToString());
    }
}

struct Opened {
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;

    Opened() = default;
    Opened(Opened&&) = default;
    ~Opened() {
        for (rocksdb::ColumnFamilyHandle* handle : handles) {
            db->DestroyColumnFamilyHandle(handle);
        }
    }
};

// The tuning of the Store, but for the filter in its memtables: nothing is looked up here.
Opened open(const std::string& directory, const std::vector<std::string>& names, bool read_only) {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.db_write_buffer_size = std::size_t{128} << 20;
    options.max_background_jobs = 2;
    rocksdb::ColumnFamilyOptions family;
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.format_version = 5;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    family.compression = rocksdb::kLZ4Compression;
    family.write_buffer_size = std::size_t{64} << 20;
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.reserve(names.size());
    for (const std::string& name : names) {
        descriptors.emplace_back(name, family);
    }
    Opened opened;
    rocksdb::DB* db = nullptr;
    check(read_only
              ? rocksdb::DB::OpenForReadOnly(options, directory, descriptors, &opened.handles, &db)
              : rocksdb::DB::Open(options, directory, descriptors, &opened.handles, &db));
    opened.db.reset(db);
    return opened;
}

} // namespace

std::vector<RawBatch> record_batches(const std::string& store_directory,
                                     std::vector<std::string>& family_names) {
    check(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), store_directory, &family_names));
    const Opened opened = open(store_directory, family_names, true);
    const auto family = [&](const std::string& name) {
        for (std::size_t i = 0; i < family_names.size(); ++i) {
            if (family_names[i] == name) {
                return i;
            }
        }
        throw std::runtime_error("the store has no column family '" + name + "'");
    };
    const auto each = [&](std::size_t at, const auto& visit) {
        const std::unique_ptr<rocksdb::Iterator> cursor(
            opened.db->NewIterator(rocksdb::ReadOptions(), opened.handles[at]));
        for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
            visit(cursor->key().ToString(), cursor->value().ToString());
        }
        check(cursor->status());
    };
    const auto doc = family("doc");
    const auto index = family("index");
    const auto feed = family("feed");

    // All ids are of one type and so of one length: an index entry ends with its document's.
    std::unordered_map<std::string, std::string> documents;
    std::unordered_map<std::string, std::vector<std::string>> entries;
    std::size_t id_bytes = 0;
    each(doc, [&](const std::string& key, const std::string& value) {
        id_bytes = key.size() - 4;
        documents.emplace(key.substr(4), value);
    });
    each(index, [&](const std::string& key, const std::string&) {
        entries[key.substr(key.size() - id_bytes)].push_back(key);
    });
    std::vector<RawBatch> batches;
    std::string version;
    each(feed, [&](const std::string& key, const std::string& value) {
        if (batches.empty() || key.substr(0, 8) != version) {
            version = key.substr(0, 8);
            batches.emplace_back();
        }
        RawBatch& batch = batches.back();
        const std::string id = value.substr(13);
        batch.push_back(
            {static_cast<std::uint8_t>(doc), value.substr(9, 4) + id, documents.at(id)});
        for (const std::string& entry : entries[id]) {
            batch.push_back({static_cast<std::uint8_t>(index), entry, {}});
        }
        batch.push_back({static_cast<std::uint8_t>(feed), key, value});
    });
    return batches;
}

std::vector<RawBatch> record_all(const std::string& store_directory,
                                 std::vector<std::string>& family_names, std::size_t batch_bytes) {
    check(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), store_directory, &family_names));
    const Opened opened = open(store_directory, family_names, true);
    std::vector<RawBatch> batches(1);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < family_names.size(); ++i) {
        const std::unique_ptr<rocksdb::Iterator> cursor(
            opened.db->NewIterator(rocksdb::ReadOptions(), opened.handles[i]));
        for (cursor->SeekToFirst(); cursor->Valid(); cursor->Next()) {
            batches.back().push_back({static_cast<std::uint8_t>(i), cursor->key().ToString(),
                                      cursor->value().ToString()});
            bytes += cursor->key().size() + cursor->value().size();
            if (bytes >= batch_bytes) {
                batches.emplace_back();
                bytes = 0;
            }
        }
        check(cursor->status());
    }
    return batches;
}

double write_raw(const std::string& directory, const std::vector<std::string>& family_names,
                 const std::vector<RawBatch>& batches) {
    const Opened opened = open(directory, family_names, false);
    const auto start = std::chrono::steady_clock::now();
    rocksdb::WriteOptions durable;
    durable.sync = true;
    for (const RawBatch& batch : batches) {
        rocksdb::WriteBatch writes;
        for (const RawPair& pair : batch) {
            check(writes.Put(opened.handles[pair.family], pair.key, pair.value));
        }
        check(opened.db->Write(durable, &writes));
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace tombolo::bench
