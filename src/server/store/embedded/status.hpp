#pragma once

// RocksDB's statuses in our words.

#include <string>

#include <rocksdb/status.h>

#include "core/error.hpp"

namespace tombolo::store::embedded {

/// REQUIRES: !status.ok(). `doing` completes "cannot ...", e.g. "commit".
Error to_error(const rocksdb::Status& status, const std::string& doing);

} // namespace tombolo::store::embedded
