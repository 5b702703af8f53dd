#include "server/app/function_config.hpp"

#include <algorithm>
#include <array>

#include "core/bytes.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace json = boost::json;

namespace {

constexpr std::string_view folder = "functions/";
constexpr std::string_view manifest = "functions/config.json";

class Reader {
  public:
    explicit Reader(const AppTree& tree) : tree_(tree) {}

    FunctionsConfig run() {
        sources();
        entries();
        values();
        environment();
        return std::move(out_);
    }

  private:
    void problem(const std::string& path, const std::string& what) {
        out_.problems.push_back(path + ": " + what);
    }

    static bool is_dependency(std::string_view path) {
        return path.find("/node_modules/") != std::string_view::npos;
    }

    void sources() {
        for (auto file = tree_.lower_bound(std::string(folder));
             file != tree_.end() && file->first.starts_with(folder); ++file) {
            const std::string& path = file->first;
            if (is_dependency(path)) {
                continue;
            }
            if (path == "functions/package.json") {
                out_.package_json = file->second;
            } else if (path.starts_with("functions/node_modules.")) {
                out_.dependency_archive = path;
            } else if (path.ends_with(".js")) {
                const std::string name =
                    path.substr(folder.size(), path.size() - folder.size() - 3);
                if (!is_utf8(file->second)) {
                    problem(path, "the source is not UTF-8");
                    continue;
                }
                FunctionConfig& function = out_.functions[name];
                function.name = name;
                function.source = file->second;
            }
        }
    }

    void entries() {
        const auto file = tree_.find(std::string(manifest));
        if (file == tree_.end()) {
            return;
        }
        const Result<json::value> parsed = parse_json(file->second);
        if (parsed &&
            (parsed->is_null() || (parsed->is_object() && parsed->get_object().empty()))) {
            return; // {} stands for "none" in directories made by tools
        }
        if (!parsed || !parsed->is_array()) {
            problem(std::string(manifest),
                    parsed ? "must be an array of functions" : parsed.error().what());
            return;
        }
        for (const json::value& one : parsed->get_array()) {
            if (one.is_object()) {
                entry(one.get_object());
            } else {
                problem(std::string(manifest), "each function must be an object");
            }
        }
    }

    void entry(const json::object& object) {
        const std::string where(manifest);
        const std::string name = string_or(object, "name");
        if (name.empty() || name.size() > function_name_bytes_max) {
            problem(where, "each function needs a 'name' of at most 255 bytes");
            return;
        }
        const auto found = out_.functions.find(name);
        if (found == out_.functions.end()) {
            problem(where, "function '" + name + "' has no source: functions/" + name + ".js");
            return;
        }
        FunctionConfig& function = found->second;
        function.is_private = flag(object, name, "private");
        function.disable_arg_logs = flag(object, name, "disable_arg_logs");
        function.run_as_system = flag(object, name, "run_as_system");
        function.run_as_user_id = string_or(object, "run_as_user_id");
        function.run_as_user_id_script_source = string_or(object, "run_as_user_id_script_source");
        const json::value* expression = object.if_contains("can_evaluate");
        if (expression != nullptr && expression->is_object()) {
            function.can_evaluate = expression->get_object();
        } else if (expression != nullptr && !expression->is_null()) {
            problem(where, "function '" + name + "': 'can_evaluate' must be an object");
        }
    }

    bool flag(const json::object& object, const std::string& name, std::string_view key) {
        const json::value* value = object.if_contains(key);
        if (value == nullptr || value->is_null()) {
            return false;
        }
        if (!value->is_bool()) {
            problem(std::string(manifest),
                    "function '" + name + "': '" + std::string(key) + "' must be true or false");
            return false;
        }
        return value->get_bool();
    }

    void values() {
        constexpr std::string_view prefix = "values/";
        for (auto file = tree_.lower_bound(std::string(prefix));
             file != tree_.end() && file->first.starts_with(prefix); ++file) {
            if (!file->first.ends_with(".json")) {
                continue;
            }
            const Result<json::object> object = parse_json_object(file->second);
            if (!object) {
                problem(file->first, object.error().what());
                continue;
            }
            ValueConfig value;
            value.name =
                string_or(*object, "name",
                          std::string_view(file->first)
                              .substr(prefix.size(), file->first.size() - prefix.size() - 5));
            if (const json::value* content = object->if_contains("value")) {
                value.value = *content;
            }
            value.from_secret = bool_or(*object, "from_secret", false);
            value.is_private = bool_or(*object, "private", false);
            if (value.from_secret && !value.value.is_string()) {
                problem(file->first, "with 'from_secret' the 'value' is the name of a secret");
                continue;
            }
            out_.values[value.name] = std::move(value);
        }
    }

    void environment() {
        for (const char* path : {"root_config.json", "realm_config.json"}) {
            const auto file = tree_.find(path);
            if (file == tree_.end()) {
                continue;
            }
            if (const Result<json::object> root = parse_json_object(file->second)) {
                out_.environment = string_or(*root, "environment");
            }
            break;
        }
        environment_file("no-environment");
        if (!out_.environment.empty()) {
            environment_file(out_.environment);
        }
    }

    // Later files win: an environment's own values go before those of no-environment.
    void environment_file(const std::string& name) {
        for (const std::string& path :
             {"environments/" + name + ".json", "environments/" + name + "/values.json"}) {
            const auto file = tree_.find(path);
            if (file == tree_.end()) {
                continue;
            }
            const Result<json::object> object = parse_json_object(file->second);
            if (!object) {
                problem(path, object.error().what());
                continue;
            }
            for (const auto& [key, value] : object_or_empty(*object, "values")) {
                out_.environment_values[key] = value;
            }
            break;
        }
    }

    const AppTree& tree_;
    FunctionsConfig out_;
};

} // namespace

FunctionsConfig parse_functions(const AppTree& tree) {
    return Reader(tree).run();
}

} // namespace tombolo::server
