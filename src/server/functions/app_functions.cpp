#include "server/functions/app_functions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/bytes.hpp"
#include "server/functions/dependencies.hpp"
#include "server/runtime/sealer.hpp"

namespace tombolo::functions {

namespace json = boost::json;

Result<std::string> DependencyFolders::of(const server::App& app) {
    const std::string& archive = app.config.code.dependency_archive;
    if (archive.empty() || app.tree == nullptr) {
        return std::string();
    }
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[app.id];
    if (entry.deployment != app.deployment || entry.folder.empty()) {
        const std::string& content = app.tree->at(archive);
        const std::string name = to_hex(as_bytes(server::sha256(content))).substr(0, 32);
        const std::string folder = folder_ + "/" + app.id.to_string() + "-" + name;
        TOMBOLO_TRY_VOID(unpack_dependencies(archive, content, folder));
        entry = Entry{app.deployment, folder};
    }
    return entry.folder;
}

std::map<std::string, std::string> secret_values(const server::AppRepository& apps,
                                                 const server::App& app) {
    std::map<std::string, std::string> out;
    for (const auto& [name, value] : app.config.code.values) {
        if (!value.from_secret) {
            continue;
        }
        const json::string& secret = value.value.get_string();
        if (Result<std::string> found =
                apps.secret(app.id, std::string(secret.data(), secret.size()))) {
            out.emplace(name, *std::move(found));
        }
    }
    return out;
}

std::string describe(const server::App& app, const std::string& folder,
                     const DescriptionLimits& limits) {
    const server::FunctionsConfig& code = app.config.code;
    json::object sources;
    for (const auto& [name, function] : code.functions) {
        sources[name] =
            json::object{{"source", function.source}, {"runAsSystem", function.run_as_system}};
    }
    json::object values;
    for (const auto& [name, value] : code.values) {
        if (!value.from_secret) {
            values[name] = value.value;
        }
    }
    json::array http_services;
    for (const server::ServiceConfig& service : app.config.other_services) {
        if (service.type == "http") {
            http_services.emplace_back(service.name);
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
         json::object{{"tag", code.environment}, {"values", code.environment_values}}},
        {"folder", folder.empty() ? "/nonexistent" : folder},
        {"httpServices", std::move(http_services)},
        {"resultBytesMax", limits.result_bytes_max},
        {"logMessagesMax", limits.log_messages_max},
        {"logBytesMax", limits.log_bytes_max}};
    return json::serialize(description);
}

} // namespace tombolo::functions
