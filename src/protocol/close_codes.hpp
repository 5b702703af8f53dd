#pragma once

// How a sync connection's end is to be understood: close codes, and HTTP statuses of a refused
// upgrade (sync-protocol.md 1.6, 1.7). Pure functions over close_codes.def.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/sync_error.hpp"

namespace tombolo::protocol {

enum class CloseCode : std::uint16_t {
#define TOMBOLO_CLOSE_CODE(name, number, reaction, note) name = (number),
#include "protocol/close_codes.def"
#undef TOMBOLO_CLOSE_CODE
};

/// What a client does when a connection ends.
struct CloseReaction {
    /// Transient: back off, then connect again. Absent: nothing is done until TCP ends (code 1000).
    std::optional<ErrorAction> action;
    /// The class of error that a published SDK reports; empty when it reports none.
    std::string_view status;
    /// The error is flagged fatal to the app, whose waiters fail. The connection is tried again all
    /// the same unless the user is logged out.
    bool is_fatal = false;
    friend bool operator==(const CloseReaction&, const CloseReaction&) = default;
};

/// An endpoint is verified when its address came from a location reply or a WebSocket to it was
/// once open; a failed attempt at an unverified one leads to a new look-up of the location.
CloseReaction close_reaction(std::uint16_t code, bool is_endpoint_verified) noexcept;

/// The close code that stands for an HTTP status of the upgrade. Nothing for 101.
std::optional<CloseCode> close_code_for_http_status(int status) noexcept;

struct CloseCodeInfo {
    CloseCode code;
    std::string_view name;
    std::string_view note;
};

/// Ascending by code.
std::span<const CloseCodeInfo> close_code_table() noexcept;

} // namespace tombolo::protocol
