// sync: the state of Device Sync, for an operator.

#include <chrono>

#include "cli/command_table.hpp"
#include "cli/interrupt.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

constexpr auto progress_pause = std::chrono::milliseconds(500);

struct SyncService {
    std::string id;
    std::string name;
    std::string member = "flexible_sync"; ///< or "sync"
    json::object settings;
    bool configured = false;
};

// The data source that sync runs on; else the first one.
SyncService sync_service(Run& run) {
    std::optional<SyncService> first;
    for (const json::object& each : objects_of(run.admin().get(run.app_path("/services")))) {
        if (!text_of(each, "type").starts_with("mongodb")) {
            continue;
        }
        SyncService service;
        service.id = text_of(each, "_id");
        service.name = text_of(each, "name");
        const json::object config =
            object_of(run.admin().get(run.app_path("/services/" + service.id + "/config")));
        for (const char* member : {"flexible_sync", "sync"}) {
            if (config.contains(member) && config.at(member).is_object()) {
                service.member = member;
                service.settings = config.at(member).get_object();
                service.configured = true;
                return service;
            }
        }
        if (!first) {
            first = std::move(service);
        }
    }
    if (!first) {
        throw Failure(ExitCode::not_found, "the app has no data source",
                      "Deploy an app directory with one: tombolo push.");
    }
    return *std::move(first);
}

std::string state_words(const std::string& state) {
    return state == "enabled"    ? "running"
           : state == "disabled" ? "paused"
           : state == "failed"   ? "failed"
                                 : "not enabled";
}

ExitCode status(Run& run) {
    const SyncService service = sync_service(run);
    const json::object mode = object_of(run.admin().get(run.app_path("/sync/config")));
    const json::object progress = object_of(run.admin().get(run.app_path("/sync/progress")));
    const json::object known = object_of(run.admin().get(run.app_path("/sync/state")));
    const bool has_failed = text_of(known, "state") == "failed";
    const std::string state = has_failed ? "failed" : text_of(service.settings, "state");
    const bool development = server::bool_or(mode, "development_mode_enabled", false);
    std::string text = "sync: " + state_words(state);
    if (service.configured) {
        text += std::string("\nmode: ") + (service.member == "sync" ? "partition" : "flexible") +
                "\ndata source: " + service.name +
                "\ndatabase: " + text_of(service.settings, "database_name");
        const std::string fields = text_of(service.settings, "queryable_fields_names");
        text += "\nqueryable fields: " + (fields.empty() ? "none" : fields);
    }
    text += std::string("\ndevelopment mode: ") + (development ? "on" : "off");
    text += std::string("\naccepts clients: ") +
            (server::bool_or(progress, "accepting_clients", false) ? "yes" : "no");
    if (has_failed) {
        text += "\n" + text_of(known, "error") + ": " + text_of(known, "message");
    }
    run.console().result({{"state", state},
                          {"data_source", service.name},
                          {"development_mode_enabled", development},
                          {service.member, service.settings},
                          {"progress", progress}},
                         text);
    return ExitCode::done;
}

void patch_state(Run& run, const SyncService& service, json::object settings) {
    run.admin().patch(run.app_path("/services/" + service.id + "/config"),
                      json::object{{service.member, std::move(settings)}});
}

ExitCode enable(Run& run) {
    const SyncService service = sync_service(run);
    json::object settings{{"state", "enabled"}};
    const std::string database = run.value("database");
    if (!database.empty()) {
        settings["database_name"] = database;
    } else if (text_of(service.settings, "database_name").empty()) {
        throw Failure(ExitCode::usage, "sync needs a database", "Give --database NAME.");
    }
    if (run.has("queryable-field")) {
        json::array fields;
        for (const std::string& each : run.arguments().values("queryable-field")) {
            fields.emplace_back(each);
        }
        settings["queryable_fields_names"] = std::move(fields);
    }
    patch_state(run, service, std::move(settings));
    run.console().result({{"state", "enabled"}}, "sync runs on " + service.name);
    return ExitCode::done;
}

ExitCode set_state(Run& run, const std::string& from, const std::string& to,
                   const std::string& words) {
    const SyncService service = sync_service(run);
    const std::string state = text_of(service.settings, "state");
    if (state == to) {
        run.console().result({{"state", to}}, "nothing to do: sync is " + state_words(to));
        return ExitCode::done;
    }
    if (state != from) {
        throw Failure(ExitCode::failure, "sync is " + state_words(state),
                      "Enable it with tombolo sync enable.");
    }
    patch_state(run, service, {{"state", to}});
    run.console().result({{"state", to}}, words);
    return ExitCode::done;
}

ExitCode terminate(Run& run) {
    const SyncService service = sync_service(run);
    const std::string app = run.app().client_app_id;
    if (text_of(service.settings, "state").empty()) {
        run.console().result({{"state", ""}}, "nothing to do: sync is not enabled");
        return ExitCode::done;
    }
    std::string typed = run.value("confirm");
    if (typed.empty()) {
        run.console().warning("this deletes the sync history: every device must reset, and one "
                              "that does not recover loses what it has not uploaded");
        typed = run.console().ask("Type the app id " + app + " to go on", "--confirm " + app);
    }
    if (typed != app) {
        throw Failure(ExitCode::usage, "'" + typed + "' is not the app id " + app,
                      "Nothing was changed.");
    }
    patch_state(run, service, {{"state", ""}});
    run.console().result({{"state", ""}}, "sync is terminated");
    return ExitCode::done;
}

ExitCode development_mode(Run& run) {
    const std::string wanted = run.value("MODE");
    if (wanted != "on" && wanted != "off") {
        throw Failure(ExitCode::usage, "development mode is on or off, not '" + wanted + "'");
    }
    run.admin().put(run.app_path("/sync/config"),
                    json::object{{"development_mode_enabled", wanted == "on"}});
    run.console().result({{"development_mode_enabled", wanted == "on"}},
                         "development mode is " + wanted);
    return ExitCode::done;
}

ExitCode show_progress(Run& run) {
    const Interrupt interrupt;
    for (;;) {
        const json::object progress = object_of(run.admin().get(run.app_path("/sync/progress")));
        const bool accepting = server::bool_or(progress, "accepting_clients", false);
        bool complete = accepting;
        std::vector<std::vector<std::string>> rows;
        for (const auto& [name, each] : server::object_or_empty(progress, "progress")) {
            const bool done =
                each.is_object() && server::bool_or(each.get_object(), "complete", false);
            complete = complete && done;
            const json::object one = each.is_object() ? each.get_object() : json::object();
            rows.push_back({std::string(name), done ? "complete" : "under way",
                            text_of(one, "documents_done"), text_of(one, "documents_total"),
                            text_of(one, "documents_unsynced"), text_of(one, "error")});
        }
        if (!run.has("wait") || complete || interrupt.requested()) {
            if (run.console().json()) {
                run.console().result(progress, {});
            } else {
                run.console().text(accepting ? "accepts clients" : "does not accept clients yet");
                run.console().table({"Collection", "State", "Done", "Of", "Unsynced", "Error"},
                                    rows, {});
            }
            return complete || !run.has("wait") ? ExitCode::done : ExitCode::failure;
        }
        interrupt.wait(progress_pause);
    }
}

} // namespace

void add_sync_commands(CommandTable& table) {
    table.groups.push_back({.name = "sync", .summary = "Device Sync of an app"});
    table.commands.push_back({.path = "sync status",
                              .summary = "Show whether sync runs, and how it is set up",
                              .flags = {app_flag()},
                              .run = status});
    table.commands.push_back({.path = "sync enable",
                              .summary = "Start flexible sync",
                              .flags = {app_flag(),
                                        {.name = "database",
                                         .letter = 'd',
                                         .value = "NAME",
                                         .help = "Database of classes that devices define"},
                                        {.name = "queryable-field",
                                         .value = "NAME",
                                         .help = "Field that devices may query",
                                         .repeatable = true}},
                              .run = enable});
    table.commands.push_back(
        {.path = "sync pause",
         .summary = "Stop serving devices, keeping the history",
         .flags = {app_flag()},
         .run = [](Run& run) { return set_state(run, "enabled", "disabled", "sync is paused"); }});
    table.commands.push_back(
        {.path = "sync resume",
         .summary = "Serve devices again",
         .flags = {app_flag()},
         .run = [](Run& run) { return set_state(run, "disabled", "enabled", "sync runs"); }});
    table.commands.push_back(
        {.path = "sync terminate",
         .summary = "Stop sync and delete its history: every device must reset",
         .flags = {app_flag(),
                   {.name = "confirm",
                    .value = "APPID",
                    .help = "The app id, instead of typing it"}},
         .run = terminate});
    table.commands.push_back({.path = "sync dev-mode",
                              .summary = "Let devices define classes and properties, or not",
                              .arguments = {{.name = "MODE", .help = "on or off"}},
                              .flags = {app_flag()},
                              .run = development_mode});
    table.commands.push_back(
        {.path = "sync progress",
         .summary = "Show how far the initial sync is",
         .flags = {app_flag(), {.name = "wait", .help = "Wait until it is complete"}},
         .run = show_progress});
}

} // namespace tombolo::cli
