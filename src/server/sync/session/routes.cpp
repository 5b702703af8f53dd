#include "server/sync/session/routes.hpp"

namespace tombolo::server::sync {

Result<void> Routes::add(const ObjectId& app, const schema::Places& places) {
    std::vector<store::CollectionId> found;
    for (const auto& [class_name, place] : places) {
        const store::CollectionName name{place.data_source, place.database, place.collection};
        TOMBOLO_TRY(const store::CollectionId id, store_.ensure_collection(name));
        if (const auto owner = this->find(id); owner && *owner != app) {
            return Error(ErrorCode::already_exists,
                         "the collection is synced by another app of this server",
                         name.to_string());
        }
        found.push_back(id);
    }
    const MutexLock lock(mutex_);
    for (const store::CollectionId id : found) {
        apps_.emplace(id, app);
    }
    return {};
}

void Routes::remove(const ObjectId& app) {
    const MutexLock lock(mutex_);
    std::erase_if(apps_, [&](const auto& each) { return each.second == app; });
}

std::optional<ObjectId> Routes::find(store::CollectionId collection) const {
    const MutexLock lock(mutex_);
    const auto found = apps_.find(collection);
    return found == apps_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace tombolo::server::sync
