#pragma once

// Judges the UPLOADs of one binding by the rules of sync-protocol.md 4.6: cursors, versions and
// origins. Whether the changesets themselves parse and apply is not its business.
//
// Starts from what the server had stored when IDENT was accepted, and learns from note_download()
// what the client can have integrated. Usage, a message: check(), or begin(), entry() for each,
// finish(). After a violation the binding ends and the checker with it. Thread-safety: none; one
// owner.

#include <optional>
#include <string>
#include <string_view>

#include "protocol/messages.hpp"

namespace tombolo::protocol {

struct UploadViolation {
    SyncErrorCode code; ///< sync_error_info() has the action
    std::string_view rule;
    std::string message;
};

class UploadChecker {
  public:
    struct Start {
        UploadCursor stored;         ///< the file's upload cursor
        ServerVersion locked;        ///< the file's locked server version
        ServerVersion download_seen; ///< IDENT's scan server version
    };

    explicit UploadChecker(const Start& start) noexcept
        : stored_(start.stored), locked_(start.locked), download_seen_(start.download_seen) {}

    using Verdict = std::optional<UploadViolation>;

    /// The server has sent a DOWNLOAD that reaches this version.
    void note_download(ServerVersion version) noexcept;

    /// The header.
    Verdict begin(const Upload& upload);
    /// Entries in order, after begin().
    Verdict entry(const UploadEntry& entry);
    /// After the last entry: accepts the message.
    Verdict finish();

    /// All three; an entry that cannot be read is a violation with code 111 or 112.
    Verdict check(const Upload& upload, ByteView opened_body);

    /// True for an entry that the server had integrated before this binding: to be skipped
    /// silently.
    bool is_integrated(const UploadEntry& entry) const noexcept {
        return entry.client_version <= stored_.client;
    }

    /// The last accepted header's cursor; {0, 0} before the first.
    const UploadCursor& progress() const noexcept { return progress_; }
    ServerVersion locked() const noexcept { return locked_; }

  private:
    UploadCursor stored_;
    UploadCursor progress_;
    ServerVersion locked_;
    ServerVersion download_seen_;

    // The message between begin() and finish().
    UploadCursor header_;
    ServerVersion header_locked_;
    UploadCursor last_entry_;
};

} // namespace tombolo::protocol
