#include "protocol/sync_error.hpp"

#include <algorithm>
#include <array>

#include "core/check.hpp"

namespace tombolo::protocol {

namespace {

constexpr std::array error_table{
#define TOMBOLO_SYNC_ERROR(name, number, level, status, sending, action, try_again, note)          \
    SyncErrorInfo{SyncErrorCode::name,                                                             \
                  #name,                                                                           \
                  ErrorLevel::level,                                                               \
                  status,                                                                          \
                  ErrorSending::sending,                                                           \
                  ErrorAction::action,                                                             \
                  try_again,                                                                       \
                  note},
#include "protocol/sync_errors.def"
#undef TOMBOLO_SYNC_ERROR
};

constexpr bool is_ascending() {
    for (std::size_t i = 1; i < error_table.size(); ++i) {
        if (error_table[i - 1].code >= error_table[i].code) {
            return false;
        }
    }
    return true;
}
static_assert(is_ascending(), "find_sync_error() searches by halving");

struct ActionName {
    ErrorAction action;
    std::string_view name;
};

constexpr std::array action_names{
    ActionName{ErrorAction::protocol_violation, "ProtocolViolation"},
    ActionName{ErrorAction::application_bug, "ApplicationBug"},
    ActionName{ErrorAction::warning, "Warning"},
    ActionName{ErrorAction::transient, "Transient"},
    ActionName{ErrorAction::delete_realm, "DeleteRealm"},
    ActionName{ErrorAction::client_reset, "ClientReset"},
    ActionName{ErrorAction::client_reset_no_recovery, "ClientResetNoRecovery"},
    ActionName{ErrorAction::migrate_to_flx, "MigrateToFLX"},
    ActionName{ErrorAction::revert_to_pbs, "RevertToPBS"},
    ActionName{ErrorAction::refresh_user, "RefreshUser"},
    ActionName{ErrorAction::refresh_location, "RefreshLocation"},
    ActionName{ErrorAction::log_out_user, "LogOutUser"},
    ActionName{ErrorAction::migrate_schema, "MigrateSchema"},
};

} // namespace

std::span<const SyncErrorInfo> sync_error_table() noexcept {
    return error_table;
}

const SyncErrorInfo* find_sync_error(int code) noexcept {
    const auto* const found = std::lower_bound(
        error_table.begin(), error_table.end(), code,
        [](const SyncErrorInfo& info, int wanted) { return static_cast<int>(info.code) < wanted; });
    if (found == error_table.end() || static_cast<int>(found->code) != code) {
        return nullptr;
    }
    return found;
}

const SyncErrorInfo& sync_error_info(SyncErrorCode code) {
    const SyncErrorInfo* info = find_sync_error(static_cast<int>(code));
    TOMBOLO_CHECK(info != nullptr);
    return *info;
}

bool ends_binding(int code) noexcept {
    return code != static_cast<int>(SyncErrorCode::compensating_write) &&
           code != static_cast<int>(SyncErrorCode::schema_version_changed);
}

std::string_view action_name(ErrorAction action) noexcept {
    for (const ActionName& entry : action_names) {
        if (entry.action == action) {
            return entry.name;
        }
    }
    return "ApplicationBug";
}

std::optional<ErrorAction> parse_action(std::string_view text) noexcept {
    for (const ActionName& entry : action_names) {
        if (entry.name == text) {
            return entry.action;
        }
    }
    return std::nullopt;
}

SyncErrorCode sync_code_for(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::unknown_sync_message:
        return SyncErrorCode::unknown_message;
    case ErrorCode::bad_sync_message:
        return SyncErrorCode::bad_syntax;
    case ErrorCode::sync_message_too_large:
        return SyncErrorCode::limits_exceeded;
    case ErrorCode::bad_compression:
        return SyncErrorCode::bad_decompression;
    case ErrorCode::bad_changeset_header:
        return SyncErrorCode::bad_changeset_header;
    case ErrorCode::bad_changeset_size:
        return SyncErrorCode::bad_changeset_size;
    case ErrorCode::bad_changeset:
    case ErrorCode::merge_error:
        return SyncErrorCode::bad_changeset;
    default:
        return SyncErrorCode::other_error;
    }
}

} // namespace tombolo::protocol
