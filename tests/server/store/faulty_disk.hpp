#pragma once

// A disk that can forget what was not synced, and that can be full.
//
// Wraps the real file system under RocksDB. Every write goes through, but the disk remembers how
// much of each file was synced; `synced_copy` makes a folder as a power cut at that moment would
// have left it: files cut to their synced length, files that were never synced empty. Of a log,
// which lies over zeros, some of the sectors are kept that were not synced.
//
// Thread-safety: all members, from any thread.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <rocksdb/env.h>

namespace tombolo::store {

class FaultyDisk {
  public:
    FaultyDisk();
    ~FaultyDisk();

    /// For EmbeddedOptions::env. Lives as long as the disk.
    rocksdb::Env* env() const { return env_.get(); }

    /// What is left of `from` if the power goes now, in the new folder `to`. Writes wait meanwhile.
    void synced_copy(const std::string& from, const std::string& to);

    /// While set, writes beyond that many further bytes fail as on a full disk; negative:
    /// unlimited.
    void set_free_bytes(std::int64_t bytes);

    class Files;

  private:
    std::shared_ptr<Files> files_;
    std::unique_ptr<rocksdb::Env> env_;
};

} // namespace tombolo::store
