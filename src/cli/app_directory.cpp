#include "cli/app_directory.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <boost/json/array.hpp>

#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace fs = std::filesystem;
namespace json = boost::json;
using server::AppTree;

namespace {

constexpr int levels_up_max = 8;
constexpr const char* meta_files[] = {".mdb/meta.json", ".mdb/app_meta.json"};

std::string read_small_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The root file of a directory; empty when it is no app directory.
std::string root_file(const fs::path& directory) {
    std::error_code error;
    for (const char* name : {"root_config.json", "realm_config.json", "stitch.json"}) {
        if (fs::is_regular_file(directory / name, error)) {
            return name;
        }
    }
    if (fs::is_regular_file(directory / "config.json", error)) {
        const auto config = server::parse_json_object(read_small_file(directory / "config.json"));
        if (config && config->contains("config_version")) {
            return "config.json";
        }
    }
    return {};
}

class Converter {
  public:
    explicit Converter(const AppTree& tree) : tree_(tree) {}

    AppJson run() {
        std::string root;
        for (const char* name :
             {"root_config.json", "realm_config.json", "stitch.json", "config.json"}) {
            if (tree_.contains(name)) {
                root = name;
                break;
            }
        }
        if (root.empty()) {
            out_.problems.push_back({"root_config.json", "is missing: this is no app directory"});
            return std::move(out_);
        }
        out_.app = object(root);
        if (!out_.app.contains("config_version")) {
            out_.app["config_version"] = root == "root_config.json" ? 20230101 : 20210101;
        }
        const json::value& version = out_.app.at("config_version");
        const bool old = root == "stitch.json" || root == "config.json" ||
                         (version.is_int64() && version.get_int64() < 20210101);
        common();
        if (old) {
            old_layout();
        } else {
            new_layout();
        }
        return std::move(out_);
    }

  private:
    void problem(const std::string& path, const std::string& message) {
        out_.problems.push_back({path, message});
    }

    json::value any(const std::string& path) {
        Result<json::value> parsed = server::parse_json(tree_.at(path));
        if (!parsed) {
            problem(path, parsed.error().what());
            return nullptr;
        }
        return *std::move(parsed);
    }

    json::object object(const std::string& path) {
        if (!tree_.contains(path)) {
            return {};
        }
        json::value value = any(path);
        if (!value.is_object()) {
            if (!value.is_null()) {
                problem(path, "must be a JSON object");
            }
            return {};
        }
        return std::move(value.get_object());
    }

    json::array array(const std::string& path) {
        if (!tree_.contains(path)) {
            return {};
        }
        json::value value = any(path);
        if (!value.is_array()) {
            if (!value.is_null()) {
                problem(path, "must be a JSON array");
            }
            return {};
        }
        return std::move(value.get_array());
    }

    // Paths below `folder/`, with the folder taken off.
    std::vector<std::string> below(const std::string& folder) const {
        std::vector<std::string> out;
        const std::string prefix = folder + "/";
        for (auto at = tree_.lower_bound(prefix);
             at != tree_.end() && at->first.starts_with(prefix); ++at) {
            out.push_back(at->first.substr(prefix.size()));
        }
        return out;
    }

    // Names of the folders right below `folder/`.
    std::vector<std::string> folders(const std::string& folder) const {
        std::vector<std::string> out;
        for (const std::string& path : below(folder)) {
            const std::size_t slash = path.find('/');
            if (slash != std::string::npos &&
                (out.empty() || out.back() != path.substr(0, slash))) {
                out.push_back(path.substr(0, slash));
            }
        }
        return out;
    }

    // Every `folder/<name>.json` right below it.
    json::array files(const std::string& folder) {
        json::array out;
        for (const std::string& path : below(folder)) {
            if (path.ends_with(".json") && path.find('/') == std::string::npos) {
                out.push_back(object(folder + "/" + path));
            }
        }
        return out;
    }

    void common() {
        json::object environments;
        for (const std::string& path : below("environments")) {
            if (path.ends_with(".json")) {
                environments[path] = object("environments/" + path);
            }
        }
        out_.app["environments"] = std::move(environments);
        out_.app["values"] = files("values");
        out_.app["triggers"] = files("triggers");
        out_.app["log_forwarders"] = files("log_forwarders");
        out_.app["graphql"] = {{"config", object("graphql/config.json")},
                               {"custom_resolvers", files("graphql/custom_resolvers")}};
        if (tree_.contains("secrets.json")) {
            out_.app["secrets"] = object("secrets.json");
        }
    }

    json::array webhooks(const std::string& service) {
        json::array out;
        for (const std::string& name : folders(service + "/incoming_webhooks")) {
            const std::string folder = service + "/incoming_webhooks/" + name;
            const auto source = tree_.find(folder + "/source.js");
            out.push_back({{"config", object(folder + "/config.json")},
                           {"source", source == tree_.end() ? "" : source->second}});
        }
        return out;
    }

    // A folder of services: {config, default_rule?, incoming_webhooks[], rules[]}.
    json::array services(const std::string& parent) {
        json::array out;
        for (const std::string& name : folders(parent)) {
            const std::string folder = parent + "/" + name;
            if (!tree_.contains(folder + "/config.json")) {
                problem(folder + "/config.json", "is missing");
                continue;
            }
            json::object service{{"config", object(folder + "/config.json")},
                                 {"incoming_webhooks", webhooks(folder)},
                                 {"rules", files(folder + "/rules")}};
            if (tree_.contains(folder + "/default_rule.json")) {
                service["default_rule"] = object(folder + "/default_rule.json");
            }
            out.push_back(std::move(service));
        }
        return out;
    }

    json::array data_sources() {
        json::array out;
        for (const std::string& name : folders("data_sources")) {
            const std::string folder = "data_sources/" + name;
            if (!tree_.contains(folder + "/config.json")) {
                problem(folder + "/config.json", "is missing");
                continue;
            }
            json::object source{{"config", object(folder + "/config.json")}};
            if (tree_.contains(folder + "/default_rule.json")) {
                source["default_rule"] = object(folder + "/default_rule.json");
            }
            json::array rules;
            for (const std::string& database : folders(folder)) {
                for (const std::string& collection : folders(folder + "/" + database)) {
                    rules.push_back(collection_rule(folder, database, collection));
                }
            }
            source["rules"] = std::move(rules);
            out.push_back(std::move(source));
        }
        return out;
    }

    json::object collection_rule(const std::string& source, const std::string& database,
                                 const std::string& collection) {
        const std::string folder = source + "/" + database + "/" + collection;
        json::object rule = object(folder + "/rules.json");
        if (!rule.contains("database")) {
            rule["database"] = database;
        }
        if (!rule.contains("collection")) {
            rule["collection"] = collection;
        }
        if (tree_.contains(folder + "/schema.json")) {
            rule["schema"] = object(folder + "/schema.json");
        }
        if (tree_.contains(folder + "/relationships.json")) {
            rule["relationships"] = object(folder + "/relationships.json");
        }
        return rule;
    }

    void new_layout() {
        out_.app["auth"] = {{"custom_user_data", object("auth/custom_user_data.json")},
                            {"providers", object("auth/providers.json")}};
        json::object sources;
        for (const std::string& path : below("functions")) {
            if (path.ends_with(".js")) {
                sources[path] = tree_.at("functions/" + path);
            }
        }
        out_.app["functions"] = {{"config", array("functions/config.json")},
                                 {"sources", std::move(sources)}};
        out_.app["data_sources"] = data_sources();
        out_.app["services"] = services("services");
        out_.app["sync"] = {{"config", object("sync/config.json")}};
        endpoint_parts();
    }

    void endpoint_parts() {
        const std::string endpoints =
            folders_exist("https_endpoints") ? "https_endpoints" : "http_endpoints";
        out_.app["endpoints"] = {{"config", array(endpoints + "/config.json")}};
        out_.app["data_api_config"] = object(endpoints + "/data_api_config.json");
        out_.app["http_endpoints"] = services(endpoints);
    }

    bool folders_exist(const std::string& folder) const { return !below(folder).empty(); }

    void old_layout() {
        out_.app["auth_providers"] = files("auth_providers");
        json::array functions;
        for (const std::string& name : folders("functions")) {
            const std::string folder = "functions/" + name;
            const auto source = tree_.find(folder + "/source.js");
            if (source == tree_.end()) {
                continue; // node_modules and the like
            }
            functions.push_back(
                {{"config", object(folder + "/config.json")}, {"source", source->second}});
        }
        out_.app["functions"] = std::move(functions);
        out_.app["services"] = services("services");
        // What came with later layouts stands beside the rest.
        if (tree_.contains("sync/config.json")) {
            out_.app["sync"] = {{"config", object("sync/config.json")}};
        }
        endpoint_parts();
    }

    const AppTree& tree_;
    AppJson out_;
};

} // namespace

std::optional<std::string> find_app_root(const std::string& start) {
    std::error_code error;
    fs::path directory = fs::absolute(start, error).lexically_normal();
    for (int level = 0; !error && level <= levels_up_max; ++level) {
        if (!root_file(directory).empty()) {
            std::string found = directory.string();
            while (found.size() > 1 && found.ends_with('/')) {
                found.pop_back();
            }
            return found;
        }
        if (directory == directory.parent_path()) {
            break;
        }
        directory = directory.parent_path();
    }
    return {};
}

std::string app_id_of(const std::string& root) {
    for (const char* file : meta_files) {
        const auto meta = server::parse_json_object(read_small_file(fs::path(root) / file));
        if (meta && meta->contains("client_app_id")) {
            return server::string_or(*meta, "client_app_id");
        }
    }
    const std::string file = root_file(root);
    const auto config = server::parse_json_object(read_small_file(fs::path(root) / file));
    return config ? server::string_or(*config, "app_id") : std::string();
}

Result<void> write_app_meta(const std::string& root, const std::string& app_id,
                            const std::string& group_id, const std::string& client_app_id) {
    const fs::path folder = fs::path(root) / ".mdb";
    std::error_code error;
    fs::create_directories(folder, error);
    const fs::path path = folder / "meta.json";
    std::ofstream file(path, std::ios::binary);
    file << server::pretty_json({{"config_version", 20230101},
                                 {"app_id", app_id},
                                 {"group_id", group_id},
                                 {"client_app_id", client_app_id}});
    file.close();
    if (error || !file.good()) {
        return Error(ErrorCode::io, "cannot write a file", path.string());
    }
    return {};
}

AppJson app_to_json(const AppTree& tree) {
    return Converter(tree).run();
}

} // namespace tombolo::cli
