#pragma once

// What trimming history costs devices that upload meanwhile.

#include <cstdint>
#include <string>

namespace tombolo::bench {

/// p99 of the time from an upload to its acknowledgement, in milliseconds.
struct TrimFigures {
    double without_ms = 0;
    double with_ms = 0;
};

/// Makes that many entries of history, then trims them while 200 devices upload.
TrimFigures measure_trim(const std::string& folder, std::int64_t entries);

} // namespace tombolo::bench
