// What is durable now: to the sessions' mailboxes, to the groups, then to everybody whom it
// concerns.

#include <algorithm>
#include <unordered_set>

#include "server/sync/engine/engine_impl.hpp"

namespace tombolo::server::sync {

void EngineImpl::publish(store::Version version) {
    Batch& batch = integrator_.oldest_batch();
    const Number top = batch.top();
    for (const auto& [number, entry] : batch.entries()) {
        cache_.push(number, entry);
    }
    // Sessions read the published version first and their mailbox second: the mailbox must never
    // be the older one.
    const Matching::Woken concerned = matching_.record(top);
    tell_own(batch);
    tell_files(batch);
    for (const auto& effect : batch.effects) {
        effect(version);
    }
    const std::vector<Input> finished = std::exchange(in_flight_, {});
    {
        const MutexLock lock(mutex_);
        published_.top = top;
        published_.model = batch.model();
        generations_ = integrator_.state().generations;
        const EngineStatistics& counted = integrator_.statistics();
        statistics_.changesets = counted.changesets;
        statistics_.merges = counted.merges;
        statistics_.refused_objects = counted.refused_objects;
        statistics_.refused_uploads = counted.refused_uploads;
        statistics_.resets = counted.resets;
        statistics_.points = counted.points;
        statistics_.outside_changes = counted.outside_changes;
        statistics_.unsyncable_writes = counted.unsyncable_writes;
    }
    const bool model_changed = batch.model_changed;
    const bool model_grew = batch.model_grew;
    if (integrator_.census().has_moved()) {
        note_census();
    }
    const auto answers = std::move(batch.answers);
    integrator_.forget();
    integrator_.note_age(version, top, client_max_offline_ms_); // written with the next commit
    for (const auto& answer : answers) {
        answer(version);
    }
    if (model_changed) {
        integrator_.census().adopt(*integrator_.model());
        go_on_with_census();
        end_bad_queries();
    }
    if (model_grew) {
        host_.model_grew();
    }
    notify(finished, concerned);
}

/// A few of those who learn of a write go before its writer, who only waits for an acknowledgement;
/// a crowd goes behind.
void EngineImpl::notify(const std::vector<Input>& finished, const Matching::Woken& concerned) {
    constexpr std::size_t first_max = 8;
    std::unordered_set<const Mailbox*> senders;
    std::vector<Mailbox*> answered;
    for (const Input& input : finished) {
        if (input.mailbox != nullptr && !input.is_quiet &&
            senders.insert(input.mailbox.get()).second) {
            answered.push_back(input.mailbox.get());
        }
    }
    const auto first_end =
        concerned.begin() + static_cast<std::ptrdiff_t>(std::min(first_max, concerned.size()));
    const auto notify_others = [&](auto begin, auto end) {
        for (auto each = begin; each != end; ++each) {
            if (!senders.contains(each->get())) {
                (*each)->notify();
            }
        }
    };
    notify_others(concerned.begin(), first_end);
    for (Mailbox* mailbox : answered) {
        mailbox->notify();
    }
    notify_others(first_end, concerned.end());
}

/// The versions that a file made, or that are meant for it alone.
void EngineImpl::tell_own(const Batch& batch) {
    std::map<Number, std::vector<OwnVersion>> own;
    for (const auto& [version, entry] : batch.entries()) {
        const HistoryEntry& head = entry->head();
        const Number file = head.kind == EntryKind::reset ? head.audience : head.origin;
        if (file > server_ident) {
            own[file].push_back({version, head.client_version, entry->is_silent_for_origin()});
        }
    }
    for (const auto& [file, versions] : own) {
        std::shared_ptr<Mailbox> mailbox;
        {
            const MutexLock lock(mutex_);
            const auto found = sessions_.find(file);
            mailbox = found == sessions_.end() ? nullptr : found->second.mailbox;
        }
        if (mailbox != nullptr) {
            const MutexLock lock(mailbox->mutex);
            std::vector<OwnVersion>& told = mailbox->content.own;
            told.insert(told.end(), versions.begin(), versions.end());
        }
    }
}

/// Their files as the batch leaves them. REQUIRES: they are integrated, nothing on top of them.
std::vector<EngineImpl::ToldFile> EngineImpl::files_to_tell(const std::vector<Input>& inputs) {
    std::vector<ToldFile> told;
    std::unordered_set<const Mailbox*> known;
    const Batch& batch = integrator_.batch();
    for (const Input& input : inputs) {
        if (input.mailbox == nullptr || !known.insert(input.mailbox.get()).second) {
            continue;
        }
        const Result<LoadedFile*> file = integrator_.load(input.file);
        if (!file) {
            continue;
        }
        bool is_new = false;
        {
            const MutexLock lock(input.mailbox->mutex);
            is_new = input.mailbox->content.file == nullptr;
        }
        if (is_new || batch.changed_cores.contains(input.file)) { // else not durable
            told.push_back(
                {input.mailbox, std::make_shared<const FileState>((*file)->state), is_new});
        }
    }
    return told;
}

/// The files, and the groups of their newest views.
void EngineImpl::tell_files(const Batch& batch) {
    for (const ToldFile& each : std::exchange(told_, {})) {
        {
            const MutexLock lock(each.mailbox->mutex);
            each.mailbox->content.file = options_.bugs.ahead_told_with_below
                                             ? std::make_shared<const FileState>(
                                                   (*integrator_.load(each.state->ident))->state)
                                             : each.state;
            if (each.is_new) {
                each.mailbox->content.own_since = batch.top();
            }
        }
        if (!each.state->epochs.empty() &&
            (each.is_new || batch.changed_views.contains(each.state->ident))) {
            join(batch, *each.state, each.mailbox);
        }
    }
    if (batch.model() != published().model) {
        join_all(batch);
    }
}

bool EngineImpl::is_attached(Number file, const Mailbox& mailbox) const {
    const MutexLock lock(mutex_);
    const auto found = sessions_.find(file);
    return found != sessions_.end() && found->second.mailbox.get() == &mailbox;
}

void EngineImpl::join(const Batch& batch, const FileState& state,
                      const std::shared_ptr<Mailbox>& mailbox) {
    const Number file = state.ident;
    const std::shared_ptr<const Model> model = batch.model()->of(state.schema_version);
    if (model == nullptr || !is_attached(file, *mailbox)) {
        return;
    }
    std::shared_ptr<const ViewGroup> group =
        matching_.join(file, mailbox, views_.get(model, *state.epochs.back()), batch.top());
    if (!is_attached(file, *mailbox)) {
        matching_.leave(file, *mailbox); // it closed meanwhile
        return;
    }
    const MutexLock lock(mailbox->mutex);
    mailbox->content.group = std::move(group);
}

/// Under a new model.
void EngineImpl::join_all(const Batch& batch) {
    std::vector<std::pair<Number, std::shared_ptr<Mailbox>>> attached;
    {
        const MutexLock lock(mutex_);
        for (const auto& [file, each] : sessions_) {
            attached.emplace_back(file, each.mailbox);
        }
    }
    for (const auto& [file, mailbox] : attached) {
        std::shared_ptr<const FileState> state;
        {
            const MutexLock lock(mailbox->mutex);
            state = mailbox->content.file;
        }
        if (state != nullptr && !state->epochs.empty()) {
            join(batch, *state, mailbox);
        }
    }
}

void EngineImpl::notify_all() {
    std::vector<std::shared_ptr<Mailbox>> told;
    {
        const MutexLock lock(mutex_);
        for (const auto& [file, attached] : sessions_) {
            told.push_back(attached.mailbox);
        }
    }
    for (const auto& mailbox : told) {
        mailbox->notify();
    }
}

} // namespace tombolo::server::sync
