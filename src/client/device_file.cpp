#include "client/device_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace tombolo::client {

namespace {

/// The log may become so many times as long as the snapshot before it, and at least this.
constexpr std::size_t log_factor = 2;
constexpr std::size_t log_bytes_min = 4 * 1024 * 1024;

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Result<std::string> read_all(int file, const std::string& path) {
    struct stat status {};
    if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        return Error(ErrorCode::io, path + " is no file");
    }
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t at = 0;
    while (at < bytes.size()) {
        const ssize_t count =
            ::pread(file, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return Error(ErrorCode::io, "cannot read " + path + ": " + std::strerror(errno));
        }
        at += static_cast<std::size_t>(count);
    }
    return bytes;
}

/// The file of that name is this one, and not one that has taken its name since.
bool is_still(const std::string& path, int file) {
    struct stat named {};
    struct stat opened {};
    return ::stat(path.c_str(), &named) == 0 && ::fstat(file, &opened) == 0 &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

bool sync_folder(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const Descriptor file(
        ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return file.get() >= 0 && ::fsync(file.get()) == 0;
}

} // namespace

DeviceFile::DeviceFile(std::string path, DeviceContent content)
    : path_(std::move(path)), content_(std::move(content)) {
    content_.replica.set_log(&log_);
}

DeviceFile::~DeviceFile() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

Error DeviceFile::io_error(const std::string& what) const {
    return {ErrorCode::io, "cannot " + what + " " + path_ + ": " + std::strerror(errno)};
}

Result<std::unique_ptr<DeviceFile>> DeviceFile::create(const std::string& path,
                                                       const std::string& settings) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        return Error(ErrorCode::already_exists, "there is a file " + path + " already");
    }
    std::unique_ptr<DeviceFile> out(new DeviceFile(path, {settings, {}}));
    TOMBOLO_TRY_VOID(out->write_whole());
    return out;
}

Result<std::unique_ptr<DeviceFile>> DeviceFile::open(const std::string& path) {
    for (;;) {
        Descriptor file(::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
        if (file.get() < 0) {
            return Error(errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                         "cannot open " + path + ": " + std::strerror(errno));
        }
        if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
            return Error(ErrorCode::unavailable, path + " is in use by another tombolo sync");
        }
        if (!is_still(path, file.get())) {
            continue;
        }
        TOMBOLO_TRY(const std::string bytes, read_all(file.get(), path));
        auto read = read_device(as_bytes(bytes));
        if (!read) {
            return read.error().within(path);
        }
        std::unique_ptr<DeviceFile> out(new DeviceFile(path, std::move(read->content)));
        out->file_ = file.release();
        out->whole_bytes_ = read->snapshot_end;
        out->end_ = read->end;
        out->cut_bytes_ = bytes.size() - read->end;
        if (out->cut_bytes_ > 0 && ::ftruncate(out->file_, static_cast<off_t>(read->end)) != 0) {
            return out->io_error("shorten");
        }
        return out;
    }
}

void DeviceFile::set_settings(std::string settings) {
    content_.settings = std::move(settings);
    log_.on_settings(content_.settings);
}

Result<void> DeviceFile::save() {
    if (is_broken_) {
        return Error(ErrorCode::io, "an earlier write to " + path_ + " has failed");
    }
    if (log_.empty()) {
        return {};
    }
    const std::size_t logged = end_ - whole_bytes_ + log_.size();
    if (logged > std::max(log_bytes_min, log_factor * whole_bytes_) &&
        !content_.replica.is_inside_bootstrap()) {
        return write_whole();
    }
    const std::string frame = log_.take_frame();
    if (!write_all(file_, frame) || ::fdatasync(file_) != 0) {
        is_broken_ = true;
        return io_error("write");
    }
    end_ += frame.size();
    return {};
}

Result<void> DeviceFile::replace(Replica replica) {
    content_.replica = std::move(replica);
    content_.replica.set_log(&log_);
    return write_whole();
}

Result<void> DeviceFile::write_whole() {
    const std::string bytes = write_device(content_.settings, content_.replica);
    const std::string beside = path_ + ".new";
    Descriptor file(
        ::open(beside.c_str(), O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    // Locked before it has its name: nobody finds it unlocked.
    if (file.get() < 0 || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0 ||
        !write_all(file.get(), bytes) || ::fsync(file.get()) != 0 ||
        ::rename(beside.c_str(), path_.c_str()) != 0 || !sync_folder(path_)) {
        is_broken_ = true;
        return io_error("write");
    }
    if (file_ >= 0) {
        ::close(file_);
    }
    file_ = file.release();
    whole_bytes_ = end_ = bytes.size();
    log_.clear();
    return {};
}

} // namespace tombolo::client
