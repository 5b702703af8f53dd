// completion, and what is made from the command table.

#include "cli/command_table.hpp"
#include "cli/completion.hpp"
#include "cli/manual.hpp"
#include "cli/run.hpp"

namespace tombolo::cli {

namespace {

ExitCode complete(Run& run) {
    run.console().raw(completion_script(command_table(), run.value("SHELL")));
    return ExitCode::done;
}

ExitCode manual(Run& run) {
    run.console().raw(run.has("markdown") ? reference_page(command_table())
                                          : manual_page(command_table()));
    return ExitCode::done;
}

} // namespace

void add_shell_commands(CommandTable& table) {
    table.commands.push_back(
        {.path = "completion",
         .summary = "Print a completion script for a shell",
         .arguments = {{.name = "SHELL", .help = "bash, zsh or fish"}},
         .examples = {{"source <(tombolo completion bash)", "Complete in this shell"},
                      {"tombolo completion fish >~/.config/fish/completions/tombolo.fish",
                       "Complete in every fish"}},
         .run = [](Run& run) {
             const std::string shell = run.value("SHELL");
             if (shell != "bash" && shell != "zsh" && shell != "fish") {
                 throw Failure(ExitCode::usage, "there is no completion for '" + shell + "'",
                               "It is bash, zsh or fish.");
             }
             return complete(run);
         }});
    table.commands.push_back(
        {.path = "manual",
         .summary = "Print the manual page",
         .flags = {{.name = "markdown", .help = "Print docs/reference/cli.md instead"}},
         .examples = {{"tombolo manual | man -l -", "Read it"}},
         .run = manual});
}

} // namespace tombolo::cli
