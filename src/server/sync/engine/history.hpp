#pragma once

// The history of the app and documents at its versions, as the stream and the integrator read them
// (server-sync-algorithm.md 2).
//
// Two sources: a snapshot of what is durable, and the batch being integrated, which lies over one.
// doc(O, v) is the image before the oldest change of O above v, else the current document.

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/mutex.hpp"
#include "core/result.hpp"
#include "server/sync/engine/changes.hpp"
#include "server/sync/engine/documents.hpp"
#include "server/sync/engine/records.hpp"
#include "server/sync/engine/view.hpp"

namespace tombolo::server::sync {

/// What D(v) holds for one view; shared by every file that has it.
struct EncodedPart {
    std::vector<std::byte> changeset; ///< empty: nothing is sent
    Number origin = server_ident;
};

/// A history entry, decoded. Immutable but for what it remembers. Thread-safety: safe.
class Entry {
  public:
    struct Images {
        Image before;
        Image after;
    };

    Entry(HistoryEntry head, CutChangeset cut) : head_(std::move(head)), cut_(std::move(cut)) {}

    const HistoryEntry& head() const noexcept { return head_; }
    const CutChangeset& cut() const noexcept { return cut_; }

    /// By part, where they were at hand when the entry was made; else empty.
    const std::vector<Images>& images() const noexcept { return images_; }
    void set_images(std::vector<Images> images) { images_ = std::move(images); }
    std::size_t bytes() const noexcept;
    /// Its origin is sent nothing for it: nothing left that device's view.
    bool is_silent_for_origin() const noexcept { return is_silent_for_origin_; }
    void set_silent_for_origin() { is_silent_for_origin_ = true; }

    /// By View::reading().
    using Reading = std::shared_ptr<const std::string>;
    std::shared_ptr<const EncodedPart> remembered(const Reading& reading) const
        TOMBOLO_EXCLUDES(mutex_);
    void remember(Reading reading, std::shared_ptr<const EncodedPart> part) const
        TOMBOLO_EXCLUDES(mutex_);

  private:
    HistoryEntry head_;
    CutChangeset cut_;
    std::vector<Images> images_;
    bool is_silent_for_origin_ = false;

    mutable Mutex mutex_;
    mutable std::vector<std::pair<Reading, std::shared_ptr<const EncodedPart>>>
        encoded_ TOMBOLO_GUARDED_BY(mutex_);
};

/// The newest durable entries, so that fan-out does not read the store. Thread-safety: safe.
class EntryCache {
  public:
    explicit EntryCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    std::shared_ptr<const Entry> find(Number version) const TOMBOLO_EXCLUDES(mutex_);
    /// REQUIRES: versions come in order without gaps.
    void push(Number version, std::shared_ptr<const Entry> entry) TOMBOLO_EXCLUDES(mutex_);

  private:
    const std::size_t bytes_max_;
    mutable Mutex mutex_;
    Number first_ TOMBOLO_GUARDED_BY(mutex_) = 0;
    std::deque<std::shared_ptr<const Entry>> entries_ TOMBOLO_GUARDED_BY(mutex_);
    std::size_t bytes_ TOMBOLO_GUARDED_BY(mutex_) = 0;
};

using PartList = std::vector<std::pair<Number, PartRecord>>;

class HistorySource {
  public:
    virtual ~HistorySource() = default;

    virtual Number top() const = 0;
    /// REQUIRES: 0 < version <= top(). out_of_range when it was trimmed.
    virtual Result<std::shared_ptr<const Entry>> entry(Number version) const = 0;
    /// The entries above `after` that say something about the object, in order.
    virtual Result<PartList> parts(const ObjectRef& object, Number after) const = 0;
    virtual Result<Image> current(const ObjectRef& object) const = 0;
    virtual Result<Image> before(const ObjectRef& object, const BeforeImage& image) const = 0;

    /// doc(O, v).
    Result<Image> document_at(const ObjectRef& object, Number version) const;
    /// The same when the parts above `version` are at hand.
    Result<Image> document_at(const ObjectRef& object, Number version, const PartList& parts) const;
};

/// What is durable. Borrows all of them.
class SnapshotHistory final : public HistorySource {
  public:
    SnapshotHistory(const store::Snapshot& snapshot, const store::Store& store,
                    const RecordKeys& keys, const Model& model, const EntryCache& cache, Number top)
        : snapshot_(snapshot), images_(snapshot, store), keys_(keys), model_(model), cache_(cache),
          top_(top) {}

    Number top() const override { return top_; }
    Result<std::shared_ptr<const Entry>> entry(Number version) const override;
    Result<PartList> parts(const ObjectRef& object, Number after) const override;
    Result<Image> current(const ObjectRef& object) const override {
        return images_.current(model_, object);
    }
    Result<Image> before(const ObjectRef& object, const BeforeImage& image) const override {
        return images_.before(model_, object, image);
    }
    const ImageReader& images() const noexcept { return images_; }

  private:
    const store::Snapshot& snapshot_;
    ImageReader images_;
    const RecordKeys& keys_;
    const Model& model_;
    const EntryCache& cache_;
    Number top_;
};

} // namespace tombolo::server::sync
