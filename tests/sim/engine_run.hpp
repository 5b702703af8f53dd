#pragma once

// One run of the real sync engine over a store in memory: devices, views, roles, lost connections,
// devices and servers that die, all in an order that a seed decides, on virtual time.
//
// The universe is that of the filtered view model (view_documents.hpp).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/sync/engine/engine.hpp"

namespace tombolo::sim {

/// How often each thing happens, in relation to the others.
struct EngineProfile {
    const char* name = "mixed";
    int steps = 120;
    std::uint32_t devices = 3;
    std::uint32_t write = 330;
    std::uint32_t send = 150;
    std::uint32_t receive = 160;
    std::uint32_t run = 160;
    std::uint32_t commit = 80;
    std::uint32_t subscribe = 40;
    std::uint32_t disconnect = 25;
    std::uint32_t restart = 10;
    std::uint32_t connect = 20;
    std::uint32_t role = 13;
    std::uint32_t crash = 3;
    /// A commit fails, if another batch was made on top of it.
    std::uint32_t refuse = 0;
    /// Every upload that comes while the disk works is integrated then.
    bool goes_ahead = false;
    std::uint32_t outside = 3;
    std::uint32_t settle = 6;
    /// Sent and integrated, but the device never hears of it.
    std::uint32_t cut_after_upload = 0;
    /// Offline while others write and its role changes.
    std::uint32_t be_away = 0;
    /// Time passes in hours and history is trimmed; devices that were away for too long are reset.
    std::uint32_t trim = 0;
    /// A device is told to reset, or given up, by an operator.
    std::uint32_t reset = 0;
    /// Percent of subscriptions that select everything.
    std::uint32_t wide = 0;
    /// The first device may do everything.
    bool has_free_writer = false;
};

/// Each run has the one that its seed names.
const std::vector<EngineProfile>& engine_profiles();
/// Batches on top of others that are being committed; none of the above.
const EngineProfile& ahead_profile();

struct EngineRunOptions {
    server::sync::EngineBugs bugs;
    /// Instead of the one that the seed names. Borrowed.
    const EngineProfile* profile = nullptr;
};

struct EngineRunResult {
    /// What went wrong and after which step, or nothing. The seed reproduces it.
    std::optional<std::string> failure;
    /// What every device received, in order.
    std::string log;
    server::sync::EngineStatistics statistics;
    /// Decisions; every round of the end counts as one.
    std::uint64_t steps = 0;
    const char* profile = "";
    std::uint64_t ahead = 0;    ///< batches made while the one below was being committed
    std::uint64_t refused = 0;  ///< commits with a batch on top of them
    std::uint64_t trimmed = 0;  ///< history at and below is gone
    std::uint64_t expired = 0;  ///< devices that were reset
    std::uint64_t compared = 0; ///< parts that were both sent and merged with (invariant 2)
};

EngineRunResult run_engine(std::uint64_t seed, const EngineRunOptions& options);

} // namespace tombolo::sim
