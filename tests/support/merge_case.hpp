#pragma once

// Two sides that wrote concurrently on one state: what the convergence properties run on, and what
// a failure is printed as.
//
// A case is built from numbers by RandomWriter, so that a property can shrink the numbers: fewer
// operations, same meaning.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "changeset/merge.hpp"
#include "support/random_writer.hpp"

namespace tombolo::testing {

/// One number an operation. The sides' inner vectors are changesets.
struct MergeCaseNumbers {
    std::uint32_t schema = 0;
    std::vector<std::uint32_t> base;
    std::vector<std::vector<std::uint32_t>> left;
    std::vector<std::vector<std::uint32_t>> right;
    std::uint32_t clocks = 0; ///< decides the timestamps
};

struct TimedChangeset {
    changeset::Changeset changeset;
    std::uint64_t timestamp = 0;
    std::uint64_t file_ident = 0;
};

struct MergeCase {
    std::vector<changeset::Changeset> base;
    changeset::MemoryState base_state;
    std::vector<TimedChangeset> left;  ///< file ident 2
    std::vector<TimedChangeset> right; ///< file ident 3

    std::vector<TimedChangeset>& side(bool is_left) { return is_left ? left : right; }
};

MergeCase build_merge_case(const MergeCaseNumbers& numbers,
                           WriterHabit habit = WriterHabit::careful);

/// What does not hold, or nothing: both orders of application succeed and end in one state;
/// merge(left, right) and merge(right, left) agree; the full grid agrees with the index. The text
/// ends with the case as a line of merges.jsonl (of merges_multi.jsonl when a side has several
/// changesets).
std::optional<std::string> check_merge_case(const MergeCase& tested);

} // namespace tombolo::testing
