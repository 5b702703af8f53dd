// access list: which addresses may call an app.

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

constexpr const char* path = "/security/access_list";

std::vector<json::object> entries(Run& run) {
    const json::object answer = object_of(run.admin().get(run.app_path(path)));
    return objects_of(answer.at("allowed_ips"));
}

json::object find(Run& run) {
    const std::string wanted = run.required("ip");
    for (json::object& each : entries(run)) {
        if (text_of(each, "address") == wanted || text_of(each, "_id") == wanted) {
            return std::move(each);
        }
    }
    throw Failure(ExitCode::not_found, "the access list has no entry '" + wanted + "'",
                  "tombolo accessList list shows them.");
}

ExitCode list(Run& run) {
    const std::vector<json::object> all = entries(run);
    std::vector<std::vector<std::string>> rows;
    rows.reserve(all.size());
    for (const json::object& each : all) {
        const bool mine = server::bool_or(each, "includes_current", false);
        rows.push_back({text_of(each, "address"), text_of(each, "comment"), mine ? "yes" : "no"});
    }
    if (all.empty()) {
        run.console().note("the list is empty: every address may call the app");
    }
    run.console().table({"Address", "Comment", "Includes yours"}, rows, all);
    return ExitCode::done;
}

// What --ip, --use-current and --allow-all say; exactly one of them.
json::object address_of(Run& run) {
    const int given =
        (run.has("ip") ? 1 : 0) + (run.has("use-current") ? 1 : 0) + (run.has("allow-all") ? 1 : 0);
    if (given != 1) {
        throw Failure(ExitCode::usage, "one of --ip, --use-current and --allow-all is needed");
    }
    json::object body{{"comment", run.value("comment")}};
    if (run.has("use-current")) {
        body["use_current"] = true;
    } else {
        body["address"] = run.has("allow-all") ? "0.0.0.0/0" : run.value("ip");
    }
    return body;
}

ExitCode create(Run& run) {
    const json::object made = object_of(run.admin().post(run.app_path(path), address_of(run)));
    run.console().result(made, "added " + text_of(made, "address"));
    if (!server::bool_or(made, "includes_current", false)) {
        run.console().note("your own address may not call the app by this entry");
    }
    return ExitCode::done;
}

ExitCode update(Run& run) {
    json::object body;
    if (run.has("new-ip")) {
        body["address"] = run.value("new-ip");
    }
    if (run.has("comment")) {
        body["comment"] = run.value("comment");
    }
    if (body.empty()) {
        throw Failure(ExitCode::usage, "nothing is to be changed",
                      "Name what with --new-ip or --comment.");
    }
    const std::string id = text_of(find(run), "_id");
    const json::object changed =
        object_of(run.admin().patch(run.app_path(std::string(path) + "/" + id), body));
    run.console().result(changed, "updated " + text_of(changed, "address"));
    return ExitCode::done;
}

ExitCode remove(Run& run) {
    const json::object entry = find(run);
    if (!run.console().confirm("Remove " + text_of(entry, "address") + " from the access list?")) {
        return ExitCode::done;
    }
    run.admin().erase(run.app_path(std::string(path) + "/" + text_of(entry, "_id")));
    run.console().result(entry, "removed " + text_of(entry, "address"));
    return ExitCode::done;
}

Flag comment_flag() {
    return {.name = "comment", .value = "TEXT", .help = "What the entry is for"};
}

} // namespace

void add_access_list_commands(CommandTable& table) {
    table.groups.push_back({.name = "accessList",
                            .aliases = {"access-list", "accesslist"},
                            .summary = "Addresses that may call an app"});
    table.commands.push_back({.path = "accessList list",
                              .aliases = {"ls"},
                              .summary = "List the addresses; none: all may call",
                              .flags = {app_flag()},
                              .run = list});
    table.commands.push_back(
        {.path = "accessList create",
         .summary = "Let an address or range call the app",
         .details = "From the first entry on, requests of users and devices from other addresses "
                    "are refused. Administrators are not meant.",
         .flags = {app_flag(),
                   {.name = "ip", .value = "ADDRESS", .help = "192.0.2.7, 192.0.2.0/24 or IPv6"},
                   {.name = "use-current", .help = "The address that this is called from"},
                   {.name = "allow-all", .help = "Every address: 0.0.0.0/0"},
                   comment_flag()},
         .examples = {{"tombolo accessList create --ip 192.0.2.0/24 --comment office",
                       "Only the office"}},
         .run = create});
    table.commands.push_back(
        {.path = "accessList update",
         .summary = "Change an entry",
         .flags = {app_flag(),
                   {.name = "ip", .value = "ADDRESS", .help = "Address of the entry, or its id"},
                   {.name = "new-ip", .value = "ADDRESS", .help = "New address"},
                   comment_flag()},
         .run = update});
    table.commands.push_back(
        {.path = "accessList delete",
         .summary = "Remove an entry; without any, all may call",
         .flags = {app_flag(),
                   {.name = "ip", .value = "ADDRESS", .help = "Address of the entry, or its id"}},
         .run = remove});
}

} // namespace tombolo::cli
