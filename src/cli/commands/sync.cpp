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

constexpr const char* how_to_enable = "Enable it with tombolo sync enable --database NAME.";

// The data source that sync runs on; else the first one; nothing when there is none.
std::optional<SyncService> sync_service(Run& run) {
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
    return first;
}

std::string state_words(const std::string& state) {
    return state == "enabled"    ? "running"
           : state == "disabled" ? "paused"
           : state == "failed"   ? "failed"
                                 : "not enabled";
}

// Of a state that does not become another by itself; the reason of a failure says it.
std::string what_to_do(const std::string& state) {
    return state == "paused"         ? "\nResume it with tombolo sync resume."
           : state == "cannot_start" ? "\nMend the configuration and deploy it: tombolo push."
                                     : "";
}

// After it was told to run: whether it does.
void warn_if_it_cannot(Run& run) {
    const json::object progress = object_of(run.admin().get(run.app_path("/sync/progress")));
    const std::string state = text_of(progress, "state");
    if (state == "failed" || state == "cannot_start") {
        run.console().warning(text_of(progress, "reason") + what_to_do(state));
    }
}

ExitCode status(Run& run) {
    const SyncService service = sync_service(run).value_or(SyncService());
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
    const std::string reason = text_of(progress, "reason");
    text += std::string("\naccepts clients: ") +
            (server::bool_or(progress, "accepting_clients", false) ? "yes" : "no") +
            (state.empty() || has_failed || reason.empty() ? "" : ": " + reason);
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
    const std::optional<SyncService> found = sync_service(run);
    if (!found) {
        throw Failure(ExitCode::not_found, "the app has no data source",
                      "Deploy an app directory with one: tombolo push.");
    }
    const SyncService& service = *found;
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
    run.console().result({{"state", "enabled"}}, "sync is enabled on " + service.name);
    warn_if_it_cannot(run);
    return ExitCode::done;
}

ExitCode set_state(Run& run, const std::string& from, const std::string& to,
                   const std::string& words) {
    const SyncService service = sync_service(run).value_or(SyncService());
    const std::string state = text_of(service.settings, "state");
    if (state == to) {
        run.console().result({{"state", to}}, "nothing to do: sync is " + state_words(to));
        return ExitCode::done;
    }
    if (state != from) {
        throw Failure(ExitCode::not_found, "sync is not enabled for this app", how_to_enable);
    }
    patch_state(run, service, {{"state", to}});
    run.console().result({{"state", to}}, words);
    if (to == "enabled") {
        warn_if_it_cannot(run);
    }
    return ExitCode::done;
}

ExitCode terminate(Run& run) {
    const SyncService service = sync_service(run).value_or(SyncService());
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

struct Progress {
    json::object all;
    std::string state; ///< of the server, see the route
    std::vector<std::vector<std::string>> rows;
    bool is_complete = false;

    bool goes_on() const { return !is_complete && (state == "starting" || state == "enabled"); }
};

Progress ask_progress(Run& run) {
    Progress found;
    found.all = object_of(run.admin().get(run.app_path("/sync/progress")));
    found.state = text_of(found.all, "state");
    found.is_complete = server::bool_or(found.all, "accepting_clients", false);
    for (const auto& [name, each] : server::object_or_empty(found.all, "progress")) {
        const json::object one = each.is_object() ? each.get_object() : json::object();
        const bool done = server::bool_or(one, "complete", false);
        found.is_complete = found.is_complete && done;
        const std::string error = text_of(one, "error");
        found.rows.push_back({std::string(name),
                              done            ? "complete"
                              : error.empty() ? "under way"
                                              : "cannot start",
                              text_of(one, "documents_done"), text_of(one, "documents_total"),
                              text_of(one, "documents_unsynced"), error});
    }
    return found;
}

ExitCode show_progress(Run& run) {
    const Interrupt interrupt;
    Progress found = ask_progress(run);
    while (run.has("wait") && found.goes_on() && !interrupt.requested()) {
        interrupt.wait(progress_pause);
        found = ask_progress(run);
    }
    if (found.state == "not_enabled") {
        throw Failure(ExitCode::not_found, text_of(found.all, "reason"), how_to_enable);
    }
    if (run.console().json()) {
        run.console().result(found.all, {});
    } else {
        const bool accepting = server::bool_or(found.all, "accepting_clients", false);
        run.console().text(accepting ? "accepts clients"
                                     : "does not accept clients: " + text_of(found.all, "reason") +
                                           what_to_do(found.state));
        if (!found.rows.empty()) {
            run.console().table({"Collection", "State", "Done", "Of", "Unsynced", "Error"},
                                found.rows, {});
        }
    }
    return found.is_complete || !run.has("wait") ? ExitCode::done : ExitCode::failure;
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
         .run = [](Run& run) { return set_state(run, "disabled", "enabled", "sync is resumed"); }});
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
