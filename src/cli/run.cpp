#include "cli/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <boost/json/serialize.hpp>

#include "cli/app_directory.hpp"
#include "cli/command_table.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace json = boost::json;

namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

RemoteApp remote_app(const json::object& document) {
    return {server::string_or(document, "_id"), server::string_or(document, "client_app_id"),
            server::string_or(document, "name"), document};
}

ConsoleOptions console_options(const Arguments& arguments, const Environment& environment) {
    ConsoleOptions options;
    options.json = arguments.has("json") || arguments.value("output-format") == "json";
    options.quiet = arguments.has("quiet");
    options.yes = arguments.has("yes");
    options.colors = !arguments.has("disable-colors") && environment("NO_COLOR").empty() &&
                     ::isatty(STDOUT_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
    return options;
}

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

int run_command(const Parsed& parsed, const Environment& environment) {
    ConsoleOptions options = console_options(parsed.arguments, environment);
    std::unique_ptr<std::FILE, CloseFile> target;
    const std::string file = parsed.arguments.value("output-target");
    if (!file.empty()) {
        target.reset(std::fopen(file.c_str(), "a"));
        if (!target) {
            std::fprintf(stderr, "error: cannot write %s\n", file.c_str());
            return static_cast<int>(ExitCode::failure);
        }
        options.out = target.get();
    }
    Console console(options);
    ExitCode code = ExitCode::failure;
    try {
        Run context(parsed.arguments, console, environment);
        code = parsed.command->run(context);
    } catch (const Failure& failure) {
        console.error(failure.message(), failure.hint());
        code = failure.code();
    } catch (const Error& error) {
        console.error(error.what(), {});
    } catch (const std::exception& error) {
        console.error(error.what(), "This is a bug in tombolo.");
    }
    console.flush();
    return static_cast<int>(code);
}

} // namespace

int run(const std::vector<std::string>& words, const Environment& environment) {
    const Parsed parsed = parse(command_table(), words);
    if (parsed.command == nullptr) {
        std::fputs(parsed.text.c_str(), parsed.code == ExitCode::done ? stdout : stderr);
        return static_cast<int>(parsed.code);
    }
    return run_command(parsed, environment);
}

std::string Run::required(const std::string& flag) const {
    if (!has(flag) || value(flag).empty()) {
        throw Failure(ExitCode::usage, "--" + flag + " is required");
    }
    return value(flag);
}

std::string Run::profile_name() const {
    std::string name = value("profile");
    if (name.empty()) {
        name = environment("TOMBOLO_PROFILE");
    }
    if (name.empty()) {
        return "default";
    }
    if (!is_profile_name(name)) {
        throw Failure(ExitCode::usage, "'" + name + "' cannot be a profile's name",
                      "Use letters, digits, '-', '_' and '.'.");
    }
    return name;
}

std::string Run::profile_folder() const {
    Result<std::string> folder = cli::profile_folder(environment_);
    if (!folder) {
        throw Failure(folder.error());
    }
    return *std::move(folder);
}

Profile& Run::profile() {
    if (!profile_) {
        Result<Profile> stored = read_profile(profile_folder(), profile_name());
        if (!stored) {
            throw Failure(ExitCode::failure, stored.error().what(),
                          "Mend the file, or remove it and log in again.");
        }
        profile_ = *std::move(stored);
        std::string url = value("url").empty() ? environment("TOMBOLO_URL") : value("url");
        while (url.ends_with('/')) {
            url.pop_back();
        }
        if (!url.empty() && url != profile_->base_url) {
            // Tokens of one server are never sent to another.
            *profile_ = Profile{};
            profile_->base_url = url;
        }
        const std::string ca_file =
            value("ca-file").empty() ? environment("TOMBOLO_CA_FILE") : value("ca-file");
        if (!ca_file.empty()) {
            profile_->ca_file = std::filesystem::absolute(ca_file).string();
        }
    }
    return *profile_;
}

void Run::save_profile() {
    const Result<void> written = write_profile(profile_folder(), profile_name(), profile());
    if (!written) {
        throw Failure(written.error());
    }
}

AdminClient Run::anonymous() {
    if (profile().base_url.empty()) {
        throw Failure(ExitCode::usage, "no server is named",
                      "Give --url, set TOMBOLO_URL, or run tombolo login --url URL.");
    }
    return {profile().base_url, profile().ca_file};
}

bool Run::log_in(AdminClient& client, bool with_flags) {
    const auto given = [&](const char* flag, const char* variable) {
        const std::string from_flag = with_flags ? value(flag) : std::string();
        return from_flag.empty() ? environment(variable) : from_flag;
    };
    const std::string key = given("api-key", "TOMBOLO_API_KEY");
    if (!key.empty()) {
        std::string secret = given("private-api-key", "TOMBOLO_PRIVATE_API_KEY");
        if (secret.empty()) {
            secret = console_.ask("Private API key", "--private-api-key", true);
        }
        client.log_in("mongodb-cloud", {{"username", key}, {"apiKey", secret}});
        profile().public_api_key = key;
        profile().username.clear();
        return true;
    }
    std::string username = given("username", "TOMBOLO_USERNAME");
    if (username.empty() && !with_flags) {
        return false;
    }
    if (username.empty()) {
        username = console_.ask("User name", "--username");
    }
    std::string password;
    if (with_flags && has("password-stdin")) {
        password = Console::read_standard_input();
    } else {
        password = given("password", "TOMBOLO_PASSWORD");
    }
    if (password.empty()) {
        password = console_.ask("Password", "--password-stdin", true);
    }
    client.log_in("local-userpass", {{"username", username}, {"password", password}});
    profile().username = username;
    profile().public_api_key.clear();
    return true;
}

AdminClient& Run::admin() {
    if (!admin_) {
        AdminClient client = anonymous();
        if (profile().logged_in()) {
            client.use({profile().access_token, profile().refresh_token});
            client.on_renewed([this](const SessionTokens& tokens) {
                profile().access_token = tokens.access_token;
                save_profile();
            });
        } else if (!log_in(client, false)) {
            throw Failure(ExitCode::refused, "not logged in at " + profile().base_url,
                          "Run tombolo login --url " + profile().base_url +
                              ", or set TOMBOLO_USERNAME and TOMBOLO_PASSWORD.");
        }
        admin_ = std::move(client);
    }
    return *admin_;
}

std::vector<RemoteApp> Run::apps() {
    std::vector<RemoteApp> found;
    for (const json::object& each :
         objects_of(admin().get("/groups/" + admin().group() + "/apps"))) {
        found.push_back(remote_app(each));
    }
    return found;
}

std::optional<RemoteApp> Run::find_app(const std::string& name) {
    const std::string wanted = lower(name);
    std::vector<RemoteApp> candidates;
    for (RemoteApp& each : apps()) {
        if (each.client_app_id == wanted || each.id == wanted) {
            return each;
        }
        if (lower(each.client_app_id).starts_with(wanted)) {
            candidates.push_back(std::move(each));
        }
    }
    if (candidates.empty()) {
        return {};
    }
    if (candidates.size() == 1) {
        return candidates.front();
    }
    return choose(candidates, "'" + name + "' is the beginning of several app ids");
}

RemoteApp Run::choose(const std::vector<RemoteApp>& candidates, const std::string& why) {
    std::string list;
    for (const RemoteApp& each : candidates) {
        list += "\n  " + each.client_app_id;
    }
    if (has("yes") || !console_.interactive()) {
        throw Failure(ExitCode::usage, why + ":" + list, "Name one with --app.");
    }
    console_.note(why + ":" + list);
    const std::string answer = console_.ask("App id", "--app");
    for (const RemoteApp& each : candidates) {
        if (each.client_app_id == answer) {
            return each;
        }
    }
    throw Failure(ExitCode::not_found, "there is no app '" + answer + "' among these");
}

const RemoteApp& Run::app() {
    if (app_) {
        return *app_;
    }
    std::string wanted = value("app");
    std::string from = "--app";
    if (wanted.empty()) {
        const std::string start = value("local").empty() ? "." : value("local");
        if (const auto root = find_app_root(start)) {
            wanted = app_id_of(*root);
            from = *root;
        }
    }
    if (!wanted.empty()) {
        app_ = find_app(wanted);
        if (!app_) {
            throw Failure(ExitCode::not_found,
                          "there is no app '" + wanted + "' at " + admin().base_url() +
                              (from == "--app" ? "" : " (named by " + from + ")"),
                          "tombolo apps list shows what there is.");
        }
        return *app_;
    }
    const std::vector<RemoteApp> all = apps();
    if (all.empty()) {
        throw Failure(ExitCode::not_found, "there is no app at " + admin().base_url() + " yet",
                      "Make one with tombolo apps create, or with tombolo push.");
    }
    app_ = all.size() == 1 ? all.front() : choose(all, "several apps are there");
    return *app_;
}

std::string Run::app_path(const std::string& rest) {
    return "/groups/" + admin().group() + "/apps/" + app().id + rest;
}

Flag app_flag() {
    return {.name = "app",
            .letter = 'a',
            .value = "APP",
            .help = "App id or its beginning; otherwise the app directory here tells, or the only "
                    "app there is",
            .aliases = {"remote"}};
}

std::vector<json::object> objects_of(const json::value& answer) {
    std::vector<json::object> out;
    if (!answer.is_array()) {
        throw Failure(ExitCode::failure, "the server answered something else than a list");
    }
    for (const json::value& each : answer.get_array()) {
        if (each.is_object()) {
            out.push_back(each.get_object());
        }
    }
    return out;
}

json::object object_of(const json::value& answer) {
    if (!answer.is_object()) {
        throw Failure(ExitCode::failure, "the server answered something else than an object");
    }
    return answer.get_object();
}

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* member = object.if_contains(key);
    if (member == nullptr || member->is_null()) {
        return {};
    }
    return member->is_string() ? std::string(member->get_string()) : json::serialize(*member);
}

} // namespace tombolo::cli
