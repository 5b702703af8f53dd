#include "server/sync/engine/trim.hpp"

#include <algorithm>

#include "core/record_codec.hpp"
#include "server/sync/engine/census.hpp"
#include "server/sync/engine/conflict_log.hpp"

namespace tombolo::server::sync {

namespace {

constexpr Number format = 1;

/// Notes within the time that a client may be offline: how exactly that time is kept.
constexpr std::int64_t notes_per_limit = 64;
constexpr std::size_t notes_max = 256;

} // namespace

bool HistoryAges::note(const Note& note, std::int64_t limit_ms) {
    if (!notes_.empty()) {
        const Note& last = notes_.back();
        if (note.top <= last.top || note.unix_ms - last.unix_ms < limit_ms / notes_per_limit) {
            return false;
        }
    }
    notes_.push_back(note);
    if (notes_.size() > notes_max) {
        // Held back for long: the older half is kept half as exactly.
        std::vector<Note> thinned;
        for (std::size_t i = 0; i < notes_.size(); ++i) {
            if (i % 2 == 0 || i > notes_max / 2) {
                thinned.push_back(notes_[i]);
            }
        }
        notes_ = std::move(thinned);
    }
    return true;
}

Number HistoryAges::top_before(std::int64_t unix_ms) const noexcept {
    Number top = 0;
    for (const Note& note : notes_) {
        if (note.unix_ms <= unix_ms) {
            top = note.top;
        }
    }
    return top;
}

store::Version HistoryAges::store_floor(Number trimmed) const noexcept {
    store::Version version{};
    for (const Note& note : notes_) {
        if (note.top <= trimmed) {
            version = note.version;
        }
    }
    return version;
}

void HistoryAges::forget(Number trimmed) {
    // The last one at or below says where the past begins.
    while (notes_.size() > 1 && notes_[1].top <= trimmed) {
        notes_.erase(notes_.begin());
    }
}

std::string encode(const HistoryAges& ages) {
    RecordWriter out;
    out.number(format).number(ages.notes().size());
    for (const HistoryAges::Note& note : ages.notes()) {
        out.number(static_cast<Number>(note.unix_ms))
            .number(note.top)
            .number(store::number(note.version));
    }
    return out.take();
}

Result<HistoryAges> decode_ages(std::string_view record) {
    RecordReader in(record);
    in.number();
    HistoryAges ages;
    const Number count = in.number();
    for (Number i = 0; i < count && !in.failed(); ++i) {
        HistoryAges::Note note;
        note.unix_ms = static_cast<std::int64_t>(in.number());
        note.top = in.number();
        note.version = store::Version{in.number()};
        ages.notes_.push_back(note);
    }
    TOMBOLO_TRY_VOID(in.finish("ages of history"));
    return ages;
}

Result<std::optional<StoredHistory>> stored_history(const store::Snapshot& snapshot,
                                                    const ObjectId& app) {
    const RecordKeys keys(app);
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot.record(store::Space::meta, keys.state()));
    if (!record) {
        return std::optional<StoredHistory>();
    }
    TOMBOLO_TRY(const EngineState state, decode_state(*record));
    if (state.generations.empty()) {
        return std::optional<StoredHistory>(); // sync was ended
    }
    TOMBOLO_TRY(const std::optional<std::string> noted,
                snapshot.record(store::Space::meta, keys.ages()));
    StoredHistory history{state.trimmed, {}};
    if (noted) {
        TOMBOLO_TRY(history.ages, decode_ages(*noted));
    }
    return std::optional(std::move(history));
}

Result<void> erase_sync(store::Store& store, const ObjectId& app) {
    const RecordKeys keys(app);
    TOMBOLO_TRY(const std::optional<std::string> record,
                store.snapshot()->record(store::Space::meta, keys.state()));
    if (!record) {
        return {};
    }
    TOMBOLO_TRY(EngineState state, decode_state(*record));
    state.trimmed = state.top;
    state.generations.clear();
    store::Transaction transaction;
    const std::string end = end_of_prefix(keys.app());
    for (const store::Space space : {store::Space::history, store::Space::part,
                                     store::Space::reciprocal, store::Space::file}) {
        transaction.erase_records(space, keys.app(), end);
    }
    const std::string added = keys.schema(0);
    transaction.erase_records(store::Space::meta, added, end_of_prefix(added));
    transaction.erase_record(store::Space::meta, census_key(app));
    transaction.put_record(store::Space::meta, keys.state(), encode(state));
    TOMBOLO_TRY([[maybe_unused]] const store::Version done, store.commit(std::move(transaction)));
    return {};
}

Result<void> forget_sync(store::Store& store, const ObjectId& app) {
    const RecordKeys keys(app);
    store::Transaction transaction;
    transaction.erase_record(store::Space::meta, keys.state());
    transaction.erase_record(store::Space::meta, keys.ages());
    transaction.erase_record(store::Space::meta, census_key(app));
    const std::string conflicts = conflict_prefix(app);
    transaction.erase_records(store::Space::meta, conflicts, end_of_prefix(conflicts));
    TOMBOLO_TRY([[maybe_unused]] const store::Version done, store.commit(std::move(transaction)));
    return {};
}

void FileSweep::count(const FileState& file) {
    const std::optional<Number> needs = needs_history_above(file);
    if (needs && *needs < acknowledged_) {
        acknowledged_ = *needs;
        holder_ = file.ident;
    }
}

Result<bool> FileSweep::step(const store::Snapshot& snapshot, std::size_t files_max) {
    const auto cursor =
        snapshot.scan_records(store::Space::file, after_.empty() ? keys_.app() : after_ + '\0',
                              end_of_prefix(keys_.app()));
    std::string core_key;
    std::string core;
    for (std::size_t files = 0; files < files_max;) {
        if (!cursor->next()) {
            TOMBOLO_TRY_VOID(cursor->status());
            return true;
        }
        const std::string_view key = cursor->key();
        if (key.ends_with('c')) {
            core_key = key;
            core = cursor->value();
            continue;
        }
        after_ = key;
        ++files;
        if (core_key.size() != key.size() ||
            key.substr(0, key.size() - 1) != std::string_view(core_key).substr(0, key.size() - 1)) {
            continue;
        }
        TOMBOLO_TRY(const FileState file, decode_file(core, cursor->value()));
        const std::int64_t unseen_ms = limits_.now_ms - file.last_seen_ms;
        if (!file.is_dead && unseen_ms <= limits_.offline_ms) {
            count(file);
        } else if (unseen_ms > 2 * limits_.offline_ms) {
            forgotten_.push_back(file.ident);
        } else {
            passed_over_.push_back(file.ident);
        }
    }
    return false;
}

} // namespace tombolo::server::sync
