#include "server/sync/session/user_data_watch.hpp"

namespace tombolo::server::sync {

Result<void> UserDataWatch::set(const App& app) {
    remove(app.id);
    const CustomUserDataConfig& config = app.config.custom_user_data;
    if (!config.enabled || !app.config.sync.enabled()) {
        return {};
    }
    TOMBOLO_TRY(const store::CollectionId collection,
                store_.ensure_collection(
                    {config.service_name, config.database_name, config.collection_name}));
    const MutexLock lock(mutex_);
    watched_.emplace(collection, Watched{app.id, config.user_id_field});
    return {};
}

void UserDataWatch::remove(const ObjectId& app) {
    const MutexLock lock(mutex_);
    std::erase_if(watched_, [&](const auto& each) { return each.second.app == app; });
}

std::vector<ChangedUser> UserDataWatch::users_in(const store::Transaction& transaction) const {
    std::vector<ChangedUser> out;
    const MutexLock lock(mutex_);
    if (watched_.empty()) {
        return out;
    }
    for (const store::Transaction::Request& request : transaction.requests()) {
        const auto* document = std::get_if<store::Transaction::DocumentRequest>(&request);
        if (document == nullptr ||
            document->kind == store::Transaction::DocumentRequest::Kind::erase) {
            continue;
        }
        const auto [first, last] = watched_.equal_range(document->collection);
        for (auto each = first; each != last; ++each) {
            const mql::BsonView user = document->document.view().find(each->second.field);
            if (user.type() == mql::BsonType::string) {
                out.push_back({each->second.app, std::string(user.as_string())});
            } else if (user.type() == mql::BsonType::object_id) {
                out.push_back({each->second.app, user.as_object_id().to_string()});
            }
        }
    }
    return out;
}

} // namespace tombolo::server::sync
