#pragma once

// A server file and client files that exchange changesets by the procedures of
// changesets-and-merge.md 5, in memory: the smallest correct sync, without network, filters or
// rules. Every file sees everything.
//
// Nothing is checked that a correct peer guarantees; wrong use is a TOMBOLO_CHECK failure. Merge
// and apply errors come back as Results and leave the peer unusable.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "core/result.hpp"

namespace tombolo::testing {

inline constexpr std::uint64_t server_file_ident = 1;

/// A local commit as a client keeps it and uploads it.
struct LocalCommit {
    std::uint64_t client_version = 0;
    std::uint64_t server_version = 0; ///< base: the last one integrated when the commit was made
    std::uint64_t timestamp = 0;
    changeset::Changeset original;
    /// What the commit has become towards the server (5.1); starts as the original.
    changeset::Changeset reciprocal;
};

/// One entry of the server's history. Entry v stands at index v - 1.
struct HistoryEntry {
    std::uint64_t server_version = 0;
    std::uint64_t client_version = 0; ///< of the origin
    std::uint64_t timestamp = 0;
    std::uint64_t file_ident = 0;
    changeset::Changeset changeset;
};

/// A batch: the head's cursor, and the entries that are not empty and not the receiver's own.
struct Download {
    std::uint64_t progress_server_version = 0;
    std::uint64_t progress_client_version = 0;
    /// client_version here is the receiver's last one integrated before the entry (5.3).
    std::vector<HistoryEntry> entries;
};

class ClientPeer {
  public:
    explicit ClientPeer(std::uint64_t file_ident) : file_ident_(file_ident) {}

    std::uint64_t file_ident() const noexcept { return file_ident_; }
    const changeset::MemoryState& state() const noexcept { return state_; }
    std::uint64_t server_version() const noexcept { return server_version_; }

    /// Applies and records a write; returns its client version.
    Result<std::uint64_t> commit(const changeset::Changeset& written, std::uint64_t timestamp);

    /// All commits not handed out before, in order.
    std::vector<LocalCommit> take_uploads();

    /// Merges and applies a batch; returns what was applied, an entry each.
    Result<std::vector<changeset::Changeset>> integrate(const Download& download);

  private:
    std::uint64_t file_ident_;
    changeset::MemoryState state_;
    std::uint64_t client_version_ = 1;
    std::uint64_t server_version_ = 0;
    std::uint64_t uploaded_version_ = 1;
    std::vector<LocalCommit> commits_; ///< those that a download may still have to be merged with
};

class ServerPeer {
  public:
    const changeset::MemoryState& state() const noexcept { return state_; }
    std::uint64_t version() const noexcept { return history_.size(); }

    /// Merges, applies and records the commits; returns the new entries, one a commit.
    Result<std::vector<HistoryEntry>> integrate(std::uint64_t file_ident,
                                                const std::vector<LocalCommit>& uploads);

    /// What the client gets after `from`, up to `to`.
    Download download(std::uint64_t file_ident, std::uint64_t from, std::uint64_t to) const;

  private:
    struct ClientFile {
        std::uint64_t client_version = 0;
        /// By server version. A present empty changeset says that the entry was absorbed.
        std::map<std::uint64_t, changeset::Changeset> reciprocals;
    };

    changeset::MemoryState state_;
    std::vector<HistoryEntry> history_;
    std::map<std::uint64_t, ClientFile> files_;
};

} // namespace tombolo::testing
