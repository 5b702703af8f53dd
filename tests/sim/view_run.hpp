#pragma once

// One run of the filtered view model: a server, three clients, a random order of writes, uploads,
// downloads, changes of view, cut connections and changes of role, all decided by a seed, on
// virtual time.

#include <cstdint>
#include <optional>
#include <string>

#include "sim/view_bugs.hpp"
#include "sim/view_server.hpp"

namespace tombolo::sim {

struct RunOptions {
    PlantedBug bug = PlantedBug::none;
    int steps = 60;
    std::uint32_t clients = 3;
};

struct RunResult {
    /// What went wrong and after which step, or nothing. The seed reproduces it.
    std::optional<std::string> failure;
    /// Every message and state, to compare two runs of one seed.
    std::string log;
    ServerStatistics statistics;
};

/// Checks while it runs (server-sync-algorithm.md 11): a client with nothing pending holds the
/// projection of the documents at its version (1); what an upload is merged with is what was sent
/// (2); every part applies on the client (3); versions grow (4). At the end every client holds its
/// view of the documents.
RunResult run_views(std::uint64_t seed, const RunOptions& options);

} // namespace tombolo::sim
