#pragma once

// Checks the golden vectors of changesets and merges (tests/vectors/README.md) against our
// implementation.
//
// What passing means, by file:
// changesets.jsonl     decodes to `instructions` and encodes to `reencoded_hex`, else `hex`;
// invalid ones are refused. uploads.jsonl        decodes to `instructions`; the re-encoding decodes
// to the same. merges*.jsonl        the transformed lists are equal instruction by instruction, in
// both operand orders and on the full
//                      grid; where converged, both orders of application give `state`.
// apply.jsonl          the state, or a failure.
// sessions.jsonl       every stored and applied changeset, and the final state of every file.
//
// Lines where ours is documented to be stricter or more exact than the published engine pass when
// ours does that, and are counted as strict: set erasures compared by content
// (changesets-and-merge.md 4.6 R29, 6.4 E5), and schema instructions that contradict the schema
// (2.3).

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace tombolo::testing {

struct VectorFailure {
    std::string name; ///< of the line
    std::string reason;
};

struct VectorFileResult {
    std::string file;
    std::size_t total = 0;
    std::size_t strict = 0; ///< of those that passed
    std::vector<VectorFailure> failures;

    std::size_t passed() const noexcept { return total - failures.size(); }
};

/// Every file in order. A missing, unreadable or empty file is a failure of that file.
std::vector<VectorFileResult> check_vector_files(const std::filesystem::path& directory);

} // namespace tombolo::testing
