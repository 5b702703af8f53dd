#pragma once

// What the conflict log costs uploads.

#include <string>

namespace tombolo::bench {

enum class Lost {
    nothing,    ///< nobody else writes
    all_merged, ///< each meets another write of the same field: one of the two is lost
    all_refused ///< the role refuses each
};

struct ConflictFigures {
    double with_log = 0; ///< changesets per CPU second
    double without = 0;
};

/// Medians of rounds that take turns.
ConflictFigures measure_conflicts(const std::string& folder, Lost lost);

} // namespace tombolo::bench
