// users and server API keys of an app.

#include <algorithm>

#include "cli/command_table.hpp"
#include "cli/run.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

constexpr std::size_t page_size = 50;

std::string identities(const json::object& user) {
    std::string out;
    const json::value* list = user.if_contains("identities");
    if (list != nullptr && list->is_array()) {
        for (const json::value& each : list->get_array()) {
            if (each.is_object()) {
                out += (out.empty() ? "" : ", ") + text_of(each.get_object(), "provider_type");
            }
        }
    }
    return out;
}

std::string name_of(const json::object& user) {
    const json::object& data = server::object_or_empty(user, "data");
    const std::string email = text_of(data, "email");
    return email.empty() ? text_of(data, "name") : email;
}

std::string time_of(const json::object& object, const char* key) {
    const json::value* seconds = object.if_contains(key);
    if (seconds != nullptr && seconds->is_int64() && seconds->get_int64() == 0) {
        return "never";
    }
    return seconds != nullptr && seconds->is_int64() ? seconds_text(seconds->get_int64())
                                                     : text_of(object, key);
}

// Pages of at most 50, until `wanted` are there or none follow.
std::vector<json::object> pages(Run& run, const std::string& path, Query query,
                                std::size_t wanted) {
    std::vector<json::object> all;
    while (all.size() < wanted) {
        const std::vector<json::object> page =
            objects_of(run.admin().get(run.app_path(path), query));
        all.insert(all.end(), page.begin(), page.end());
        if (page.size() < page_size) {
            break;
        }
        const std::string last = text_of(page.back(), "_id");
        std::erase_if(query, [](const auto& each) { return each.first == "after"; });
        query.emplace_back("after", last);
    }
    all.resize(std::min(all.size(), wanted));
    return all;
}

bool has_provider(const json::object& user, const std::vector<std::string>& providers) {
    const std::string own = identities(user);
    return providers.empty() ||
           std::any_of(providers.begin(), providers.end(), [&](const std::string& each) {
               return own.find(each) != std::string::npos;
           });
}

std::vector<json::object> find_users(Run& run, std::size_t wanted) {
    Query query;
    if (run.has("state")) {
        query.emplace_back("status", run.value("state"));
    }
    const std::vector<std::string> providers = run.arguments().values("provider");
    std::string list;
    for (const std::string& each : providers) {
        list += (list.empty() ? "" : ",") + each;
    }
    if (!list.empty()) {
        query.emplace_back("provider_types", list);
    }
    std::vector<json::object> users = pages(run, "/users", query, wanted);
    const std::vector<std::string> ids = run.arguments().values("user");
    std::erase_if(users, [&](const json::object& user) {
        const bool named =
            ids.empty() || std::find(ids.begin(), ids.end(), text_of(user, "_id")) != ids.end();
        return !named || !has_provider(user, providers);
    });
    return users;
}

ExitCode list_pending(Run& run) {
    const std::vector<json::object> users =
        pages(run, "/user_registrations/pending_users", {}, 10'000'000);
    std::vector<std::vector<std::string>> rows;
    rows.reserve(users.size());
    for (const json::object& user : users) {
        std::string email;
        const json::value* logins = user.if_contains("login_ids");
        if (logins != nullptr && logins->is_array() && !logins->get_array().empty() &&
            logins->get_array()[0].is_object()) {
            email = text_of(logins->get_array()[0].get_object(), "id");
        }
        rows.push_back({text_of(user, "_id"), email});
    }
    run.console().table({"Id", "Email"}, rows, users);
    return ExitCode::done;
}

ExitCode list_users(Run& run) {
    if (run.has("pending")) {
        return list_pending(run);
    }
    const auto limit = run.arguments().number("limit", 1, 10'000'000).value_or(page_size);
    const std::vector<json::object> users = find_users(run, static_cast<std::size_t>(limit));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(users.size());
    for (const json::object& user : users) {
        rows.push_back({text_of(user, "_id"), name_of(user), identities(user),
                        server::bool_or(user, "disabled", false) ? "disabled" : "enabled",
                        time_of(user, "last_authentication_date")});
    }
    if (rows.empty() && !run.console().json()) {
        run.console().note("no users");
    } else {
        run.console().table({"Id", "Name", "Providers", "State", "Last login"}, rows, users);
    }
    return ExitCode::done;
}

ExitCode count_users(Run& run) {
    const std::size_t count = find_users(run, 10'000'000).size();
    run.console().result({{"count", count}}, count_text(count));
    return ExitCode::done;
}

ExitCode create_key(Run& run, const std::string& name) {
    const json::object key =
        object_of(run.admin().post(run.app_path("/api_keys"), json::object{{"name", name}}));
    run.console().result(key, "created API key " + text_of(key, "name") + " (" +
                                  text_of(key, "_id") + ")\n" + text_of(key, "key") +
                                  "\nThe key is shown only now.");
    return ExitCode::done;
}

ExitCode create_user(Run& run) {
    if (run.value("type") == "api-key") {
        return create_key(run, run.required("name"));
    }
    std::string email = run.value("email");
    if (email.empty()) {
        email = run.console().ask("Email", "--email");
    }
    std::string password =
        run.has("password-stdin") ? Console::read_standard_input() : run.value("password");
    if (password.empty()) {
        password = run.console().ask("Password", "--password-stdin", true);
    }
    const json::object user = object_of(run.admin().post(
        run.app_path("/users"), json::object{{"email", email}, {"password", password}}));
    run.console().result(user, "created user " + email + " (" + text_of(user, "_id") + ")");
    return ExitCode::done;
}

// Does the same to every user named; each that fails is reported, the others go on.
ExitCode for_each_user(Run& run, const std::string& done_word,
                       const std::function<void(const std::string&)>& act) {
    std::vector<std::string> ids = run.arguments().values("USER");
    for (const std::string& id : run.arguments().values("user")) {
        ids.push_back(id);
    }
    if (ids.empty()) {
        throw Failure(ExitCode::usage, "name at least one user by its id",
                      "tombolo users list shows them.");
    }
    ExitCode code = ExitCode::done;
    for (const std::string& id : ids) {
        try {
            act(id);
            run.console().result({{"_id", id}, {"result", done_word}}, done_word + " " + id);
        } catch (const ServerFailure& failure) {
            run.console().error(id + ": " + failure.message(), failure.hint());
            code = failure.code();
        }
    }
    return code;
}

std::function<ExitCode(Run&)> put_user(const std::string& action, const std::string& done_word) {
    return [action, done_word](Run& run) {
        return for_each_user(run, done_word, [&](const std::string& id) {
            run.admin().put(run.app_path("/users/" + percent_encode(id) + "/" + action),
                            json::object());
        });
    };
}

ExitCode delete_users(Run& run) {
    if (!run.console().confirm("Delete these users with their API keys?")) {
        run.console().note("nothing was deleted");
        return ExitCode::done;
    }
    return for_each_user(run, "deleted", [&](const std::string& id) {
        run.admin().erase(run.app_path("/users/" + percent_encode(id)));
    });
}

ExitCode list_keys(Run& run) {
    const std::vector<json::object> keys = objects_of(run.admin().get(run.app_path("/api_keys")));
    std::vector<std::vector<std::string>> rows;
    rows.reserve(keys.size());
    for (const json::object& key : keys) {
        rows.push_back({text_of(key, "_id"), text_of(key, "name"),
                        server::bool_or(key, "disabled", false) ? "disabled" : "enabled"});
    }
    run.console().table({"Id", "Name", "State"}, rows, keys);
    return ExitCode::done;
}

// A key by id or name.
std::string key_id(Run& run) {
    const std::string wanted = run.value("KEY");
    for (const json::object& key : objects_of(run.admin().get(run.app_path("/api_keys")))) {
        if (text_of(key, "_id") == wanted || text_of(key, "name") == wanted) {
            return text_of(key, "_id");
        }
    }
    throw Failure(ExitCode::not_found, "there is no API key '" + wanted + "'",
                  "tombolo api-keys list shows them.");
}

std::function<ExitCode(Run&)> change_key(const std::string& action, const std::string& word) {
    return [action, word](Run& run) {
        const std::string path = run.app_path("/api_keys/" + key_id(run));
        if (action == "delete") {
            if (!run.console().confirm("Delete the API key " + run.value("KEY") + "?")) {
                return ExitCode::done;
            }
            run.admin().erase(path);
        } else {
            run.admin().put(path + "/" + action, json::object());
        }
        run.console().result({{"key", run.value("KEY")}, {"result", word}},
                             word + " " + run.value("KEY"));
        return ExitCode::done;
    };
}

void add_key_commands(CommandTable& table) {
    const Argument key = {.name = "KEY", .help = "Id or name of the key"};
    table.groups.push_back({.name = "api-keys",
                            .aliases = {"apikeys", "api-key"},
                            .summary = "API keys of an app, for its own servers"});
    table.commands.push_back({.path = "api-keys list",
                              .aliases = {"ls"},
                              .summary = "List the API keys",
                              .flags = {app_flag()},
                              .run = list_keys});
    table.commands.push_back({.path = "api-keys create",
                              .summary = "Create an API key and print it once",
                              .arguments = {{.name = "NAME", .help = "Of the key"}},
                              .flags = {app_flag()},
                              .run = [](Run& run) { return create_key(run, run.value("NAME")); }});
    for (const auto& [action, word] :
         {std::pair{"enable", "enabled"}, std::pair{"disable", "disabled"},
          std::pair{"delete", "deleted"}}) {
        table.commands.push_back({.path = std::string("api-keys ") + action,
                                  .summary = std::string("Makes the key ") + word,
                                  .arguments = {key},
                                  .flags = {app_flag()},
                                  .run = change_key(action, word)});
    }
}

} // namespace

void add_user_commands(CommandTable& table) {
    const Argument users = {
        .name = "USER", .help = "Id of a user", .optional = true, .repeatable = true};
    const Flag user = {
        .name = "user", .letter = 'u', .value = "ID", .help = "The same", .repeatable = true};
    const std::vector<Flag> filters = {
        app_flag(),
        {.name = "user",
         .letter = 'u',
         .value = "ID",
         .help = "Only this user",
         .repeatable = true},
        {.name = "state",
         .value = "STATE",
         .help = "Only users in this state",
         .choices = {"enabled", "disabled"}},
        {.name = "provider",
         .value = "TYPE",
         .help = "Only users of this provider, like local-userpass",
         .repeatable = true},
    };
    table.groups.push_back({.name = "users", .aliases = {"user"}, .summary = "Users of an app"});
    std::vector<Flag> list_flags = filters;
    list_flags.push_back({.name = "pending", .help = "Those who have not confirmed yet"});
    list_flags.push_back(
        {.name = "limit", .letter = 'l', .value = "N", .help = "At most so many (50)"});
    table.commands.push_back({.path = "users list",
                              .aliases = {"ls"},
                              .summary = "List users",
                              .flags = list_flags,
                              .run = list_users});
    table.commands.push_back(
        {.path = "users count", .summary = "Count users", .flags = filters, .run = count_users});
    table.commands.push_back(
        {.path = "users create",
         .summary = "Create a user who can log in at once",
         .flags = {app_flag(),
                   {.name = "type",
                    .value = "TYPE",
                    .help = "What to create (email)",
                    .choices = {"email", "api-key"}},
                   {.name = "email", .value = "ADDRESS", .help = "E-mail address"},
                   {.name = "password",
                    .value = "PASSWORD",
                    .help = "Password; other users of this machine can see it"},
                   {.name = "password-stdin", .help = "Read the password from standard input"},
                   {.name = "name", .letter = 'n', .value = "NAME", .help = "Of an API key"}},
         .run = create_user});
    table.commands.push_back({.path = "users delete",
                              .summary = "Delete users",
                              .arguments = {users},
                              .flags = {app_flag(), user},
                              .run = delete_users});
    table.commands.push_back({.path = "users enable",
                              .summary = "Let users log in again",
                              .arguments = {users},
                              .flags = {app_flag(), user},
                              .run = put_user("enable", "enabled")});
    table.commands.push_back({.path = "users disable",
                              .summary = "Keep users from logging in",
                              .arguments = {users},
                              .flags = {app_flag(), user},
                              .run = put_user("disable", "disabled")});
    table.commands.push_back({.path = "users revoke",
                              .summary = "End all sessions of users",
                              .arguments = {users},
                              .flags = {app_flag(), user},
                              .run = put_user("logout", "revoked")});
    add_key_commands(table);
}

} // namespace tombolo::cli
