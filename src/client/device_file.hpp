#pragma once

// A device's file on disk: a replica whose transactions are kept (device_log.hpp).
//
// What save() has acknowledged survives a crash of the process and of the machine. The file is
// replaced as a whole, by rename, when it has become much longer than what it holds. One process
// at a time has it open; it is readable by its owner only, since it may hold tokens.
//
// Thread-safety: none. Errors: io with the path; unavailable when another process has it open;
// those of read_device().

#include <memory>
#include <string>

#include "client/device_log.hpp"

namespace tombolo::client {

class DeviceFile {
  public:
    /// Makes a new one. already_exists when there is a file of that name.
    static Result<std::unique_ptr<DeviceFile>> create(const std::string& path,
                                                      const std::string& settings);
    static Result<std::unique_ptr<DeviceFile>> open(const std::string& path);
    ~DeviceFile();
    DeviceFile(const DeviceFile&) = delete;
    DeviceFile& operator=(const DeviceFile&) = delete;

    const std::string& path() const noexcept { return path_; }
    Replica& replica() noexcept { return content_.replica; }
    const std::string& settings() const noexcept { return content_.settings; }
    /// Kept with the next save().
    void set_settings(std::string settings);

    /// Makes everything so far durable. After an error nothing more is written.
    Result<void> save();
    /// Begins again with another replica and what is on disk of the old one is gone.
    Result<void> replace(Replica replica);

    /// Bytes of a write that a crash had interrupted, cut off by open().
    std::size_t cut_bytes() const noexcept { return cut_bytes_; }

  private:
    DeviceFile(std::string path, DeviceContent content);
    Result<void> write_whole();
    Error io_error(const std::string& what) const;

    std::string path_;
    DeviceContent content_;
    DeviceLog log_;
    int file_ = -1;
    std::size_t whole_bytes_ = 0; ///< of the snapshot at the file's beginning
    std::size_t end_ = 0;
    std::size_t cut_bytes_ = 0;
    bool is_broken_ = false;
};

} // namespace tombolo::client
