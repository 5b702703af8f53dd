// login, logout, whoami, profiles: who is talking to which server.

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

bool is_local(const std::string& url) {
    for (const char* host : {"http://127.", "http://localhost", "http://[::1]"}) {
        if (url.starts_with(host)) {
            return true;
        }
    }
    return url.starts_with("https://");
}

ExitCode log_in(Run& run) {
    Profile& profile = run.profile();
    if (profile.base_url.empty()) {
        profile.base_url = run.console().ask("Server (https://...)", "--url");
    }
    AdminClient client = run.anonymous();
    if (!is_local(client.base_url())) {
        run.console().warning("http:// sends the password in the clear; use https://");
    }
    run.log_in(client, true);
    profile.access_token = client.tokens().access_token;
    profile.refresh_token = client.tokens().refresh_token;
    run.save_profile();
    const std::string who =
        profile.username.empty() ? "API key " + profile.public_api_key : profile.username;
    run.console().result({{"user", who}, {"url", profile.base_url}},
                         "logged in at " + profile.base_url + " as " + who);
    return ExitCode::done;
}

ExitCode log_out(Run& run) {
    Profile& profile = run.profile();
    if (!profile.logged_in()) {
        run.console().note("nobody is logged in");
        return ExitCode::done;
    }
    AdminClient client = run.anonymous();
    client.use({profile.access_token, profile.refresh_token});
    // The tokens go from this machine even when the server cannot be told.
    profile.access_token.clear();
    profile.refresh_token.clear();
    run.save_profile();
    client.log_out();
    run.console().result({{"url", profile.base_url}}, "logged out of " + profile.base_url);
    return ExitCode::done;
}

ExitCode who_am_i(Run& run) {
    const json::object profile = object_of(run.admin().get("/auth/profile"));
    const json::object& data = server::object_or_empty(profile, "data");
    std::string name = text_of(data, "email");
    if (name.empty()) {
        name = text_of(data, "name");
    }
    if (name.empty()) {
        name =
            run.profile().username.empty() ? run.profile().public_api_key : run.profile().username;
    }
    std::string text = name + " at " + run.admin().base_url();
    if (run.has("show-projects") && profile.contains("roles")) {
        for (const json::object& role : objects_of(profile.at("roles"))) {
            text += "\n  " + text_of(role, "role_name") + " in " + text_of(role, "group_id");
        }
    }
    run.console().result({{"user", name},
                          {"url", run.admin().base_url()},
                          {"user_id", text_of(profile, "user_id")},
                          {"roles", profile.contains("roles") ? profile.at("roles") : nullptr}},
                         text);
    return ExitCode::done;
}

std::string redacted(const Profile& profile) {
    if (!profile.username.empty()) {
        return profile.username;
    }
    return profile.public_api_key.empty() ? "" : "API key " + profile.public_api_key;
}

ExitCode list_profiles(Run& run) {
    std::vector<std::vector<std::string>> rows;
    std::vector<json::object> objects;
    const std::string folder = run.profile_folder();
    for (const std::string& name : profile_names(folder)) {
        const Result<Profile> profile = read_profile(folder, name);
        if (!profile) {
            run.console().warning(profile.error().what());
            continue;
        }
        rows.push_back(
            {name, profile->base_url, redacted(*profile), profile->logged_in() ? "yes" : "no"});
        objects.push_back({{"name", name},
                           {"url", profile->base_url},
                           {"user", redacted(*profile)},
                           {"logged_in", profile->logged_in()}});
    }
    run.console().table({"Name", "Server", "User", "Logged in"}, rows, objects);
    return ExitCode::done;
}

} // namespace

void add_account_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "login",
         .summary = "Log in at a server and remember the session",
         .details = "Needs no browser. What is not given is taken from the environment, else "
                    "asked for. The profile keeps the session's tokens, never the password.",
         .flags = {{.name = "username", .value = "NAME", .help = "User name"},
                   {.name = "password",
                    .value = "PASSWORD",
                    .help = "Password; other users of this machine can see it, so prefer "
                            "--password-stdin or TOMBOLO_PASSWORD"},
                   {.name = "password-stdin", .help = "Read the password from standard input"},
                   {.name = "api-key",
                    .value = "KEY",
                    .help = "Public part of an administrator's API key"},
                   {.name = "private-api-key", .value = "KEY", .help = "Its private part"},
                   {.name = "auth-type",
                    .value = "TYPE",
                    .help = "Ignored: told from what is given",
                    .hidden = true},
                   {.name = "atlas-url", .value = "URL", .help = "Ignored", .hidden = true}},
         .examples = {{"tombolo login --url https://tombolo.example.com --username admin",
                       "Log in; asks for the password"},
                      {"tombolo login --url http://127.0.0.1:9090 --username admin "
                       "--password-stdin <password.txt",
                       "The same from a script"}},
         .run = log_in});
    table.commands.push_back(
        {.path = "logout", .summary = "End the session and forget its tokens", .run = log_out});
    table.commands.push_back(
        {.path = "whoami",
         .summary = "Show who is logged in, and where",
         .flags = {{.name = "show-projects", .help = "Show roles and groups too"}},
         .run = who_am_i});
    table.groups.push_back({.name = "profiles", .aliases = {"profile"}, .summary = "Profiles"});
    table.commands.push_back({.path = "profiles list",
                              .aliases = {"ls"},
                              .summary = "List the profiles on this machine",
                              .run = list_profiles});
}

} // namespace tombolo::cli
