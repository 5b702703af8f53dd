#include "server/app/app_json.hpp"

#include <algorithm>
#include <array>

#include "server/app/app_config.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

constexpr std::array parts = {
    "environments", "values",         "auth",           "functions",
    "triggers",     "data_sources",   "services",       "http_endpoints",
    "endpoints",    "graphql",        "hosting",        "sync",
    "secrets",      "log_forwarders", "auth_providers", "data_api_config"};

bool is_part(std::string_view key) {
    return std::find(parts.begin(), parts.end(), key) != parts.end();
}

// A name as a file name: no slash can lead elsewhere.
std::string file_name(const std::string& name) {
    return path_part(name.empty() ? std::string("unnamed") : name);
}

bool is_source_path(std::string_view path) {
    return !path.empty() && path.front() != '/' && path.find("//") == std::string_view::npos &&
           path.find('\\') == std::string_view::npos && path.find('\0') == std::string_view::npos &&
           ("/" + std::string(path) + "/").find("/../") == std::string::npos &&
           ("/" + std::string(path) + "/").find("/./") == std::string::npos;
}

class Unpacker {
  public:
    explicit Unpacker(const json::object& app) : app_(app) {}

    Result<AppTree> run() {
        const json::value* version = app_.if_contains("config_version");
        const std::int64_t number =
            version != nullptr && version->is_int64() ? version->get_int64() : 20230101;
        const json::value* functions = app_.if_contains("functions");
        old_ = number < 20210101 ||
               (version == nullptr && functions != nullptr && functions->is_array());
        root(number);
        common();
        if (old_) {
            old_parts();
        } else {
            new_parts();
        }
        if (!problems_.empty()) {
            std::string text = "the app cannot be read";
            for (const std::string& problem : problems_) {
                text += "\n  " + problem;
            }
            return Error(ErrorCode::invalid_argument, std::move(text));
        }
        return std::move(out_);
    }

  private:
    void write(const std::string& path, const json::value& value) {
        out_[path] = pretty_json(value);
    }
    // The member as an object; empty when it is absent, null or wrong (which is noted).
    json::object object(const json::object& from, const std::string& where, const char* key) {
        const json::value* value = from.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return {};
        }
        if (!value->is_object()) {
            problems_.push_back(where + ": '" + key + "' must be an object");
            return {};
        }
        return value->get_object();
    }
    // An array of objects; {} counts as empty.
    json::array list(const json::object& from, const std::string& where, const char* key) {
        const json::value* value = from.if_contains(key);
        if (value == nullptr || value->is_null() ||
            (value->is_object() && value->get_object().empty())) {
            return {};
        }
        if (!value->is_array() ||
            !std::all_of(value->get_array().begin(), value->get_array().end(),
                         [](const json::value& one) { return one.is_object(); })) {
            problems_.push_back(where + ": '" + key + "' must be an array of objects");
            return {};
        }
        return value->get_array();
    }

    void root(std::int64_t version) {
        json::object file;
        for (const auto& [key, value] : app_) {
            // Part of the old root file, unless it is a file of its own.
            const bool inline_sync = old_ && key == "sync" && value.is_object() &&
                                     !value.get_object().contains("config");
            if (!is_part(key) || inline_sync) {
                file[key] = value;
            }
        }
        write(version == 20180301   ? "stitch.json"
              : old_                ? "config.json"
              : version == 20210101 ? "realm_config.json"
                                    : "root_config.json",
              file);
    }

    void named(const char* key, const std::string& folder) {
        for (const json::value& one : list(app_, "app", key)) {
            const json::object& file = one.get_object();
            write(folder + file_name(string_or(file, "name")) + ".json", file);
        }
    }

    void common() {
        for (const auto& [name, value] : object(app_, "app", "environments")) {
            write("environments/" + file_name(std::string(name)), value);
        }
        named("values", "values/");
        named("triggers", "triggers/");
        named("log_forwarders", "log_forwarders/");
        const json::object graphql = object(app_, "app", "graphql");
        const json::object config = object(graphql, "graphql", "config");
        if (!config.empty()) {
            write("graphql/config.json", config);
        }
        for (const json::value& one : list(graphql, "graphql", "custom_resolvers")) {
            const json::object& file = one.get_object();
            write("graphql/custom_resolvers/" +
                      file_name(string_or(file, "on_type") + "_" + string_or(file, "field_name")) +
                      ".json",
                  file);
        }
        const json::object secrets = object(app_, "app", "secrets");
        if (!secrets.empty()) {
            write("secrets.json", secrets);
        }
    }

    void webhooks(const json::object& service, const std::string& folder) {
        for (const json::value& one : list(service, folder, "incoming_webhooks")) {
            const json::object config = object(one.get_object(), folder, "config");
            const std::string to =
                folder + "/incoming_webhooks/" + file_name(string_or(config, "name")) + "/";
            write(to + "config.json", config);
            out_[to + "source.js"] = string_or(one.get_object(), "source");
        }
    }

    void services(const char* key, const std::string& parent) {
        for (const json::value& one : list(app_, "app", key)) {
            const json::object& service = one.get_object();
            const json::object config = object(service, key, "config");
            const std::string folder = parent + file_name(string_or(config, "name"));
            write(folder + "/config.json", config);
            const json::object default_rule = object(service, folder, "default_rule");
            if (!default_rule.empty()) {
                write(folder + "/default_rule.json", default_rule);
            }
            for (const json::value& rule : list(service, folder, "rules")) {
                const json::object& file = rule.get_object();
                const std::string collection = string_or(file, "collection");
                write(folder + "/rules/" +
                          file_name(collection.empty()
                                        ? string_or(file, "name")
                                        : string_or(file, "database") + "." + collection) +
                          ".json",
                      file);
            }
            webhooks(service, folder);
        }
    }

    void data_sources() {
        for (const json::value& one : list(app_, "app", "data_sources")) {
            const json::object& source = one.get_object();
            const json::object config = object(source, "data_sources", "config");
            const std::string folder = "data_sources/" + file_name(string_or(config, "name"));
            write(folder + "/config.json", config);
            const json::object default_rule = object(source, folder, "default_rule");
            if (!default_rule.empty()) {
                write(folder + "/default_rule.json", default_rule);
            }
            for (const json::value& rule : list(source, folder, "rules")) {
                collection(folder, rule.get_object());
            }
        }
    }

    void collection(const std::string& source, const json::object& rule) {
        const std::string folder = source + "/" + file_name(string_or(rule, "database")) + "/" +
                                   file_name(string_or(rule, "collection")) + "/";
        json::object rules;
        for (const auto& [key, value] : rule) {
            if (key != "schema" && key != "relationships") {
                rules[key] = value;
            }
        }
        const json::object schema = object(rule, folder, "schema");
        // Nothing but its place: there is a schema only.
        if (rules.size() > 2 || schema.empty()) {
            write(folder + "rules.json", rules);
        }
        if (!schema.empty()) {
            write(folder + "schema.json", schema);
        }
        const json::value* relationships = rule.if_contains("relationships");
        if (relationships != nullptr && relationships->is_object()) {
            write(folder + "relationships.json", *relationships);
        }
    }

    void new_parts() {
        const json::object auth = object(app_, "app", "auth");
        const json::object user_data = object(auth, "auth", "custom_user_data");
        if (!user_data.empty()) {
            write("auth/custom_user_data.json", user_data);
        }
        write("auth/providers.json", object(auth, "auth", "providers"));
        const json::object functions = object(app_, "app", "functions");
        const json::array manifest = list(functions, "functions", "config");
        if (!manifest.empty()) {
            write("functions/config.json", manifest);
        }
        for (const auto& [path, source] : object(functions, "functions", "sources")) {
            const std::string name(path);
            if (!source.is_string() || !is_source_path(name)) {
                problems_.push_back("functions: '" + name + "' must be a path with a text");
                continue;
            }
            out_["functions/" + name + (name.ends_with(".js") ? "" : ".js")] =
                std::string(source.get_string());
        }
        data_sources();
        services("services", "services/");
        files_of_their_own();
    }

    void files_of_their_own() {
        services("http_endpoints", "https_endpoints/");
        const json::object sync = object(app_, "app", "sync");
        const json::object sync_config = object(sync, "sync", "config");
        if (!sync_config.empty()) {
            write("sync/config.json", sync_config);
        }
        const json::object endpoints = object(app_, "app", "endpoints");
        const json::array endpoint_list = list(endpoints, "endpoints", "config");
        if (!endpoint_list.empty()) {
            write("https_endpoints/config.json", endpoint_list);
        }
        const json::object data_api = object(app_, "app", "data_api_config");
        if (!data_api.empty()) {
            write("https_endpoints/data_api_config.json", data_api);
        }
    }

    void old_parts() {
        named("auth_providers", "auth_providers/");
        for (const json::value& one : list(app_, "app", "functions")) {
            const json::object config = object(one.get_object(), "functions", "config");
            const std::string folder = "functions/" + file_name(string_or(config, "name")) + "/";
            write(folder + "config.json", config);
            out_[folder + "source.js"] = string_or(one.get_object(), "source");
        }
        services("services", "services/");
        files_of_their_own();
    }

    const json::object& app_;
    bool old_ = false;
    AppTree out_;
    std::vector<std::string> problems_;
};

class Packer {
  public:
    explicit Packer(const AppTree& tree) : tree_(tree) {}

    json::object run() {
        json::object out = object("root_config.json");
        out["config_version"] = 20230101;
        json::object environments;
        for (const std::string& path : below("environments/")) {
            environments[path] = object("environments/" + path);
        }
        out["environments"] = environments;
        out["values"] = files("values/");
        out["auth"] = json::object{{"custom_user_data", object("auth/custom_user_data.json")},
                                   {"providers", object("auth/providers.json")}};
        json::object sources;
        for (const std::string& path : below("functions/")) {
            if (path.ends_with(".js") && path.find("node_modules/") == std::string::npos) {
                sources[path] = tree_.at("functions/" + path);
            }
        }
        out["functions"] =
            json::object{{"config", array("functions/config.json")}, {"sources", sources}};
        out["triggers"] = files("triggers/");
        out["data_sources"] = data_sources();
        out["http_endpoints"] = services("https_endpoints/");
        out["endpoints"] = json::object{{"config", array("https_endpoints/config.json")}};
        out["services"] = services("services/");
        out["graphql"] = json::object{{"config", object("graphql/config.json")},
                                      {"custom_resolvers", files("graphql/custom_resolvers/")}};
        out["hosting"] = json::object();
        out["sync"] = json::object{{"config", object("sync/config.json")}};
        out["log_forwarders"] = files("log_forwarders/");
        out["data_api_config"] = object("https_endpoints/data_api_config.json");
        return out;
    }

  private:
    json::value any(const std::string& path) const {
        const auto found = tree_.find(path);
        const auto value = found == tree_.end() ? Result<json::value>(json::value(nullptr))
                                                : parse_json(found->second);
        return value ? *value : json::value(nullptr);
    }
    json::object object(const std::string& path) const {
        const json::value value = any(path);
        return value.is_object() ? value.get_object() : json::object();
    }
    json::array array(const std::string& path) const {
        const json::value value = any(path);
        return value.is_array() ? value.get_array() : json::array();
    }
    // Paths below the folder, without it.
    std::vector<std::string> below(const std::string& folder) const {
        std::vector<std::string> out;
        for (auto file = tree_.lower_bound(folder);
             file != tree_.end() && file->first.starts_with(folder); ++file) {
            out.push_back(file->first.substr(folder.size()));
        }
        return out;
    }
    json::array files(const std::string& folder) const {
        json::array out;
        for (const std::string& path : below(folder)) {
            if (path.ends_with(".json") && path.find('/') == std::string::npos) {
                out.push_back(object(folder + path));
            }
        }
        return out;
    }
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

    json::array services(const std::string& parent) const {
        json::array out;
        for (const std::string& name : folders(parent)) {
            const std::string folder = parent + name;
            json::object service{{"config", object(folder + "/config.json")},
                                 {"rules", files(folder + "/rules/")}};
            json::array webhooks;
            for (const std::string& hook : folders(folder + "/incoming_webhooks/")) {
                const std::string from = folder + "/incoming_webhooks/" + hook;
                const auto source = tree_.find(from + "/source.js");
                webhooks.push_back(json::object{
                    {"config", object(from + "/config.json")},
                    {"source", source == tree_.end() ? std::string() : source->second}});
            }
            service["incoming_webhooks"] = webhooks;
            out.push_back(service);
        }
        return out;
    }

    json::array data_sources() const {
        json::array out;
        for (const std::string& name : folders("data_sources/")) {
            const std::string folder = "data_sources/" + name + "/";
            json::object source{{"config", object(folder + "config.json")}};
            if (tree_.contains(folder + "default_rule.json")) {
                source["default_rule"] = object(folder + "default_rule.json");
            }
            json::array rules;
            for (const std::string& database : folders(folder)) {
                for (const std::string& collection : folders(folder + database + "/")) {
                    const std::string from = folder + database + "/" + collection + "/";
                    json::object rule = object(from + "rules.json");
                    if (rule.empty()) {
                        rule = json::object{{"database", name_of_path_part(database)},
                                            {"collection", name_of_path_part(collection)}};
                    }
                    for (const char* file : {"schema", "relationships"}) {
                        if (tree_.contains(from + file + ".json")) {
                            rule[file] = object(from + file + ".json");
                        }
                    }
                    rules.push_back(rule);
                }
            }
            source["rules"] = rules;
            out.push_back(source);
        }
        return out;
    }

    const AppTree& tree_;
};

// Files that the JSON form has a place for.
bool is_sent(const std::string& path) {
    static constexpr std::array folders = {
        "auth/",           "data_sources/", "environments/", "graphql/",  "https_endpoints/",
        "log_forwarders/", "services/",     "sync/",         "triggers/", "values/"};
    const bool function = path == "functions/config.json" ||
                          (path.starts_with("functions/") && path.ends_with(".js") &&
                           path.find("node_modules") == std::string::npos);
    return path == "root_config.json" || function ||
           std::any_of(folders.begin(), folders.end(),
                       [&](const char* folder) { return path.starts_with(folder); });
}

// {} and [] say as much as no file.
bool is_empty_json(const std::string& text) {
    return text.find_first_not_of("{}[] \t\r\n") == std::string::npos;
}

// What a file of a folder of named parts is called, whatever its file name: "values/" + its name.
// Empty for other files.
std::string part_key(const std::string& path, const json::value& file) {
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    const bool resolver = folder == "graphql/custom_resolvers/";
    if ((folder != "values/" && folder != "triggers/" && folder != "log_forwarders/" &&
         !resolver) ||
        !file.is_object()) {
        return {};
    }
    const json::object& object = file.get_object();
    return folder + (resolver ? string_or(object, "on_type") + "." + string_or(object, "field_name")
                              : string_or(object, "name"));
}

// Rules that only name their place are not sent when there is a schema, which names it too.
bool is_implied(const std::string& path, const json::value& file, const AppTree& imported) {
    return path.ends_with("/rules.json") && file.is_object() && file.get_object().size() <= 2 &&
           imported.contains(path.substr(0, path.rfind('/')) + "/schema.json");
}

} // namespace

Result<AppTree> app_tree_of_json(const json::object& app) {
    return Unpacker(app).run();
}

json::object app_json_of_tree(const AppTree& kept) {
    return Packer(kept).run();
}

AppTree merge_import(const AppTree& current, const AppTree& imported) {
    AppTree out;
    std::map<std::string, std::string> paths; // part key -> path of now
    for (const auto& [path, content] : current) {
        const auto value = path.ends_with(".json") ? parse_json(content)
                                                   : Result<json::value>(json::value(nullptr));
        if (!is_sent(path) || (value && !imported.contains(path) &&
                               ((path.ends_with(".json") && is_empty_json(content)) ||
                                is_implied(path, *value, imported)))) {
            out.emplace(path, content);
        } else if (value) {
            paths.emplace(part_key(path, *value), path);
        }
    }
    for (const auto& [path, content] : imported) {
        if (!path.ends_with(".json")) {
            out[path] = content;
            continue;
        }
        const auto after = parse_json(content);
        const auto part = paths.find(after ? part_key(path, *after) : std::string());
        const std::string& place = part == paths.end() || part->first.empty() ? path : part->second;
        const auto before = current.find(place);
        if (before == current.end()) {
            if (!is_empty_json(content)) {
                out[place] = content;
            }
            continue;
        }
        const auto value = parse_json(before->second);
        out[place] = value && after && *value == *after ? before->second : content;
    }
    return out;
}

} // namespace tombolo::server
