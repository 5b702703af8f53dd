#include "server/app/app_layout.hpp"

#include <algorithm>
#include <array>

#include "server/app/app_config.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

constexpr const char* kept_root = "root_config.json";

struct RootFile {
    const char* name;
    AppLayout layout; ///< when the file says none
};
constexpr std::array root_files = {RootFile{"root_config.json", AppLayout::v20230101},
                                   RootFile{"realm_config.json", AppLayout::v20210101},
                                   RootFile{"config.json", AppLayout::v20200603},
                                   RootFile{"stitch.json", AppLayout::v20180301}};

const RootFile* root_of(const AppTree& tree) {
    for (const RootFile& one : root_files) {
        if (tree.contains(one.name)) {
            return &one;
        }
    }
    return nullptr;
}

bool is_data_source(const json::object& config) {
    const std::string type = string_or(config, "type");
    return type == "mongodb" || type == "mongodb-atlas" || type == "datalake";
}

// The names right below a folder: "functions/" -> "sum" of "functions/sum/config.json".
std::vector<std::string> folders_below(const AppTree& tree, const std::string& folder) {
    std::vector<std::string> out;
    for (auto file = tree.lower_bound(folder);
         file != tree.end() && file->first.starts_with(folder); ++file) {
        const std::size_t slash = file->first.find('/', folder.size());
        if (slash == std::string::npos) {
            continue;
        }
        std::string name = file->first.substr(folder.size(), slash - folder.size());
        if (out.empty() || out.back() != name) {
            out.push_back(std::move(name));
        }
    }
    return out;
}

class Normalizer {
  public:
    explicit Normalizer(const AppTree& tree) { out_.tree = tree; }

    Result<ImportedApp> run() {
        TOMBOLO_TRY(out_.layout, detect_layout(out_.tree));
        root();
        if (out_.layout < AppLayout::v20210101) {
            old_layout();
        }
        new_names();
        strip_ids();
        expand_templates();
        point_at_secrets();
        if (!problems_.empty()) {
            std::string text = "the app directory cannot be read";
            for (const std::string& problem : problems_) {
                text += "\n  " + problem;
            }
            return Error(ErrorCode::invalid_argument, std::move(text));
        }
        return std::move(out_);
    }

  private:
    json::object read(const std::string& path) {
        const auto found = out_.tree.find(path);
        if (found == out_.tree.end()) {
            return {};
        }
        Result<json::value> value = parse_json(found->second);
        if (value && value->is_object()) {
            return std::move(value->get_object());
        }
        if (!value || !value->is_null()) {
            problems_.push_back(path + ": " +
                                (value ? "expected a JSON object" : value.error().what()));
        }
        return {};
    }
    void write(const std::string& path, const json::value& value) {
        out_.tree[path] = pretty_json(value);
    }
    void move(const std::string& from, const std::string& to) {
        const auto found = out_.tree.find(from);
        if (found != out_.tree.end()) {
            out_.tree[to] = std::move(found->second);
            out_.tree.erase(found);
        }
    }

    void root() {
        const std::string name = root_of(out_.tree)->name;
        json::object file = read(name);
        out_.client_app_id = string_or(file, "app_id");
        for (const char* path : {".mdb/meta.json", ".mdb/app_meta.json"}) {
            if (out_.client_app_id.empty() && out_.tree.contains(path)) {
                out_.client_app_id = string_or(read(path), "client_app_id");
            }
        }
        if (!is_client_app_id(out_.client_app_id)) {
            // Published directories have theirs masked; the app gets one of its own.
            out_.notes.push_back(name + ": 'app_id' is no client app id, so it is ignored");
            out_.client_app_id.clear();
        }
        std::erase_if(out_.tree, [](const auto& one) {
            return one.first.starts_with(".mdb/") || one.first.starts_with(".tombolo/");
        });
        const bool plain =
            name == kept_root && !file.contains("app_id") && !file.contains("config_version");
        if (plain) {
            return;
        }
        out_.tree.erase(name);
        file.stable_erase("app_id");
        file.stable_erase("config_version");
        if (out_.layout < AppLayout::v20210101) {
            old_root(file);
        }
        write(kept_root, file);
    }

    // Parts that became files of their own.
    void old_root(json::object& file) {
        const json::object user_data = object_or_empty(file, "custom_user_data_config");
        if (!user_data.empty()) {
            write("auth/custom_user_data.json", user_data);
        }
        const json::object sync = object_or_empty(file, "sync");
        if (!sync.empty() && !out_.tree.contains("sync/config.json")) {
            write("sync/config.json", sync);
        }
        const json::object hosting = object_or_empty(file, "hosting");
        if (!hosting.empty() && !out_.tree.contains("hosting/config.json")) {
            write("hosting/config.json", hosting);
        }
        const json::object security = object_or_empty(file, "security");
        if (const json::value* origins = security.if_contains("allowed_request_origins");
            origins != nullptr && origins->is_array()) {
            file["allowed_request_origins"] = *origins;
        }
        for (const char* moved : {"custom_user_data_config", "sync", "security", "hosting"}) {
            file.stable_erase(moved);
        }
    }

    void old_layout() {
        old_providers();
        for (const std::string& name : folders_below(out_.tree, "functions/")) {
            old_function(name);
        }
        if (!functions_.empty()) {
            write("functions/config.json", functions_);
        }
        for (const std::string& name : folders_below(out_.tree, "services/")) {
            old_service(name);
        }
    }

    void old_providers() {
        const std::string folder = "auth_providers/";
        json::object all;
        std::vector<std::string> taken;
        for (auto file = out_.tree.lower_bound(folder);
             file != out_.tree.end() && file->first.starts_with(folder); ++file) {
            json::object provider = read(file->first);
            const std::string type = string_or(provider, "type", string_or(provider, "name"));
            all[type] = std::move(provider);
            taken.push_back(file->first);
        }
        for (const std::string& path : taken) {
            out_.tree.erase(path);
        }
        if (!all.empty()) {
            write("auth/providers.json", all);
        }
    }

    void old_function(const std::string& folder_name) {
        const std::string folder = "functions/" + folder_name + "/";
        if (!out_.tree.contains(folder + "config.json") ||
            !out_.tree.contains(folder + "source.js")) {
            return; // dependencies
        }
        json::object config = read(folder + "config.json");
        const std::string name = string_or(config, "name", folder_name);
        config["name"] = name;
        functions_.push_back(config);
        out_.tree.erase(folder + "config.json");
        move(folder + "source.js", "functions/" + name + ".js");
    }

    void old_service(const std::string& name) {
        const std::string folder = "services/" + name + "/";
        const json::object config = read(folder + "config.json");
        if (!is_data_source(config)) {
            return;
        }
        const std::string source = "data_sources/" + string_or(config, "name", name) + "/";
        move(folder + "config.json", source + "config.json");
        move(folder + "default_rule.json", source + "default_rule.json");
        const std::string rules = folder + "rules/";
        std::vector<std::string> taken;
        for (auto file = out_.tree.lower_bound(rules);
             file != out_.tree.end() && file->first.starts_with(rules); ++file) {
            taken.push_back(file->first);
        }
        for (const std::string& path : taken) {
            old_rule(path, source);
        }
    }

    void old_rule(const std::string& path, const std::string& source) {
        json::object rule = read(path);
        out_.tree.erase(path);
        const std::string database = string_or(rule, "database");
        const std::string collection = string_or(rule, "collection");
        if (database.empty() || collection.empty()) {
            out_.notes.push_back(path + ": left out, since it names no database and collection");
            return;
        }
        const std::string folder = source + path_part(database) + "/" + path_part(collection) + "/";
        const json::object schema = object_or_empty(rule, "schema");
        const json::object relationships = object_or_empty(rule, "relationships");
        if (!schema.empty()) {
            write(folder + "schema.json", schema);
            write(folder + "relationships.json", relationships);
        }
        for (const char* moved : {"schema", "relationships", "id", "_id"}) {
            rule.stable_erase(moved);
        }
        write(folder + "rules.json", rule);
    }

    // Endpoints are below https_endpoints/, whatever the layout called the folder.
    void new_names() {
        const std::string old_folder = "http_endpoints/";
        std::vector<std::string> taken;
        for (auto file = out_.tree.lower_bound(old_folder);
             file != out_.tree.end() && file->first.starts_with(old_folder); ++file) {
            taken.push_back(file->first);
        }
        for (const std::string& path : taken) {
            const std::string to = "https_endpoints/" + path.substr(old_folder.size());
            if (!out_.tree.contains(to)) {
                move(path, to);
            } else {
                out_.tree.erase(path);
            }
        }
    }

    static bool erase_ids(json::value& value) {
        if (!value.is_object()) {
            return false;
        }
        json::object& object = value.get_object();
        return object.stable_erase("_id") + object.stable_erase("id") != 0;
    }

    static bool has_own_ids(const std::string& path) {
        if (!path.ends_with(".json")) {
            return false;
        }
        const bool part = path.starts_with("values/") || path.starts_with("triggers/") ||
                          path.starts_with("log_forwarders/") ||
                          path.starts_with("graphql/custom_resolvers/");
        return part || path.ends_with("/config.json") || path.ends_with("/rules.json") ||
               path.ends_with("/default_rule.json") || path == "auth/providers.json";
    }

    void strip_ids() {
        for (auto& [path, text] : out_.tree) {
            if (!has_own_ids(path) || text.find("id\"") == std::string::npos) {
                continue;
            }
            Result<json::value> value = parse_json(text);
            if (!value) {
                continue; // parse_app() says so
            }
            bool changed = erase_ids(*value);
            if (value->is_array()) {
                for (json::value& one : value->get_array()) {
                    changed = erase_ids(one) || changed;
                }
            } else if (value->is_object() && path == "auth/providers.json") {
                for (auto& one : value->get_object()) {
                    changed = erase_ids(one.value()) || changed;
                }
            }
            if (changed) {
                text = pretty_json(*value);
            }
        }
    }

    // "%(%%environment.values.x)" is replaced by the value, which may be anything.
    void expand_templates() {
        constexpr std::string_view mark = "%(%%environment.values.";
        const bool any = std::any_of(out_.tree.begin(), out_.tree.end(), [&](const auto& file) {
            return file.first.ends_with(".json") && file.second.find(mark) != std::string::npos;
        });
        if (!any) {
            return;
        }
        const json::object values = parse_functions(out_.tree).environment_values;
        for (auto& [path, text] : out_.tree) {
            if (!path.ends_with(".json") || text.find(mark) == std::string::npos ||
                path.starts_with("environments/")) {
                continue;
            }
            Result<json::value> value = parse_json(text);
            if (value) {
                expand(path, *value, values, mark);
                text = pretty_json(*value);
            }
        }
    }

    // Depth is bounded by the parser.
    void expand(const std::string& path, json::value& value, // NOLINT(misc-no-recursion)
                const json::object& values, std::string_view mark) {
        if (value.is_object()) {
            for (auto& member : value.get_object()) {
                expand(path, member.value(), values, mark);
            }
        } else if (value.is_array()) {
            for (json::value& one : value.get_array()) {
                expand(path, one, values, mark);
            }
        } else if (value.is_string()) {
            const std::string_view text(value.get_string());
            if (!text.starts_with(mark) || !text.ends_with(")")) {
                return;
            }
            const std::string name(text.substr(mark.size(), text.size() - mark.size() - 1));
            const json::value* found = values.if_contains(name);
            if (found == nullptr) {
                problems_.push_back(path + ": environment value '" + name + "' is not defined");
                return;
            }
            out_.notes.push_back(path + ": '" + std::string(text) + "' was replaced by its value");
            value = *found;
        }
    }

    // secrets.json by owner: each leaf becomes a secret that the owner's secret_config names
    // (4.10).
    void point_at_secrets() {
        const json::object secrets = read("secrets.json");
        json::object providers = read("auth/providers.json");
        bool changed = false;
        for (const auto& [owner, keys] : object_or_empty(secrets, "auth_providers")) {
            json::value* provider = providers.if_contains(owner);
            if (provider != nullptr && provider->is_object() && keys.is_object()) {
                point(provider->get_object(), std::string(owner), keys.get_object());
                changed = true;
            }
        }
        if (changed) {
            write("auth/providers.json", providers);
        }
        for (const auto& [owner, keys] : object_or_empty(secrets, "services")) {
            for (const char* folder : {"data_sources/", "services/"}) {
                const std::string path = folder + std::string(owner) + "/config.json";
                if (out_.tree.contains(path) && keys.is_object()) {
                    json::object config = read(path);
                    point(config, std::string(owner), keys.get_object());
                    write(path, config);
                }
            }
        }
    }

    static void point(json::object& part, const std::string& owner, const json::object& keys) {
        json::object config = object_or_empty(part, "secret_config");
        for (const auto& [key, value] : keys) {
            config[key] = "__" + owner + "_" + std::string(key);
        }
        part["secret_config"] = config;
    }

    ImportedApp out_;
    json::array functions_;
    std::vector<std::string> problems_;
};

} // namespace

Result<AppLayout> detect_layout(const AppTree& tree) {
    const RootFile* root = root_of(tree);
    if (root == nullptr) {
        return Error(ErrorCode::not_found,
                     "this is no app directory: it has no root_config.json, realm_config.json, "
                     "config.json or stitch.json");
    }
    const Result<json::object> parsed = parse_json_object(tree.at(root->name));
    if (!parsed) {
        return parsed.error().within(root->name);
    }
    const json::object& file = *parsed;
    const json::value* version = file.if_contains("config_version");
    if (version == nullptr) {
        if (root->layout == AppLayout::v20200603) {
            return Error(ErrorCode::invalid_argument,
                         "config.json is no app's root file: it has no 'config_version'");
        }
        return root->layout;
    }
    std::int64_t number = 0;
    if (version->is_int64()) {
        number = version->get_int64();
    } else if (version->is_string()) { // some tools write it so
        for (const char c : version->get_string()) {
            number = c >= '0' && c <= '9' && number < 100'000'000 ? number * 10 + (c - '0') : 0;
        }
    }
    for (const AppLayout known :
         {AppLayout::v20180301, AppLayout::v20200603, AppLayout::v20210101, AppLayout::v20230101}) {
        if (number == static_cast<std::int64_t>(known)) {
            return known;
        }
    }
    return Error(ErrorCode::invalid_argument, std::string(root->name) +
                                                  ": 'config_version' must be 20180301, 20200603, "
                                                  "20210101 or 20230101");
}

Result<ImportedApp> normalize_app(const AppTree& tree) {
    return Normalizer(tree).run();
}

namespace {

class Exporter {
  public:
    Exporter(const AppTree& kept, const ExportOptions& options) : tree_(kept), options_(options) {
        tree_.erase("secrets.json");
        std::erase_if(tree_, [](const auto& one) { return one.first.starts_with(".tombolo/"); });
    }

    AppTree run() {
        const bool old = options_.layout < AppLayout::v20210101;
        root(old);
        if (options_.layout <= AppLayout::v20210101) {
            rename_folder("https_endpoints/", "http_endpoints/");
        }
        if (old) {
            providers();
            functions();
            for (const std::string& name : folders_below(tree_, "data_sources/")) {
                data_source(name);
            }
        }
        return std::move(tree_);
    }

  private:
    json::object read(const std::string& path) const {
        const auto found = tree_.find(path);
        const auto object = found == tree_.end() ? Result<json::object>(json::object())
                                                 : parse_json_object(found->second);
        return object ? *object : json::object();
    }
    void write(const std::string& path, const json::value& value) {
        tree_[path] = pretty_json(value);
    }

    void root(bool old) {
        if (options_.layout == AppLayout::v20230101) {
            return;
        }
        json::object file;
        if (!options_.client_app_id.empty()) {
            file["app_id"] = options_.client_app_id;
        }
        file["config_version"] = static_cast<std::int64_t>(options_.layout);
        for (const auto& [key, value] : read(kept_root)) {
            file[key] = value;
        }
        tree_.erase(kept_root);
        if (old) {
            const json::object user_data = read("auth/custom_user_data.json");
            file["custom_user_data_config"] =
                user_data.empty() ? json::object{{"enabled", false}} : user_data;
            // A file that names its data source cannot be part of the root file: it stays.
            const json::object sync = read("sync/config.json");
            if (string_or(sync, "service_name").empty()) {
                file["sync"] = json::object{
                    {"development_mode_enabled", bool_or(sync, "development_mode_enabled", false)}};
                tree_.erase("sync/config.json");
            }
            if (const json::value* origins = file.if_contains("allowed_request_origins")) {
                const json::value list = *origins;
                file.stable_erase("allowed_request_origins");
                file["security"] = json::object{{"allowed_request_origins", list}};
            }
            tree_.erase("auth/custom_user_data.json");
        }
        write(options_.layout == AppLayout::v20180301   ? "stitch.json"
              : options_.layout == AppLayout::v20200603 ? "config.json"
                                                        : "realm_config.json",
              file);
    }

    void rename_folder(const std::string& from, const std::string& to) {
        AppTree moved;
        std::erase_if(tree_, [&](auto& file) {
            if (!file.first.starts_with(from)) {
                return false;
            }
            moved[to + file.first.substr(from.size())] = file.second;
            return true;
        });
        tree_.merge(moved);
    }

    void providers() {
        for (const auto& [type, provider] : read("auth/providers.json")) {
            write("auth_providers/" + std::string(type) + ".json", provider);
        }
        tree_.erase("auth/providers.json");
    }

    void functions() {
        const auto found = tree_.find("functions/config.json");
        const auto list = found == tree_.end() ? Result<json::value>(json::value(nullptr))
                                               : parse_json(found->second);
        json::object entries;
        if (list && list->is_array()) {
            for (const json::value& one : list->get_array()) {
                if (one.is_object()) {
                    entries[string_or(one.get_object(), "name")] = one;
                }
            }
        }
        tree_.erase("functions/config.json");
        const FunctionsConfig parsed = parse_functions(tree_);
        for (const auto& [name, function] : parsed.functions) {
            // Folders of functions came with 20210101: here such a name is one folder's.
            const std::string folder = "functions/" + path_part(name) + "/";
            const json::value* entry = entries.if_contains(name);
            write(folder + "config.json",
                  entry != nullptr ? *entry
                                   : json::value(json::object{{"name", name}, {"private", false}}));
            tree_[folder + "source.js"] = function.source;
            tree_.erase("functions/" + name + ".js");
        }
    }

    void data_source(const std::string& name) {
        const std::string from = "data_sources/" + name + "/";
        const std::string to = "services/" + name + "/";
        std::vector<std::string> taken;
        for (auto file = tree_.lower_bound(from);
             file != tree_.end() && file->first.starts_with(from); ++file) {
            taken.push_back(file->first);
        }
        for (const std::string& path : taken) {
            if (path == from + "config.json" || path == from + "default_rule.json") {
                tree_[to + path.substr(from.size())] = tree_.at(path);
            } else if (path.ends_with("/rules.json") || path.ends_with("/schema.json")) {
                rule(path, from, to);
            }
        }
        for (const std::string& path : taken) {
            tree_.erase(path);
        }
    }

    void rule(const std::string& path, const std::string& from, const std::string& to) {
        const std::string folder = path.substr(0, path.rfind('/') + 1);
        const std::size_t slash = folder.find('/', from.size());
        const std::string database = folder.substr(from.size(), slash - from.size());
        const std::string collection = folder.substr(slash + 1, folder.size() - slash - 2);
        json::object out = read(folder + "rules.json");
        if (out.empty()) {
            out = json::object{{"database", name_of_path_part(database)},
                               {"collection", name_of_path_part(collection)}};
        }
        const json::object schema = read(folder + "schema.json");
        if (!schema.empty()) {
            out["schema"] = schema;
            out["relationships"] = read(folder + "relationships.json");
        }
        write(to + "rules/" + database + "." + collection + ".json", out);
    }

    AppTree tree_;
    const ExportOptions& options_;
};

} // namespace

AppTree export_app(const AppTree& kept, const ExportOptions& options) {
    return Exporter(kept, options).run();
}

} // namespace tombolo::server
