#include "server/store/faulty_disk.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <rocksdb/file_system.h>

namespace tombolo::store {

namespace fs = std::filesystem;

class FaultyDisk::Files final : public rocksdb::FileSystemWrapper {
  public:
    Files() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

    const char* Name() const override { return "FaultyDisk"; }

    rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus ReopenWritableFile(const std::string& name,
                                         const rocksdb::FileOptions& options,
                                         std::unique_ptr<rocksdb::FSWritableFile>* result,
                                         rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                                        const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* result,
                                        rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                                 const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override {
        const std::lock_guard lock(mutex);
        const auto found = synced.find(from);
        if (found != synced.end()) {
            synced[to] = found->second;
            synced.erase(from);
        }
        return FileSystemWrapper::RenameFile(from, to, options, debug);
    }

    rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override {
        const std::lock_guard lock(mutex);
        synced.erase(name);
        return FileSystemWrapper::DeleteFile(name, options, debug);
    }

    // Takes `bytes` of the free space; false when the disk is full. REQUIRES: mutex held.
    bool take(std::size_t bytes) {
        if (free_bytes < 0) {
            return true;
        }
        if (static_cast<std::int64_t>(bytes) > free_bytes) {
            return false;
        }
        free_bytes -= static_cast<std::int64_t>(bytes);
        return true;
    }

    /// Of what was not synced some sectors are on the disk, in any order; the others are zeros
    /// still. REQUIRES: mutex held.
    void forget_sectors(std::string& bytes, std::size_t synced_length) {
        constexpr std::size_t sector = 512;
        const int kept_of_4 = static_cast<int>(random() % 5);
        for (std::size_t at = synced_length; at < bytes.size(); at = (at / sector + 1) * sector) {
            if (static_cast<int>(random() % 4) >= kept_of_4) {
                const std::size_t end = std::min((at / sector + 1) * sector, bytes.size());
                std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                          bytes.begin() + static_cast<std::ptrdiff_t>(end), '\0');
            }
        }
    }

    std::mutex mutex;
    std::mt19937 random{20'261'122}; // guarded by mutex
    std::map<std::string, std::uint64_t>
        synced;                   // guarded by mutex: path -> length known to be on the disk
    std::int64_t free_bytes = -1; // guarded by mutex
};

namespace {

class File final : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    File(FaultyDisk::Files& disk, std::string name, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk), name_(std::move(name)) {}

    using FSWritableFileOwnerWrapper::Append;
    using FSWritableFileOwnerWrapper::PositionedAppend;

    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
        const std::lock_guard lock(disk_.mutex);
        if (!disk_.take(data.size())) {
            return rocksdb::IOStatus::NoSpace("planted full disk");
        }
        length_ += data.size();
        return FSWritableFileOwnerWrapper::Append(data, options, debug);
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo& /*info*/,
                             rocksdb::IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
        return synced(FSWritableFileOwnerWrapper::Sync(options, debug));
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
        return synced(FSWritableFileOwnerWrapper::Fsync(options, debug));
    }

  private:
    rocksdb::IOStatus synced(rocksdb::IOStatus status) {
        if (status.ok()) {
            const std::lock_guard lock(disk_.mutex);
            disk_.synced[name_] = length_;
        }
        return status;
    }

    FaultyDisk::Files& disk_;
    std::string name_;
    std::uint64_t length_ = 0;
};

} // namespace

rocksdb::IOStatus
FaultyDisk::Files::NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                   std::unique_ptr<rocksdb::FSWritableFile>* result,
                                   rocksdb::IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    const rocksdb::IOStatus status =
        FileSystemWrapper::NewWritableFile(name, options, &file, debug);
    if (status.ok()) {
        const std::lock_guard lock(mutex);
        synced[name] = 0;
        *result = std::make_unique<File>(*this, name, std::move(file));
    }
    return status;
}

// RocksDB as we use it neither appends to old files nor recycles them; a test that did would
// measure nothing.
rocksdb::IOStatus FaultyDisk::Files::ReopenWritableFile(
    const std::string& /*name*/, const rocksdb::FileOptions& /*options*/,
    std::unique_ptr<rocksdb::FSWritableFile>* /*result*/, rocksdb::IODebugContext* /*debug*/) {
    return rocksdb::IOStatus::NotSupported("FaultyDisk: reopening a file");
}

rocksdb::IOStatus
FaultyDisk::Files::ReuseWritableFile(const std::string& /*name*/, const std::string& /*old_name*/,
                                     const rocksdb::FileOptions& /*options*/,
                                     std::unique_ptr<rocksdb::FSWritableFile>* /*result*/,
                                     rocksdb::IODebugContext* /*debug*/) {
    return rocksdb::IOStatus::NotSupported("FaultyDisk: reusing a file");
}

FaultyDisk::FaultyDisk()
    : files_(std::make_shared<Files>()), env_(rocksdb::NewCompositeEnv(files_)) {}

FaultyDisk::~FaultyDisk() = default;

void FaultyDisk::synced_copy(const std::string& from, const std::string& to) {
    const std::lock_guard lock(files_->mutex);
    fs::create_directories(to);
    for (const auto& entry : fs::directory_iterator(from)) {
        const fs::path copy = fs::path(to) / entry.path().filename();
        const auto known = files_->synced.find(entry.path().string());
        if (known == files_->synced.end()) {
            if (entry.path().filename() != "LOCK") {
                fs::copy_file(entry.path(), copy); // from before this disk, so durable
            }
            continue;
        }
        std::ifstream source(entry.path(), std::ios::binary);
        std::string bytes((std::istreambuf_iterator<char>(source)), {});
        if (entry.path().extension() == ".log") {
            files_->forget_sectors(bytes, known->second);
        } else {
            bytes.resize(std::min<std::size_t>(bytes.size(), known->second));
        }
        std::ofstream(copy, std::ios::binary)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
}

void FaultyDisk::set_free_bytes(std::int64_t bytes) {
    const std::lock_guard lock(files_->mutex);
    files_->free_bytes = bytes;
}

} // namespace tombolo::store
