#include "server/functions/app_functions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/bytes.hpp"
#include "server/functions/dependencies.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::functions {

namespace json = boost::json;

Result<std::shared_ptr<const AppFunctions>> AppFunctionsBook::of(const server::App& app) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const AppFunctions>& entry = entries_[app.id];
    if (entry != nullptr && entry->deployment == app.deployment) {
        return entry;
    }
    TOMBOLO_TRY(const server::AppTree tree, apps_.tree(app.id, app.deployment));
    auto made = std::make_shared<AppFunctions>();
    made->config = server::parse_functions(tree);
    made->deployment = app.deployment;
    if (!made->config.dependency_archive.empty()) {
        TOMBOLO_TRY(made->folder, unpack(app, tree, made->config.dependency_archive));
    }
    // An older request may still run on the deployment before; it does not push the newer one out.
    if (entry != nullptr && entry->deployment > app.deployment) {
        return std::shared_ptr<const AppFunctions>(std::move(made));
    }
    entry = std::move(made);
    return entry;
}

Result<std::string> AppFunctionsBook::unpack(const server::App& app, const server::AppTree& tree,
                                             const std::string& archive) const {
    const std::string& content = tree.at(archive);
    const std::string name = to_hex(as_bytes(server::sha256(content))).substr(0, 32);
    const std::string folder = folder_ + "/" + app.id.to_string() + "-" + name;
    TOMBOLO_TRY_VOID(unpack_dependencies(archive, content, folder));
    return folder;
}

std::map<std::string, std::string> AppFunctionsBook::secrets(const server::App& app,
                                                             const AppFunctions& functions) const {
    std::map<std::string, std::string> out;
    for (const auto& [name, value] : functions.config.values) {
        if (!value.from_secret) {
            continue;
        }
        const json::string& secret = value.value.get_string();
        if (Result<std::string> found =
                apps_.secret(app.id, std::string(secret.data(), secret.size()))) {
            out.emplace(name, *std::move(found));
        }
    }
    return out;
}

std::string describe(const server::App& app, const AppFunctions& functions,
                     const DescriptionLimits& limits) {
    const server::FunctionsConfig& config = functions.config;
    json::object sources;
    for (const auto& [name, function] : config.functions) {
        sources[name] =
            json::object{{"source", function.source}, {"runAsSystem", function.run_as_system}};
    }
    json::object values;
    for (const auto& [name, value] : config.values) {
        if (!value.from_secret) {
            values[name] = value.value;
        }
    }
    const json::object description{
        {"app", json::object{{"id", app.id.to_string()},
                             {"clientAppId", app.client_app_id},
                             {"name", app.config.name},
                             {"deployment", json::object{{"id", std::to_string(app.deployment)},
                                                         {"isEnabled", true}}}}},
        {"functions", std::move(sources)},
        {"values", std::move(values)},
        {"environment",
         json::object{{"tag", config.environment}, {"values", config.environment_values}}},
        {"folder", functions.folder.empty() ? "/nonexistent" : functions.folder},
        {"httpServices", json::array()},
        {"resultBytesMax", limits.result_bytes_max},
        {"logMessagesMax", limits.log_messages_max},
        {"logBytesMax", limits.log_bytes_max}};
    return json::serialize(description);
}

} // namespace tombolo::functions
