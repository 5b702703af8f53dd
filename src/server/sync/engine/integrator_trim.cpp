// What the integrator forgets, and what it must know for that (trim.hpp).

#include <algorithm>

#include "server/sync/engine/integrator.hpp"

namespace tombolo::server::sync {

Result<void> Integrator::note_seen(Number ident, std::int64_t unix_ms, std::int64_t offline_ms) {
    const Result<LoadedFile*> file = load(ident);
    if (!file) {
        return file.error().code() == ErrorCode::not_found ? Result<void>()
                                                           : Result<void>(file.error());
    }
    std::int64_t& last = (*file)->state.last_seen_ms;
    if (unix_ms - last > offline_ms / 8) {
        batch_->changed_cores.insert(ident); // worth a commit of its own
    } else {
        lazy_cores_.insert(ident);
    }
    last = std::max(last, unix_ms);
    return {};
}

void Integrator::note_age(store::Version version, Number top, std::int64_t offline_ms) {
    ages_changes_ += ages_.note({clock_.unix_ms(), top, version}, offline_ms) ? 1 : 0;
}

void Integrator::trim(Number to) {
    if (to <= state_.trimmed) {
        return;
    }
    batch_->erased_ranges.emplace_back(store::Space::history, keys_.history(0),
                                       keys_.history(to + 1));
    state_.trimmed = to;
    batch_->state_changed = true;
    ages_.forget(to);
    ++ages_changes_;
}

Result<void> Integrator::forget_file(Number ident) {
    TOMBOLO_TRY(const LoadedFile* file, load(ident));
    if (!file->reciprocals.empty()) {
        const std::string prefix = keys_.reciprocal_prefix(ident);
        batch_->erased_ranges.emplace_back(store::Space::reciprocal, prefix, end_of_prefix(prefix));
    }
    batch_->erased_files.push_back(ident);
    batch_->changed_cores.erase(ident);
    batch_->changed_views.erase(ident);
    lazy_cores_.erase(ident);
    files_.erase(ident);
    return {};
}

} // namespace tombolo::server::sync
