#pragma once

// What a crash left at the end of RocksDB's write-ahead log.
//
// The log's file is longer than the log: zeros lie ahead of it (zeroed_logs.hpp). RocksDB reads
// zeros as the end, but a record that a crash left half written among them looks like damage to it,
// and it would refuse to open. Such a record was never acknowledged: it is cut off before.
//
// The format is RocksDB's: blocks of 32 KiB; in them fragments of a header (masked CRC-32C of type
// and payload, length, type) and a payload; a record is one FULL fragment, or FIRST, MIDDLE...,
// LAST; a rest of a block too short for a header is zeros.

#include <cstdint>
#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace rocksdb {
class Env;
}

namespace tombolo::store::embedded {

/// Where the log has to end so that it ends with a whole record. Nothing: it does already, or what
/// is wrong is not at its end (RocksDB says so when it opens).
std::optional<std::uint64_t> torn_log_tail(ByteView log);

/// Cuts the torn records off all logs in the folder. Takes the store's lock meanwhile: io when
/// another process has it.
Result<void> cut_torn_logs(rocksdb::Env& env, const std::string& directory);

} // namespace tombolo::store::embedded
