// What is made from the command table: help, manual, reference, completion.

#include "cli/manual.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "cli/command_table.hpp"
#include "cli/completion.hpp"
#include "cli/console.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::cli {
namespace {

using testing::HasSubstr;

TEST(Manual, reference_page_is_up_to_date) {
    EXPECT_EQ(read_file(std::string(TOMBOLO_SOURCE) + "/docs/reference/cli.md"),
              reference_page(command_table()))
        << "make it again: tombolo manual --markdown >docs/reference/cli.md";
}

TEST(Manual, names_every_command_and_option) {
    const std::string page = manual_page(command_table());
    const std::string reference = reference_page(command_table());
    for (const Command& command : command_table().commands) {
        EXPECT_THAT(reference, HasSubstr("### tombolo " + command.path + "\n"));
        const std::string help = command_help(command_table(), command);
        for (const Flag& flag : command.flags) {
            if (flag.hidden) {
                EXPECT_THAT(help, testing::Not(HasSubstr("--" + flag.name + " ")));
            } else {
                EXPECT_THAT(help, HasSubstr("--" + flag.name));
                EXPECT_THAT(reference, HasSubstr("`--" + flag.name));
            }
        }
    }
    EXPECT_THAT(page, HasSubstr(".TH TOMBOLO 1"));
    EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS"));
    // No line of running text starts with what roff takes for a request.
    EXPECT_THAT(page, testing::Not(HasSubstr("\n.json")));
}

TEST(Completion, scripts_are_accepted_by_their_shells) {
    const TemporaryFolder folder;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const std::string script = completion_script(command_table(), shell);
        for (const Group& group : command_table().groups) {
            EXPECT_THAT(script, HasSubstr(group.name)) << shell;
        }
        const std::string path = folder.write(shell, script);
        // Only where the shell is installed.
        const std::string check =
            std::string("! command -v ") + shell + " >/dev/null || " + shell + " -n " + path;
        EXPECT_EQ(std::system(check.c_str()), 0) << shell;
    }
}

std::string completed(const TemporaryFolder& folder, const std::vector<std::string>& words) {
    std::string script = "source " + folder.file("tombolo.bash") + "\nCOMP_WORDS=(";
    for (const std::string& word : words) {
        script += "'" + word + "' ";
    }
    script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) +
              "\n_tombolo\necho \"${COMPREPLY[@]}\" >" + folder.file("out") + "\n";
    const std::string path = folder.write("run.bash", script);
    EXPECT_EQ(std::system(("bash " + path).c_str()), 0);
    return read_file(folder.file("out"));
}

TEST(Completion, bash_offers_commands_options_and_choices) {
    const TemporaryFolder folder;
    folder.write("tombolo.bash", completion_script(command_table(), "bash"));
    EXPECT_EQ(completed(folder, {"tombolo", "wh"}), "whoami\n");
    EXPECT_EQ(completed(folder, {"tombolo", "users", "re"}), "revoke\n");
    EXPECT_EQ(completed(folder, {"tombolo", "--profile=x", "users", "li"}), "list\n");
    EXPECT_EQ(completed(folder, {"tombolo", "data", "import", "--mo"}), "--mode\n");
    EXPECT_EQ(completed(folder, {"tombolo", "data", "import", "--mode", "up"}), "upsert\n");
    EXPECT_EQ(completed(folder, {"tombolo", "--output-format", "js"}), "json\n");
}

TEST(Console, numbers_and_sizes_read_well) {
    EXPECT_EQ(count_text(171075), "171,075");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(7), "7");
    EXPECT_EQ(count_of(1, "document"), "1 document");
    EXPECT_EQ(count_of(0, "document"), "0 documents");
    EXPECT_EQ(size_text(999), "999 B");
    EXPECT_EQ(size_text(17'100'000), "17.1 MB");
    EXPECT_EQ(seconds_text(0), "1970-01-01T00:00:00Z");
}

TEST(Console, control_characters_of_others_are_shown_not_obeyed) {
    EXPECT_EQ(printable("a\x1b[2Jb\r\n\tc\x7f"), "a\\x1b[2Jb\\x0d\n\tc\\x7f");
}

} // namespace
} // namespace tombolo::cli
