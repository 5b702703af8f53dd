#pragma once

// Sync error codes and actions: the enum and the look-ups over sync_errors.def (sync-protocol.md
// 6).
//
// Pure functions over constant tables; thread-safe. Codes that are not in the table are legal on
// the wire (a client honours their action), so messages carry a plain int and ask here what is
// known of it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace tombolo::protocol {

enum class SyncErrorCode : int {
#define TOMBOLO_SYNC_ERROR(name, number, level, status, sending, action, try_again, note)          \
    name = (number),
#include "protocol/sync_errors.def"
#undef TOMBOLO_SYNC_ERROR
};

enum class ErrorLevel : std::uint8_t { connection, session };

enum class ErrorSending : std::uint8_t {
    server,  ///< a server may send it
    crash,   ///< the published client aborts on it: our encoder refuses it
    client,  ///< only a client sends it
    retired, ///< has no meaning any more
};

/// What the receiver of an error is to do (sync-protocol.md 6.1).
enum class ErrorAction : std::uint8_t {
    protocol_violation,
    application_bug,
    warning,
    transient,
    delete_realm,
    client_reset,
    client_reset_no_recovery,
    migrate_to_flx,
    revert_to_pbs,
    refresh_user,
    refresh_location,
    log_out_user,
    migrate_schema,
};

struct SyncErrorInfo {
    SyncErrorCode code;
    std::string_view name;
    ErrorLevel level;
    std::string_view status; ///< what a published SDK reports
    ErrorSending sending;
    ErrorAction action; ///< recommended
    bool try_again;     ///< recommended
    std::string_view note;
};

/// The whole table, ascending by code.
std::span<const SyncErrorInfo> sync_error_table() noexcept;

/// Nothing for a code that is not in the table.
const SyncErrorInfo* find_sync_error(int code) noexcept;

/// REQUIRES: a code of the enum.
const SyncErrorInfo& sync_error_info(SyncErrorCode code);

/// False for 231 and 236 only: after every other session error the binding is over
/// (sync-protocol.md 6.1).
bool ends_binding(int code) noexcept;

/// The action as the wire writes it, e.g. "ClientReset".
std::string_view action_name(ErrorAction action) noexcept;

/// Nothing for an unknown text, which a receiver treats as application_bug.
std::optional<ErrorAction> parse_action(std::string_view text) noexcept;

/// The sync code with which a server answers input that this layer refused with `code`.
/// limits_exceeded must not be sent: close the WebSocket with 1009 instead.
SyncErrorCode sync_code_for(ErrorCode code) noexcept;

/// docs/reference/sync-errors.md, whole.
std::string sync_errors_markdown();

} // namespace tombolo::protocol
