#include "reference/log_writes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "server_process.hpp"

namespace tombolo::bench {

namespace {

constexpr std::size_t file_bytes = std::size_t{16} << 20;

} // namespace

LogWrites::LogWrites(const std::string& path, std::size_t record_bytes)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)),
      record_(record_bytes, 'x') {
    const std::vector<char> zeros(file_bytes);
    if (file_ < 0 || ::write(file_, zeros.data(), zeros.size()) != file_bytes ||
        ::fsync(file_) != 0) {
        give_up("cannot write " + path);
    }
    ::unlink(path.c_str());
}

LogWrites::~LogWrites() {
    ::close(file_);
}

double LogWrites::write() {
    const double start = seconds_now();
    if (::pwrite(file_, record_.data(), record_.size(), static_cast<off_t>(at_)) !=
            static_cast<ssize_t>(record_.size()) ||
        ::fdatasync(file_) != 0) {
        give_up("cannot write to the reference's file");
    }
    at_ = at_ + 2 * record_.size() < file_bytes ? at_ + record_.size() : 0;
    return seconds_now() - start;
}

double LogWrites::rate(double seconds) {
    const double start = seconds_now();
    std::size_t count = 0;
    while (seconds_now() < start + seconds) {
        write();
        ++count;
    }
    return static_cast<double>(count) / (seconds_now() - start);
}

} // namespace tombolo::bench
