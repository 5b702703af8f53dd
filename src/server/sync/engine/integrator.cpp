// Files, points and the commit; uploads are in integrator_upload.cpp, outside writes in
// integrator_write.cpp.

#include "server/sync/engine/integrator.hpp"
#include "server/sync/engine/queryable.hpp"

#include <algorithm>

#include "changeset/codec.hpp"
#include "core/check.hpp"
#include "server/sync/engine/role_change.hpp"
#include "server/sync/engine/session_error.hpp"

namespace tombolo::server::sync {

namespace {

/// Files kept in memory between batches; beyond, they are read again when they are needed.
constexpr std::size_t files_max = 10'000;

/// Cursors of empty UPLOADs that a commit takes along, and a part of those that wait.
constexpr std::size_t lazy_cores_a_commit = 64;

} // namespace

Integrator::Integrator(const EngineOptions& options, store::Store& store, const RecordKeys& keys,
                       ViewCache& views, const EntryCache& cache, EngineHost& host,
                       const Clock& clock, Random& random)
    : options_(options), store_(store), keys_(keys), views_(views), cache_(cache), host_(host),
      clock_(clock), random_(random), conflict_writer_(options.app, options.conflicts) {}

void Integrator::start(EngineState state, HistoryAges ages, std::shared_ptr<const Model> model,
                       ModelTold told) {
    told_ = told;
    state_ = std::move(state);
    ages_ = std::move(ages);
    model_ = std::move(model);
    recent_.start(state_.top);
    // A restored backup has other versions behind the same numbers: their salts differ.
    SaltGeneration generation{state_.top + 1, std::string(16, '\0')};
    random_.fill({reinterpret_cast<std::byte*>(generation.secret.data()), 16});
    std::erase_if(state_.generations,
                  [&](const SaltGeneration& old) { return old.first > state_.top; });
    state_.generations.push_back(std::move(generation));
}

Number Integrator::now() const {
    const std::int64_t since =
        clock_.unix_ms() - static_cast<std::int64_t>(protocol::origin_epoch_unix_ms);
    return since < 0 ? 0 : static_cast<Number>(since);
}

void Integrator::begin(std::unique_ptr<store::Snapshot> snapshot) {
    undo_ = {state_, model_, told_};
    batch_ = std::make_unique<Batch>(std::move(snapshot), store_, keys_, model_, cache_, state_.top,
                                     recent_);
}

bool Integrator::may_go_ahead() const noexcept {
    return older_ == nullptr && batch_ != nullptr && told_ == ModelTold::recorded &&
           batch_->wishes.empty() && batch_->identified.empty() && batch_->answers.empty() &&
           batch_->passed_on.empty() && batch_->erased_files.empty() &&
           batch_->erased_ranges.empty() && !batch_->model_changed && !census_.has_record() &&
           !census_.has_moved();
}

void Integrator::begin_ahead() {
    TOMBOLO_CHECK(may_go_ahead());
    older_ = std::move(batch_);
    older_undo_ = std::exchange(undo_, {state_, model_, told_});
    batch_ = std::make_unique<Batch>(older_->shared_snapshot(), store_, keys_, model_, cache_,
                                     state_.top, recent_,
                                     options_.bugs.ahead_of_nothing ? nullptr : older_.get());
    batch_->conflicts_total = older_->conflicts_total;
}

void Integrator::forget() {
    ages_durable_ = std::max(ages_durable_, oldest_batch().ages_written);
    if (older_ == nullptr) {
        if (!batch_->is_empty() && told_ == ModelTold::unrecorded) {
            told_ = ModelTold::recorded;
        }
        batch_.reset();
    } else {
        batch_->rebase(store_.snapshot());
        older_.reset();
    }
    census_.forget();
    if (files_.size() > files_max) {
        std::erase_if(files_, [&](const auto& each) {
            return !lazy_cores_.contains(each.first) &&
                   (batch_ == nullptr || !batch_->changed_cores.contains(each.first));
        });
    }
}

void Integrator::abandon() {
    const Undo& before = older_ == nullptr ? undo_ : older_undo_;
    batch_.reset();
    older_.reset();
    census_.abandon();
    files_.clear();
    lazy_cores_.clear();
    state_ = before.state;
    told_ = before.told;
    if (model_ != before.model) {
        model_ = before.model;
        applier_.reset();
    }
}

bool Integrator::deny(std::map<ObjectRef, std::string> objects) {
    const std::size_t known = denied_.size();
    denied_.merge(std::move(objects));
    return denied_.size() > known;
}

PartApplier& Integrator::applier() {
    if (applier_ == nullptr || &applier_->model() != seen_.get()) {
        applier_ = std::make_unique<PartApplier>(seen_);
    }
    return *applier_;
}

Result<LoadedFile*> Integrator::load(Number ident) {
    if (const auto found = files_.find(ident); found != files_.end()) {
        return &found->second;
    }
    const store::Snapshot& snapshot = batch_->snapshot();
    TOMBOLO_TRY(const std::optional<std::string> core,
                snapshot.record(store::Space::file, keys_.file(ident)));
    TOMBOLO_TRY(const std::optional<std::string> views,
                snapshot.record(store::Space::file, keys_.file_views(ident)));
    if (!core || !views) {
        return Error(ErrorCode::not_found, "there is no client file " + std::to_string(ident));
    }
    LoadedFile file;
    TOMBOLO_TRY(file.state, decode_file(*core, *views));
    views_.share_roles(file.state);
    const std::string prefix = keys_.reciprocal_prefix(ident);
    const auto cursor =
        snapshot.scan_records(store::Space::reciprocal, prefix, end_of_prefix(prefix));
    while (cursor->next()) {
        const std::string_view key = cursor->key();
        TOMBOLO_TRY(Reciprocal reciprocal, decode_reciprocal(cursor->value()));
        file.reciprocals.emplace(
            LoadedFile::ReciprocalKey(version_in_key(key),
                                      key.substr(prefix.size(), key.size() - prefix.size() - 8)),
            std::move(reciprocal));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return &files_.emplace(ident, std::move(file)).first->second;
}

Result<protocol::SaltedFileIdent> Integrator::allocate(const std::string& user,
                                                       Number schema_version) {
    LoadedFile file;
    file.state.ident = state_.next_ident++;
    file.state.salt = static_cast<std::int64_t>(1 + (random_.next() >> 2));
    file.state.user = user;
    file.state.schema_version = schema_version;
    file.state.last_seen_ms = clock_.unix_ms();
    const protocol::SaltedFileIdent ident{{file.state.ident}, {file.state.salt}};
    batch_->changed_cores.insert(file.state.ident);
    batch_->changed_views.insert(file.state.ident);
    batch_->state_changed = true;
    files_[file.state.ident] = std::move(file);
    return ident;
}

Result<void> Integrator::mark_dead(Number ident, bool is_given_up) {
    TOMBOLO_TRY(LoadedFile * file, load(ident));
    file->state.is_dead = true;
    file->state.is_expired = is_given_up;
    batch_->changed_cores.insert(ident);
    return {};
}

Number Integrator::append(HistoryEntry head, changeset::Changeset whole,
                          std::vector<Entry::Images> images) {
    head.changeset = changeset::encode(whole);
    auto entry = std::make_shared<Entry>(std::move(head), CutChangeset(std::move(whole)));
    entry->set_images(std::move(images));
    state_.top = batch_->append(std::move(entry));
    batch_->state_changed = true;
    return state_.top;
}

// Views

Result<std::optional<SessionError>> Integrator::identify(Number ident, const IdentWish& wish) {
    if (model_->config().development_mode && !model_->has_older_versions()) {
        TOMBOLO_TRY_VOID(allow_query(wish.body));
        if (const Result<void> good = check_query_body(*model_, wish.body); !good) {
            return std::optional(
                session_error(protocol::SyncErrorCode::bad_query, good.error().message()));
        }
    }
    TOMBOLO_TRY(LoadedFile * file, load(ident));
    FileState& state = file->state;
    // What was true when the session began may have been trimmed or reset since.
    if (state.is_dead) {
        return std::optional(session_error(protocol::SyncErrorCode::bad_client_file_ident,
                                           "the file has to be reset"));
    }
    const std::optional<Number> needs = needs_history_above(state, wish.scan);
    if (needs.value_or(wish.scan == 0 ? state_.trimmed : wish.scan) < state_.trimmed) {
        return std::optional(session_error(protocol::SyncErrorCode::client_file_expired,
                                           "the history that the file needs is gone"));
    }
    state.scan = wish.scan;
    state.last_seen_ms = clock_.unix_ms();
    batch_->identified.insert(ident);
    if (!lazy_cores_.insert(ident).second) {
        // The session will be shown this cursor: it has to be durable.
        batch_->changed_cores.insert(ident);
    }
    Batch::Wish point{ident, make_epoch(0, wish.query_version, wish.body, wish.role), std::nullopt};
    if (state.epochs.empty()) {
        batch_->wishes.push_back(std::move(point));
        return std::optional<SessionError>();
    }
    const auto above = std::find_if(state.epochs.begin(), state.epochs.end(),
                                    [&](const auto& epoch) { return epoch->point > wish.scan; });
    const Epoch* confirmed = above == state.epochs.begin() ? nullptr : std::prev(above)->get();
    const bool is_same_role = role_text(*state.epochs.back()->role) == role_text(*wish.role);
    const Epoch& compared = confirmed == nullptr ? *state.epochs.front() : *confirmed;
    const bool is_same_body = compared.body == wish.body;
    if (is_same_role && is_same_body) {
        if (confirmed != nullptr && confirmed->query_version != wish.query_version) {
            auto renumbered = std::make_shared<Epoch>(*confirmed);
            renumbered->query_version = wish.query_version;
            *std::prev(above) = std::move(renumbered);
            batch_->changed_views.insert(ident);
        }
        return std::optional<SessionError>();
    }
    if (!wish.can_rebootstrap && confirmed != nullptr) {
        return std::optional(session_error(protocol::SyncErrorCode::server_permissions_changed,
                                           "permissions or subscriptions changed"));
    }
    // What was gained needs no collapse: the device is sent what it missed, then the difference.
    const bool takes_away = !is_same_role && !options_.bugs.drained_under_the_old_role &&
                            !reads_within(*model_, *state.epochs.back()->role, *wish.role);
    if (takes_away || above != state.epochs.end()) {
        // Before its first point, which earlier collapses may have swallowed, a file can have
        // uploaded nothing.
        point.collapse_after = std::max(wish.scan, begin_of_stream(state));
    }
    batch_->wishes.push_back(std::move(point));
    return std::optional<SessionError>();
}

Result<std::variant<bool, std::string>> Integrator::query(Number ident, std::int64_t version,
                                                          const std::string& body,
                                                          const std::shared_ptr<const Role>& role,
                                                          Number scan) {
    using Answer = std::variant<bool, std::string>;
    TOMBOLO_TRY(LoadedFile * file, load(ident));
    TOMBOLO_TRY_VOID(allow_query(body));
    const std::shared_ptr<const Model> model = model_->of(file->state.schema_version);
    if (model == nullptr) {
        return Answer("the file's schema version is served no more");
    }
    if (const Result<void> good = check_query_body(*model, body, *role); !good) {
        return Answer(good.error().message());
    }
    for (const auto& epoch : file->state.epochs) {
        if (epoch->point > scan && epoch->query_version == version && epoch->body == body) {
            return Answer(false);
        }
    }
    batch_->wishes.push_back({ident, make_epoch(0, version, body, role), std::nullopt});
    return Answer(true);
}

Result<void> Integrator::append_point() {
    HistoryEntry head;
    head.kind = EntryKind::point;
    head.timestamp = now();
    const bool is_new = !options_.bugs.bootstrap_at_reached_version || state_.top == 0;
    const Number point = is_new ? append(std::move(head), {}) : state_.top;
    ++statistics_.points;
    for (const Batch::Wish& wish : batch_->wishes) {
        TOMBOLO_TRY(LoadedFile * file, load(wish.file));
        FileState& state = file->state;
        auto epoch = std::make_shared<Epoch>(wish.epoch);
        epoch->point = point;
        if (wish.collapse_after) {
            const Number after = *wish.collapse_after;
            std::erase_if(state.epochs, [&](const auto& old) { return old->point > after; });
            std::erase_if(state.holes, [&](const Hole& hole) { return hole.point > after; });
            if (after + 1 < point) {
                state.holes.push_back({after, point});
            }
            std::erase_if(file->reciprocals, [&](const auto& each) {
                if (each.first.first <= after) {
                    return false;
                }
                std::string_view object = each.first.second;
                if (Result<ObjectRef> name = decode_object(object)) {
                    batch_->reciprocals[keys_.reciprocal(state.ident, *name, each.first.first)] =
                        std::nullopt;
                }
                return true;
            });
        }
        state.epochs.push_back(std::move(epoch));
        batch_->changed_views.insert(wish.file);
        batch_->changed_cores.insert(wish.file);
    }
    for (const Batch::Wish& wish : batch_->wishes) {
        if (wish.collapse_after) {
            TOMBOLO_TRY(LoadedFile * file, load(wish.file));
            TOMBOLO_TRY_VOID(append_reissued_resets(*file, *wish.collapse_after, point));
        }
    }
    return {};
}

/// Resets that a collapse swallowed: what they said about the app's writes must still be told.
Result<void> Integrator::append_reissued_resets(LoadedFile& file, Number after, Number point) {
    for (Number version = after + 1; version < point; ++version) {
        TOMBOLO_TRY(const std::shared_ptr<const Entry> entry, batch_->entry(version));
        const HistoryEntry& head = entry->head();
        if (head.kind != EntryKind::reset || head.audience != file.state.ident) {
            continue;
        }
        std::vector<ObjectRef> objects;
        for (const ObjectPart& part : entry->cut().parts) {
            objects.push_back(part.object);
        }
        TOMBOLO_TRY_VOID([&]() -> Result<void> {
            TOMBOLO_TRY([[maybe_unused]] const Number ignored,
                        append_reset(file, objects, head.rejected, head.rejected_client_version));
            return {};
        }());
    }
    return {};
}

// The commit

/// Some of the cursors that wait for a commit. Thousands of devices answer each write that they are
/// told of: all of their records in the next write's commit would cost more than the write.
void Integrator::add_lazy_cores() {
    std::size_t left = lazy_cores_a_commit + lazy_cores_.size() / 32;
    // In turn: behind the one where the last commit stopped.
    for (auto next = lazy_cores_.upper_bound(last_lazy_core_); left > 0; --left, ++next) {
        if (next == lazy_cores_.end()) {
            last_lazy_core_ = 0;
            return;
        }
        batch_->changed_cores.insert(*next);
        last_lazy_core_ = *next;
    }
}

Result<store::Transaction> Integrator::finish() {
    store::Transaction transaction;
    if (!batch_->wishes.empty()) {
        TOMBOLO_TRY_VOID(append_point());
    }
    if (batch_->is_empty() && !census_.has_record()) {
        return transaction;
    }
    // First: the deletion of a document that was not there must not meet one that a device made
    // later in the batch.
    for (const store::Transaction::Request& request : batch_->passed_on) {
        transaction.requests().push_back(request);
    }
    add_lazy_cores();
    for (const Number ident : batch_->changed_cores) {
        lazy_cores_.erase(ident); // should the commit fail, so does what is known of the file
    }
    // A document, its part and its entry, nearly always.
    transaction.requests().reserve(2 * batch_->documents().size() + batch_->entries().size());
    for (const auto* document : batch_->documents()) {
        const auto& [object, changed] = *document;
        const bool is_changed =
            changed.is_rewritten ||
            std::any_of(changed.parts.begin(), changed.parts.end(),
                        [](const auto& part) { return part.second.kind == PartKind::change; });
        if (is_changed) {
            TOMBOLO_TRY_VOID(
                put_image(*model_, object, changed.base, changed.now, store_, transaction));
        }
        for (const auto& [version, part] : changed.parts) {
            transaction.put_record(store::Space::part, keys_.part(object, version), encode(part));
        }
    }
    for (const auto& [version, entry] : batch_->entries()) {
        transaction.put_record(store::Space::history, keys_.history(version),
                               encode(entry->head()));
    }
    for (const Number ident : batch_->changed_cores) {
        TOMBOLO_TRY(const LoadedFile* file, load(ident));
        transaction.put_record(store::Space::file, keys_.file(ident), encode_core(file->state));
    }
    for (const Number ident : batch_->changed_views) {
        TOMBOLO_TRY(const LoadedFile* file, load(ident));
        transaction.put_record(store::Space::file, keys_.file_views(ident),
                               encode_views(file->state));
    }
    for (const auto& [key, value] : batch_->reciprocals) {
        if (value) {
            transaction.put_record(store::Space::reciprocal, key, *value);
        } else {
            transaction.erase_record(store::Space::reciprocal, key);
        }
    }
    for (const Number ident : batch_->erased_files) {
        transaction.erase_record(store::Space::file, keys_.file(ident));
        transaction.erase_record(store::Space::file, keys_.file_views(ident));
    }
    for (const auto& [space, begin, end] : batch_->erased_ranges) {
        transaction.erase_records(space, begin, end);
    }
    if (ages_changes_ != ages_durable_) {
        batch_->ages_written = ages_changes_;
        transaction.put_record(store::Space::meta, keys_.ages(), encode(ages_));
    }
    if (census_.has_record()) {
        transaction.put_record(store::Space::meta, census_key(options_.app),
                               encode(census_.census()));
    }
    if (!batch_->conflicts.empty()) {
        TOMBOLO_TRY_VOID(conflict_writer_.write(std::move(batch_->conflicts), batch_->snapshot(),
                                                clock_.unix_ms(), batch_->conflicts_total,
                                                transaction));
    }
    TOMBOLO_TRY_VOID(put_model(transaction));
    transaction.put_record(store::Space::meta, keys_.state(), encode(state_));
    return transaction;
}

} // namespace tombolo::server::sync
