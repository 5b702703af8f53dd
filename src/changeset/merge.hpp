#pragma once

// The merge of concurrent changesets by operational transformation (changesets-and-merge.md 4).
//
// Given `ours` (what one peer did, oldest first, in the form the other side last saw) and `theirs`
// (what arrived, made on the same base), merge() edits both in place: theirs so that it can be
// applied after ours, ours so that it is ready to meet the next arrival from the same peer (the
// reciprocal form, 4.1).
//
// merge() indexes by object: instructions on different objects never meet. merge_full_grid() runs
// every pair in the order of 4.2; it is the reference that tests and fuzzers hold merge() against.
// Both give the same result, up to which of several merge errors is reported.
//
// Errors: merge_error when the two sides contradict each other (4.8), limit_exceeded when the merge
// would take more than MergeOptions::meetings_max meetings; on error no changeset is changed.
// Thread-safe for distinct changesets. Memory is proportional to both inputs.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "changeset/changeset.hpp"
#include "core/primary_key.hpp"
#include "core/result.hpp"

namespace tombolo::changeset {

/// One changeset of one side. REQUIRES: two that meet never have the same (timestamp, file_ident).
struct MergeInput {
    Changeset* changeset = nullptr; ///< edited in place
    std::uint64_t timestamp = 0;    ///< origin timestamp
    std::uint64_t file_ident = 0;   ///< origin file ident; our own for local changesets, never 0
    bool modified = false;          ///< set by the merge: the changeset is not what it was
    /// When given, gets what the merge took out of the changeset, to be read through it.
    std::vector<Instruction>* discarded = nullptr;
};

/// What happens when an ArrayMove meets an edit inside an element (4.5, edge E1).
enum class MoveOverInnerRule : std::uint8_t {
    sensible,   ///< the inner edit follows its element
    realm_core, ///< the move's own index is changed, as published clients do; does not converge
};

struct MergeOptions {
    MoveOverInnerRule move_over_inner = MoveOverInnerRule::sensible;
    /// Upper bound of pairs examined, so that a hostile upload cannot hold the caller for long.
    std::uint64_t meetings_max = std::numeric_limits<std::uint64_t>::max();
};

/// The pairs that published clients do not bring to one state (6.4).
enum class KnownEdge : std::uint8_t {
    move_over_inner,   ///< E1
    dictionary_object, ///< E4: an embedded object made at a path that ends in a name; a dictionary
                       ///< key, or else harmless
    redundant_collection, ///< E6: an Update to a collection beats another kind of value; harmless
                          ///< unless it was redundant
    cleared_element,      ///< E7: a Clear of a list's element beside an edit that moves the element
    cleared_key,          ///< E9: a Clear under a dictionary key beats the erase of the key
};

/// An object that the two sides may see differently after the merge; a server resets it
/// (server-sync-algorithm.md 4.7). E4 and E6 cannot be told from harmless pairs without the schema
/// and the state, so the place is given.
struct EdgeMet {
    KnownEdge edge = KnownEdge::move_over_inner;
    std::string table;
    PrimaryKey object;
    std::string field;
    /// Path of the outer instruction of the pair, as it stood when the two met.
    std::vector<std::variant<std::uint32_t, std::string>> path;
};

struct MergeReport {
    std::vector<EdgeMet> edges;
};

/// One side's result: `modified` of every input says whether its changeset was edited.
Result<MergeReport> merge(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                          const MergeOptions& options = {});

/// Every pair, without an index. Same result, quadratic time.
Result<MergeReport> merge_full_grid(std::span<MergeInput> ours, std::span<MergeInput> theirs,
                                    const MergeOptions& options = {});

} // namespace tombolo::changeset
