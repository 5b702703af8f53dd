#pragma once

// Writes given keys and values into a RocksDB of its own: what the Store's import is measured
// against. Knows nothing of documents.

#include <cstdint>
#include <string>
#include <vector>

namespace tombolo::bench {

struct RawPair {
    std::uint8_t family = 0;
    std::string key;
    std::string value;
};
using RawBatch = std::vector<RawPair>;

/// The store's last writes by column family: what a finished import left, in the batches in which
/// it was written. `family_names` is filled in the order of RawPair::family.
std::vector<RawBatch> record_batches(const std::string& store_directory,
                                     std::vector<std::string>& family_names);

/// Seconds for all batches, each written with one sync. `directory` must not exist.
double write_raw(const std::string& directory, const std::vector<std::string>& family_names,
                 const std::vector<RawBatch>& batches);

} // namespace tombolo::bench
