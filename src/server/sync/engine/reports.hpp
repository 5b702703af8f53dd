#pragma once

// What the engine tells operators: devices, history, trimming. Values only.

#include <cstdint>
#include <string>

namespace tombolo::server::sync {

/// One client file as the server knows it. Versions as in records.hpp's FileState.
struct DeviceReport {
    std::uint64_t ident = 0;
    std::string user;
    std::uint64_t schema_version = 0;
    std::int64_t last_seen_ms = 0;
    bool is_connected = false;
    bool is_reset = false;   ///< told to reset at its next contact
    bool is_expired = false; ///< what it needs is gone, or it was given up: 222 at its next contact
    bool is_passed_over = false; ///< away for too long (or to be reset): trimming does not wait
    /// It holds history up to here, and has acknowledged what it uploaded.
    std::uint64_t downloaded = 0;
    std::uint64_t uploaded_client_version = 0;
    /// History above is kept for it; nothing it asks for lies at or below.
    std::uint64_t needs_above = 0;
    bool needs_history = false; ///< false: it was sent nothing yet
    std::int64_t query_version = 0;
    std::string query;
};

/// What one run of trimming did.
struct TrimReport {
    std::uint64_t top = 0;
    std::uint64_t trimmed_before = 0;
    std::uint64_t trimmed = 0;      ///< history at and below is gone
    std::uint64_t old_enough = 0;   ///< newest version older than a client may be offline
    std::uint64_t acknowledged = 0; ///< by every live file
    std::uint64_t holder = 0;       ///< file that acknowledged least; 0: none is live
    std::uint64_t files_passed_over = 0;
    std::uint64_t files_forgotten = 0;
};

/// The initial sync of one class (census.hpp).
struct ClassProgress {
    std::string class_name;
    std::uint64_t total = 0;    ///< documents, as far as they are counted
    std::uint64_t done = 0;     ///< looked at
    std::uint64_t unsynced = 0; ///< of these, and of what was written since, that no device gets
    bool is_complete = false;
};

struct HistoryReport {
    std::uint64_t top = 0;
    std::uint64_t trimmed = 0;
    std::int64_t client_max_offline_ms = 0;
    /// About how much disk each takes.
    std::uint64_t history_bytes = 0;
    std::uint64_t parts_bytes = 0;
    std::uint64_t reciprocals_bytes = 0;
    std::uint64_t files_bytes = 0;
    std::uint64_t past_bytes = 0;
    /// Of the last run since the engine was opened; `ran_ms` 0: none.
    std::int64_t ran_ms = 0;
    TrimReport last_run;
};

} // namespace tombolo::server::sync
