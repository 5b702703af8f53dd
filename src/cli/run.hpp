#pragma once

// What a running command is given: its arguments, the console, the session, the app it is about.

#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "cli/admin_client.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/profile.hpp"

namespace tombolo::cli {

/// An app on the server.
struct RemoteApp {
    std::string id;
    std::string client_app_id;
    std::string name;
    boost::json::object document; ///< as the Admin API shows it
};

class Run {
  public:
    Run(const Arguments& arguments, Console& console, Environment environment)
        : arguments_(arguments), console_(console), environment_(std::move(environment)) {}

    const Arguments& arguments() const noexcept { return arguments_; }
    Console& console() noexcept { return console_; }
    std::string environment(const char* name) const { return environment_(name); }

    /// Value of a flag or argument; empty when absent.
    std::string value(const std::string& name) const { return arguments_.value(name); }
    bool has(const std::string& name) const { return arguments_.has(name); }
    /// Failure(usage) when it is absent.
    std::string required(const std::string& flag) const;

    std::string profile_name() const;
    std::string profile_folder() const;
    /// As stored, with --url, --ca-file and their variables over it.
    Profile& profile();
    void save_profile();

    /// A client of the server that the profile names, not logged in.
    AdminClient anonymous();
    /// Logged in: by the profile's tokens, else by the credentials in the environment.
    AdminClient& admin();
    /// Logs `client` in with flags or environment; false when there are no credentials.
    bool log_in(AdminClient& client, bool with_flags);

    /// The app named by --app, else by the app directory that this is called from, else chosen.
    const RemoteApp& app();
    /// The same without an error when there is none of that name.
    std::optional<RemoteApp> find_app(const std::string& name);
    std::vector<RemoteApp> apps();
    /// Makes this the app of the command.
    void select(RemoteApp app) { app_ = std::move(app); }
    /// "/groups/<g>/apps/<id>" and what follows.
    std::string app_path(const std::string& rest);

  private:
    RemoteApp choose(const std::vector<RemoteApp>& candidates, const std::string& why);

    const Arguments& arguments_;
    Console& console_;
    Environment environment_;
    std::optional<Profile> profile_;
    std::optional<AdminClient> admin_;
    std::optional<RemoteApp> app_;
};

/// --app, for the commands that are about one app.
Flag app_flag();

/// main() without the process: parses, runs, prints; never throws.
int run(const std::vector<std::string>& words, const Environment& environment);

/// Elements of an answer that must be an array of objects.
std::vector<boost::json::object> objects_of(const boost::json::value& answer);
/// The answer as an object; Failure when it is none.
boost::json::object object_of(const boost::json::value& answer);
/// A member as text for people: strings bare, everything else as JSON; empty when absent or null.
std::string text_of(const boost::json::object& object, std::string_view key);

} // namespace tombolo::cli
