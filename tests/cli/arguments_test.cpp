#include "cli/arguments.hpp"

#include <set>

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "cli/command_table.hpp"

namespace tombolo::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Parsed parse_words(const std::vector<std::string>& words) {
    return parse(command_table(), words);
}

TEST(Arguments, commands_flags_and_arguments_are_found) {
    const Parsed parsed =
        parse_words({"data", "import", "cities.json", "-d", "geo", "--collection=cities", "--point",
                     "a=b,c", "--point", "d=e,f", "--json"});
    ASSERT_NE(parsed.command, nullptr) << parsed.text;
    EXPECT_EQ(parsed.command->path, "data import");
    EXPECT_EQ(parsed.arguments.value("FILE"), "cities.json");
    EXPECT_EQ(parsed.arguments.value("database"), "geo");
    EXPECT_EQ(parsed.arguments.value("collection"), "cities");
    EXPECT_THAT(parsed.arguments.values("point"), ElementsAre("a=b,c", "d=e,f"));
    EXPECT_TRUE(parsed.arguments.has("json"));
    EXPECT_FALSE(parsed.arguments.has("mode"));
}

TEST(Arguments, each_argument_takes_its_own_word) {
    const Parsed parsed = parse_words({"sync", "subscribe", "City", "country == 'IS'"});
    ASSERT_NE(parsed.command, nullptr) << parsed.text;
    EXPECT_EQ(parsed.arguments.value("CLASS"), "City");
    EXPECT_EQ(parsed.arguments.value("QUERY"), "country == 'IS'");
    EXPECT_EQ(parse_words({"sync", "subscribe", "City"}).arguments.value("CLASS"), "City");
}

TEST(Arguments, global_flags_stand_anywhere) {
    for (const auto& words : {std::vector<std::string>{"--profile", "p", "apps", "list"},
                              std::vector<std::string>{"apps", "--profile", "p", "list"},
                              std::vector<std::string>{"apps", "list", "--profile", "p"}}) {
        const Parsed parsed = parse_words(words);
        ASSERT_NE(parsed.command, nullptr) << parsed.text;
        EXPECT_EQ(parsed.arguments.value("profile"), "p");
    }
}

TEST(Arguments, names_of_older_tools_work) {
    for (const auto& [words, path] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"app", "ls"}, "apps list"},
             {{"import", "--remote", "x"}, "push"},
             {{"user", "list"}, "users list"},
             {{"secret", "ls"}, "secrets list"},
             {{"log", "list", "--tail"}, "logs list"},
             {{"functions", "run", "--name", "f"}, "function run"}}) {
        const Parsed parsed = parse_words(words);
        ASSERT_NE(parsed.command, nullptr) << path << parsed.text;
        EXPECT_EQ(parsed.command->path, path);
    }
}

TEST(Arguments, wrong_lines_say_what_is_wrong_and_end_with_2) {
    for (const auto& [words, text] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"bogus"}, "there is no command 'bogus'"},
             {{"apps", "bogus"}, "there is no command 'apps bogus'"},
             {{"apps", "list", "--bogus"}, "--bogus"},
             {{"apps"}, "a command is missing"},
             {{"data", "import"}, "FILE is required"},
             {{"data", "import", "f", "--mode", "replace"}, "replace"},
             {{"data", "import", "f", "--mode"}, "--mode"},
             {{"deploy", "redeploy", "a", "b"}, "b"}}) {
        const Parsed parsed = parse_words(words);
        EXPECT_EQ(parsed.command, nullptr);
        EXPECT_EQ(parsed.code, ExitCode::usage);
        EXPECT_THAT(parsed.text, HasSubstr(text));
        EXPECT_THAT(parsed.text, HasSubstr("--help"));
    }
}

TEST(Arguments, help_comes_before_what_is_missing) {
    const Parsed parsed = parse_words({"data", "import", "--help"});
    EXPECT_EQ(parsed.code, ExitCode::done);
    EXPECT_THAT(parsed.text, HasSubstr("usage: tombolo data import [OPTIONS] FILE"));
    EXPECT_THAT(parse_words({"users", "--help"}).text, HasSubstr("tombolo users revoke"));
    EXPECT_THAT(parse_words({}).text, HasSubstr("usage: tombolo COMMAND"));
    EXPECT_THAT(parse_words({"--version"}).text, HasSubstr("tombolo 0."));
}

TEST(Arguments, numbers_are_bounded) {
    Arguments arguments;
    arguments.add("limit", "51");
    EXPECT_EQ(arguments.number("limit", 1, 51), 51);
    EXPECT_THROW(static_cast<void>(arguments.number("limit", 1, 50)), Failure);
    arguments.add("limit", "5x");
    EXPECT_THROW(static_cast<void>(arguments.number("limit", 1, 50)), Failure);
    EXPECT_FALSE(arguments.number("other", 1, 50));
}

TEST(Arguments, every_command_is_complete_and_its_names_are_its_own) {
    std::set<std::string> paths;
    for (const Command& command : command_table().commands) {
        EXPECT_TRUE(paths.insert(command.path).second) << command.path;
        EXPECT_FALSE(command.summary.empty()) << command.path;
        EXPECT_FALSE(command.summary.ends_with('.')) << command.path;
        EXPECT_TRUE(command.run) << command.path;
        std::set<std::string> flags;
        for (const Flag& flag : command_table().global_flags) {
            flags.insert(flag.name);
        }
        for (const Flag& flag : command.flags) {
            EXPECT_TRUE(flags.insert(flag.name).second) << command.path << " --" << flag.name;
            EXPECT_TRUE(flag.hidden || !flag.help.empty()) << command.path << " --" << flag.name;
        }
    }
}

RC_GTEST_PROP(Arguments, any_words_are_parsed_without_an_exception, ()) {
    const auto word = rc::gen::oneOf(
        rc::gen::element<std::string>("apps", "list", "data", "import", "--json", "-a", "--", "-",
                                      "--profile", "login", "--help", "="),
        rc::gen::arbitrary<std::string>());
    const auto words = *rc::gen::container<std::vector<std::string>>(word);
    const Parsed parsed = parse_words(words);
    RC_ASSERT(parsed.command != nullptr || !parsed.text.empty());
}

} // namespace
} // namespace tombolo::cli
