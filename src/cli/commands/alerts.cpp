// alerts: what the server wants somebody to look at.

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

ExitCode list(Run& run) {
    const std::int64_t limit = run.arguments().number("limit", 1, 1000).value_or(20);
    const auto alerts =
        objects_of(run.admin().get(run.app_path("/alerts"), {{"limit", std::to_string(limit)}}));
    for (const json::object& each : alerts) {
        const std::string app = text_of(each, "app");
        std::string text = text_of(each, "time") + "  " + text_of(each, "kind") + "  " +
                           (app.empty() ? "the server" : app) + "\n    " +
                           text_of(each, "message") + "\n    do: " + text_of(each, "what_to_do");
        const std::string repeated = text_of(each, "repeated");
        text += repeated.empty() || repeated == "0" ? "" : "\n    " + repeated + " more before it";
        run.console().result(each, text);
    }
    if (alerts.empty()) {
        run.console().note("no alerts");
    }
    return ExitCode::done;
}

} // namespace

void add_alert_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "alerts",
         .summary = "List what the server wants somebody to look at",
         .details = "Sync that failed or that the server paused, limits that were reached; newest "
                    "first, of the app and of the server. The setting alert_webhook of the server "
                    "has them posted somewhere too.",
         .flags = {app_flag(),
                   {.name = "limit", .letter = 'l', .value = "N", .help = "At most so many (20)"}},
         .run = list});
}

} // namespace tombolo::cli
