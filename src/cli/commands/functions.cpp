// functions: what there is, and running one.

#include <boost/json/serialize.hpp>

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "core/ejson.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

ExitCode list(Run& run) {
    const auto functions = objects_of(run.admin().get(run.app_path("/functions")));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(functions.size());
    for (const json::object& each : functions) {
        rows.push_back({text_of(each, "_id"), text_of(each, "name")});
    }
    run.console().table({"Id", "Name"}, rows, functions);
    return ExitCode::done;
}

// JSON (Extended JSON too) as it is, everything else as a string.
json::value argument(const std::string& text) {
    Result<json::value> parsed = server::parse_json(text);
    if (!parsed) {
        return json::value(text);
    }
    const Result<BsonBuffer> checked = ejson_to_wrapped_bson(text);
    if (!checked) {
        throw Failure(ExitCode::usage,
                      "the argument " + text + " is not Extended JSON: " + checked.error().what());
    }
    return *std::move(parsed);
}

void show_logs(Run& run, const json::object& answer, const char* key) {
    const json::value* lines = answer.if_contains(key);
    if (lines != nullptr && lines->is_array()) {
        for (const json::value& line : lines->get_array()) {
            run.console().note("log: " + text_of({{"line", line}}, "line"));
        }
    }
}

ExitCode call(Run& run) {
    const std::string name = run.value("NAME").empty() ? run.required("name") : run.value("NAME");
    json::array arguments;
    for (const std::string& each : run.arguments().values("args")) {
        arguments.push_back(argument(each));
    }
    const std::string user = run.value("user");
    const Query query = user.empty() ? Query{{"run_as_system", "true"}} : Query{{"user_id", user}};
    const json::object answer =
        object_of(run.admin().post(run.app_path("/debug/execute_function"),
                                   json::object{{"name", name}, {"arguments", arguments}}, query));
    const std::string error = text_of(answer, "error");
    if (!run.console().json()) {
        show_logs(run, answer, "logs");
        show_logs(run, answer, "error_logs");
    }
    if (!error.empty()) {
        if (run.console().json()) {
            run.console().result(answer, {});
        }
        throw Failure(ExitCode::failure, "the function " + name + " failed: " + error);
    }
    const json::value* result = answer.if_contains("result");
    run.console().result(answer, result == nullptr ? "null" : json::serialize(*result));
    return ExitCode::done;
}

} // namespace

void add_function_commands(CommandTable& table) {
    table.groups.push_back(
        {.name = "function", .aliases = {"functions"}, .summary = "Functions of an app"});
    table.commands.push_back({.path = "function list",
                              .aliases = {"ls"},
                              .summary = "List the functions",
                              .flags = {app_flag()},
                              .run = list});
    table.commands.push_back(
        {.path = "function run",
         .summary = "Run a function and print its result",
         .details =
             "It runs as the system, or as a user with --user. What it logs goes to "
             "standard error. Ends with 1 when the function throws, with 4 when there is none.",
         .arguments = {{.name = "NAME", .help = "Of the function", .optional = true}},
         .flags = {app_flag(),
                   {.name = "name", .letter = 'n', .value = "NAME", .help = "The same"},
                   {.name = "args",
                    .value = "VALUE",
                    .help = "An argument: Extended JSON, else it is a string",
                    .repeatable = true},
                   {.name = "user", .letter = 'u', .value = "ID", .help = "Run as this user"},
                   {.name = "local",
                    .value = "DIRECTORY",
                    .help = "App directory that names the app"}},
         .examples = {{"tombolo function run sum --args 1 --args 2", "Two numbers"},
                      {"tombolo function run find --args '{\"_id\": {\"$oid\": "
                       "\"65f000000000000000000001\"}}' --user 65f0aa",
                       "A document, as a user"}},
         .run = call});
}

} // namespace tombolo::cli
