#pragma once

// Which app syncs a collection: where an outside write has to go.
//
// Made from the deployments, not from running engines, so that a write that comes before the first
// device starts the engine of its app. An app whose sync is paused keeps its collections: devices
// get the changes when they come back. A collection is one app's: the first that was deployed with
// it keeps it, and an app that lost one cannot sync.
//
// Thread-safety: all members from any thread.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/mutex.hpp"
#include "server/app/app_repository.hpp"
#include "server/store/store.hpp"
#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

class Routes {
  public:
    explicit Routes(store::Store& store) : store_(store) {}

    /// The app syncs these places from now on, besides those it had. Errors: already_exists when
    /// another app has one; those of the store.
    Result<void> add(const ObjectId& app, const schema::Places& places) TOMBOLO_EXCLUDES(mutex_);
    /// The app does not sync any more.
    void remove(const ObjectId& app) TOMBOLO_EXCLUDES(mutex_);

    std::optional<ObjectId> find(store::CollectionId collection) const TOMBOLO_EXCLUDES(mutex_);

  private:
    store::Store& store_;
    mutable Mutex mutex_;
    std::map<store::CollectionId, ObjectId> apps_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo::server::sync
