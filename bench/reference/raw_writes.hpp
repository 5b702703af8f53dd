#pragma once

// Writes given keys and values into a RocksDB of its own: what the Store's imports and
// uploads are measured against. Knows nothing of documents.

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

/// Every key and value of a store that is closed, in the order of the keys, cut into batches of
/// about so many bytes.
std::vector<RawBatch> record_all(const std::string& store_directory,
                                 std::vector<std::string>& family_names, std::size_t batch_bytes);

/// Seconds for all batches, each written with one sync. `directory` must not exist.
double write_raw(const std::string& directory, const std::vector<std::string>& family_names,
                 const std::vector<RawBatch>& batches);

} // namespace tombolo::bench
