#pragma once

// The least a durable write can cost: bytes into a file that has its size already, then fdatasync.

#include <cstddef>
#include <string>
#include <vector>

namespace tombolo::bench {

class LogWrites {
  public:
    LogWrites(const std::string& path, std::size_t record_bytes);
    ~LogWrites();
    LogWrites(const LogWrites&) = delete;
    LogWrites& operator=(const LogWrites&) = delete;

    /// Seconds of one record.
    double write();
    /// Records a second.
    double rate(double seconds);

  private:
    int file_;
    std::size_t at_ = 0;
    std::vector<char> record_;
};

} // namespace tombolo::bench
