// Logging in and out, profiles, TLS, and a server that is not there.

#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "cli/command_process.hpp"

namespace tombolo::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(SessionProcess, login_whoami_logout) {
    Installation setup;
    const Output who = setup.run({"whoami", "--show-projects"});
    EXPECT_EQ(who.code, 0) << who.err;
    EXPECT_THAT(who.out, HasSubstr(setup.url()));
    EXPECT_THAT(who.out, HasSubstr("GROUP_OWNER"));
    EXPECT_EQ(setup.run({"whoami", "--json"}).object().at("url").as_string(), setup.url());

    const std::string profile = setup.folder().file("config/tombolo/default.yaml");
    struct stat facts {};
    ASSERT_EQ(::stat(profile.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
    EXPECT_THAT(read_file(profile), Not(HasSubstr("password")));

    const Output profiles = setup.run({"profiles", "list", "-f", "json"});
    EXPECT_EQ(profiles.object().at("name").as_string(), "default");

    EXPECT_EQ(setup.run({"logout"}).code, 0);
    const Output after = setup.run({"whoami"});
    EXPECT_EQ(after.code, 3);
    EXPECT_THAT(after.err, HasSubstr("tombolo login"));
    EXPECT_EQ(setup.run({"logout"}).code, 0);
}

TEST(SessionProcess, wrong_password_is_refused_with_3_and_changes_nothing) {
    Installation setup;
    const std::string profile = setup.folder().file("config/tombolo/default.yaml");
    const std::string before = read_file(profile);
    const Output wrong = setup.run(
        {"login", "--url", setup.url(), "--username", "admin", "--password-stdin"}, "nonsense\n");
    EXPECT_EQ(wrong.code, 3);
    EXPECT_THAT(wrong.err, HasSubstr("login refused"));
    EXPECT_EQ(wrong.out, "");
    EXPECT_EQ(read_file(profile), before);
}

TEST(SessionProcess, credentials_of_the_environment_need_no_profile) {
    Installation setup;
    CommandLine other(setup.folder().file("other"));
    EXPECT_EQ(other.run({"apps", "list"}).code, 2); // no server named
    other.set_environment("TOMBOLO_URL", setup.url());
    EXPECT_EQ(other.run({"apps", "list"}).code, 3); // not logged in
    other.set_environment("TOMBOLO_USERNAME", "admin");
    other.set_environment("TOMBOLO_PASSWORD", "password");
    EXPECT_EQ(other.run({"apps", "list"}).code, 0);
    EXPECT_FALSE(std::filesystem::exists(setup.folder().file("other/config/tombolo")));
}

TEST(SessionProcess, tokens_of_one_server_are_not_sent_to_another) {
    Installation setup;
    const Output other = setup.run({"whoami", "--url", "http://127.0.0.1:1"});
    EXPECT_EQ(other.code, 3);
    EXPECT_THAT(other.err, HasSubstr("not logged in at http://127.0.0.1:1"));
}

TEST(SessionProcess, refused_session_says_what_to_do) {
    Installation setup;
    const std::string profile = setup.folder().file("config/tombolo/default.yaml");
    setup.folder().write("config/tombolo/default.yaml",
                         "default:\n    base_url: " + setup.url() +
                             "\n    access_token: x.y.z\n    refresh_token: x.y.z\n");
    const Output refused = setup.run({"apps", "list"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("tombolo login"));
    setup.folder().write("config/tombolo/default.yaml", "default:\n    nonsense\n");
    const Output broken = setup.run({"apps", "list"});
    EXPECT_EQ(broken.code, 1);
    EXPECT_THAT(broken.err, HasSubstr(profile));
}

TEST(SessionProcess, server_that_is_down_is_named) {
    Installation setup;
    setup.server().signal(SIGTERM);
    setup.server().wait_exit();
    const Output down = setup.run({"apps", "list"});
    EXPECT_EQ(down.code, 1);
    EXPECT_THAT(down.err, HasSubstr("nothing answers at " + setup.url()));
    EXPECT_THAT(down.err, HasSubstr("tombolod"));
    const Output name = setup.run(
        {"login", "--url", "http://no-such-host.invalid", "--username", "a", "--password", "b"});
    EXPECT_EQ(name.code, 1);
    EXPECT_THAT(name.err, HasSubstr("no-such-host.invalid"));
}

TEST(SessionProcess, what_is_no_tombolod_is_told_apart) {
    Installation setup;
    // A path below the server: every route is unknown there.
    const Output wrong = setup.run({"login", "--url", setup.url() + "/elsewhere", "--username",
                                    "admin", "--password", "password"});
    EXPECT_EQ(wrong.code, 4);
    const Output tls = setup.run({"login", "--url", "https" + setup.url().substr(4), "--username",
                                  "admin", "--password", "password"});
    EXPECT_EQ(tls.code, 1);
    EXPECT_THAT(tls.err, HasSubstr("TLS"));
}

TEST(SessionProcess, administrators_and_their_keys) {
    Installation setup;
    ASSERT_EQ(setup
                  .run({"admins", "create", "eve", "--password-stdin", "--role", "GROUP_READ_ONLY"},
                       "eves-password")
                  .code,
              0);
    EXPECT_THAT(setup.run({"admins", "list"}).out, HasSubstr("eve"));
    const std::vector<std::string> as_eve = {"login",         "--url",     setup.url(),
                                             "--username",    "eve",       "--password",
                                             "eves-password", "--profile", "eve"};
    ASSERT_EQ(setup.run(as_eve).code, 0);
    EXPECT_EQ(setup.run({"apps", "list", "--profile", "eve"}).code, 0);
    const Output refused = setup.run({"apps", "create", "x", "--profile", "eve"});
    EXPECT_EQ(refused.code, 3);
    EXPECT_THAT(refused.err, HasSubstr("role"));
    EXPECT_EQ(setup.run({"server", "backup", "--profile", "eve"}).code, 3);

    const boost::json::object key =
        setup.run({"admin-keys", "create", "--description", "ci", "--json"}).object();
    const std::string public_key(key.at("public_key").as_string());
    EXPECT_EQ(setup
                  .run({"login", "--url", setup.url(), "--profile", "ci", "--api-key", public_key,
                        "--private-api-key", std::string(key.at("private_key").as_string())})
                  .code,
              0);
    EXPECT_EQ(setup.run({"whoami", "--profile", "ci"}).code, 0);
    EXPECT_THAT(read_file(setup.folder().file("config/tombolo/ci.yaml")),
                Not(HasSubstr(std::string(key.at("private_key").as_string()))));
    EXPECT_THAT(setup.run({"admin-keys", "list"}).out, HasSubstr(public_key));
    EXPECT_EQ(setup.run({"admin-keys", "delete", public_key, "--yes"}).code, 0);

    ASSERT_EQ(setup.run({"admins", "password", "eve", "--password", "another-one"}).code, 0);
    EXPECT_EQ(setup.run(as_eve).code, 3);
    EXPECT_EQ(setup.run({"admins", "delete", "eve", "--yes"}).code, 0);
    EXPECT_EQ(setup.run({"admins", "delete", "eve", "--yes"}).code, 4);
}

TEST(SessionProcess, tls_needs_a_trusted_authority) {
    const TemporaryFolder folder;
    const std::string make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
        "/CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout " +
        folder.file("key.pem") + " -out " + folder.file("cert.pem") + " 2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0);
    server::Tombolod server({"--data", folder.file("data"), "--listen", "127.0.0.1:0", "--tls-cert",
                             folder.file("cert.pem"), "--tls-key", folder.file("key.pem"),
                             "--admin-user", "admin", "--admin-password", "password"},
                            folder.file("output"));
    ASSERT_TRUE(server.wait_ready()) << server.output();
    const std::string url = "https://127.0.0.1:" + std::to_string(server.port());
    const CommandLine command(folder.path().string());
    const std::vector<std::string> login = {"login", "--url",      url,       "--username",
                                            "admin", "--password", "password"};
    const Output untrusted = command.run(login);
    EXPECT_EQ(untrusted.code, 1);
    EXPECT_THAT(untrusted.err, HasSubstr("--ca-file"));
    std::vector<std::string> trusting = login;
    trusting.insert(trusting.end(), {"--ca-file", folder.file("cert.pem")});
    const Output accepted = command.run(trusting);
    ASSERT_EQ(accepted.code, 0) << accepted.err << server.output();
    // The profile remembers it.
    const Output who = command.run({"whoami"});
    EXPECT_EQ(who.code, 0) << who.err;
}

} // namespace
} // namespace tombolo::cli
