// apps: what there is on the server, making and removing it.

#include "cli/command_table.hpp"
#include "cli/commands/directories.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

ExitCode list(Run& run) {
    std::vector<std::vector<std::string>> rows;
    std::vector<json::object> objects;
    const std::string prefix = run.value("app");
    for (const RemoteApp& app : run.apps()) {
        if (app.client_app_id.starts_with(prefix)) {
            rows.push_back({app.client_app_id, app.name, app.id});
            objects.push_back(app.document);
        }
    }
    if (rows.empty()) {
        run.console().note("no apps");
    } else {
        run.console().table({"App id", "Name", "Id"}, rows, objects);
    }
    return ExitCode::done;
}

ExitCode create(Run& run) {
    std::string name = run.value("name");
    if (name.empty()) {
        name = run.value("NAME");
    }
    if (name.empty()) {
        throw Failure(ExitCode::usage, "the app needs a name", "tombolo apps create NAME");
    }
    if (run.has("template")) {
        throw Failure(ExitCode::usage, "this server has no templates",
                      "tombolo push deploys the directory of one.");
    }
    const auto origin =
        run.has("remote") ? run.find_app(run.value("remote")) : std::optional<RemoteApp>();
    if (run.has("remote") && !origin) {
        throw Failure(ExitCode::not_found, "there is no app '" + run.value("remote") + "'");
    }
    json::object body{{"name", name},
                      {"deployment_model", run.arguments().value("deployment-model", "GLOBAL")},
                      {"environment", run.value("environment")}};
    if (run.has("development-mode")) {
        body["sync"] = {{"development_mode_enabled", true}};
    }
    if (run.has("cluster")) {
        body["data_source"] = {
            {"name", run.arguments().value("cluster-service-name", "mongodb-atlas")},
            {"type", "mongodb-atlas"},
            {"config", {{"clusterName", run.value("cluster")}}}};
    }
    if (run.has("dry-run")) {
        run.console().result(body,
                             "would create the app '" + name + "' at " + run.admin().base_url());
        return ExitCode::done;
    }
    const json::object app =
        object_of(run.admin().post("/groups/" + run.admin().group() + "/apps", body));
    const RemoteApp made{text_of(app, "_id"), text_of(app, "client_app_id"), text_of(app, "name"),
                         app};
    run.select(made);
    if (origin) {
        copy_app(run, *origin, made);
    }
    run.console().result(app, "created " + made.client_app_id);
    return run.has("local") ? pull(run) : ExitCode::done;
}

// The description as "key: value" lines, nested ones indented.
void describe(const json::value& value, std::size_t indent, std::string& out) {
    const std::string pad(indent * 2, ' ');
    if (value.is_object()) {
        for (const auto& [key, member] : value.get_object()) {
            const bool nested = (member.is_object() && !member.get_object().empty()) ||
                                (member.is_array() && !member.get_array().empty());
            if (nested) {
                out += pad + std::string(key) + ":\n";
                describe(member, indent + 1, out);
            } else if (!member.is_array() && !member.is_object()) {
                out += pad + std::string(key) + ": " + text_of(value.get_object(), key) + "\n";
            }
        }
    } else if (value.is_array()) {
        for (const json::value& element : value.get_array()) {
            if (element.is_object()) {
                std::string inner;
                describe(element, indent + 1, inner);
                if (inner.size() > pad.size()) {
                    inner[pad.size()] = '-';
                }
                out += inner;
            } else {
                out += pad + "- " + text_of({{"value", element}}, "value") + "\n";
            }
        }
    }
}

ExitCode show(Run& run) {
    const json::object description = object_of(run.admin().get(run.app_path("/description")));
    std::string text;
    describe(description, 0, text);
    run.console().result(description, text);
    return ExitCode::done;
}

ExitCode remove(Run& run) {
    if (!run.has("app")) {
        throw Failure(ExitCode::usage, "name the app to delete with --app APP");
    }
    const RemoteApp app = run.app();
    if (!run.console().confirm("Delete the app " + app.client_app_id +
                               " with its users, rules and sync history?")) {
        run.console().note("nothing was deleted");
        return ExitCode::done;
    }
    run.admin().erase(run.app_path(""));
    run.console().result({{"client_app_id", app.client_app_id}, {"deleted", true}},
                         "deleted " + app.client_app_id);
    return ExitCode::done;
}

} // namespace

void add_app_commands(CommandTable& table) {
    table.groups.push_back({.name = "apps", .aliases = {"app"}, .summary = "Apps on the server"});
    Flag filter = app_flag();
    filter.help = "Only apps whose id begins so";
    table.commands.push_back({.path = "apps list",
                              .aliases = {"ls"},
                              .summary = "List the apps",
                              .flags = {filter},
                              .run = list});
    table.commands.push_back(
        {.path = "apps create",
         .summary = "Create an empty app, or a copy of another",
         .details = "To create an app from a directory, use tombolo push. A copy has the "
                    "configuration of the other app, not its users, secrets and documents.",
         .arguments = {{.name = "NAME", .help = "Name of the app", .optional = true}},
         .flags = {{.name = "name", .letter = 'n', .value = "NAME", .help = "The same"},
                   {.name = "environment",
                    .letter = 'e',
                    .value = "NAME",
                    .help = "Environment",
                    .choices = {"development", "testing", "qa", "production"}},
                   {.name = "remote", .value = "APP", .help = "Make it a copy of this app"},
                   {.name = "local",
                    .value = "DIRECTORY",
                    .help = "Write its directory there, as tombolo pull does"},
                   {.name = "template", .value = "ID", .hidden = true},
                   {.name = "development-mode",
                    .help = "Let devices define classes and properties"},
                   {.name = "cluster",
                    .value = "NAME",
                    .help = "Link a data source of that cluster name"},
                   {.name = "cluster-service-name",
                    .value = "NAME",
                    .help = "Name of that data source (mongodb-atlas)"},
                   {.name = "deployment-model",
                    .letter = 'd',
                    .value = "MODEL",
                    .help = "Recorded, without effect",
                    .choices = {"GLOBAL", "LOCAL"}},
                   {.name = "dry-run", .letter = 'x', .help = "Only say what would be done"},
                   {.name = "provider-region", .value = "REGION", .hidden = true},
                   {.name = "location", .value = "REGION", .hidden = true}},
         .examples = {{"tombolo apps create field-notes --development-mode",
                       "A first app for a device to talk to"}},
         .run = create});
    table.commands.push_back({.path = "apps describe",
                              .summary = "Show what an app consists of",
                              .flags = {app_flag()},
                              .run = show});
    table.commands.push_back(
        {.path = "apps delete",
         .summary = "Delete an app",
         .details = "Its users, configuration and sync history go; documents stay.",
         .flags = {app_flag()},
         .run = remove});
}

} // namespace tombolo::cli
