// push, pull, diff, deployments and drafts: app directories to and from the server.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "cli/commands/directories.hpp"
#include "cli/run.hpp"
#include "cli/zip_reader.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int deployment_polls_max = 600;
constexpr auto deployment_poll_pause = std::chrono::seconds(1);

// The app directory that a command is about: --local, else the one around.
std::string local_root(const Run& run) {
    const std::string start = run.value("local").empty() ? "." : run.value("local");
    const auto root = find_app_root(start);
    if (!root) {
        throw Failure(ExitCode::usage,
                      "there is no app directory at " + fs::absolute(start).string(),
                      "An app directory has a root_config.json or realm_config.json; name it with "
                      "--local DIRECTORY.");
    }
    return *root;
}

std::string problems_text(const std::string& head, const std::vector<FileProblem>& problems) {
    std::map<std::string, std::vector<std::string>> by_file;
    for (const FileProblem& problem : problems) {
        by_file[problem.path].push_back(problem.message);
    }
    std::string text = head;
    for (const auto& [path, messages] : by_file) {
        text += "\n  " + (path.empty() ? "(app)" : path) + ":";
        for (const std::string& message : messages) {
            text += "\n    " + message;
        }
    }
    return text;
}

json::object read_local(const std::string& root) {
    const Result<server::AppTree> tree = server::read_app_directory(root);
    if (!tree) {
        throw Failure(tree.error());
    }
    AppJson app = app_to_json(*tree);
    if (!app.problems.empty()) {
        throw Failure(ExitCode::usage,
                      problems_text("the app directory " + root + " has errors:", app.problems),
                      "Nothing was changed.");
    }
    return std::move(app.app);
}

// The server's refusal of an import, file by file.
[[noreturn]] void refuse(const ServerFailure& failure, const std::string& what) {
    if (failure.details().empty()) {
        throw Failure(failure.code(), what + ": " + failure.message(), failure.hint());
    }
    std::vector<FileProblem> problems;
    for (const ErrorDetail& detail : failure.details()) {
        problems.push_back({detail.path, detail.message});
    }
    throw Failure(failure.code(), problems_text(what + ":", problems), "Nothing was changed.");
}

std::string strict_of(const Run& run) {
    return run.has("strict") ? "true" : "false";
}

std::vector<std::string> differences(Run& run, const json::object& app) {
    try {
        const json::value answer = run.admin().post(
            run.app_path("/import"), app,
            {{"strategy", "replace-by-name"}, {"diff", "true"}, {"strict", strict_of(run)}});
        std::vector<std::string> out;
        if (answer.is_array()) {
            for (const json::value& each : answer.get_array()) {
                out.emplace_back(each.is_string() ? std::string(each.get_string())
                                                  : json::serialize(each));
            }
        }
        return out;
    } catch (const ServerFailure& failure) {
        refuse(failure, "the server refuses the app directory");
    }
}

void show_differences(Run& run, const std::vector<std::string>& changes, const std::string& head) {
    if (changes.empty()) {
        run.console().result({{"changes", json::array()}}, "no differences");
        return;
    }
    json::array list;
    std::string text = head;
    for (const std::string& change : changes) {
        list.emplace_back(change);
        text += "\n" + change;
    }
    run.console().result({{"changes", std::move(list)}}, text);
}

// A directory that does not say its app id means the app of its name.
std::optional<RemoteApp> app_named(Run& run, const std::string& name) {
    std::optional<RemoteApp> found;
    for (RemoteApp& each : run.apps()) {
        if (each.name == name) {
            if (found) {
                throw Failure(ExitCode::usage, "several apps are called " + name,
                              "Name one by its app id, with --app.");
            }
            found = std::move(each);
        }
    }
    return found;
}

// The app that the push goes to; created when the directory's own is not on the server.
bool find_or_create(Run& run, const std::string& root, const json::object& app,
                    std::optional<RemoteApp>& target) {
    std::string wanted = run.value("app");
    if (wanted.empty()) {
        wanted = app_id_of(root);
    }
    target = wanted.empty() ? app_named(run, server::string_or(app, "name")) : run.find_app(wanted);
    if (target) {
        return false;
    }
    if (run.has("app")) {
        throw Failure(ExitCode::not_found,
                      "there is no app '" + wanted + "' at " + run.admin().base_url(),
                      "Leave --app away to create one from the directory.");
    }
    const std::string name = server::string_or(app, "name");
    if (name.empty()) {
        throw Failure(ExitCode::usage, "the root file does not name the app",
                      "Give it a \"name\".");
    }
    if (run.has("dry-run")) {
        return true;
    }
    if (!run.console().confirm("There is no app " + (wanted.empty() ? name : wanted) + " at " +
                               run.admin().base_url() + " yet. Create it?")) {
        return false;
    }
    json::object body{{"name", name}};
    for (const char* key : {"location", "provider_region", "deployment_model", "environment"}) {
        if (app.contains(key)) {
            body[key] = app.at(key);
        }
    }
    const json::object created =
        object_of(run.admin().post("/groups/" + run.admin().group() + "/apps", body));
    target = RemoteApp{text_of(created, "_id"), text_of(created, "client_app_id"),
                       text_of(created, "name"), created};
    run.console().note("created " + target->client_app_id);
    return true;
}

// A draft of our own: one that was left open is shown and discarded first.
std::string open_draft(Run& run) {
    try {
        return text_of(object_of(run.admin().post(run.app_path("/drafts"), json::object())), "_id");
    } catch (const ServerFailure& failure) {
        if (failure.error_code() != "DraftAlreadyExists") {
            throw;
        }
    }
    for (const json::object& draft : objects_of(run.admin().get(run.app_path("/drafts")))) {
        if (!run.console().confirm("A draft is open already; discard its changes?")) {
            throw Failure(ExitCode::failure, "a draft is open; nothing was pushed",
                          "See it with tombolo draft diff, discard it with tombolo draft discard.");
        }
        run.admin().erase(run.app_path("/drafts/" + text_of(draft, "_id")));
    }
    return text_of(object_of(run.admin().post(run.app_path("/drafts"), json::object())), "_id");
}

// Waits until the deployment has left "created" and "pending".
json::object await_deployment(Run& run, json::object deployment) {
    for (int i = 0; i < deployment_polls_max; ++i) {
        const std::string status = text_of(deployment, "status");
        if (status != "created" && status != "pending") {
            break;
        }
        std::this_thread::sleep_for(deployment_poll_pause);
        deployment =
            object_of(run.admin().get(run.app_path("/deployments/" + text_of(deployment, "_id"))));
    }
    return deployment;
}

// What the server keeps without running it, or does not know.
void show_notes(Run& run, const json::value& report) {
    if (!report.is_object() || !report.get_object().contains("notes")) {
        return;
    }
    const json::value& notes = report.get_object().at("notes");
    if (notes.is_array()) {
        for (const json::value& note : notes.get_array()) {
            run.console().warning(text_of({{"note", note}}, "note"));
        }
    }
}

json::object deploy(Run& run, const json::object& app) {
    const std::string draft = open_draft(run);
    try {
        const json::value report = run.admin().post(
            run.app_path("/import"), app,
            {{"strategy", "replace-by-name"}, {"report", "true"}, {"strict", strict_of(run)}});
        show_notes(run, report);
        json::object body;
        if (run.has("deployment-name")) {
            body["name"] = run.value("deployment-name");
        }
        json::object deployment = await_deployment(
            run,
            object_of(run.admin().post(run.app_path("/drafts/" + draft + "/deployment"), body)));
        if (text_of(deployment, "status") != "successful") {
            throw Failure(ExitCode::failure,
                          "the deployment failed: " + text_of(deployment, "status_error_message"));
        }
        return deployment;
    } catch (const Failure& failure) {
        try {
            run.admin().erase(run.app_path("/drafts/" + draft));
        } catch (const Failure&) {
            run.console().warning("the draft could not be discarded");
        }
        if (const auto* refused = dynamic_cast<const ServerFailure*>(&failure)) {
            refuse(*refused, "the server refuses the app directory");
        }
        throw;
    }
}

// One file as the form that the route takes (RFC 7578).
void upload(Run& run, const std::string& name, const std::string& content) {
    std::string boundary = "tombolo";
    while (content.find("--" + boundary) != std::string::npos) {
        boundary += "-" + std::to_string(boundary.size());
    }
    const std::string body = "--" + boundary +
                             "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
                             name + "\"\r\nContent-Type: application/octet-stream\r\n\r\n" +
                             content + "\r\n--" + boundary + "--\r\n";
    run.admin().request("PUT", run.app_path("/dependencies"), {}, body,
                        "multipart/form-data; boundary=" + boundary);
}

// The npm packages of the directory's functions, where they are asked for.
void push_packages(Run& run, const std::string& root) {
    const bool packages = run.has("include-node-modules") || run.has("include-dependencies");
    if (!packages && !run.has("include-package-json")) {
        return;
    }
    const Result<server::AppTree> tree = server::read_app_directory(root);
    if (!tree) {
        throw Failure(tree.error());
    }
    bool found = false;
    for (const auto& [path, content] : *tree) {
        const std::string name = path.substr(path.rfind('/') + 1);
        const bool wanted = path == "functions/package.json" ||
                            (packages && path.starts_with("functions/node_modules."));
        if (wanted) {
            upload(run, name, content);
            found = true;
        }
    }
    if (!found) {
        run.console().warning("there are no packages in " + root + "/functions");
    }
}

ExitCode push(Run& run) {
    const std::string root = local_root(run);
    const json::object app = read_local(root);
    for (const char* flag : {"include-hosting", "reset-cdn-cache"}) {
        if (run.has(flag)) {
            run.console().warning(std::string("--") + flag + " has no effect here");
        }
    }
    std::optional<RemoteApp> target;
    const bool created = find_or_create(run, root, app, target);
    if (!target) {
        run.console().result({{"created", created}}, created ? "would create the app " +
                                                                   server::string_or(app, "name") +
                                                                   " and deploy " + root + " to it"
                                                             : "nothing was pushed");
        return ExitCode::done;
    }
    run.select(*target);
    const std::vector<std::string> changes = differences(run, app);
    if (run.has("dry-run")) {
        show_differences(run, changes, "would change " + target->client_app_id + ":");
        return ExitCode::done;
    }
    const bool nothing = changes.empty();
    json::object result{{"client_app_id", target->client_app_id},
                        {"created", created},
                        {"changes", changes.size()}};
    if (nothing) {
        run.console().result(result,
                             "nothing to do: " + target->client_app_id + " is the same as " + root);
    } else {
        if (!run.has("yes") && run.console().interactive()) {
            show_differences(run, changes, "this will change in " + target->client_app_id + ":");
            if (!run.console().confirm("Deploy these changes?")) {
                run.console().note("nothing was changed");
                return ExitCode::done;
            }
        }
        const json::object deployment = deploy(run, app);
        result["deployment"] = text_of(deployment, "_id");
        run.console().result(result, "deployed " + count_of(changes.size(), "change") + " to " +
                                         target->client_app_id);
    }
    push_packages(run, root);
    const Result<void> kept =
        write_app_meta(root, target->id, run.admin().group(), target->client_app_id);
    if (!kept) {
        run.console().warning(kept.error().what());
    }
    return ExitCode::done;
}

void write_file(const fs::path& path, const std::string& content) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary);
    file << content;
    file.close();
    if (!file.good()) {
        throw Failure(ExitCode::failure, "cannot write " + path.string());
    }
}

server::AppTree exported(Run& run) {
    const std::string version = run.value("config-version");
    const HttpResponse answer =
        version.empty()
            ? run.admin().request("GET", run.app_path("/pull"), {}, {}, {}, "application/zip")
            : run.admin().request("GET", run.app_path("/export"),
                                  {{"version", version}, {"source_control", "true"}}, {}, {});
    Result<server::AppTree> tree = read_zip(answer.body);
    if (!tree) {
        throw Failure(ExitCode::failure,
                      std::string("the server's export cannot be read: ") + tree.error().what());
    }
    return *std::move(tree);
}

// What this machine has that the export has not, and the other way round.
std::vector<server::FileChange> local_changes(const std::string& root,
                                              const server::AppTree& remote) {
    std::error_code error;
    if (!fs::is_directory(root, error)) {
        return server::diff({}, remote);
    }
    Result<server::AppTree> local = server::read_app_directory(root);
    if (!local) {
        throw Failure(local.error());
    }
    for (const char* meta : {".mdb/meta.json", ".mdb/app_meta.json", "secrets.json"}) {
        local->erase(meta); // never exported
    }
    return server::diff(*local, remote);
}

std::string change_text(const server::FileChange& change) {
    using Kind = server::FileChange::Kind;
    const char* verb = change.kind == Kind::added     ? "new:     "
                       : change.kind == Kind::removed ? "gone:    "
                                                      : "changed: ";
    return verb + change.path;
}

} // namespace

void copy_app(Run& run, const RemoteApp& from, const RemoteApp& to) {
    run.select(from);
    AppJson app = app_to_json(exported(run));
    run.select(to);
    app.app["name"] = to.name;
    app.app.erase("app_id");
    static_cast<void>(
        run.admin().post(run.app_path("/import"), app.app, {{"strategy", "replace-by-name"}}));
}

void write_app_copy(Run& run, const RemoteApp& from, const std::string& directory,
                    const std::string& name) {
    run.select(from);
    server::AppTree tree = exported(run);
    for (const char* root : {"root_config.json", "realm_config.json"}) {
        const auto file = tree.find(root);
        if (file == tree.end()) {
            continue;
        }
        json::object config = server::parse_json_object(file->second).value();
        config["name"] = name;
        config.stable_erase("app_id");
        file->second = server::pretty_json(config);
    }
    for (const auto& [path, content] : tree) {
        if (!path.starts_with(".mdb/")) {
            write_file(fs::path(directory) / path, content);
        }
    }
}

ExitCode pull(Run& run) {
    const RemoteApp app = run.app();
    std::string root = run.value("local");
    if (root.empty()) {
        const auto around = find_app_root(".");
        root = around && app_id_of(*around) == app.client_app_id ? *around : app.name;
    }
    const server::AppTree tree = exported(run);
    const std::vector<server::FileChange> changes = local_changes(root, tree);
    std::string text;
    json::array list;
    for (const server::FileChange& change : changes) {
        text += change_text(change) + "\n";
        list.emplace_back(change_text(change));
    }
    json::object result{{"client_app_id", app.client_app_id},
                        {"directory", fs::absolute(root).lexically_normal().string()},
                        {"changes", list}};
    if (run.has("dry-run")) {
        run.console().result(result, changes.empty() ? "nothing to do" : text);
        return ExitCode::done;
    }
    std::size_t overwritten = 0;
    for (const server::FileChange& change : changes) {
        overwritten += change.kind == server::FileChange::Kind::added ? 0U : 1U;
    }
    if (overwritten > 0 &&
        !run.console().confirm(fmt::format("{}Overwrite or remove {} in {}?", text,
                                           count_of(overwritten, "file"), root))) {
        run.console().note("nothing was changed");
        return ExitCode::done;
    }
    for (const server::FileChange& change : changes) {
        const fs::path path = fs::path(root) / change.path;
        if (change.kind == server::FileChange::Kind::removed) {
            std::error_code error;
            fs::remove(path, error);
        } else {
            write_file(path, tree.at(change.path));
        }
    }
    const Result<void> kept = write_app_meta(root, app.id, run.admin().group(), app.client_app_id);
    if (!kept) {
        throw Failure(kept.error());
    }
    run.console().result(result, changes.empty()
                                     ? "nothing to do: " + root + " is up to date"
                                     : "pulled " + app.client_app_id + " into " + root + ": " +
                                           count_of(changes.size(), "changed file"));
    return ExitCode::done;
}

namespace {

ExitCode show_diff(Run& run) {
    const std::string root = local_root(run);
    const json::object app = read_local(root);
    const std::vector<std::string> changes = differences(run, app);
    show_differences(run, changes,
                     "deploying " + root + " would change " + run.app().client_app_id + ":");
    return run.has("exit-code") && !changes.empty() ? ExitCode::changes : ExitCode::done;
}

std::string time_text(const json::object& object, const char* key) {
    const json::value* seconds = object.if_contains(key);
    if (seconds == nullptr || !seconds->is_int64()) {
        return text_of(object, key);
    }
    return seconds_text(seconds->get_int64());
}

ExitCode list_deployments(Run& run) {
    std::vector<std::vector<std::string>> rows;
    std::vector<json::object> objects = objects_of(run.admin().get(run.app_path("/deployments")));
    rows.reserve(objects.size());
    for (const json::object& each : objects) {
        rows.push_back({text_of(each, "_id"), time_text(each, "deployed_at"),
                        text_of(each, "status"), text_of(each, "origin"), text_of(each, "name")});
    }
    run.console().table({"Id", "Deployed", "Status", "Origin", "Name"}, rows, objects);
    return ExitCode::done;
}

ExitCode describe_deployment(Run& run) {
    const json::object one =
        object_of(run.admin().get(run.app_path("/deployments/" + percent_encode(run.value("ID")))));
    run.console().result(one, text_of(one, "_id") + "\ndeployed: " + time_text(one, "deployed_at") +
                                  "\nstatus: " + text_of(one, "status") + "\norigin: " +
                                  text_of(one, "origin") + "\nname: " + text_of(one, "name"));
    return ExitCode::done;
}

ExitCode redeploy(Run& run) {
    const std::string id = run.value("ID");
    run.admin().post(run.app_path("/deployments/" + percent_encode(id) + "/redeploy"),
                     json::object());
    run.console().result({{"redeployed", id}}, "deployed the content of " + id + " again");
    return ExitCode::done;
}

ExitCode show_draft(Run& run) {
    const std::vector<json::object> drafts = objects_of(run.admin().get(run.app_path("/drafts")));
    if (drafts.empty()) {
        run.console().result({{"draft", nullptr}}, "no draft is open");
        return ExitCode::done;
    }
    const std::string id = text_of(drafts.front(), "_id");
    const json::object changes =
        object_of(run.admin().get(run.app_path("/drafts/" + id + "/diff")));
    std::string text = "draft " + id;
    if (const json::value* list = changes.if_contains("diffs");
        list != nullptr && list->is_array()) {
        for (const json::value& each : list->get_array()) {
            text += "\n" + text_of({{"value", each}}, "value");
        }
    }
    run.console().result({{"draft", id}, {"diff", changes}}, text);
    return ExitCode::done;
}

ExitCode discard_draft(Run& run) {
    const std::vector<json::object> drafts = objects_of(run.admin().get(run.app_path("/drafts")));
    for (const json::object& draft : drafts) {
        run.admin().erase(run.app_path("/drafts/" + text_of(draft, "_id")));
    }
    run.console().result({{"discarded", drafts.size()}},
                         drafts.empty() ? "no draft is open" : "the draft is gone");
    return ExitCode::done;
}

const Flag local_flag = {.name = "local",
                         .value = "DIRECTORY",
                         .help = "App directory; otherwise the one that this is called in"};
const Flag dry_run_flag = {
    .name = "dry-run", .letter = 'x', .help = "Only say what would change, in words"};

void add_directory_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "push",
         .aliases = {"import"},
         .summary = "Deploy an app directory",
         .details = "Everything is checked first, then deployed at once, or nothing is. What the "
                    "directory does not have is removed from the app; users, secrets and documents "
                    "stay. Errors are listed file by file. An app that is not on the server yet is "
                    "created.",
         .flags = {local_flag,
                   app_flag(),
                   dry_run_flag,
                   {.name = "deployment-name",
                    .letter = 'n',
                    .value = "NAME",
                    .help = "What to call the deployment"},
                   {.name = "strict", .help = "Take keys that nobody knows for errors"},
                   {.name = "include-package-json", .help = "Deploy functions/package.json too"},
                   {.name = "include-node-modules",
                    .help = "Deploy the npm packages of functions too"},
                   {.name = "include-dependencies", .letter = 'd', .hidden = true},
                   {.name = "include-hosting", .letter = 's', .hidden = true},
                   {.name = "reset-cdn-cache", .letter = 'c', .hidden = true}},
         .examples = {{"tombolo push --dry-run", "See what a push would change"},
                      {"tombolo push --local apps/field-notes --yes", "Deploy from a script"}},
         .run = push});
    table.commands.push_back(
        {.path = "pull",
         .aliases = {"export"},
         .summary = "Write the app that runs into a directory",
         .details = "Files that differ are listed and overwritten only after a question (or with "
                    "--yes). Without --local it is the app directory around, else a new one named "
                    "as the app.",
         .flags = {local_flag,
                   app_flag(),
                   dry_run_flag,
                   {.name = "config-version",
                    .value = "VERSION",
                    .help = "Layout to write (20230101)",
                    .choices = {"20230101", "20210101", "20200603", "20180301"}},
                   {.name = "include-package-json", .hidden = true},
                   {.name = "include-node-modules", .hidden = true},
                   {.name = "include-dependencies", .letter = 'd', .hidden = true},
                   {.name = "include-hosting", .letter = 's', .hidden = true}},
         .run = pull});
}

} // namespace

void add_deploy_commands(CommandTable& table) {
    add_directory_commands(table);
    table.commands.push_back(
        {.path = "apps diff",
         .summary = "Show what a push would change",
         .flags = {local_flag,
                   app_flag(),
                   {.name = "exit-code", .help = "End with 5 when there are differences"},
                   {.name = "strict", .help = "Take keys that nobody knows for errors"},
                   {.name = "include-package-json", .hidden = true},
                   {.name = "include-node-modules", .hidden = true}},
         .run = show_diff});
    table.groups.push_back({.name = "deploy",
                            .aliases = {"deployments", "deployment"},
                            .summary = "Deployments: the history of an app's configuration"});
    table.commands.push_back({.path = "deploy list",
                              .aliases = {"ls"},
                              .summary = "List the deployments, newest first",
                              .flags = {app_flag()},
                              .run = list_deployments});
    table.commands.push_back({.path = "deploy describe",
                              .summary = "Show one deployment",
                              .arguments = {{.name = "ID", .help = "Of the deployment"}},
                              .flags = {app_flag()},
                              .run = describe_deployment});
    table.commands.push_back({.path = "deploy redeploy",
                              .summary = "Deploy an earlier configuration again",
                              .arguments = {{.name = "ID", .help = "Of the deployment"}},
                              .flags = {app_flag()},
                              .run = redeploy});
    table.groups.push_back(
        {.name = "draft", .aliases = {"drafts"}, .summary = "Changes that are not deployed yet"});
    table.commands.push_back({.path = "draft diff",
                              .aliases = {"list", "ls"},
                              .summary = "Show the open draft",
                              .flags = {app_flag()},
                              .run = show_draft});
    table.commands.push_back({.path = "draft discard",
                              .summary = "Discard the open draft",
                              .flags = {app_flag()},
                              .run = discard_draft});
}

} // namespace tombolo::cli
