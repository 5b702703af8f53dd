#include "protocol/close_codes.hpp"

#include <array>

namespace tombolo::protocol {

namespace {

enum class Reaction : std::uint8_t {
    none,
    invariant_failed,
    back_off,
    tls_failed,
    client_reset,
    refresh_user,
    refresh_location,
    log_out_user,
    connect_failed,
    upgrade_refused,
};

struct CodeReaction {
    CloseCode code;
    Reaction reaction;
};

constexpr std::array reactions{
#define TOMBOLO_CLOSE_CODE(name, number, reaction, note)                                           \
    CodeReaction{CloseCode::name, Reaction::reaction},
#include "protocol/close_codes.def"
#undef TOMBOLO_CLOSE_CODE
};

/// A code that is not in the table means what policy_violation means.
Reaction reaction_for(std::uint16_t code) noexcept {
    for (const CodeReaction& entry : reactions) {
        if (static_cast<std::uint16_t>(entry.code) == code) {
            return entry.reaction;
        }
    }
    return Reaction::invariant_failed;
}

constexpr std::array close_codes{
#define TOMBOLO_CLOSE_CODE(name, number, reaction, note)                                           \
    CloseCodeInfo{CloseCode::name, #name, note},
#include "protocol/close_codes.def"
#undef TOMBOLO_CLOSE_CODE
};

} // namespace

CloseReaction close_reaction(std::uint16_t code, bool is_endpoint_verified) noexcept {
    const CloseReaction look_up_again{ErrorAction::refresh_location, "", false};
    switch (reaction_for(code)) {
    case Reaction::none:
        return {std::nullopt, "", false};
    case Reaction::invariant_failed:
        return {ErrorAction::transient, "SyncProtocolInvariantFailed", false};
    case Reaction::back_off:
        return {ErrorAction::transient, "ConnectionClosed", false};
    case Reaction::tls_failed:
        return {ErrorAction::transient, "TlsHandshakeFailed", false};
    case Reaction::client_reset:
        return {ErrorAction::client_reset, "LimitExceeded", false};
    case Reaction::refresh_user:
        return {ErrorAction::refresh_user, "", false};
    case Reaction::refresh_location:
        return look_up_again;
    case Reaction::log_out_user:
        return {ErrorAction::log_out_user, "AuthError", true};
    case Reaction::connect_failed:
        return is_endpoint_verified ? CloseReaction{ErrorAction::transient, "", false}
                                    : look_up_again;
    case Reaction::upgrade_refused:
        return is_endpoint_verified
                   ? CloseReaction{ErrorAction::transient, "SyncConnectFailed", true}
                   : look_up_again;
    }
    return {};
}

std::optional<CloseCode> close_code_for_http_status(int status) noexcept {
    if (status == 101) {
        return std::nullopt;
    }
    if (status == 301 || status == 308) {
        return CloseCode::moved_permanently;
    }
    if (status == 401) {
        return CloseCode::unauthorized;
    }
    if (status == 403) {
        return CloseCode::forbidden;
    }
    if (status >= 300 && status < 400) {
        return CloseCode::retry;
    }
    if (status >= 500 && status < 600) {
        return CloseCode::internal_error;
    }
    return CloseCode::upgrade_refused;
}

std::span<const CloseCodeInfo> close_code_table() noexcept {
    return close_codes;
}

} // namespace tombolo::protocol
