#include "client/replica.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "changeset/codec.hpp"
#include "changeset/memory_applier.hpp"
#include "changeset/merge.hpp"

namespace tombolo::client {

using changeset::MergeInput;
using State = SubscriptionSet::State;

Result<void> Replica::write(const changeset::Changeset& changeset, std::uint64_t timestamp_ms) {
    if (changeset.empty()) {
        return {};
    }
    TOMBOLO_TRY_VOID(apply_local(changeset));
    ++data_.newest.value;
    data_.commits.push_back({data_.newest, data_.progress.download.server, timestamp_ms,
                             changeset::encode(changeset), changeset});
    if (log_.pointer != nullptr) {
        log_.pointer->on_write(data_.commits.back().changeset, timestamp_ms);
    }
    return {};
}

// A copy of the whole state would make a small write cost as much as the device holds.
Result<void> Replica::apply_local(const changeset::Changeset& changeset) {
    std::map<std::pair<std::string_view, PrimaryKey>, std::optional<Object>> before;
    for (const changeset::Instruction& each : changeset.instructions()) {
        if (changeset::is_schema_instruction(each.op)) {
            TOMBOLO_TRY_VOID(apply(changeset, data_.state));
            return {};
        }
        const std::string_view table = changeset.table(each);
        PrimaryKey key = to_owned(changeset.object(each));
        const auto [place, is_new] = before.try_emplace({table, std::move(key)});
        if (is_new) {
            if (const Object* object = data_.state.find_object(table, place->first.second)) {
                place->second = *object;
            }
        }
    }
    changeset::MemoryApplier applier(data_.state);
    if (const auto report = changeset::apply(changeset, applier); !report) {
        for (auto& [name, object] : before) {
            const auto holder = data_.state.classes.find(name.first);
            if (holder == data_.state.classes.end()) {
                continue;
            }
            if (object) {
                holder->second.objects[name.second] = std::move(*object);
            } else {
                holder->second.objects.erase(name.second);
            }
        }
        return report.error();
    }
    return {};
}

void Replica::set_file(const protocol::SaltedFileIdent& file) {
    data_.file = file;
    if (log_.pointer != nullptr) {
        log_.pointer->on_file(file);
    }
}

QueryVersion Replica::subscribe(const protocol::QueryBody& body) {
    const QueryVersion version{newest_subscriptions().value + 1};
    SubscriptionSet& set = data_.sets[version];
    set.body = protocol::write_query_body(body);
    set.snapshot = data_.newest;
    ++data_.newest.value; // the set is a commit of its own, with nothing to upload
    if (log_.pointer != nullptr) {
        log_.pointer->on_subscribe(set.body);
    }
    return version;
}

const SubscriptionSet* Replica::subscriptions(QueryVersion version) const noexcept {
    const auto found = data_.sets.find(version);
    return found == data_.sets.end() ? nullptr : &found->second;
}

bool Replica::is_uploaded() const noexcept {
    return data_.commits.empty() || data_.commits.back().version <= data_.progress.upload.client;
}

QueryVersion Replica::active_version() const noexcept {
    for (auto at = data_.sets.rbegin(); at != data_.sets.rend(); ++at) {
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
    for (auto at = data_.sets.upper_bound(sent); at != data_.sets.end(); ++at) {
        if (at->second.state == State::pending || at->second.state == State::bootstrapping) {
            return at->first;
        }
    }
    return std::nullopt;
}

std::vector<const LocalCommit*> Replica::commits(ClientVersion from, ClientVersion to) const {
    std::vector<const LocalCommit*> out;
    for (const LocalCommit& commit : data_.commits) {
        if (commit.version > from && commit.version <= to) {
            out.push_back(&commit);
        }
    }
    return out;
}

ServerVersion Replica::base_as_of(ClientVersion version) const noexcept {
    ServerVersion base;
    for (const auto& [local, server] : data_.bases) {
        if (local <= version) {
            base = server;
        }
    }
    return base;
}

Result<void> Replica::integrate(const protocol::Download& header,
                                std::vector<ReceivedEntry> entries) {
    if (log_.pointer != nullptr) {
        log_.pointer->on_download(header, entries);
    }
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
    SubscriptionSet& set = data_.sets[header.query_version];
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
    for (LocalCommit& commit : data_.commits) {
        if (commit.version > entry.client_version) {
            ours.push_back({&commit.reciprocal, commit.timestamp_ms, data_.file.ident.value});
        }
    }
    MergeInput theirs{&incoming, entry.timestamp_ms, entry.origin.value};
    TOMBOLO_TRY_VOID(merge(ours, {&theirs, 1}));
    if (observer_.pointer != nullptr) {
        observer_.pointer->before_remote(incoming, data_.state);
    }
    changeset::MemoryApplier applier(data_.state);
    TOMBOLO_TRY_VOID(changeset::apply(incoming, applier));
    return {};
}

void Replica::advance(const protocol::SyncProgress& progress) {
    if (progress.download.server != data_.progress.download.server) {
        ++data_.newest.value;
        data_.bases.emplace_back(data_.newest, progress.download.server);
    }
    const ServerVersion upload_server = data_.progress.upload.server;
    data_.progress = progress;
    if (data_.progress.upload.server == ServerVersion{0}) {
        data_.progress.upload.server = upload_server;
    }
    std::erase_if(data_.commits, [&](const LocalCommit& commit) {
        return commit.version <= data_.progress.download.client;
    });
    // Of the bases at or below the acknowledged version the last is enough.
    while (data_.bases.size() > 1 && data_.bases[1].first <= data_.progress.upload.client) {
        data_.bases.erase(data_.bases.begin());
    }
}

void Replica::complete_bootstrap(QueryVersion version) {
    SubscriptionSet& set = data_.sets[version];
    if (set.state == State::bootstrapping) {
        set.state = State::awaiting_mark;
    }
    data_.sets.erase(data_.sets.begin(), data_.sets.find(version));
}

void Replica::query_error(QueryVersion version, std::string message) {
    SubscriptionSet& set = data_.sets[version];
    set.state = State::error;
    set.error = std::move(message);
    if (log_.pointer != nullptr) {
        log_.pointer->on_query_error(version, set.error);
    }
}

void Replica::up_to_date() {
    const auto active = data_.sets.find(active_version());
    if (active != data_.sets.end() && active->second.state == State::awaiting_mark) {
        active->second.state = State::complete;
        if (log_.pointer != nullptr) {
            log_.pointer->on_up_to_date();
        }
    }
}

void Replica::discard_partial_bootstrap() {
    bootstrap_.clear();
    for (auto& [version, set] : data_.sets) {
        if (set.state == State::bootstrapping) {
            set.state = State::pending;
        }
    }
    if (log_.pointer != nullptr) {
        log_.pointer->on_discard();
    }
}

} // namespace tombolo::client
