// Secrets and settings of the AppRepository: what is part of no deployment.

#include <boost/json/serialize.hpp>

#include "server/app/app_records.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

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

} // namespace tombolo::server
