#pragma once

// Judges the DOWNLOADs of one binding as the published client does (sync-protocol.md 4.7), so that
// a client can refuse bad input and a server can assert its own output before it sends.
//
// Holds the client's persisted progress P: what IDENT said, then every DOWNLOAD that is not an
// unfinished part of a bootstrap. Usage, a message:
//
//     if (auto violation = checker.check(download, opened_body)) { ... }
//
// or begin(), entry() for each, finish(). After a violation the checker must not be used for
// further messages. Thread-safety: none; one owner. Holds no reference to what it checked.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/messages.hpp"

namespace tombolo::protocol {

/// Whose messages are judged. The rules of server_output are those of client_input and our own on
/// top: the latest version equals the download version, no steady state inside a bootstrap,
/// bootstrap versions that increase.
enum class CheckedSide : std::uint8_t { client_input, server_output };

enum class DownloadFault : std::uint8_t {
    drop_connection, ///< 4.7 A: a protocol violation
    bad_progress,    ///< 4.7 B: the client reports 233 and stalls
    crash_hazard,    ///< 4.7 C: the published client aborts or hangs; ours drops the connection
    server_rule,     ///< our own rule for servers
};

struct DownloadViolation {
    DownloadFault fault;
    std::string_view rule; ///< e.g. "4.7 A header 5"
    std::string message;
};

class DownloadChecker {
  public:
    /// What is known when IDENT is sent (client) or accepted (server: `progress.upload` may then be
    /// {0, 0}).
    struct Start {
        SyncProgress progress;
        ClientFileIdent own_ident;
    };

    DownloadChecker(const Start& start, SyncMode mode, CheckedSide side) noexcept
        : progress_(start.progress), own_ident_(start.own_ident), mode_(mode), side_(side) {}

    using Verdict = std::optional<DownloadViolation>;

    /// The header. `newest_local` is the newest version in the client's history; a server does not
    /// know it. The batch state must be resolved (versions below 14: resolve_batch_state()).
    Verdict begin(const Download& download, std::optional<ClientVersion> newest_local);
    /// Entries in order, after begin().
    Verdict entry(const DownloadEntry& entry);
    /// After the last entry: accepts the message.
    Verdict finish();

    /// All three; an entry that cannot be read is a violation too.
    Verdict check(const Download& download, ByteView opened_body,
                  std::optional<ClientVersion> newest_local);

    /// P after the last accepted message.
    const SyncProgress& progress() const noexcept { return progress_; }

  private:
    Verdict check_cursors(const Download& download,
                          std::optional<ClientVersion> newest_local) const;
    Verdict check_server_rules(const Download& download) const;

    SyncProgress progress_;
    ClientFileIdent own_ident_;
    SyncMode mode_;
    CheckedSide side_;

    // The message between begin() and finish().
    SyncProgress header_;
    QueryVersion query_version_;
    BatchState batch_state_ = BatchState::steady;
    DownloadCursor last_entry_;
    std::uint64_t entry_count_ = 0;

    // The bootstrap that is under way, and the last one that was finished.
    std::optional<QueryVersion> open_bootstrap_;
    std::uint64_t bootstrap_entry_count_ = 0;
    std::optional<QueryVersion> last_bootstrap_;
};

} // namespace tombolo::protocol
