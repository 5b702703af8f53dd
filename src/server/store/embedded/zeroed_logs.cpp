#include "server/store/embedded/zeroed_logs.hpp"

#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

namespace tombolo::store::embedded {

namespace {

constexpr std::size_t zeros_at_a_time = std::size_t{256} << 10;
/// More than this between two syncs: the log grows by itself.
constexpr std::size_t small_commit = std::size_t{32} << 10;

class ZeroedLog final : public rocksdb::FSWritableFileOwnerWrapper {
  public:
    ZeroedLog(std::unique_ptr<rocksdb::FSWritableFile> file, int descriptor)
        : FSWritableFileOwnerWrapper(std::move(file)), descriptor_(descriptor) {}
    ~ZeroedLog() override { cut(); }

    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
        make_room(data.size());
        return note(FSWritableFileOwnerWrapper::Append(data, options, debug), data.size());
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo& info,
                             rocksdb::IODebugContext* debug) override {
        make_room(data.size());
        return note(FSWritableFileOwnerWrapper::Append(data, options, info, debug), data.size());
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
        unsynced_ = 0;
        return FSWritableFileOwnerWrapper::Sync(options, debug);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
        unsynced_ = 0;
        return FSWritableFileOwnerWrapper::Fsync(options, debug);
    }
    rocksdb::IOStatus Close(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
        cut();
        return FSWritableFileOwnerWrapper::Close(options, debug);
    }

  private:
    void make_room(std::size_t bytes) {
        unsynced_ += bytes;
        if (length_ + bytes <= zeroed_to_ || unsynced_ > small_commit || descriptor_ < 0) {
            return;
        }
        static const std::vector<char> zeros(zeros_at_a_time);
        // Behind what is there; the file's own position does not move. A disk without room for
        // them says so to whoever writes the log.
        const ::ssize_t written =
            ::pwrite(descriptor_, zeros.data(), zeros.size(), static_cast<off_t>(length_));
        if (written > 0) {
            zeroed_to_ = length_ + static_cast<std::size_t>(written);
        }
    }

    rocksdb::IOStatus note(rocksdb::IOStatus status, std::size_t bytes) {
        if (status.ok()) {
            length_ += bytes;
        } else {
            leave(); // how much of it is in the file is not known
        }
        return status;
    }

    void cut() {
        if (descriptor_ >= 0 && zeroed_to_ > length_ &&
            ::ftruncate(descriptor_, static_cast<off_t>(length_)) != 0) {
            // The zeros stay: they are read as the end.
        }
        leave();
    }

    void leave() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
            descriptor_ = -1;
        }
    }

    int descriptor_;
    std::size_t length_ = 0;
    std::size_t zeroed_to_ = 0;
    std::size_t unsynced_ = 0;
};

class ZeroedLogs final : public rocksdb::FileSystemWrapper {
  public:
    explicit ZeroedLogs(const std::shared_ptr<rocksdb::FileSystem>& base)
        : FileSystemWrapper(base) {}

    const char* Name() const override { return "ZeroedLogs"; }

    rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* debug) override {
        std::unique_ptr<rocksdb::FSWritableFile> file;
        rocksdb::IOStatus status = FileSystemWrapper::NewWritableFile(name, options, &file, debug);
        if (!status.ok()) {
            return status;
        }
        if (std::filesystem::path(name).extension() != ".log") {
            *result = std::move(file);
            return status;
        }
        const int descriptor = ::open(name.c_str(), O_WRONLY | O_CLOEXEC);
        *result = std::make_unique<ZeroedLog>(std::move(file), descriptor);
        return status;
    }
};

} // namespace

std::unique_ptr<rocksdb::Env> with_zeroed_logs(rocksdb::Env& base) {
    return rocksdb::NewCompositeEnv(std::make_shared<ZeroedLogs>(base.GetFileSystem()));
}

} // namespace tombolo::store::embedded
