// sync sign-in, subscribe, once, watch: a device without an SDK.

#include <filesystem>
#include <optional>

#include <boost/json/serialize.hpp>

#include "cli/command_table.hpp"
#include "cli/device/device_command.hpp"
#include "cli/device/device_reset.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace {

namespace json = boost::json;

struct SignIn {
    std::string provider;
    json::object credentials;
    std::string words;
};

SignIn sign_in_of(Run& run) {
    if (run.has("email")) {
        std::string password = run.value("password");
        if (run.has("password-stdin")) {
            password = Console::read_standard_input();
        }
        if (password.empty()) {
            password = run.console().ask("Password", "--password-stdin", true);
        }
        return {"local-userpass",
                {{"username", run.value("email")}, {"password", password}},
                "as " + run.value("email")};
    }
    if (run.has("api-key")) {
        return {"api-key", {{"key", run.value("api-key")}}, "with an API key"};
    }
    if (run.has("token")) {
        return {"custom-token", {{"token", run.value("token")}}, "with a custom JWT"};
    }
    if (run.has("function")) {
        return {"custom-function", value_or_usage(server::parse_json_object(run.value("function"))),
                "through the app's function"};
    }
    return {"anon-user", {}, "anonymously"};
}

void sign_in(Run& run, DeviceSettings& settings) {
    const SignIn how = sign_in_of(run);
    client::AppClient app(settings.app);
    if (run.has("register")) {
        if (how.provider != "local-userpass") {
            throw Failure(ExitCode::usage, "--register needs --email");
        }
        const json::object& given = how.credentials;
        if (const auto made = app.register_user(server::string_or(given, "username"),
                                                server::string_or(given, "password"));
            !made) {
            throw Failure(ExitCode::failure, "cannot register: " + made.error().message());
        }
    }
    Result<client::UserTokens> tokens = app.log_in(how.provider, how.credentials);
    if (!tokens) {
        const bool refused = tokens.error().code() == ErrorCode::access_denied;
        throw Failure(refused ? ExitCode::refused : ExitCode::failure,
                      "cannot sign in: " + tokens.error().message(),
                      "Is the app id right and the provider enabled? tombolo apps list and auth/ "
                      "of the app directory tell; tombolo logs list --type auth says what the "
                      "server saw.");
    }
    settings.user = *std::move(tokens);
    settings.signed_in_with = how.words;
}

ExitCode sign_in_command(Run& run) {
    if (run.has("again")) {
        DeviceRun device(run);
        if (sign_in_of(run).provider == "anon-user") {
            throw Failure(ExitCode::usage, "an anonymous user cannot sign in again",
                          "Give the credentials of user " + device.settings().user.user_id +
                              ", or make another device.");
        }
        const std::string user = device.settings().user.user_id;
        DeviceSettings settings = device.settings();
        sign_in(run, settings);
        if (settings.user.user_id != user) {
            throw Failure(ExitCode::usage,
                          "this device belongs to user " + user + ", not to " +
                              settings.user.user_id,
                          "Give the credentials of that user, or make another device.");
        }
        device.settings() = std::move(settings);
        device.save_settings();
        run.console().result({{"device", device.path()}, {"user_id", user}},
                             "signed in again " + device.settings().signed_in_with);
        return ExitCode::done;
    }
    const Profile& profile = run.profile();
    if (profile.base_url.empty()) {
        throw Failure(ExitCode::usage, "no server is named", "Give --url or set TOMBOLO_URL.");
    }
    DeviceSettings settings;
    settings.app = {profile.base_url, run.required("app"), profile.ca_file};
    if (std::filesystem::exists(device_path(run))) {
        throw Failure(ExitCode::usage, "there is a file " + device_path(run) + " already",
                      "Name another with --device, or remove it. To sign its user in again give "
                      "--again.");
    }
    std::optional<schema::Schema> own;
    if (run.has("schema")) {
        own = read_classes(run.value("schema")); // a mistake in it makes no device
    }
    sign_in(run, settings);
    DeviceRun device(run, std::move(settings));
    // The first bootstrap brings the server's classes; then come those that are the device's own.
    ExitCode code = go_online(run, device, false);
    if (own) {
        const changeset::Changeset classes = value_or_usage(schema_changeset(device.state(), *own));
        if (!classes.empty()) {
            device.write(classes);
            code = go_online(run, device, false);
        }
    }
    run.console().result({{"device", device.path()},
                          {"user_id", device.settings().user.user_id},
                          {"objects", counts_of(device)}},
                         "signed in " + device.settings().signed_in_with + "; device " +
                             device.path() + " knows " + counts_text(device));
    return code;
}

ExitCode subscribe(Run& run) {
    DeviceRun device(run);
    const std::string class_name = run.value("CLASS");
    const changeset::ClassInfo* info = value_or_usage(device.documents().class_named(class_name));
    std::string query = run.value("QUERY");
    query = query.empty() ? "TRUEPREDICATE" : query;
    const std::string name = run.has("name") ? run.value("name") : info->name;
    device.settings().subscriptions[name] = {info->name, query};
    device.subscribe();
    const ExitCode code = go_online(run, device, false);
    run.console().result({{"name", name}, {"objects", counts_of(device)}},
                         "subscribed; the device holds " + counts_text(device));
    return code;
}

ExitCode unsubscribe(Run& run) {
    DeviceRun device(run);
    const std::string name = run.value("NAME");
    if (device.settings().subscriptions.erase(name) == 0) {
        throw Failure(ExitCode::not_found, "there is no subscription '" + name + "'",
                      "tombolo sync device lists them.");
    }
    device.subscribe();
    const ExitCode code = go_online(run, device, false);
    run.console().result({{"name", name}, {"objects", counts_of(device)}},
                         "unsubscribed; the device holds " + counts_text(device));
    return code;
}

ExitCode once(Run& run) {
    DeviceRun device(run);
    const ExitCode code = go_online(run, device, true);
    run.console().result({{"objects", counts_of(device)}, {"waiting", device.waiting().size()}},
                         "up to date; the device holds " + counts_text(device));
    return code;
}

void show_change(Run& run, DeviceRun& device, const ObjectChange& change) {
    const std::string key = tombolo::to_text(to_view(change.key));
    json::object line{{"class", change.class_name}, {"key", key}};
    std::string text = change.class_name + " " + key;
    if (change.kind == ObjectChange::Kind::deleted) {
        line["change"] = "deleted";
        text = "- " + text;
    } else {
        const bool is_new = change.kind == ObjectChange::Kind::inserted;
        json::object now = picked(
            parsed_object(value_or_usage(device.documents().json(change.class_name, change.key))),
            is_new ? std::set<std::string>() : change.fields);
        line["change"] = is_new ? "inserted" : "updated";
        text = (is_new ? "+ " : "~ ") + text + "  " + json::serialize(now);
        line["object"] = std::move(now);
    }
    run.console().result(line, text);
}

ExitCode watch(Run& run) {
    DeviceRun device(run);
    run.console().note("the device holds " + counts_text(device) + "; " + waiting_words(device) +
                       "; Ctrl-C ends it");
    device.watch([&](const ObjectChange& change) { show_change(run, device, change); });
    return ExitCode::done;
}

ExitCode describe(Run& run) {
    DeviceRun device(run);
    const DeviceSettings& settings = device.settings();
    const client::Replica& replica = device.replica();
    const auto* newest = replica.subscriptions(replica.newest_subscriptions());
    std::string text =
        "device: " + device.path() + "\nserver: " + settings.app.base_url +
        "\napp: " + settings.app.app_id + "\nuser: " + settings.user.user_id + ", signed in " +
        settings.signed_in_with + "\nfile ident: " + std::to_string(replica.file().ident.value) +
        "\nserver version: " + std::to_string(replica.progress().download.server.value) +
        "\nholds: " + counts_text(device) + "\nsubscriptions:";
    json::object subscriptions;
    for (const auto& [name, each] : settings.subscriptions) {
        text += "\n  " + name + ": " + each.class_name + " where " + each.query;
        subscriptions[name] = {{"class", each.class_name}, {"query", each.query}};
    }
    text += settings.subscriptions.empty() ? " none; see tombolo sync subscribe" : "";
    using State = client::SubscriptionSet::State;
    const bool is_refused = newest != nullptr && newest->state == State::error;
    const bool is_fetched = newest != nullptr && newest->state == State::complete;
    if (is_refused) {
        text += "\n  refused by the server: " + newest->error;
    } else if (!is_fetched) {
        text += "\n  not fetched yet";
    }
    text += "\n" + waiting_words(device);
    json::array waiting;
    for (const WaitingObject& each : waiting_objects(replica)) {
        const std::string name =
            each.object.class_name + " " + tombolo::to_text(to_view(each.object.key));
        text += "\n  " + name + (each.is_erased ? " (deleted)" : each.was_created ? " (new)" : "");
        waiting.emplace_back(name);
    }
    if (!settings.reset_reason.empty()) {
        text += "\n" + settings.reset_reason + "\n  see tombolo sync reset";
    }
    run.console().result({{"device", device.path()},
                          {"base_url", settings.app.base_url},
                          {"app_id", settings.app.app_id},
                          {"user_id", settings.user.user_id},
                          {"file_ident", replica.file().ident.value},
                          {"server_version", replica.progress().download.server.value},
                          {"objects", counts_of(device)},
                          {"subscriptions", std::move(subscriptions)},
                          {"subscription_error", is_refused ? newest->error : ""},
                          {"waiting", std::move(waiting)},
                          {"reset_reason", settings.reset_reason}},
                         text);
    return ExitCode::done;
}

ExitCode reset(Run& run) {
    DeviceRun device(run);
    const std::vector<WaitingObject> waiting = waiting_objects(device.replica());
    const bool discards = run.has("discard");
    if (discards && !waiting.empty() &&
        !run.console().confirm("Drop what waits: " + count_of(waiting.size(), "object") + "?")) {
        return ExitCode::failure;
    }
    const std::string kept = device.path() + ".before-reset";
    std::filesystem::copy_file(device.path(), kept,
                               std::filesystem::copy_options::overwrite_existing);
    run.console().note("the device as it was is kept as " + kept);
    const client::Replica old = device.replica();
    device.start_anew();
    Advice advice;
    if (device.synchronize(advice) != DeviceRun::Outcome::settled) {
        throw Failure(advice.code, advice.message,
                      "The device is empty now. To go back: mv " + kept + " " + device.path());
    }
    std::size_t repeated = 0;
    if (!discards) {
        const Recovery recovery = value_or_usage(recover(old, device.state()));
        for (const std::string& line : recovery.lost) {
            run.console().warning("lost: " + line);
        }
        repeated = waiting.size() - recovery.lost.size();
        if (!recovery.changeset.empty()) {
            device.write(recovery.changeset);
        }
    }
    const ExitCode code = go_online(run, device, false);
    run.console().result(
        {{"repeated", repeated}, {"objects", counts_of(device)}},
        "the device holds " + counts_text(device) +
            (repeated > 0 ? "; repeated what waited of " + count_of(repeated, "object") : ""));
    return code;
}

} // namespace

void add_device_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "sync sign-in",
         .summary = "Make a device without an SDK: sign a user in and keep the device in a file",
         .details = "What an app's phone is, on the command line: it signs in over the client API, "
                    "syncs by query, works offline and comes back. Without other credentials the "
                    "user is anonymous.\n\nClasses come from the server. Where development mode is "
                    "on, --schema brings classes of the device's own, as an app would.",
         .flags = device_flags(
             {{.name = "app", .letter = 'a', .value = "APPID", .help = "Client app id, whole"},
              {.name = "email", .value = "EMAIL", .help = "Sign in with email and password"},
              {.name = "password",
               .value = "PASSWORD",
               .help = "Password; other users of this machine can see it"},
              {.name = "password-stdin", .help = "Read the password from standard input"},
              {.name = "register", .help = "Register the email address first"},
              {.name = "api-key", .value = "KEY", .help = "Sign in with an API key of a user"},
              {.name = "token", .value = "JWT", .help = "Sign in with a custom JWT"},
              {.name = "function",
               .value = "JSON",
               .help = "Sign in through the app's function with this argument"},
              {.name = "schema",
               .value = "PATH",
               .help = "App directory, or one schema.json, with classes to bring"},
              {.name = "again", .help = "Sign the device's user in again"},
              offline_flag()}),
         .examples = {{"tombolo sync sign-in --url http://127.0.0.1:9090 --app field-notes-tmblo",
                       "An anonymous user"}},
         .run = sign_in_command});
    table.commands.push_back(
        {.path = "sync subscribe",
         .summary = "Have a device hold the objects of a class that match a query",
         .arguments = {{.name = "CLASS", .help = "Class (schema title)"},
                       {.name = "QUERY",
                        .help = "In the Realm query language; otherwise everything",
                        .optional = true}},
         .flags =
             device_flags({{.name = "name",
                            .letter = 'n',
                            .value = "NAME",
                            .help = "Of the subscription, to replace or remove it (the class)"},
                           offline_flag()}),
         .examples = {{"tombolo sync subscribe City 'country == \"IS\"'", "The cities of Iceland"}},
         .run = subscribe});
    table.commands.push_back({.path = "sync unsubscribe",
                              .summary = "Take a subscription back",
                              .arguments = {{.name = "NAME", .help = "Of the subscription"}},
                              .flags = device_flags({offline_flag()}),
                              .run = unsubscribe});
    table.commands.push_back(
        {.path = "sync once",
         .summary = "Connect a device, send and receive everything, and end",
         .details =
             "Ends with 1 and in words when the server cannot be reached, refuses, or undoes "
             "a write: what to run first when a phone does not sync.",
         .flags = device_flags({}),
         .run = once});
    table.commands.push_back(
        {.path = "sync watch",
         .summary = "Keep a device connected and print changes as they come",
         .details = "+ stands for a new object, ~ for changed fields, - for an object that is gone "
                    "or left the subscriptions. Comes back by itself after a lost connection.",
         .flags = device_flags({}),
         .run = watch});
    add_device_object_commands(table);
    table.commands.push_back({.path = "sync device",
                              .summary = "Show what a device is, holds, and has not sent",
                              .flags = device_flags({}),
                              .run = describe});
    table.commands.push_back(
        {.path = "sync reset",
         .summary = "Begin a device anew after the server asked for it",
         .details = "Fetches everything again, then repeats the local writes that the server does "
                    "not have: fields get what the device held. The device as it was is kept "
                    "beside it.",
         .flags = device_flags({{.name = "discard", .help = "Drop local writes instead"}}),
         .run = reset});
}

} // namespace tombolo::cli
