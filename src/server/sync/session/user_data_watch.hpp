#pragma once

// Whose custom user data a write says: those users' roles may be others afterwards
// (device-sync-server.md 4.6).
//
// Knows the custom data collections of apps that sync. A document that is erased names nobody, as
// the field with the user is gone with it: unset the data instead. What devices write to such a
// collection is not seen here; custom data that decides permissions is none of theirs to write.
//
// Thread-safety: all members from any thread.

#include <map>
#include <string>
#include <vector>

#include "core/mutex.hpp"
#include "server/app/app_repository.hpp"
#include "server/store/store.hpp"

namespace tombolo::server::sync {

struct ChangedUser {
    ObjectId app;
    std::string user_id;
};

class UserDataWatch {
  public:
    explicit UserDataWatch(store::Store& store) : store_(store) {}

    /// As the app's deployment has it from now on.
    Result<void> set(const App& app) TOMBOLO_EXCLUDES(mutex_);
    void remove(const ObjectId& app) TOMBOLO_EXCLUDES(mutex_);

    std::vector<ChangedUser> users_in(const store::Transaction& transaction) const
        TOMBOLO_EXCLUDES(mutex_);

  private:
    struct Watched {
        ObjectId app;
        std::string field; ///< holds the user's id, as a string or an ObjectId
    };

    store::Store& store_;
    mutable Mutex mutex_;
    std::multimap<store::CollectionId, Watched> watched_ TOMBOLO_GUARDED_BY(mutex_);
};

} // namespace tombolo::server::sync
