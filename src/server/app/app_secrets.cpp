// Secrets and settings of the AppRepository: what is part of no deployment.

#include <boost/json/serialize.hpp>

#include "server/app/app_records.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace {

constexpr std::string_view access_list_setting = "access_list";

} // namespace

using namespace records;

Result<void> AppRepository::set_secret(const ObjectId& app, const std::string& name,
                                       const std::string& value) {
    const std::string key = secret_key(app, name);
    store::Transaction transaction;
    transaction.put_record(Space::meta, key, sealer_.seal(key, value));
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    return {};
}

Result<std::string> AppRepository::secret(const ObjectId& app, const std::string& name) const {
    const std::string key = secret_key(app, name);
    TOMBOLO_TRY(const std::optional<std::string> sealed,
                store_.snapshot()->record(Space::meta, key));
    if (!sealed) {
        return Error(ErrorCode::not_found, "secret '" + name + "' is not defined");
    }
    return sealer_.open(key, *sealed);
}

Result<std::vector<std::string>> AppRepository::secret_names(const ObjectId& app) const {
    const std::string prefix = secret_key(app, {});
    const auto snapshot = store_.snapshot();
    const auto cursor =
        snapshot->scan_records(Space::meta, prefix, store::embedded::prefix_end(prefix));
    std::vector<std::string> names;
    while (cursor->next()) {
        names.emplace_back(cursor->key().substr(prefix.size()));
    }
    TOMBOLO_TRY_VOID(cursor->status());
    return names;
}

Result<void> AppRepository::remove_secret(const ObjectId& app, const std::string& name) {
    const std::string key = secret_key(app, name);
    TOMBOLO_TRY(const std::optional<std::string> sealed,
                store_.snapshot()->record(Space::meta, key));
    if (!sealed) {
        return Error(ErrorCode::not_found, "secret '" + name + "' is not defined");
    }
    store::Transaction transaction;
    transaction.erase_record(Space::meta, key);
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    return {};
}

Result<boost::json::object> AppRepository::setting(const ObjectId& app,
                                                   std::string_view name) const {
    TOMBOLO_TRY(const std::optional<std::string> stored,
                store_.snapshot()->record(Space::meta, setting_key(app, name)));
    if (!stored) {
        return boost::json::object();
    }
    return parse_json_object(*stored);
}

Result<void> AppRepository::set_setting(const ObjectId& app, std::string_view name,
                                        const boost::json::object& value) {
    store::Transaction transaction;
    transaction.put_record(Space::meta, setting_key(app, name), boost::json::serialize(value));
    TOMBOLO_TRY(const store::Version written, store_.commit(std::move(transaction)));
    static_cast<void>(written);
    return {};
}

Result<void> AppRepository::load_access_list(const ObjectId& app) {
    TOMBOLO_TRY(const boost::json::object stored, setting(app, access_list_setting));
    auto list = std::make_shared<const AccessList>(AccessList::from_json(stored));
    const std::unique_lock lock(mutex_);
    access_[app] = std::move(list);
    return {};
}

std::shared_ptr<const AccessList> AppRepository::access_list(const ObjectId& app) const {
    static const auto everybody = std::make_shared<const AccessList>();
    const std::shared_lock lock(mutex_);
    const auto found = access_.find(app);
    return found == access_.end() ? everybody : found->second;
}

Result<std::shared_ptr<const AccessList>>
AppRepository::change_access_list(const ObjectId& app,
                                  const std::function<void(AccessList&)>& change) {
    const std::lock_guard lock(deploy_mutex_);
    if (find(app) == nullptr) {
        return no_app();
    }
    AccessList changed = *access_list(app);
    change(changed);
    TOMBOLO_TRY_VOID(set_setting(app, access_list_setting, changed.to_json()));
    TOMBOLO_TRY_VOID(load_access_list(app));
    return access_list(app);
}

} // namespace tombolo::server
