// npm packages of an app's functions (admin-api-and-config.md R12).
//
//   GET    dependencies          what functions/package.json asks for: [{name, version}]
//   PUT    dependencies          multipart field "file": node_modules.{zip,tar,tar.gz,tgz}, or a
//                                package.json, which is kept; the server installs nothing
//   DELETE dependencies
//   POST   dependencies/diff     the same field, a package.json: {added, deleted, modified}
//   GET    dependencies/status   {status, status_message}
//   GET    dependencies/export   the package.json
//   GET    dependencies/archive  the archive

#include <array>

#include "core/limits.hpp"
#include "server/api/admin/admin_api.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace json = boost::json;
using http::Method;
using server::App;
using server::AppTree;

namespace {

constexpr std::string_view manifest_path = "functions/package.json";
constexpr std::string_view archive_path = "functions/node_modules";
constexpr std::array<std::string_view, 4> archive_ends{".tar.gz", ".tgz", ".tar", ".zip"};

struct Upload {
    std::string name;
    std::string content;
};

// The value of `key="..."` in a header line; empty when it is not there.
std::string quoted(std::string_view headers, std::string_view key) {
    const std::string mark = std::string(key) + "=\"";
    for (std::size_t at = headers.find(mark); at != std::string_view::npos;
         at = headers.find(mark, at + 1)) {
        if (at == 0 || headers[at - 1] == ' ' || headers[at - 1] == ';') {
            const std::size_t from = at + mark.size();
            return std::string(headers.substr(from, headers.find('"', from) - from));
        }
    }
    return {};
}

std::string boundary_of(const std::string& type) {
    const std::size_t at = type.find("boundary=");
    if (!type.starts_with("multipart/form-data") || at == std::string::npos) {
        return {};
    }
    std::string out = type.substr(at + 9);
    out = out.substr(0, out.find(';'));
    if (out.size() > 1 && out.front() == '"' && out.back() == '"') {
        out = out.substr(1, out.size() - 2);
    }
    return out;
}

// The field "file" of a form (RFC 7578).
Upload upload_of(const AdminCall& call) {
    const std::string boundary =
        boundary_of(std::string(call.request().headers.find("content-type")));
    if (boundary.empty()) {
        throw ApiException(bad_request("the body must be a form with a field 'file'"));
    }
    const std::string_view body = call.request().body;
    const std::string mark = "--" + boundary;
    for (std::size_t at = body.find(mark); at != std::string_view::npos;) {
        const std::size_t head = at + mark.size() + 2;
        const std::size_t text = body.find("\r\n\r\n", head);
        const std::size_t end = body.find("\r\n" + mark, head);
        if (text == std::string_view::npos || end == std::string_view::npos || text + 4 > end) {
            break;
        }
        const std::string_view headers = body.substr(head, text - head);
        if (quoted(headers, "name") == "file") {
            return {quoted(headers, "filename"),
                    std::string(body.substr(text + 4, end - text - 4))};
        }
        at = end + 2;
    }
    throw ApiException(missing_parameter("the form needs a field 'file'"));
}

// {name: version} of a package.json's dependencies.
json::object wanted_of(const std::string& manifest) {
    if (manifest.empty()) {
        return {};
    }
    const Result<json::object> parsed = server::parse_json_object(manifest);
    if (!parsed) {
        throw ApiException(bad_request(std::string("package.json: ") + parsed.error().what()));
    }
    return server::object_or_empty(*parsed, "dependencies");
}

std::string manifest_of(const App& app) {
    return app.config.code.package_json;
}

json::object named(std::string_view name, const json::value& version) {
    return {{"name", name}, {"version", version}};
}

http::Response list(AdminCall& call) {
    json::array out;
    for (const auto& [name, version] : wanted_of(manifest_of(call.app()))) {
        out.push_back(named(name, version));
    }
    return json_response(200, out);
}

void erase_archives(AppTree& tree) {
    for (const std::string_view end : archive_ends) {
        tree.erase(std::string(archive_path) + std::string(end));
    }
}

http::Response put(AdminCall& call) {
    Upload upload = upload_of(call);
    if (upload.name.ends_with("package.json")) {
        static_cast<void>(wanted_of(upload.content));
        call.edit([&](AppTree& tree, const App&) {
            tree[std::string(manifest_path)] = std::move(upload.content);
        });
        return http::Response::empty(204);
    }
    for (const std::string_view end : archive_ends) {
        if (upload.name.ends_with(end)) {
            call.edit([&](AppTree& tree, const App&) {
                erase_archives(tree);
                tree[std::string(archive_path) + std::string(end)] = std::move(upload.content);
            });
            return http::Response::empty(204);
        }
    }
    throw ApiException(
        bad_request("'" + upload.name + "' is no node_modules.zip, .tar, .tar.gz or .tgz"));
}

http::Response remove(AdminCall& call) {
    call.edit([](AppTree& tree, const App&) {
        erase_archives(tree);
        tree.erase(std::string(manifest_path));
    });
    return http::Response::empty(204);
}

http::Response diff(AdminCall& call) {
    const Upload upload = upload_of(call);
    json::array added;
    json::array deleted;
    json::array modified;
    if (upload.name.ends_with("package.json")) {
        const json::object before = wanted_of(manifest_of(call.app()));
        const json::object after = wanted_of(upload.content);
        for (const auto& [name, version] : after) {
            const json::value* old = before.if_contains(name);
            if (old == nullptr) {
                added.push_back(named(name, version));
            } else if (*old != version) {
                modified.push_back(named(name, version));
            }
        }
        for (const auto& [name, version] : before) {
            if (!after.contains(name)) {
                deleted.push_back(named(name, version));
            }
        }
    }
    return json_response(
        200, json::object{{"added", added}, {"deleted", deleted}, {"modified", modified}});
}

http::Response status(AdminCall& call) {
    const bool there = !call.app().config.code.dependency_archive.empty();
    const bool wanted = !wanted_of(manifest_of(call.app())).empty();
    const bool failed = wanted && !there;
    return json_response(
        200, json::object{{"status", failed ? "failed" : "successful"},
                          {"status_message", failed ? "the server installs no packages: upload a "
                                                      "node_modules archive"
                                                    : ""}});
}

http::Response file_response(const std::string& name, const std::string& content) {
    http::Response response;
    response.headers.add("Content-Type",
                         name.ends_with(".json") ? "application/json" : "application/octet-stream");
    response.headers.add("Content-Disposition", "attachment; filename=\"" + name + "\"");
    response.body = content;
    return response;
}

http::Response export_manifest(AdminCall& call) {
    const std::string text = manifest_of(call.app());
    if (text.empty()) {
        throw ApiException(not_found("DependencyNotFound", "the app has no package.json"));
    }
    return file_response("package.json", text);
}

http::Response export_archive(AdminCall& call) {
    const std::string& path = call.app().config.code.dependency_archive;
    const auto found = call.app().tree->find(path);
    if (path.empty() || found == call.app().tree->end()) {
        throw ApiException(not_found("DependencyNotFound", "the app has no packages"));
    }
    return file_response(path.substr(path.rfind('/') + 1), found->second);
}

} // namespace

void add_dependency_routes(RouteTable& table) {
    table.add(Method::get, "dependencies", "The packages that functions ask for", 200, list);
    AdminRoute upload{Method::put, "dependencies", "Replace the packages of functions", 204, put};
    upload.body_bytes_max = limits::app_bytes_max;
    table.add(upload);
    AdminRoute compare{Method::post, "dependencies/diff", "What a package.json would change", 200,
                       diff};
    compare.body_bytes_max = limits::app_bytes_max;
    table.add(compare);
    table.add(Method::delete_, "dependencies", "Remove the packages of functions", 204, remove);
    table.add(Method::get, "dependencies/status", "Whether the packages can be used", 200, status);
    table.add(Method::get, "dependencies/export", "The package.json of functions", 200,
              export_manifest);
    table.add(Method::get, "dependencies/archive", "The packages of functions", 200,
              export_archive);
}

} // namespace tombolo::api::admin
