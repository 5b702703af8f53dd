// secrets and values of an app.

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

// --value, or standard input when it is "-".
std::string given_value(Run& run) {
    if (run.value("value") == "-") {
        return Console::read_standard_input();
    }
    return run.has("value")
               ? run.value("value")
               : run.console().ask("Value", "--value (\"-\": from standard input)", true);
}

// The one of that id or name; `path` is "/secrets" or "/values".
json::object find(Run& run, const std::string& path, const std::string& wanted) {
    for (const json::object& each : objects_of(run.admin().get(run.app_path(path)))) {
        if (text_of(each, "_id") == wanted || text_of(each, "name") == wanted) {
            return each;
        }
    }
    const std::string noun = path.substr(1, path.size() - 2);
    throw Failure(ExitCode::not_found, "there is no " + noun + " '" + wanted + "'",
                  "tombolo " + path.substr(1) + " list shows them.");
}

std::string named(const Run& run) {
    const std::string name = run.value("NAME").empty() ? run.value("name") : run.value("NAME");
    const std::string wanted = name.empty() ? run.value("secret") : name;
    if (wanted.empty()) {
        throw Failure(ExitCode::usage, "NAME is required");
    }
    return wanted;
}

ExitCode list_secrets(Run& run) {
    const auto secrets = objects_of(run.admin().get(run.app_path("/secrets")));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(secrets.size());
    for (const json::object& each : secrets) {
        rows.push_back({text_of(each, "_id"), text_of(each, "name")});
    }
    run.console().table({"Id", "Name"}, rows, secrets);
    return ExitCode::done;
}

ExitCode create_secret(Run& run) {
    const std::string name = named(run);
    const json::object made = object_of(run.admin().post(
        run.app_path("/secrets"), json::object{{"name", name}, {"value", given_value(run)}}));
    run.console().result(made, "created secret " + name);
    return ExitCode::done;
}

ExitCode update_secret(Run& run) {
    const json::object secret = find(run, "/secrets", named(run));
    const std::string name = run.has("new-name") ? run.value("new-name") : text_of(secret, "name");
    // An empty value keeps the stored one.
    const bool only_renamed = run.has("new-name") && !run.has("value");
    run.admin().put(
        run.app_path("/secrets/" + text_of(secret, "_id")),
        json::object{{"name", name}, {"value", only_renamed ? std::string() : given_value(run)}});
    run.console().result({{"_id", text_of(secret, "_id")}, {"name", name}},
                         "updated secret " + name);
    return ExitCode::done;
}

ExitCode delete_secret(Run& run) {
    const json::object secret = find(run, "/secrets", named(run));
    if (!run.console().confirm("Delete the secret " + text_of(secret, "name") + "?")) {
        return ExitCode::done;
    }
    run.admin().erase(run.app_path("/secrets/" + text_of(secret, "_id")));
    run.console().result(secret, "deleted secret " + text_of(secret, "name"));
    return ExitCode::done;
}

ExitCode list_values(Run& run) {
    const auto values = objects_of(run.admin().get(run.app_path("/values")));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(values.size());
    for (const json::object& each : values) {
        rows.push_back({text_of(each, "_id"), text_of(each, "name"),
                        server::bool_or(each, "private", false) ? "private" : "public"});
    }
    run.console().table({"Id", "Name", "Visibility"}, rows, values);
    return ExitCode::done;
}

json::value json_or_text(const std::string& text) {
    Result<json::value> parsed = server::parse_json(text);
    return parsed ? *std::move(parsed) : json::value(text);
}

json::object value_body(Run& run, const std::string& name) {
    const std::string given = given_value(run);
    return {{"name", name},
            {"value", run.has("from-secret") ? json::value(given) : json_or_text(given)},
            {"from_secret", run.has("from-secret")},
            {"private", run.has("private")}};
}

ExitCode show_value(Run& run) {
    const std::string id = text_of(find(run, "/values", named(run)), "_id");
    const json::object value = object_of(run.admin().get(run.app_path("/values/" + id)));
    run.console().result(value, text_of(value, "value"));
    return ExitCode::done;
}

ExitCode create_value(Run& run) {
    const std::string name = named(run);
    const json::object made =
        object_of(run.admin().post(run.app_path("/values"), value_body(run, name)));
    run.console().result(made, "created value " + name);
    return ExitCode::done;
}

ExitCode update_value(Run& run) {
    const json::object found = find(run, "/values", named(run));
    const std::string name = text_of(found, "name");
    run.admin().put(run.app_path("/values/" + text_of(found, "_id")), value_body(run, name));
    run.console().result({{"_id", text_of(found, "_id")}, {"name", name}}, "updated value " + name);
    return ExitCode::done;
}

ExitCode delete_value(Run& run) {
    const json::object found = find(run, "/values", named(run));
    if (!run.console().confirm("Delete the value " + text_of(found, "name") + "?")) {
        return ExitCode::done;
    }
    run.admin().erase(run.app_path("/values/" + text_of(found, "_id")));
    run.console().result(found, "deleted value " + text_of(found, "name"));
    return ExitCode::done;
}

const Argument name_argument = {
    .name = "NAME", .help = "Name (or id, of one that exists)", .optional = true};
const Flag name_flag = {.name = "name", .letter = 'n', .value = "NAME", .help = "The same"};
const Flag value_flag = {.name = "value",
                         .letter = 'v',
                         .value = "VALUE",
                         .help = "Value; \"-\" reads it from standard input"};

} // namespace

void add_secret_commands(CommandTable& table) {
    const Flag secret_flag = {.name = "secret", .letter = 's', .value = "NAME", .help = "The same"};
    table.groups.push_back({.name = "secrets",
                            .aliases = {"secret"},
                            .summary = "Secrets of an app; their values are never shown"});
    table.commands.push_back({.path = "secrets list",
                              .aliases = {"ls"},
                              .summary = "List the names of secrets",
                              .flags = {app_flag()},
                              .run = list_secrets});
    table.commands.push_back(
        {.path = "secrets create",
         .summary = "Create a secret",
         .arguments = {name_argument},
         .flags = {app_flag(), name_flag, value_flag},
         .examples = {{"tombolo secrets create smtp-password --value - <password.txt",
                       "Keep the value out of the process list"}},
         .run = create_secret});
    table.commands.push_back({.path = "secrets update",
                              .summary = "Change a secret's value or name",
                              .arguments = {name_argument},
                              .flags = {app_flag(),
                                        secret_flag,
                                        value_flag,
                                        {.name = "new-name",
                                         .value = "NAME",
                                         .help = "New name",
                                         .aliases = {"name"},
                                         .hidden = false}},
                              .run = update_secret});
    table.commands.push_back({.path = "secrets delete",
                              .summary = "Delete a secret",
                              .arguments = {name_argument},
                              .flags = {app_flag(), secret_flag},
                              .run = delete_secret});
}

void add_value_commands(CommandTable& table) {
    const Flag from_secret = {.name = "from-secret", .help = "VALUE is the name of a secret"};
    const Flag is_private = {.name = "private", .help = "Only functions and rules may read it"};
    table.groups.push_back({.name = "values",
                            .aliases = {"value"},
                            .summary = "Named constants for rules and functions"});
    table.commands.push_back({.path = "values list",
                              .aliases = {"ls"},
                              .summary = "List the values",
                              .flags = {app_flag()},
                              .run = list_values});
    table.commands.push_back({.path = "values show",
                              .aliases = {"get", "describe"},
                              .summary = "Print a value as JSON",
                              .arguments = {name_argument},
                              .flags = {app_flag(), name_flag},
                              .run = show_value});
    table.commands.push_back(
        {.path = "values create",
         .summary = "Create a value",
         .details = "A value that is JSON is stored as such, anything else as a string.",
         .arguments = {name_argument},
         .flags = {app_flag(), name_flag, value_flag, from_secret, is_private},
         .run = create_value});
    table.commands.push_back({.path = "values update",
                              .summary = "Change a value",
                              .arguments = {name_argument},
                              .flags = {app_flag(), name_flag, value_flag, from_secret, is_private},
                              .run = update_value});
    table.commands.push_back({.path = "values delete",
                              .summary = "Delete a value",
                              .arguments = {name_argument},
                              .flags = {app_flag(), name_flag},
                              .run = delete_value});
}

} // namespace tombolo::cli
