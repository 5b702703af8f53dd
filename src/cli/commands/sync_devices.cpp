// sync devices, history, reset-file, expire-device: the client files of an app and what is kept for
// them, for an operator.

#include <algorithm>

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t page_size = 1000;
constexpr std::int64_t ident_max = 1'000'000'000'000'000;

std::uint64_t number_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<std::uint64_t>() : 0;
}

std::string words_of(const json::object& device) {
    if (server::bool_or(device, "must_reset", false)) {
        return "must reset";
    }
    return server::bool_or(device, "connected", false) ? "connected" : "away";
}

std::vector<json::object> devices_of(Run& run) {
    std::vector<json::object> devices;
    std::string after = "0";
    for (;;) {
        const std::vector<json::object> page =
            objects_of(run.admin().get(run.app_path("/sync/devices"), {{"after", after}}));
        devices.insert(devices.end(), page.begin(), page.end());
        if (page.size() < page_size) {
            return devices;
        }
        after = text_of(page.back(), "file_ident");
    }
}

ExitCode list_devices(Run& run) {
    std::vector<json::object> devices = devices_of(run);
    if (const std::string user = run.value("user"); !user.empty()) {
        std::erase_if(devices,
                      [&](const json::object& each) { return text_of(each, "user_id") != user; });
    }
    if (run.has("holding")) {
        std::erase_if(devices, [](const json::object& each) {
            return !server::bool_or(each, "holds_history", false);
        });
        std::sort(devices.begin(), devices.end(),
                  [](const json::object& left, const json::object& right) {
                      return number_of(left, "needs_history_above") <
                             number_of(right, "needs_history_above");
                  });
    }
    std::vector<std::vector<std::string>> rows;
    rows.reserve(devices.size());
    for (const json::object& each : devices) {
        rows.push_back({text_of(each, "file_ident"), text_of(each, "user_id"), words_of(each),
                        text_of(each, "last_seen"), text_of(each, "downloaded_version"),
                        server::bool_or(each, "holds_history", false)
                            ? text_of(each, "needs_history_above")
                            : "-",
                        text_of(each, "query")});
    }
    run.console().table(
        {"File", "User", "State", "Last seen", "Downloaded", "Holds history above", "Query"}, rows,
        devices);
    return ExitCode::done;
}

ExitCode show_history(Run& run) {
    const json::object history = object_of(run.admin().get(run.app_path("/sync/history")));
    const json::object& disk = server::object_or_empty(history, "disk_bytes");
    const json::object& last = server::object_or_empty(history, "last_run");
    std::string text =
        "newest version: " + text_of(history, "version") +
        "\nkept above version: " + text_of(history, "trimmed_version") +
        "\nclients may be offline for: " +
        count_of(number_of(history, "client_max_offline_days"), "day") + "\ndisk: history " +
        size_text(number_of(disk, "history") + number_of(disk, "parts")) + ", past documents " +
        size_text(number_of(disk, "past_documents")) + ", devices " +
        size_text(number_of(disk, "files") + number_of(disk, "reciprocals"));
    if (last.empty()) {
        text += "\ntrimming: has not run since the server started";
    } else {
        const std::uint64_t holder = number_of(last, "held_back_by_file");
        const bool is_held = number_of(last, "acknowledged") < number_of(last, "old_enough");
        text += "\ntrimming: last run " + text_of(last, "at") + ", old enough are versions up to " +
                text_of(last, "old_enough");
        if (is_held && holder != 0) {
            text += "\nheld back by: file " + std::to_string(holder) +
                    ", which has acknowledged only " + text_of(last, "acknowledged");
        }
    }
    run.console().result(history, text);
    return ExitCode::done;
}

std::int64_t ident_of(const Run& run) {
    const auto ident = run.arguments().number("IDENT", 2, ident_max);
    if (!ident) {
        throw Failure(ExitCode::usage, "IDENT is missing", "tombolo sync devices lists them.");
    }
    return *ident;
}

ExitCode act(Run& run, const std::string& route, const std::string& words) {
    const std::int64_t ident = ident_of(run);
    run.admin().put(run.app_path("/sync/" + route), json::object{{"file_ident", ident}});
    run.console().result({{"file_ident", ident}}, "file " + std::to_string(ident) + words);
    return ExitCode::done;
}

ExitCode expire(Run& run) {
    const std::int64_t ident = ident_of(run);
    if (!run.console().confirm("give up file " + std::to_string(ident) +
                               "? Its device must reset when it comes back")) {
        return ExitCode::failure;
    }
    return act(run, "expire", " is given up: history is not kept for it any more");
}

Argument ident_argument() {
    return {.name = "IDENT", .help = "Number of the client file"};
}

} // namespace

void add_sync_device_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "sync devices",
         .summary = "List the client files and what is kept for them",
         .details =
             "A client file is one copy of the data on one device. The server keeps the history "
             "above what each has acknowledged until it was away for longer than the app allows.",
         .flags = {app_flag(),
                   {.name = "user", .value = "ID", .help = "Only files of this user"},
                   {.name = "holding",
                    .help = "Only files that history is kept for, the oldest need first"}},
         .examples = {{.line = "tombolo sync devices --holding",
                       .what = "Which device keeps history from being trimmed"}},
         .run = list_devices});
    table.commands.push_back(
        {.path = "sync history",
         .summary = "Show the size of the sync history and what holds its trimming back",
         .flags = {app_flag()},
         .run = show_history});
    table.commands.push_back(
        {.path = "sync reset-file",
         .summary = "Make one client file reset",
         .details = "It is told at once when it is connected, else at its next contact. Devices "
                    "that recover keep the changes they have not uploaded.",
         .arguments = {ident_argument()},
         .flags = {app_flag()},
         .run = [](Run& run) { return act(run, "force_reset", " has to reset"); }});
    table.commands.push_back(
        {.path = "sync expire-device",
         .summary = "Keep no more history for a client file",
         .details = "For a device that will not come back and holds trimming back. Should it come "
                    "back all the same, it has to reset.",
         .arguments = {ident_argument()},
         .flags = {app_flag()},
         .run = expire});
}

} // namespace tombolo::cli
