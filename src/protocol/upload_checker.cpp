#include "protocol/upload_checker.hpp"

#include <algorithm>

namespace tombolo::protocol {

namespace {

using Verdict = UploadChecker::Verdict;

UploadViolation violation(SyncErrorCode code, std::string_view rule, std::string message) {
    return {code, rule, std::move(message)};
}

std::string text_of(const UploadCursor& cursor) {
    return "(" + std::to_string(cursor.client.value) + ", " + std::to_string(cursor.server.value) +
           ")";
}

/// A position at 0 has seen nothing of the server (4.3).
bool is_self_consistent(const UploadCursor& cursor) {
    return cursor.client.value != 0 || cursor.server.value == 0;
}

/// Both parts of two cursors are ordered the same way, and equal first parts mean equal second
/// parts (4.3).
bool are_consistent(const UploadCursor& a, const UploadCursor& b) {
    if (a.client == b.client) {
        return a.server == b.server;
    }
    return a.client < b.client ? a.server <= b.server : a.server >= b.server;
}

Verdict check_consistency(const UploadCursor& cursor, const UploadCursor& other, const char* rule,
                          const char* what, const char* other_what) {
    if (are_consistent(cursor, other)) {
        return std::nullopt;
    }
    return violation(SyncErrorCode::bad_server_version, rule,
                     std::string(what) + " " + text_of(cursor) + " contradicts " + other_what +
                         " " + text_of(other));
}

} // namespace

void UploadChecker::note_download(ServerVersion version) noexcept {
    download_seen_ = std::max(download_seen_, version);
}

Verdict UploadChecker::begin(const Upload& upload) {
    const UploadCursor& next = upload.progress;
    if (next.client < progress_.client) {
        return violation(SyncErrorCode::bad_client_version, "progress client version",
                         "the upload progress goes back from " + text_of(progress_) + " to " +
                             text_of(next));
    }
    if (next.server > download_seen_) {
        return violation(SyncErrorCode::bad_server_version, "progress server version",
                         "the upload progress " + text_of(next) +
                             " names a server version beyond the last one sent, " +
                             std::to_string(download_seen_.value));
    }
    if (!is_self_consistent(next)) {
        return violation(SyncErrorCode::bad_server_version, "progress cursor",
                         "the upload progress " + text_of(next) + " contradicts itself");
    }
    if (auto found = check_consistency(next, stored_, "progress cursor", "the upload progress",
                                       "the stored one")) {
        return found;
    }
    if (auto found = check_consistency(next, progress_, "progress cursor", "the upload progress",
                                       "the one before")) {
        return found;
    }
    if (upload.locked < locked_ || upload.locked > download_seen_) {
        return violation(SyncErrorCode::bad_server_version, "locked server version",
                         "the locked server version " + std::to_string(upload.locked.value) +
                             " is not between the one before, " + std::to_string(locked_.value) +
                             ", and the last one sent, " + std::to_string(download_seen_.value));
    }
    header_ = next;
    header_locked_ = upload.locked;
    last_entry_ = progress_;
    return std::nullopt;
}

Verdict UploadChecker::entry(const UploadEntry& entry) {
    const UploadCursor cursor{entry.client_version, entry.server_version};
    if (entry.origin.value != 0) {
        return violation(SyncErrorCode::bad_origin_file_ident, "origin file ident",
                         "an entry names file " + std::to_string(entry.origin.value) +
                             " as its origin");
    }
    if (cursor.client <= last_entry_.client) {
        return violation(SyncErrorCode::bad_client_version, "entry client version",
                         "an entry " + text_of(cursor) + " does not follow " +
                             text_of(last_entry_));
    }
    if (auto found = check_consistency(cursor, last_entry_, "entry cursor", "an entry",
                                       "what came before")) {
        return found;
    }
    if (auto found = check_consistency(cursor, stored_, "entry cursor", "an entry",
                                       "the stored upload progress")) {
        return found;
    }
    last_entry_ = cursor;
    return std::nullopt;
}

Verdict UploadChecker::finish() {
    if (last_entry_.client > header_.client) {
        return violation(SyncErrorCode::bad_client_version, "last entry",
                         "the last entry " + text_of(last_entry_) +
                             " lies beyond the upload progress " + text_of(header_));
    }
    if (auto found = check_consistency(last_entry_, header_, "last entry", "the last entry",
                                       "the upload progress")) {
        return found;
    }
    progress_ = header_;
    locked_ = header_locked_;
    return std::nullopt;
}

Verdict UploadChecker::check(const Upload& upload, ByteView opened_body) {
    if (auto found = begin(upload)) {
        return found;
    }
    UploadEntryReader reader(opened_body);
    for (;;) {
        const auto next = reader.next();
        if (!next) {
            return violation(sync_code_for(next.error().code()), "body", next.error().what());
        }
        if (!*next) {
            return finish();
        }
        if (auto found = entry(**next)) {
            return found;
        }
    }
}

} // namespace tombolo::protocol
