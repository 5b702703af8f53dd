// admin: administrators of the server and their API keys.

#include "cli/command_table.hpp"
#include "cli/run.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

const std::string base = "/api/private/v1.0";

std::string new_password(Run& run) {
    std::string password =
        run.has("password-stdin") ? Console::read_standard_input() : run.value("password");
    return password.empty() ? run.console().ask("Password", "--password-stdin", true) : password;
}

ExitCode list_users(Run& run) {
    const auto admins = objects_of(run.admin().get(base + "/admins"));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(admins.size());
    for (const json::object& each : admins) {
        rows.push_back({text_of(each, "name"), text_of(each, "role"), text_of(each, "_id")});
    }
    run.console().table({"Name", "Role", "Id"}, rows, admins);
    return ExitCode::done;
}

ExitCode create_user(Run& run) {
    const std::string name = run.value("NAME");
    const std::string password = new_password(run);
    const json::object made = object_of(run.admin().post(
        base + "/admins", json::object{{"name", name},
                                       {"password", password},
                                       {"role", run.arguments().value("role", "GROUP_OWNER")}}));
    run.console().result(made, "created administrator " + name);
    return ExitCode::done;
}

ExitCode set_password(Run& run) {
    const std::string name = run.value("NAME");
    run.admin().put(base + "/admins/" + percent_encode(name) + "/password",
                    json::object{{"password", new_password(run)}});
    run.console().result({{"name", name}}, "the password of " + name + " is changed");
    return ExitCode::done;
}

ExitCode remove(Run& run, const std::string& path, const std::string& what) {
    if (!run.console().confirm("Delete " + what + "?")) {
        run.console().note("nothing was deleted");
        return ExitCode::done;
    }
    run.admin().erase(base + path);
    run.console().result({{"deleted", what}}, "deleted " + what);
    return ExitCode::done;
}

ExitCode list_keys(Run& run) {
    const auto keys = objects_of(run.admin().get(base + "/keys"));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(keys.size());
    for (const json::object& each : keys) {
        rows.push_back(
            {text_of(each, "public_key"), text_of(each, "admin"), text_of(each, "description")});
    }
    run.console().table({"Public key", "Administrator", "Description"}, rows, keys);
    return ExitCode::done;
}

ExitCode create_key(Run& run) {
    const json::object key = object_of(
        run.admin().post(base + "/keys", json::object{{"description", run.value("description")}}));
    run.console().result(key, "public key:  " + text_of(key, "public_key") +
                                  "\nprivate key: " + text_of(key, "private_key") +
                                  "\nThe private key is shown only now.");
    return ExitCode::done;
}

} // namespace

void add_admin_commands(CommandTable& table) {
    const Argument name = {.name = "NAME", .help = "Of the administrator"};
    const std::vector<Flag> password = {
        {.name = "password",
         .value = "PASSWORD",
         .help = "Password; other users of this machine can see it"},
        {.name = "password-stdin", .help = "Read the password from standard input"}};
    table.groups.push_back({.name = "admins",
                            .aliases = {"admin"},
                            .summary = "Administrators of the server, for its owners"});
    table.commands.push_back({.path = "admins list",
                              .aliases = {"ls"},
                              .summary = "List the administrators",
                              .run = list_users});
    std::vector<Flag> create_flags = password;
    create_flags.push_back({.name = "role",
                            .value = "ROLE",
                            .help = "What they may do (GROUP_OWNER: everything)",
                            .choices = {"GROUP_OWNER", "GROUP_READ_ONLY", "NONE"}});
    table.commands.push_back({.path = "admins create",
                              .summary = "Add an administrator",
                              .arguments = {name},
                              .flags = create_flags,
                              .run = create_user});
    table.commands.push_back({.path = "admins password",
                              .summary = "Change a password, your own or another's",
                              .arguments = {name},
                              .flags = password,
                              .run = set_password});
    table.commands.push_back({.path = "admins delete",
                              .summary = "Remove an administrator with sessions and keys",
                              .arguments = {name},
                              .run = [](Run& run) {
                                  const std::string who = run.value("NAME");
                                  return remove(run, "/admins/" + percent_encode(who),
                                                "administrator " + who);
                              }});
    table.groups.push_back({.name = "admin-keys",
                            .aliases = {"admin-key"},
                            .summary = "API keys of administrators, for scripts"});
    table.commands.push_back({.path = "admin-keys list",
                              .aliases = {"ls"},
                              .summary = "List the API keys of administrators",
                              .run = list_keys});
    table.commands.push_back(
        {.path = "admin-keys create",
         .summary = "Make an API key for tombolo login --api-key; printed once",
         .flags = {{.name = "description", .value = "TEXT", .help = "What it is for"}},
         .run = create_key});
    table.commands.push_back({.path = "admin-keys delete",
                              .summary = "Delete an API key of an administrator",
                              .arguments = {{.name = "KEY", .help = "Its public part"}},
                              .run = [](Run& run) {
                                  const std::string key = run.value("KEY");
                                  return remove(run, "/keys/" + percent_encode(key),
                                                "API key " + key);
                              }});
}

} // namespace tombolo::cli
