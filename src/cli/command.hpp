#pragma once

// The command table: what every command is called, takes and does.
//
// The parser, --help, shell completion, the manual page and docs/reference/cli.md are all made from
// it, so they cannot disagree. Plain values; made once (command_table.hpp).

#include <functional>
#include <string>
#include <vector>

#include "cli/failure.hpp"

namespace tombolo::cli {

class Run;

struct Flag {
    std::string name = {}; ///< long name without the hyphens
    char letter = '\0';
    std::string value = {}; ///< what stands for its value in help ("FILE"); empty: a switch
    std::string help = {};
    bool repeatable = false;
    std::vector<std::string> choices = {}; ///< the only values allowed, when given
    std::vector<std::string> aliases = {}; ///< further long names, for scripts of older tools
    bool hidden = false;                   ///< accepted, not shown
};

struct Argument {
    std::string name = {}; ///< "FILE": completion offers file names; "DIRECTORY" likewise
    std::string help = {};
    bool optional = false;
    bool repeatable = false;
};

struct Example {
    std::string line = {};
    std::string what = {};
};

struct Command {
    std::string path = {};                 ///< "apps create"
    std::vector<std::string> aliases = {}; ///< further names of its last word
    std::string summary = {};              ///< one line without a full stop
    std::string details = {};              ///< paragraphs, separated by empty lines
    std::vector<Argument> arguments = {};
    std::vector<Flag> flags = {};
    std::vector<Example> examples = {};
    std::function<ExitCode(Run&)> run = {};
};

/// The first word of commands of two words.
struct Group {
    std::string name = {};
    std::vector<std::string> aliases = {};
    std::string summary = {};
};

struct CommandTable {
    std::vector<Flag> global_flags = {};
    std::vector<Group> groups = {};
    std::vector<Command> commands = {};

    /// By its path ("apps create"); null when there is none.
    const Command* find(const std::string& path) const;
};

} // namespace tombolo::cli
