// functions: what there is, and running one.

#include <boost/json/serialize.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "core/ejson.hpp"
#include "server/app/function_config.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

server::FunctionsConfig local_functions(const Run& run) {
    const auto root = find_app_root(run.value("local").empty() ? "." : run.value("local"));
    if (!root) {
        throw Failure(ExitCode::usage, "there is no app directory here",
                      "Name one with --local DIRECTORY.");
    }
    const Result<server::AppTree> tree = server::read_app_directory(*root);
    if (!tree) {
        throw Failure(tree.error());
    }
    return server::parse_functions(*tree);
}

ExitCode list_local(Run& run) {
    std::vector<json::object> functions;
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, function] : local_functions(run).functions) {
        functions.push_back({{"name", name}, {"private", function.is_private}});
        rows.push_back({name, function.is_private ? "private" : "public"});
    }
    run.console().table({"Name", "Visibility"}, rows, functions);
    return ExitCode::done;
}

ExitCode list(Run& run) {
    if (run.has("local")) {
        return list_local(run);
    }
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

// The source in the directory here, run by the server without being deployed.
json::object source_body(const Run& run, const std::string& name, const json::array& arguments) {
    const server::FunctionsConfig local = local_functions(run);
    const auto found = local.functions.find(name);
    if (found == local.functions.end()) {
        throw Failure(ExitCode::not_found, "the app directory here has no function '" + name + "'");
    }
    const std::string list = json::serialize(json::string(json::serialize(arguments)));
    return {{"source", found->second.source},
            {"eval_source", "(typeof exports === \"function\" ? exports : module.exports)"
                            "(...EJSON.parse(" +
                                list + "))"}};
}

ExitCode call(Run& run) {
    const std::string name = run.value("NAME").empty() ? run.required("name") : run.value("NAME");
    json::array arguments;
    for (const std::string& each : run.arguments().values("args")) {
        arguments.push_back(argument(each));
    }
    const std::string user = run.value("user");
    const Query query = user.empty() ? Query{{"run_as_system", "true"}} : Query{{"user_id", user}};
    const bool local = run.has("use-local-app");
    const json::object body = local ? source_body(run, name, arguments)
                                    : json::object{{"name", name}, {"arguments", arguments}};
    const json::object answer = object_of(run.admin().post(
        run.app_path(local ? "/debug/execute_function_source" : "/debug/execute_function"), body,
        query));
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
                              .flags = {app_flag(),
                                        {.name = "local",
                                         .value = "DIRECTORY",
                                         .help = "Those of this app directory instead"}},
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
                   {.name = "use-local-app",
                    .help = "Run the source of the app directory here instead of what is deployed; "
                            "what it calls is the deployed app's"},
                   {.name = "local",
                    .value = "DIRECTORY",
                    .help = "App directory; otherwise the one that this is called in"}},
         .examples = {{"tombolo function run sum --args 1 --args 2", "Two numbers"},
                      {"tombolo function run find --args '{\"_id\": {\"$oid\": "
                       "\"65f000000000000000000001\"}}' --user 65f0aa",
                       "A document, as a user"}},
         .run = call});
}

} // namespace tombolo::cli
