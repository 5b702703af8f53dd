#include "client/replica.hpp"

#include <algorithm>
#include <utility>

#include "changeset/codec.hpp"
#include "changeset/merge.hpp"

namespace tombolo::client {

using changeset::MergeInput;
using State = SubscriptionSet::State;

Replica::Replica() : bases_{{ClientVersion{0}, ServerVersion{0}}} {
    sets_[QueryVersion{0}].body = "{}";
}

Result<void> Replica::write(const changeset::Changeset& changeset, std::uint64_t timestamp_ms) {
    if (changeset.empty()) {
        return {};
    }
    TOMBOLO_TRY_VOID(apply(changeset, state_));
    ++newest_.value;
    commits_.push_back({newest_, progress_.download.server, timestamp_ms,
                        changeset::encode(changeset), changeset});
    return {};
}

QueryVersion Replica::subscribe(const protocol::QueryBody& body) {
    const QueryVersion version{newest_subscriptions().value + 1};
    SubscriptionSet& set = sets_[version];
    set.body = protocol::write_query_body(body);
    set.snapshot = newest_;
    ++newest_.value; // the set is a commit of its own, with nothing to upload
    return version;
}

const SubscriptionSet* Replica::subscriptions(QueryVersion version) const noexcept {
    const auto found = sets_.find(version);
    return found == sets_.end() ? nullptr : &found->second;
}

bool Replica::is_uploaded() const noexcept {
    return commits_.empty() || commits_.back().version <= progress_.upload.client;
}

QueryVersion Replica::active_version() const noexcept {
    for (auto at = sets_.rbegin(); at != sets_.rend(); ++at) {
        if (at->second.state == State::complete || at->second.state == State::awaiting_mark) {
            return at->first;
        }
    }
    return {};
}

std::string Replica::active_body() const {
    const SubscriptionSet* set = subscriptions(active_version());
    return set == nullptr ? "{}" : set->body;
}

std::optional<QueryVersion> Replica::next_query(QueryVersion sent) const noexcept {
    for (auto at = sets_.upper_bound(sent); at != sets_.end(); ++at) {
        if (at->second.state == State::pending || at->second.state == State::bootstrapping) {
            return at->first;
        }
    }
    return std::nullopt;
}

std::vector<const LocalCommit*> Replica::commits(ClientVersion from, ClientVersion to) const {
    std::vector<const LocalCommit*> out;
    for (const LocalCommit& commit : commits_) {
        if (commit.version > from && commit.version <= to) {
            out.push_back(&commit);
        }
    }
    return out;
}

ServerVersion Replica::base_as_of(ClientVersion version) const noexcept {
    ServerVersion base;
    for (const auto& [local, server] : bases_) {
        if (local <= version) {
            base = server;
        }
    }
    return base;
}

Result<void> Replica::integrate(const protocol::Download& header,
                                std::vector<ReceivedEntry> entries) {
    if (header.batch_state == protocol::BatchState::steady) {
        for (const ReceivedEntry& entry : entries) {
            TOMBOLO_TRY_VOID(apply_entry(entry));
        }
        advance(header.progress);
        return {};
    }
    if (!bootstrap_.empty() && bootstrap_version_ != header.query_version) {
        bootstrap_.clear();
    }
    bootstrap_version_ = header.query_version;
    std::move(entries.begin(), entries.end(), std::back_inserter(bootstrap_));
    SubscriptionSet& set = sets_[header.query_version];
    if (set.state == State::pending) {
        set.state = State::bootstrapping;
    }
    if (header.batch_state == protocol::BatchState::bootstrap_last) {
        for (const ReceivedEntry& entry : bootstrap_) {
            TOMBOLO_TRY_VOID(apply_entry(entry));
        }
        bootstrap_.clear();
        advance(header.progress);
        complete_bootstrap(header.query_version);
    }
    return {};
}

Result<void> Replica::apply_entry(const ReceivedEntry& entry) {
    TOMBOLO_TRY(changeset::Changeset incoming, changeset::decode(entry.changeset));
    std::vector<MergeInput> ours;
    for (LocalCommit& commit : commits_) {
        if (commit.version > entry.client_version) {
            ours.push_back({&commit.reciprocal, commit.timestamp_ms, file_.ident.value});
        }
    }
    MergeInput theirs{&incoming, entry.timestamp_ms, entry.origin.value};
    TOMBOLO_TRY_VOID(merge(ours, {&theirs, 1}));
    TOMBOLO_TRY_VOID(apply(incoming, state_));
    return {};
}

void Replica::advance(const protocol::SyncProgress& progress) {
    if (progress.download.server != progress_.download.server) {
        ++newest_.value;
        bases_.emplace_back(newest_, progress.download.server);
    }
    const ServerVersion upload_server = progress_.upload.server;
    progress_ = progress;
    if (progress_.upload.server == ServerVersion{0}) {
        progress_.upload.server = upload_server;
    }
    std::erase_if(commits_, [&](const LocalCommit& commit) {
        return commit.version <= progress_.download.client;
    });
    // Of the bases at or below the acknowledged version the last is enough.
    while (bases_.size() > 1 && bases_[1].first <= progress_.upload.client) {
        bases_.erase(bases_.begin());
    }
}

void Replica::complete_bootstrap(QueryVersion version) {
    SubscriptionSet& set = sets_[version];
    if (set.state == State::bootstrapping) {
        set.state = State::awaiting_mark;
    }
    sets_.erase(sets_.begin(), sets_.find(version));
}

void Replica::query_error(QueryVersion version, std::string message) {
    SubscriptionSet& set = sets_[version];
    set.state = State::error;
    set.error = std::move(message);
}

void Replica::up_to_date() {
    const auto active = sets_.find(active_version());
    if (active != sets_.end() && active->second.state == State::awaiting_mark) {
        active->second.state = State::complete;
    }
}

void Replica::discard_partial_bootstrap() {
    bootstrap_.clear();
    for (auto& [version, set] : sets_) {
        if (set.state == State::bootstrapping) {
            set.state = State::pending;
        }
    }
}

} // namespace tombolo::client
