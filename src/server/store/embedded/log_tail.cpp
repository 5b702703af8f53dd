#include "server/store/embedded/log_tail.hpp"

#include <algorithm>
#include <filesystem>

#include <boost/crc.hpp>
#include <fcntl.h>
#include <rocksdb/env.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/embedded/status.hpp"

namespace tombolo::store::embedded {

namespace {

constexpr std::size_t block_bytes = 32'768;
constexpr std::size_t header_bytes = 7;

enum class Fragment : std::uint8_t { none = 0, full = 1, first = 2, middle = 3, last = 4 };

struct Header {
    std::uint32_t crc = 0;
    std::size_t length = 0;
    std::uint8_t type = 0;
};

Header header_at(ByteView log, std::size_t at) {
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(log[at + i]); };
    return {byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24,
            static_cast<std::size_t>(byte(4) | byte(5) << 8), static_cast<std::uint8_t>(byte(6))};
}

std::uint32_t masked_crc(ByteView bytes) {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(bytes.data(), bytes.size());
    const std::uint32_t sum = crc.checksum();
    return ((sum >> 15) | (sum << 17)) + 0xA282EAD8U;
}

/// REQUIRES: all of the fragment is there.
bool is_intact(ByteView log, std::size_t at, const Header& header) {
    return header.crc == masked_crc(log.subspan(at + header_bytes - 1, 1 + header.length));
}

/// The next place where a header can be.
std::size_t skip_trailer(std::size_t at) {
    const std::size_t left = block_bytes - at % block_bytes;
    return left < header_bytes ? at + left : at;
}

/// A fragment of a known type that ends within its block and the log.
std::optional<Header> fragment_at(ByteView log, std::size_t at) {
    if (at + header_bytes > log.size()) {
        return std::nullopt;
    }
    const Header header = header_at(log, at);
    const std::size_t end = at % block_bytes + header_bytes + header.length;
    if (header.type == 0 || header.type > static_cast<std::uint8_t>(Fragment::last) ||
        end > block_bytes || at + header_bytes + header.length > log.size()) {
        return std::nullopt;
    }
    return header;
}

/// Is there the beginning of a whole record in a block after `at`?
bool goes_on_behind(ByteView log, std::size_t at) {
    for (std::size_t block = (at / block_bytes + 1) * block_bytes; block < log.size();
         block += block_bytes) {
        std::size_t place = block;
        while (place < block + block_bytes) {
            const auto header = fragment_at(log, place);
            if (!header || !is_intact(log, place, *header)) {
                break;
            }
            const auto type = static_cast<Fragment>(header->type);
            if (type == Fragment::full || type == Fragment::first) {
                return true;
            }
            place = skip_trailer(place + header_bytes + header->length);
        }
    }
    return false;
}

/// The fragments from `begin` on, a record's first, are all there and intact.
bool is_whole(ByteView log, std::size_t begin) {
    std::size_t at = begin;
    while (const auto header = fragment_at(log, at)) {
        if (!is_intact(log, at, *header)) {
            return false;
        }
        const auto type = static_cast<Fragment>(header->type);
        if (type == Fragment::full || type == Fragment::last) {
            return true;
        }
        at = skip_trailer(at + header_bytes + header->length);
    }
    return false;
}

/// Every fragment before `end`, where one begins.
bool is_intact_up_to(ByteView log, std::size_t end) {
    std::size_t at = 0;
    while (at < end) {
        const auto header = fragment_at(log, at);
        if (!header || !is_intact(log, at, *header)) {
            return false;
        }
        at = skip_trailer(at + header_bytes + header->length);
    }
    return true;
}

} // namespace

std::optional<std::uint64_t> torn_log_tail(ByteView log) {
    std::size_t at = 0;
    std::optional<std::size_t> newest; // where the last record begins
    bool is_open = false;              // its LAST has not come
    while (const auto header = fragment_at(log, at)) {
        const auto type = static_cast<Fragment>(header->type);
        const bool begins = type == Fragment::full || type == Fragment::first;
        if (begins == is_open) {
            // What lies before was written in order: this is no record that a crash cut.
            return std::nullopt;
        }
        if (begins) {
            newest = at;
        }
        is_open = type == Fragment::first || type == Fragment::middle;
        at = skip_trailer(at + header_bytes + header->length);
    }
    at = std::min(at, log.size());
    const bool is_all_zeros = std::all_of(log.begin() + static_cast<std::ptrdiff_t>(at), log.end(),
                                          [](std::byte byte) { return byte == std::byte{0}; });
    if (is_all_zeros && (!newest || (!is_open && is_whole(log, *newest)))) {
        return std::nullopt;
    }
    const std::size_t end = newest && (is_open || !is_whole(log, *newest)) ? *newest : at;
    // A log that is damaged elsewhere too stays as it is: the next start must not take the damage
    // for its end.
    if (goes_on_behind(log, at) || !is_intact_up_to(log, end)) {
        return std::nullopt;
    }
    return end;
}

namespace {

class Mapped {
  public:
    explicit Mapped(const std::string& path)
        : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) { // to be cut
        struct stat facts = {};
        if (file_ < 0 || ::fstat(file_, &facts) != 0) {
            return;
        }
        size_ = static_cast<std::size_t>(facts.st_size);
        if (size_ > 0) {
            start_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
        }
    }
    ~Mapped() {
        if (start_ != MAP_FAILED) {
            ::munmap(start_, size_);
        }
        if (file_ >= 0) {
            ::close(file_);
        }
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;

    bool is_open() const noexcept { return file_ >= 0 && (size_ == 0 || start_ != MAP_FAILED); }
    ByteView bytes() const noexcept {
        return size_ == 0 ? ByteView() : ByteView(static_cast<const std::byte*>(start_), size_);
    }
    bool cut(std::uint64_t size) const {
        return ::ftruncate(file_, static_cast<off_t>(size)) == 0 && ::fsync(file_) == 0;
    }

  private:
    int file_ = -1;
    std::size_t size_ = 0;
    void* start_ = MAP_FAILED;
};

Result<void> cut_torn_log(const std::string& path) {
    if (!std::filesystem::exists(path)) {
        return {}; // a store in memory
    }
    const Mapped log(path);
    if (!log.is_open()) {
        return Error(ErrorCode::io, "cannot read the store's log", path);
    }
    const std::optional<std::uint64_t> end = torn_log_tail(log.bytes());
    if (end && !log.cut(*end)) {
        return Error(ErrorCode::io, "cannot cut a torn record off the store's log", path);
    }
    return {};
}

} // namespace

Result<void> cut_torn_logs(rocksdb::Env& env, const std::string& directory) {
    std::vector<std::string> names;
    if (!env.GetChildren(directory, &names).ok()) {
        return {}; // a new store
    }
    const bool has_logs = std::any_of(names.begin(), names.end(), [](const std::string& name) {
        return std::filesystem::path(name).extension() == ".log";
    });
    if (!has_logs) {
        return {};
    }
    rocksdb::FileLock* lock = nullptr;
    const rocksdb::Status locked = env.LockFile(directory + "/LOCK", &lock);
    if (!locked.ok()) {
        return to_error(locked, "open the store").within(directory);
    }
    Result<void> result;
    for (const std::string& name : names) {
        if (result && std::filesystem::path(name).extension() == ".log") {
            result = cut_torn_log(directory + "/" + name);
        }
    }
    static_cast<void>(env.UnlockFile(lock));
    return result;
}

} // namespace tombolo::store::embedded
