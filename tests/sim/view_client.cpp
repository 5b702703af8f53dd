#include "sim/view_client.hpp"

#include <utility>

#include "changeset/merge.hpp"
#include "core/check.hpp"

namespace tombolo::sim {

using changeset::Changeset;
using changeset::MergeInput;

void ViewClient::write(std::uint64_t timestamp, std::optional<ObjectKey> denied, Choices& choices) {
    Changeset written = write_random(state_, view_, choices);
    if (!written.empty()) {
        ++client_version_;
        commits_.push_back({{client_version_, cursor_, timestamp, written, denied}, written});
    }
}

std::vector<UploadItem> ViewClient::take_uploads() {
    std::vector<UploadItem> items;
    for (const Commit& commit : commits_) {
        if (commit.item.client_version > sent_) {
            items.push_back(commit.item);
            sent_ = commit.item.client_version;
        }
    }
    return items;
}

void ViewClient::reconnect() {
    sent_ = commits_.empty() ? client_version_ : commits_.front().item.client_version - 1;
}

Result<void> ViewClient::integrate(Version client_version, const Sent& sent) {
    std::vector<MergeInput> ours;
    for (Commit& commit : commits_) {
        if (commit.item.client_version > client_version) {
            ours.push_back({&commit.reciprocal, commit.item.timestamp, file_});
        }
    }
    Changeset incoming = sent.changeset;
    MergeInput theirs{&incoming, sent.timestamp, sent.origin};
    TOMBOLO_TRY_VOID(merge(ours, {&theirs, 1}));
    TOMBOLO_TRY_VOID(apply(incoming, state_));
    ++client_version_;
    return {};
}

void ViewClient::advance(Version version, Version client_version) {
    TOMBOLO_CHECK(version >= cursor_);
    cursor_ = version;
    std::erase_if(commits_, [&](const Commit& commit) {
        return commit.item.client_version <= client_version;
    });
}

} // namespace tombolo::sim
