// apps init: a new app directory, without a server unless it is a copy of what one has.

#include <filesystem>
#include <fstream>

#include <boost/json/object.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "cli/commands/directories.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

void write(const fs::path& path, const json::value& value) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << server::pretty_json(value);
    file.close();
    if (!file) {
        throw Failure(ExitCode::failure, "cannot write " + path.string());
    }
}

// What a fresh directory holds (admin-api-and-config.md 4.2).
void write_app(const fs::path& root, const std::string& name, const std::string& environment,
               const std::string& model) {
    json::object app{{"name", name},
                     {"config_version", 20210101},
                     {"deployment_model", model},
                     {"environment", environment},
                     {"allowed_request_origins", json::array()}};
    write(root / "realm_config.json", app);
    for (const char* each : {"no-environment", "development", "testing", "qa", "production"}) {
        write(root / "environments" / (std::string(each) + ".json"),
              json::object{{"values", json::object()}});
    }
    write(root / "auth/custom_user_data.json", json::object{{"enabled", false}});
    write(root / "auth/providers.json", json::object());
    write(root / "sync/config.json", json::object{{"development_mode_enabled", false}});
    write(root / "functions/config.json", json::array());
    write(root / "graphql/config.json", json::object{{"use_natural_pluralization", true}});
    write(root / "http_endpoints/config.json", json::array());
    for (const char* folder : {"data_sources", "services", "values"}) {
        std::error_code error;
        fs::create_directories(root / folder, error);
    }
}

ExitCode init(Run& run) {
    const std::string name = run.value("name").empty() ? run.value("NAME") : run.value("name");
    if (name.empty()) {
        throw Failure(ExitCode::usage, "the app needs a name", "tombolo apps init NAME");
    }
    const fs::path root = run.value("local").empty() ? name : run.value("local");
    std::error_code error;
    if (fs::exists(root, error) && !fs::is_empty(root, error)) {
        throw Failure(ExitCode::failure, root.string() + " is there and not empty",
                      "Name another directory with --local.");
    }
    if (run.has("remote")) {
        const auto origin = run.find_app(run.value("remote"));
        if (!origin) {
            throw Failure(ExitCode::not_found, "there is no app '" + run.value("remote") + "'");
        }
        write_app_copy(run, *origin, root.string(), name);
    } else {
        write_app(root, name, run.value("environment"),
                  run.arguments().value("deployment-model", "GLOBAL"));
    }
    run.console().result({{"directory", root.string()}, {"name", name}},
                         "wrote a new app into " + root.string() + "; tombolo push --local " +
                             root.string() + " deploys it");
    return ExitCode::done;
}

} // namespace

void add_init_command(CommandTable& table) {
    table.commands.push_back(
        {.path = "apps init",
         .summary = "Write the directory of a new app",
         .details = "Needs no server and changes nothing there. To get the directory of an app "
                    "that is on a server, use tombolo pull; --remote begins a new app with what "
                    "another one has.",
         .arguments = {{.name = "NAME", .help = "Name of the app", .optional = true}},
         .flags = {{.name = "name", .letter = 'n', .value = "NAME", .help = "The same"},
                   {.name = "remote", .value = "APP", .help = "Begin with what this app has"},
                   {.name = "local",
                    .value = "DIRECTORY",
                    .help = "Where; otherwise a directory of the app's name"},
                   {.name = "environment",
                    .letter = 'e',
                    .value = "NAME",
                    .help = "Environment",
                    .choices = {"development", "testing", "qa", "production"}},
                   {.name = "deployment-model",
                    .letter = 'd',
                    .value = "MODEL",
                    .help = "Recorded, without effect",
                    .choices = {"GLOBAL", "LOCAL"}}},
         .examples = {{"tombolo apps init field-notes", "A directory to begin with"}},
         .run = init});
}

} // namespace tombolo::cli
