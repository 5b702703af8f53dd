#pragma once

// What is durable, for a session: the newest entries from memory; a snapshot is taken only when
// something else is asked for. Borrows all of them. Not thread-safe.

#include <memory>
#include <optional>

#include "server/sync/engine/history.hpp"

namespace tombolo::server::sync {

class LazyHistory final : public HistorySource {
  public:
    LazyHistory(const store::Store& store, const RecordKeys& keys, const Model& model,
                const EntryCache& cache, Number top)
        : store_(store), keys_(keys), model_(model), cache_(cache), top_(top) {}

    Number top() const override { return top_; }
    Result<std::shared_ptr<const Entry>> entry(Number version) const override {
        if (std::shared_ptr<const Entry> cached = cache_.find(version)) {
            return cached;
        }
        return stored().entry(version);
    }
    Result<PartList> parts(const ObjectRef& object, Number after) const override {
        return stored().parts(object, after);
    }
    Result<Image> current(const ObjectRef& object) const override {
        return stored().current(object);
    }
    Result<Image> before(const ObjectRef& object, const BeforeImage& image) const override {
        return stored().before(object, image);
    }

  private:
    const SnapshotHistory& stored() const {
        if (!history_) {
            snapshot_ = store_.snapshot();
            history_.emplace(*snapshot_, store_, keys_, model_, cache_, top_);
        }
        return *history_;
    }

    const store::Store& store_;
    const RecordKeys& keys_;
    const Model& model_;
    const EntryCache& cache_;
    const Number top_;
    mutable std::unique_ptr<store::Snapshot> snapshot_;
    mutable std::optional<SnapshotHistory> history_;
};

} // namespace tombolo::server::sync
