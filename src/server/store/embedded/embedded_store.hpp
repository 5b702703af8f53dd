#pragma once

// The Store on RocksDB, in a folder of its own: the default, with nothing to set up.
//
// Thread-safety, errors: store.hpp. Format: layout.hpp, docs/internals/store.md.

#include <memory>
#include <string>

#include "core/result.hpp"
#include "server/store/store.hpp"

namespace rocksdb {
class Env;
}

namespace tombolo::store {

struct EmbeddedOptions {
    /// Made when absent.
    std::string directory;
    std::size_t block_cache_bytes = std::size_t{128} << 20;
    /// Of all column families together; also bounds what a start after a crash replays.
    std::size_t write_buffer_bytes = std::size_t{128} << 20;
    /// Files and clock of another world, for tests that lose what was not synced. Borrowed; null:
    /// the real one.
    rocksdb::Env* env = nullptr;
    /// For the test that proves the others can fail: acknowledges before the disk has the bytes.
    bool planted_bug_skip_sync = false;
};

/// io when another process has the store open, store_corrupt, or unsupported when a newer version
/// wrote it.
Result<std::unique_ptr<Store>> open_embedded(const EmbeddedOptions& options);

/// Makes `directory` (which must be absent or empty) the newest backup found in `backup_directory`.
/// not_found when there is none.
Result<void> restore_embedded(const std::string& backup_directory, const std::string& directory);

} // namespace tombolo::store
