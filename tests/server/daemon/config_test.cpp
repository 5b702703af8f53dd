// Where tombolod's settings come from, and what is refused.

#include "server/daemon/config.hpp"

#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace tombolo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Configuration : public testing::Test {
  protected:
    void TearDown() override { variables().clear(); }

    static void set_variable(const std::string& name, const std::string& value) {
        variables()[name] = value;
    }

    static Result<StartOptions> read(const std::vector<std::string>& arguments) {
        std::vector<const char*> argv{"tombolod"};
        for (const std::string& argument : arguments) {
            argv.push_back(argument.c_str());
        }
        return read_config(static_cast<int>(argv.size()), argv.data(),
                           [](const char* name) -> const char* {
                               const auto found = variables().find(name);
                               return found == variables().end() ? nullptr : found->second.c_str();
                           });
    }

    static std::string refusal(const std::vector<std::string>& arguments) {
        const auto options = read(arguments);
        return options ? "accepted" : options.error().what();
    }

    // What a file with this text is refused for.
    std::string file_refusal(const std::string& name, const std::string& text) const {
        return refusal({"--data", "d", "--config", folder_.write(name, text)});
    }

    TemporaryFolder folder_;

  private:
    static std::map<std::string, std::string>& variables() {
        static std::map<std::string, std::string> all;
        return all;
    }
};

TEST_F(Configuration, needs_a_data_folder_and_nothing_else) {
    EXPECT_THAT(refusal({}), HasSubstr("--data DIR is required"));
    const auto options = read({"--data", "somewhere"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->action, StartAction::run);
    EXPECT_EQ(options->config.data, "somewhere");
    EXPECT_EQ(options->config.listen, "127.0.0.1:9090");
}

TEST_F(Configuration, option_wins_over_variable_wins_over_file) {
    const std::string file = folder_.write("c.toml", "data = 'file'\nlisten = '127.0.0.1:1'\n"
                                                     "log_level = 'error'\n");
    set_variable("TOMBOLO_LISTEN", "127.0.0.1:2");
    set_variable("TOMBOLO_LOG_LEVEL", "debug");
    const Config config = read({"--config", file, "--log-level", "warning"})->config;
    EXPECT_EQ(config.data, "file");
    EXPECT_EQ(config.listen, "127.0.0.1:2");
    EXPECT_EQ(config.log_level, "warning");
}

TEST_F(Configuration, file_is_named_by_a_variable_too) {
    set_variable("TOMBOLO_CONFIG", folder_.write("c.json", R"({"data":"here"})"));
    EXPECT_EQ(read({})->config.data, "here");
}

TEST_F(Configuration, toml_and_json_say_the_same) {
    const std::string toml = folder_.write("c.toml", "data = 'd'\n"
                                                     "app = ['one', 'two']\n"
                                                     "io_threads = 7\n"
                                                     "hide_unknown_users = true\n");
    const std::string json = folder_.write(
        "c.json", R"({"data":"d","app":["one","two"],"io_threads":7,"hide_unknown_users":true})");
    for (const std::string& file : {toml, json}) {
        const Config config = read({"--config", file})->config;
        EXPECT_EQ(config.data, "d");
        EXPECT_THAT(config.apps, ElementsAre("one", "two"));
        EXPECT_EQ(config.io_threads, 7);
        EXPECT_TRUE(config.hide_unknown_users);
    }
}

TEST_F(Configuration, variables_carry_every_type) {
    set_variable("TOMBOLO_DATA", "d");
    set_variable("TOMBOLO_APP", "one,two");
    set_variable("TOMBOLO_IO_THREADS", "5");
    set_variable("TOMBOLO_HIDE_UNKNOWN_USERS", "true");
    const Config config = read({})->config;
    EXPECT_THAT(config.apps, ElementsAre("one", "two"));
    EXPECT_EQ(config.io_threads, 5);
    EXPECT_TRUE(config.hide_unknown_users);
    set_variable("TOMBOLO_HIDE_UNKNOWN_USERS", "yes");
    EXPECT_THAT(refusal({}), HasSubstr("TOMBOLO_HIDE_UNKNOWN_USERS: must be true or false"));
}

TEST_F(Configuration, options_that_repeat_become_a_list) {
    EXPECT_THAT(read({"--data", "d", "--app", "one", "--app", "two"})->config.apps,
                ElementsAre("one", "two"));
}

TEST_F(Configuration, unknown_keys_and_options_are_refused_by_name) {
    EXPECT_THAT(file_refusal("c.toml", "lissten = '127.0.0.1:1'\n"),
                HasSubstr("unknown key 'lissten'"));
    EXPECT_THAT(file_refusal("c.json", R"({"lissten":"x"})"), HasSubstr("unknown key 'lissten'"));
    EXPECT_THAT(refusal({"--data", "d", "--lissten", "x"}), HasSubstr("--lissten"));
}

TEST_F(Configuration, wrong_types_are_refused_by_name) {
    EXPECT_THAT(file_refusal("a.toml", "io_threads = 'many'\n"),
                HasSubstr("'io_threads': must be a whole number"));
    EXPECT_THAT(file_refusal("b.toml", "listen = 9090\n"), HasSubstr("'listen': must be a string"));
    EXPECT_THAT(file_refusal("c.toml", "insecure_public = 1\n"),
                HasSubstr("'insecure_public': must be true or false"));
    EXPECT_THAT(file_refusal("d.json", R"({"app":[1]})"), HasSubstr("'app' must be"));
    EXPECT_THAT(file_refusal("e.toml", "io_threads = 1.5\n"), HasSubstr("'io_threads' must be"));
    EXPECT_THAT(refusal({"--data", "d", "--io-threads", "4x"}),
                HasSubstr("--io-threads: must be a whole number"));
    EXPECT_THAT(refusal({"--data", "d", "--io-threads", "99999999999999999999"}),
                HasSubstr("--io-threads: must be a whole number"));
}

TEST_F(Configuration, bad_syntax_is_refused_with_its_place) {
    EXPECT_THAT(file_refusal("c.toml", "data = 'd'\nlisten = \n"), HasSubstr("c.toml"));
    const auto options = read({"--config", folder_.write("d.toml", "data = 'd'\nlisten = \n")});
    ASSERT_FALSE(options);
    EXPECT_THAT(std::string(options.error().what()), HasSubstr("line 2"));
    EXPECT_NE(file_refusal("c.json", "{"), "accepted");
    EXPECT_THAT(refusal({"--config", folder_.file("absent.toml")}),
                HasSubstr("cannot read the configuration file"));
}

TEST_F(Configuration, listening_everywhere_needs_an_address_to_tell_apps) {
    for (const char* address : {"0.0.0.0:9090", "[::]:9090"}) {
        const std::string said = refusal({"--data", "d", "--listen", address, "--insecure-public"});
        EXPECT_THAT(said, HasSubstr("--public-url"));
    }
    EXPECT_TRUE(read({"--data", "d", "--listen", "192.0.2.1:80", "--insecure-public"}));
}

TEST_F(Configuration, public_address_without_tls_needs_the_flag) {
    for (const char* address : {"0.0.0.0:9090", "[::]:9090", "192.0.2.1:80"}) {
        const std::string said = refusal({"--data", "d", "--listen", address});
        EXPECT_THAT(said, HasSubstr("without TLS would send passwords and tokens in the clear"));
        EXPECT_THAT(said, HasSubstr("--insecure-public"));
        EXPECT_TRUE(read({"--data", "d", "--listen", address, "--insecure-public", "--public-url",
                          "https://sync.example.com"}));
        EXPECT_TRUE(read({"--data", "d", "--listen", address, "--tls-cert", "c", "--tls-key", "k",
                          "--public-url", "https://sync.example.com"}));
    }
    for (const char* address : {"127.0.0.1:9090", "127.1.2.3:0", "[::1]:9090"}) {
        EXPECT_TRUE(read({"--data", "d", "--listen", address})) << address;
    }
}

TEST_F(Configuration, addresses_that_only_look_local_are_public) {
    for (const char* address : {"127.example.com:80", "127.0.0.1.example.com:80"}) {
        EXPECT_NE(refusal({"--data", "d", "--listen", address}), "accepted") << address;
    }
}

TEST_F(Configuration, bad_addresses_are_refused) {
    for (const char* address : {"", "9090", ":9090", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                                "127.0.0.1:-1", "127.0.0.1:80x"}) {
        EXPECT_THAT(refusal({"--data", "d", "--listen", address}),
                    HasSubstr("is not an address and port"))
            << address;
    }
    EXPECT_THAT(refusal({"--data", "d", "--metrics-listen", "nine"}),
                HasSubstr("is not an address and port"));
}

TEST_F(Configuration, halves_and_contradictions_are_refused) {
    EXPECT_THAT(refusal({"--data", "d", "--tls-cert", "c"}), HasSubstr("go together"));
    EXPECT_THAT(refusal({"--data", "d", "--tls-key", "c"}), HasSubstr("go together"));
    EXPECT_THAT(refusal({"--data", "d", "--admin-password", "p", "--admin-password-file", "f"}),
                HasSubstr("not both"));
    EXPECT_THAT(refusal({"--data", "d", "--public-url", "example.com"}), HasSubstr("--public-url"));
    EXPECT_THAT(refusal({"--data", "d", "--public-url", "https://example.com/"}),
                HasSubstr("--public-url"));
    EXPECT_THAT(refusal({"--data", "d", "--log-level", "loud"}), HasSubstr("'loud'"));
    EXPECT_THAT(refusal({"--data", "d", "--log-format", "xml"}), HasSubstr("'xml'"));
    EXPECT_THAT(refusal({"--data", "d", "--io-threads", "0"}),
                HasSubstr("--io-threads must be 1 to 256"));
    EXPECT_THAT(refusal({"--data", "d", "--function-workers", "0"}),
                HasSubstr("--function-workers"));
    EXPECT_THAT(refusal({"--data", "d", "--function-megabytes", "8"}),
                HasSubstr("--function-megabytes"));
    EXPECT_THAT(refusal({"--data", "d", "--stop-seconds", "-1"}), HasSubstr("--stop-seconds"));
}

// Every "--option" that starts a line of the help.
std::set<std::string> options_in(const std::string& help) {
    std::set<std::string> options;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t at = line.find("--");
        if (line.starts_with("  ") && at != std::string::npos && at < 6) {
            const std::size_t end = line.find_first_of(" ,=", at);
            options.insert(line.substr(at, end - at));
        }
    }
    return options;
}

TEST_F(Configuration, help_names_each_setting_with_its_variable) {
    const auto options = read({"--help"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->action, StartAction::help);
    const std::set<std::string> all = options_in(options->text);
    EXPECT_GE(all.size(), 30U);
    for (const char* name :
         {"--data", "--listen", "--app", "--tls-cert", "--tls-key", "--config"}) {
        EXPECT_TRUE(all.count(name)) << name;
    }
    EXPECT_THAT(options->text, HasSubstr("TOMBOLO_ADMIN_PASSWORD"));
    EXPECT_EQ(read({"--version"})->action, StartAction::version);
}

TEST_F(Configuration, reference_page_explains_each_option_of_the_help) {
    const std::string page = read_file(TOMBOLO_TEST_DATA "/../docs/reference/configuration.md");
    ASSERT_FALSE(page.empty());
    for (const std::string& option : options_in(read({"--help"})->text)) {
        EXPECT_THAT(page, HasSubstr("`" + option + "`"));
    }
}

} // namespace
} // namespace tombolo::server
