#pragma once

// A file system under RocksDB that writes zeros ahead of the end of its write-ahead log.
//
// To sync a log that grows, the disk's file system also has to write down the new length, in its
// journal: half as much time again for each durable commit. Over zeros that are there already
// only the bytes themselves are written. Where commits are large, growing costs little and the
// zeros would be written for nothing: there are none.
//
// A log that is closed is cut to its length; what a crash leaves is log_tail.hpp's.

#include <memory>

#include <rocksdb/env.h>

namespace tombolo::store::embedded {

/// `base` with that file system over its own.
std::unique_ptr<rocksdb::Env> with_zeroed_logs(rocksdb::Env& base);

} // namespace tombolo::store::embedded
