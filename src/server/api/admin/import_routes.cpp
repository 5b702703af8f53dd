// Import and export of whole apps (admin-api-and-config.md R13).

#include <array>
#include <ctime>

#include <boost/json/serialize.hpp>

#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/app/app_json.hpp"
#include "server/app/app_layout.hpp"
#include "server/app/zip_writer.hpp"
#include "server/rules/rule_check.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppLayout;
using server::AppTree;

namespace {

constexpr std::size_t import_bytes_max = std::size_t{32} << 20;

// The problems of an import, one a file: {"error", "error_code", "details": [{path, message}]}.
http::Response refused(const std::string& text) {
    json::array details;
    std::size_t from = text.find("\n  ");
    while (from != std::string::npos) {
        const std::size_t end = text.find("\n  ", from + 3);
        const std::string line =
            text.substr(from + 3, end == std::string::npos ? end : end - from - 3);
        const std::size_t colon = line.find(": ");
        details.push_back(json::object{
            {"path", colon == std::string::npos ? std::string() : line.substr(0, colon)},
            {"message", colon == std::string::npos ? line : line.substr(colon + 2)}});
        from = end;
    }
    return json_response(
        400,
        json::object{{"error", text}, {"error_code", "InvalidParameter"}, {"details", details}});
}

// Names of secrets that the app's parts refer to and nobody has defined.
std::vector<std::string> undefined_secrets(AdminCall& call, const server::ParsedApp& parsed,
                                           const AppTree& tree) {
    std::vector<std::string> known = call.apps().secret_names(call.app().id).value();
    for (const auto& [name, value] : parsed.secrets) {
        known.push_back(name);
    }
    std::vector<std::string> out;
    const auto check = [&](const std::string& path, const json::value& name) {
        if (name.is_string() && !name.get_string().empty() &&
            std::find(known.begin(), known.end(), std::string(name.get_string())) == known.end()) {
            out.push_back(path + ": secret '" + std::string(name.get_string()) +
                          "' is not defined");
        }
    };
    const auto check_config = [&](const std::string& path, const json::object& part) {
        for (const auto& [key, value] : server::object_or_empty(part, "secret_config")) {
            if (value.is_array()) {
                for (const json::value& one : value.get_array()) {
                    check(path, one);
                }
            } else {
                check(path, value);
            }
        }
    };
    for (const auto& [type, provider] : read_file(tree, "auth/providers.json")) {
        if (provider.is_object()) {
            check_config("auth/providers.json '" + std::string(type) + "'", provider.get_object());
        }
    }
    for (const auto& [path, text] : tree) {
        const bool service = path.starts_with("data_sources/") || path.starts_with("services/");
        if (service && path.ends_with("/config.json")) {
            check_config(path, read_file(tree, path));
        }
    }
    for (const auto& [name, value] : parsed.config.code.values) {
        if (value.from_secret) {
            check("values/" + name + ".json", value.value);
        }
    }
    return out;
}

struct Import {
    AppTree tree; ///< in the kept form, secrets.json still in it
    std::map<std::string, std::string> secrets;
    std::vector<std::string> warnings;
};

// Everything is checked before anything is changed. Throws Error(invalid_argument) with one line a
// problem.
Import read_import(AdminCall& call) {
    const AppTree given = server::app_tree_of_json(call.body()).value();
    server::ImportedApp normal = server::normalize_app(given).value();
    server::ParsedApp parsed = server::parse_app(normal.tree).value();
    rules::check_rules(parsed.config).value();
    const std::vector<std::string> missing = undefined_secrets(call, parsed, normal.tree);
    if (!missing.empty()) {
        std::string text = "the app names secrets that are not defined";
        for (const std::string& one : missing) {
            text += "\n  " + one;
        }
        throw Error(ErrorCode::invalid_argument, std::move(text));
    }
    Import out{std::move(normal.tree), std::move(parsed.secrets), std::move(parsed.warnings)};
    out.tree.erase("secrets.json");
    out.warnings.insert(out.warnings.begin(), normal.notes.begin(), normal.notes.end());
    return out;
}

bool is_problem(const Error& error) {
    return error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::not_found ||
           error.code() == ErrorCode::bad_json || error.code() == ErrorCode::limit_exceeded;
}

// With strict=true what is only a warning otherwise is an error: keys that no layout has (C-03).
void refuse_unknown_keys(const std::vector<std::string>& warnings) {
    std::string text;
    for (const std::string& one : warnings) {
        if (one.find(": unknown key '") != std::string::npos) {
            text += (text.empty() ? "" : "\n  ") + one;
        }
    }
    if (!text.empty()) {
        throw Error(ErrorCode::invalid_argument, "the app has keys that nobody knows\n  " + text);
    }
}

// What an import did not run or did not know, for the app's logs: the answer has no place for it.
void report(AdminCall& call, const std::vector<std::string>& warnings) {
    if (warnings.empty()) {
        return;
    }
    json::array lines;
    for (const std::string& line : warnings) {
        lines.emplace_back(line);
        call.context().auth.log.info("import", {{"app", call.app().client_app_id}, {"note", line}});
    }
    if (call.context().auth.app_log != nullptr) {
        server::AppLogEntry entry;
        entry.app = call.app().id;
        entry.type = "API";
        entry.request_id = call.request().id;
        entry.request_method = "POST";
        entry.request_url = call.request().path;
        entry.status = 204;
        entry.messages = lines;
        entry.details["import"] = true;
        call.context().auth.app_log->add(std::move(entry));
    }
}

http::Response import_app(AdminCall& call) {
    const std::string strategy = call.query("strategy");
    if (!strategy.empty() && strategy != "replace-by-name" && strategy != "replace") {
        throw ApiException(bad_request("'strategy' must be replace-by-name"));
    }
    try {
        Import imported = read_import(call);
        if (call.query("strict") == "true") {
            refuse_unknown_keys(imported.warnings);
        }
        if (call.query("diff") == "true") {
            const AppTree after = server::merge_import(*call.app().tree, imported.tree);
            return json_response(200, diff_texts(*call.app().tree, after));
        }
        // A report instead of 204, for those who ask for it.
        const bool wants_report = call.query("report") == "true";
        for (const auto& [name, value] : imported.secrets) {
            call.apps().set_secret(call.app().id, name, value).value();
        }
        call.edit(
            [&](AppTree& tree, const App&) { tree = server::merge_import(tree, imported.tree); });
        report(call, imported.warnings);
        if (wants_report) {
            json::array notes;
            for (const std::string& line : imported.warnings) {
                notes.emplace_back(line);
            }
            return json_response(200, json::object{{"notes", notes}});
        }
        return http::Response::empty(204);
    } catch (const Error& error) {
        if (!is_problem(error)) {
            throw;
        }
        return refused(error.what());
    }
}

AppLayout layout_of(const AdminCall& call, AppLayout fallback) {
    const std::string version = call.query("version");
    for (const AppLayout known :
         {AppLayout::v20180301, AppLayout::v20200603, AppLayout::v20210101, AppLayout::v20230101}) {
        if (version == std::to_string(static_cast<std::uint32_t>(known))) {
            return known;
        }
    }
    if (!version.empty()) {
        throw ApiException(
            bad_request("'version' must be 20180301, 20200603, 20210101 or 20230101"));
    }
    return fallback;
}

http::Response zip_response(const AdminCall& call, const AppTree& tree) {
    const std::time_t now = call.context().auth.now_ms() / 1000;
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> time{};
    std::strftime(time.data(), time.size(), "%Y%m%d%H%M%S", &utc);
    http::Response response;
    response.status = 200;
    response.headers.add("Content-Type", "application/zip");
    response.headers.add("Content-Disposition", "attachment; filename=\"" +
                                                    call.app().client_app_id + "_" + time.data() +
                                                    ".zip\"");
    response.body = server::write_zip(tree).value();
    return response;
}

// The tree that the query means: the app's, or that of a deployment.
AppTree tree_of(const AdminCall& call) {
    const std::string wanted = call.query("deployment");
    if (wanted.empty()) {
        return *call.app().tree;
    }
    for (const server::DeploymentInfo& one : take(call.apps().deployments(call.app().id))) {
        if (call.app().part_id("deployment", std::to_string(one.number)).to_string() == wanted) {
            return call.apps().tree(call.app().id, one.number).value();
        }
    }
    throw ApiException(not_found("DeploymentNotFound", "deployment not found"));
}

http::Response export_app(AdminCall& call) {
    const bool source_control = call.query("source_control") == "true";
    const bool as_template = call.query("template") == "true";
    if (source_control && as_template) {
        throw ApiException(bad_request("'source_control' and 'template' exclude each other"));
    }
    server::ExportOptions options;
    options.layout = layout_of(call, AppLayout::v20210101);
    if (!source_control && !as_template) {
        options.client_app_id = call.app().client_app_id;
    }
    return zip_response(call, server::export_app(tree_of(call), options));
}

http::Response pull(AdminCall& call) {
    const std::string accept(call.request().headers.find("accept"));
    if (accept.find("application/zip") != std::string::npos) {
        server::ExportOptions options;
        options.layout = AppLayout::v20230101;
        return zip_response(call, server::export_app(tree_of(call), options));
    }
    return json_response(200, server::app_json_of_tree(tree_of(call)));
}

} // namespace

void add_import_routes(RouteTable& table) {
    table.add(Method::get, "export", "The app as a zip archive", 200, export_app);
    table.add(Method::get, "pull", "The app in the newest layout, as JSON or zip", 200, pull);
    AdminRoute in{Method::post, "import", "Replace the app by another, or show what would change",
                  204, import_app};
    in.body_bytes_max = import_bytes_max;
    table.add(in);
    in.method = Method::patch;
    in.path = "push";
    in.summary = "Replace the app by what pull gives";
    table.add(in);
}

} // namespace tombolo::api::admin
