#include "server/sync/engine/history.hpp"

#include "changeset/codec.hpp"

namespace tombolo::server::sync {

namespace {

/// Encodings kept in one entry: beyond, groups are too many for sharing to pay.
constexpr std::size_t remembered_max = 1024;

std::size_t size_of(const Image& image) {
    return (image.document ? image.document->size() : 0) +
           (image.sidecar ? image.sidecar->size() : 0);
}

} // namespace

std::size_t Entry::bytes() const noexcept {
    std::size_t bytes = 512 + 8 * head_.changeset.size();
    for (const Images& each : images_) {
        bytes += size_of(each.before) + size_of(each.after);
    }
    return bytes;
}

std::shared_ptr<const EncodedPart> Entry::remembered(const Reading& reading) const {
    const MutexLock lock(mutex_);
    for (const auto& [known, part] : encoded_) {
        if (known == reading) {
            return part;
        }
    }
    return nullptr;
}

void Entry::remember(Reading reading, std::shared_ptr<const EncodedPart> part) const {
    const MutexLock lock(mutex_);
    if (encoded_.size() < remembered_max) {
        encoded_.emplace_back(std::move(reading), std::move(part));
    }
}

std::shared_ptr<const Entry> EntryCache::find(Number version) const {
    const MutexLock lock(mutex_);
    return version < first_ || version - first_ >= entries_.size() ? nullptr
                                                                   : entries_[version - first_];
}

void EntryCache::push(Number version, std::shared_ptr<const Entry> entry) {
    const MutexLock lock(mutex_);
    if (entries_.empty()) {
        first_ = version;
    }
    bytes_ += entry->bytes();
    entries_.push_back(std::move(entry));
    while (bytes_ > bytes_max_ && entries_.size() > 1) {
        bytes_ -= entries_.front()->bytes();
        entries_.pop_front();
        ++first_;
    }
}

Result<Image> HistorySource::document_at(const ObjectRef& object, Number version) const {
    TOMBOLO_TRY(const PartList above, parts(object, version));
    return document_at(object, version, above);
}

Result<Image> HistorySource::document_at(const ObjectRef& object, Number version,
                                         const PartList& above) const {
    for (const auto& [at, part] : above) {
        if (at > version && part.kind == PartKind::change) {
            return before(object, part.before);
        }
    }
    return current(object);
}

Result<std::shared_ptr<const Entry>> SnapshotHistory::entry(Number version) const {
    if (std::shared_ptr<const Entry> cached = cache_.find(version)) {
        return cached;
    }
    TOMBOLO_TRY(const std::optional<std::string> record,
                snapshot_.record(store::Space::history, keys_.history(version)));
    if (!record) {
        return Error(ErrorCode::out_of_range,
                     "history version " + std::to_string(version) + " is not kept any more");
    }
    TOMBOLO_TRY(HistoryEntry head, decode_history(*record));
    TOMBOLO_TRY(changeset::Changeset decoded, changeset::decode(head.changeset));
    CutChangeset cut(std::move(decoded));
    return std::shared_ptr<const Entry>(std::make_shared<Entry>(std::move(head), std::move(cut)));
}

Result<PartList> SnapshotHistory::parts(const ObjectRef& object, Number after) const {
    PartList parts;
    const std::string prefix = keys_.part_prefix(object);
    const auto cursor = snapshot_.scan_records(store::Space::part, keys_.part(object, after + 1),
                                               end_of_prefix(prefix));
    while (cursor->next()) {
        if (cursor->key().size() != prefix.size() + 8) {
            continue;
        }
        TOMBOLO_TRY(PartRecord part, decode_part(cursor->value()));
        parts.emplace_back(version_in_key(cursor->key()), std::move(part));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return parts;
}

} // namespace tombolo::server::sync
