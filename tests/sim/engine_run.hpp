#pragma once

// One run of the real sync engine over a store in memory: devices, views, roles, lost connections,
// devices and servers that die, all in an order that a seed decides, on virtual time.
//
// The universe is that of the filtered view model (view_documents.hpp).

#include <cstdint>
#include <optional>
#include <string>

#include "server/sync/engine/engine.hpp"

namespace tombolo::sim {

struct EngineRunOptions {
    server::sync::EngineBugs bugs;
    int steps = 120;
    std::uint32_t devices = 3;
    bool with_roles = true;
    bool with_crashes = true;
};

struct EngineRunResult {
    /// What went wrong and after which step, or nothing. The seed reproduces it.
    std::optional<std::string> failure;
    /// What every device received, in order.
    std::string log;
    server::sync::EngineStatistics statistics;
    std::uint64_t steps = 0;
};

EngineRunResult run_engine(std::uint64_t seed, const EngineRunOptions& options);

} // namespace tombolo::sim
