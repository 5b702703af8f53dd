#include "support/sync_peers.hpp"

#include <algorithm>
#include <utility>

#include "changeset/merge.hpp"
#include "core/check.hpp"

namespace tombolo::testing {

using changeset::Changeset;
using changeset::MergeInput;

namespace {

/// The end of the run of items with the same base that starts at `begin`.
template <class Item, class Base>
std::size_t run_end(const std::vector<Item>& items, std::size_t begin, Base base_of) {
    std::size_t end = begin;
    while (end < items.size() && base_of(items[end]) == base_of(items[begin])) {
        ++end;
    }
    return end;
}

} // namespace

Result<std::uint64_t> ClientPeer::commit(const Changeset& written, std::uint64_t timestamp) {
    TOMBOLO_TRY_VOID(apply(written, state_));
    ++client_version_;
    commits_.push_back({client_version_, server_version_, timestamp, written, written});
    return client_version_;
}

std::vector<LocalCommit> ClientPeer::take_uploads() {
    std::vector<LocalCommit> uploads;
    for (const LocalCommit& commit : commits_) {
        if (commit.client_version > uploaded_version_) {
            uploads.push_back(commit);
        }
    }
    if (!uploads.empty()) {
        uploaded_version_ = uploads.back().client_version;
    }
    return uploads;
}

Result<std::vector<Changeset>> ClientPeer::integrate(const Download& download) {
    std::vector<Changeset> applied;
    const auto base_of = [](const HistoryEntry& entry) { return entry.client_version; };
    std::size_t begin = 0;
    while (begin < download.entries.size()) {
        const std::size_t end = run_end(download.entries, begin, base_of);
        std::vector<MergeInput> ours;
        for (LocalCommit& commit : commits_) {
            if (commit.client_version > base_of(download.entries[begin])) {
                ours.push_back({&commit.reciprocal, commit.timestamp, file_ident_});
            }
        }
        std::vector<Changeset> incoming;
        incoming.reserve(end - begin);
        std::vector<MergeInput> theirs;
        for (std::size_t i = begin; i < end; ++i) {
            const HistoryEntry& entry = download.entries[i];
            TOMBOLO_CHECK(entry.file_ident != file_ident_);
            incoming.push_back(entry.changeset);
            theirs.push_back({&incoming.back(), entry.timestamp, entry.file_ident});
        }
        TOMBOLO_TRY_VOID(merge(ours, theirs));
        for (Changeset& changeset : incoming) {
            TOMBOLO_TRY_VOID(apply(changeset, state_));
            applied.push_back(std::move(changeset));
        }
        begin = end;
    }
    TOMBOLO_CHECK(download.progress_server_version >= server_version_);
    server_version_ = download.progress_server_version;
    if (!download.entries.empty()) {
        ++client_version_;
    }
    commits_.erase(std::remove_if(commits_.begin(), commits_.end(),
                                  [&](const LocalCommit& commit) {
                                      return commit.client_version <=
                                             download.progress_client_version;
                                  }),
                   commits_.end());
    return applied;
}

Result<std::vector<HistoryEntry>> ServerPeer::integrate(std::uint64_t file_ident,
                                                        const std::vector<LocalCommit>& uploads) {
    ClientFile& file = files_[file_ident];
    const std::uint64_t top = version();
    const auto base_of = [](const LocalCommit& commit) { return commit.server_version; };
    std::vector<HistoryEntry> stored;
    std::size_t begin = 0;
    while (begin < uploads.size()) {
        const std::size_t end = run_end(uploads, begin, base_of);
        const std::uint64_t base = base_of(uploads[begin]);
        file.reciprocals.erase(file.reciprocals.begin(), file.reciprocals.upper_bound(base));
        std::vector<MergeInput> ours;
        for (std::uint64_t v = base + 1; v <= top; ++v) {
            const HistoryEntry& entry = history_[v - 1];
            if (entry.file_ident != file_ident && !entry.changeset.empty()) {
                Changeset& form = file.reciprocals.try_emplace(v, entry.changeset).first->second;
                ours.push_back({&form, entry.timestamp, entry.file_ident});
            }
        }
        std::vector<Changeset> incoming;
        incoming.reserve(end - begin);
        std::vector<MergeInput> theirs;
        for (std::size_t i = begin; i < end; ++i) {
            incoming.push_back(uploads[i].original);
            theirs.push_back({&incoming.back(), uploads[i].timestamp, file_ident});
        }
        TOMBOLO_TRY_VOID(merge(ours, theirs));
        for (std::size_t i = begin; i < end; ++i) {
            Changeset& changeset = incoming[i - begin];
            TOMBOLO_TRY_VOID(apply(changeset, state_));
            TOMBOLO_CHECK(uploads[i].client_version > file.client_version);
            file.client_version = uploads[i].client_version;
            history_.push_back({version() + 1, uploads[i].client_version, uploads[i].timestamp,
                                file_ident, std::move(changeset)});
            stored.push_back(history_.back());
        }
        begin = end;
    }
    return stored;
}

Download ServerPeer::download(std::uint64_t file_ident, std::uint64_t from,
                              std::uint64_t to) const {
    Download batch;
    std::uint64_t client_version = 0;
    for (std::uint64_t v = 1; v <= to; ++v) {
        const HistoryEntry& entry = history_[v - 1];
        if (entry.file_ident == file_ident) {
            client_version = entry.client_version;
        } else if (v > from && !entry.changeset.empty()) {
            batch.entries.push_back(entry);
            batch.entries.back().client_version = client_version;
        }
    }
    batch.progress_server_version = to;
    batch.progress_client_version = client_version;
    return batch;
}

} // namespace tombolo::testing
