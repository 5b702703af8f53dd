// logs: what an app's requests did.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "cli/command_table.hpp"
#include "cli/interrupt.hpp"
#include "cli/run.hpp"
#include "core/timestamp.hpp"
#include "server/app/log_types.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

constexpr auto poll_pause = std::chrono::seconds(2);

std::vector<std::string> type_names() {
    std::vector<std::string> names;
    for (const server::LogTypeGroup& group : server::log_type_groups) {
        names.emplace_back(group.name);
    }
    return names;
}

Query query_of(const Run& run) {
    Query query;
    std::string types;
    for (const std::string& name : run.arguments().values("type")) {
        for (const server::LogTypeGroup& group : server::log_type_groups) {
            if (name == group.name) {
                types += (types.empty() ? "" : ",") + std::string(group.types);
            }
        }
    }
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) {
            query.emplace_back(name, value);
        }
    };
    add("type", types);
    add("errors_only", run.has("errors") ? "true" : "");
    add("user_id", run.value("user"));
    add("co_id", run.value("request"));
    for (const auto& [flag, name] :
         {std::pair{"start", "start_date"}, std::pair{"end", "end_date"}}) {
        std::string time = run.value(flag);
        if (time.size() == 10) {
            time += "T00:00:00Z";
        }
        if (!time.empty() && !Timestamp::parse_iso_8601(time)) {
            throw Failure(ExitCode::usage, std::string("--") + flag +
                                               " must be a time like "
                                               "2024-05-31 or 2024-05-31T12:00:00Z, not '" +
                                               time + "'");
        }
        add(name, time);
    }
    return query;
}

void show(Run& run, const json::object& entry) {
    std::string text = text_of(entry, "started") + "  " + text_of(entry, "type");
    const json::object& event = server::object_or_empty(entry, "auth_event");
    for (const std::string& what :
         {text_of(entry, "function_name"), text_of(entry, "service_action"),
          text_of(entry, "service_namespace"), text_of(event, "type"),
          text_of(event, "provider")}) {
        text += what.empty() ? "" : " " + what;
    }
    const std::string user = text_of(entry, "user_id");
    if (!user.empty()) {
        text += "  user " + user;
    }
    const std::string status = text_of(entry, "status");
    if (!status.empty()) {
        text += "  " + status;
    }
    text += "  " + text_of(entry, "co_id");
    const std::string error = text_of(entry, "error");
    if (!error.empty()) {
        text += "\n    error: " + error;
    }
    const json::value* messages = entry.if_contains("messages");
    if (messages != nullptr && messages->is_array()) {
        for (const json::value& message : messages->get_array()) {
            text += "\n    " + text_of({{"message", message}}, "message");
        }
    }
    run.console().result(entry, text);
}

// One page, newest first, and where the next one begins.
struct Page {
    std::vector<json::object> entries;
    std::string next_end;
    std::string next_skip;
};

Page page_of(Run& run, const Query& query) {
    const json::object answer = object_of(run.admin().get(run.app_path("/logs"), query));
    Page page;
    if (answer.contains("logs")) {
        page.entries = objects_of(answer.at("logs"));
    }
    page.next_end = text_of(answer, "nextEndDate");
    page.next_skip = text_of(answer, "nextSkip");
    return page;
}

ExitCode tail(Run& run) {
    Query query = query_of(run);
    query.emplace_back("limit", "100");
    std::set<std::string> shown;
    const Interrupt interrupt;
    const auto limit = run.arguments().number("limit", 0, 100).value_or(10);
    bool first = true;
    run.console().note("waiting for entries; Ctrl-C ends it");
    while (!interrupt.requested()) {
        Page page = page_of(run, query);
        if (first && page.entries.size() > static_cast<std::size_t>(limit)) {
            for (std::size_t i = static_cast<std::size_t>(limit); i < page.entries.size(); ++i) {
                shown.insert(text_of(page.entries[i], "_id"));
            }
            page.entries.resize(static_cast<std::size_t>(limit));
        }
        first = false;
        std::reverse(page.entries.begin(), page.entries.end());
        for (const json::object& entry : page.entries) {
            if (shown.insert(text_of(entry, "_id")).second) {
                show(run, entry);
            }
        }
        run.console().flush();
        if (shown.size() > 10'000) {
            shown.clear();
            for (const json::object& entry : page.entries) {
                shown.insert(text_of(entry, "_id"));
            }
        }
        interrupt.wait(poll_pause);
    }
    return ExitCode::done;
}

ExitCode list(Run& run) {
    if (run.has("tail")) {
        return tail(run);
    }
    const auto limit =
        static_cast<std::size_t>(run.arguments().number("limit", 1, 1'000'000).value_or(100));
    const Query wanted = query_of(run);
    std::vector<json::object> entries;
    Page page;
    do {
        Query query = wanted;
        if (!page.next_end.empty()) {
            std::erase_if(query, [](const auto& each) { return each.first == "end_date"; });
            query.emplace_back("end_date", page.next_end);
            query.emplace_back("skip", page.next_skip);
        }
        query.emplace_back("limit",
                           std::to_string(std::min<std::size_t>(100, limit - entries.size())));
        page = page_of(run, query);
        entries.insert(entries.end(), page.entries.begin(), page.entries.end());
    } while (entries.size() < limit && !page.entries.empty() && !page.next_end.empty());
    std::reverse(entries.begin(), entries.end());
    for (const json::object& entry : entries) {
        show(run, entry);
    }
    if (entries.empty()) {
        run.console().note("no log entries");
    }
    return ExitCode::done;
}

} // namespace

void add_log_commands(CommandTable& table) {
    const std::vector<Flag> filters = {
        app_flag(),
        {.name = "type",
         .value = "TYPE",
         .help = "Only entries of this kind",
         .repeatable = true,
         .choices = type_names()},
        {.name = "errors", .help = "Only failures"},
        {.name = "user", .letter = 'u', .value = "ID", .help = "Only of this user"},
        {.name = "request",
         .value = "ID",
         .help = "Only of this request (x-appservices-request-id)"},
        {.name = "limit", .letter = 'l', .value = "N", .help = "At most so many, the newest"},
    };
    table.groups.push_back(
        {.name = "logs", .aliases = {"log"}, .summary = "Logs of an app's requests"});
    std::vector<Flag> list_flags = filters;
    list_flags.push_back({.name = "start", .value = "TIME", .help = "Only later than this"});
    list_flags.push_back({.name = "end", .value = "TIME", .help = "Not later than this"});
    list_flags.push_back({.name = "tail", .help = "The same as tombolo logs tail"});
    table.commands.push_back({.path = "logs list",
                              .aliases = {"ls"},
                              .summary = "Print log entries, oldest first",
                              .flags = list_flags,
                              .examples = {{"tombolo logs list --errors --type sync --start "
                                            "2024-05-31",
                                            "What went wrong in sync since then"}},
                              .run = list});
    table.commands.push_back({.path = "logs tail",
                              .aliases = {"follow"},
                              .summary = "Print log entries as they come",
                              .flags = filters,
                              .run = tail});
}

} // namespace tombolo::cli
