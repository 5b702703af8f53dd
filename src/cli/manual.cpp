#include "cli/manual.hpp"

#include <algorithm>
#include <functional>
#include <iterator>

#include <fmt/format.h>

namespace tombolo::cli {

namespace {

constexpr const char* version = "0.1.0";
constexpr std::size_t help_width = 96;

struct Environment {
    const char* name;
    const char* meaning;
};
constexpr Environment environment[] = {
    {"TOMBOLO_URL", "Server, when --url is not given"},
    {"TOMBOLO_PROFILE", "Profile, when --profile is not given"},
    {"TOMBOLO_USERNAME", "User name for login, and for commands run without one"},
    {"TOMBOLO_PASSWORD", "Password that goes with it"},
    {"TOMBOLO_API_KEY", "Public part of an administrator's API key, used likewise"},
    {"TOMBOLO_PRIVATE_API_KEY", "Its private part"},
    {"TOMBOLO_CA_FILE", "Certificate authority, when --ca-file is not given"},
    {"NO_COLOR", "Set to anything: no colors"},
};

struct Exit {
    int code;
    const char* meaning;
};
constexpr Exit exits[] = {
    {0, "Done, or nothing to do"},
    {1, "It was tried and failed"},
    {2, "The command line or an input file is wrong"},
    {3, "Not logged in, wrong password, or no permission"},
    {4, "The named thing does not exist"},
    {5, "Changes exist (only with `--exit-code`)"},
};

std::string flag_names(const Flag& flag) {
    std::string names = flag.letter != '\0' ? std::string("-") + flag.letter + ", " : "    ";
    names += "--" + flag.name;
    return flag.value.empty() ? names : names + " " + flag.value;
}

std::string flag_meaning(const Flag& flag) {
    std::string meaning = flag.help;
    if (!flag.choices.empty()) {
        std::string choices;
        for (const std::string& choice : flag.choices) {
            choices += (choices.empty() ? "" : ", ") + choice;
        }
        meaning += ": " + choices;
    }
    return flag.repeatable ? meaning + "; may be repeated" : meaning;
}

// Words of `text` in lines of help_width, all but the first indented.
std::string wrapped(const std::string& text, std::size_t indent) {
    std::string out;
    std::size_t column = indent;
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = text.find_first_of(" \n", at);
        end = end == std::string::npos ? text.size() : end;
        const std::string word = text.substr(at, end - at);
        if (column > indent && column + 1 + word.size() > help_width) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        if (end < text.size() && text[end] == '\n') {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        }
        at = end + 1;
    }
    return out;
}

std::string pairs(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::size_t width = 0;
    for (const auto& row : rows) {
        width = std::max(width, std::min<std::size_t>(row.first.size(), 34));
    }
    std::string out;
    for (const auto& [left, right] : rows) {
        out += "  " + left;
        if (left.size() > width) {
            out += "\n" + std::string(width + 4, ' ');
        } else {
            out += std::string(width - left.size() + 2, ' ');
        }
        out += wrapped(right, width + 4) + "\n";
    }
    return out;
}

std::string flags_text(const std::vector<Flag>& flags) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Flag& flag : flags) {
        if (!flag.hidden) {
            rows.emplace_back(flag_names(flag), flag_meaning(flag));
        }
    }
    return pairs(rows);
}

std::string group_of(const Command& command) {
    const std::size_t space = command.path.find(' ');
    return space == std::string::npos ? std::string() : command.path.substr(0, space);
}

std::string aliases_text(const Command& command) {
    std::string out;
    for (const std::string& alias : command.aliases) {
        out += (out.empty() ? "" : ", ") + alias;
    }
    return out;
}

// Text for roff: a backslash, and a dot or quote at a line's start, mean something to it.
std::string roff(const std::string& text) {
    std::string out;
    bool line_start = true;
    for (const char c : text) {
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            if (line_start && (c == '.' || c == '\'')) {
                out += "\\&";
            }
            out += c;
        }
        line_start = c == '\n';
    }
    return out;
}

std::string roff_paragraphs(const std::string& text) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find("\n\n", at), text.size());
        out += ".PP\n" + roff(text.substr(at, end - at)) + "\n";
        at = end + 2;
    }
    return out;
}

std::string roff_flags(const std::vector<Flag>& flags) {
    std::string out;
    for (const Flag& flag : flags) {
        if (flag.hidden) {
            continue;
        }
        out += ".TP\n";
        if (flag.letter != '\0') {
            out += fmt::format("\\fB\\-{}\\fR, ", flag.letter);
        }
        out += "\\fB\\-\\-" + roff(flag.name) + "\\fR";
        out += flag.value.empty() ? "\n" : " \\fI" + roff(flag.value) + "\\fR\n";
        out += roff(flag_meaning(flag)) + "\n";
    }
    return out;
}

// "|" would end a cell.
std::string cell(const std::string& text) {
    std::string out;
    for (const char c : text) {
        out += c == '|' ? std::string("\\|") : std::string(1, c == '\n' ? ' ' : c);
    }
    return out;
}

std::string markdown_flags(const std::vector<Flag>& flags) {
    std::string out;
    for (const Flag& flag : flags) {
        if (flag.hidden) {
            continue;
        }
        std::string names = "`--" + flag.name + (flag.value.empty() ? "" : " " + flag.value) + "`";
        if (flag.letter != '\0') {
            names += fmt::format(", `-{}`", flag.letter);
        }
        out += "| " + names + " | " + cell(flag_meaning(flag)) + " |\n";
    }
    return out.empty() ? out : "\n| option | |\n| --- | --- |\n" + out;
}

std::string markdown_command(const Command& command) {
    std::string out = "\n### tombolo " + command.path + "\n\n" + command.summary + ".\n\n    " +
                      usage(command) + "\n";
    if (!command.details.empty()) {
        out += "\n" + command.details + "\n";
    }
    if (!command.aliases.empty()) {
        out += "\nAlso: `" + aliases_text(command) + "`.\n";
    }
    if (!command.arguments.empty()) {
        out += "\n| argument | |\n| --- | --- |\n";
        for (const Argument& argument : command.arguments) {
            out += "| `" + argument.name + "` | " + cell(argument.help) + " |\n";
        }
    }
    out += markdown_flags(command.flags);
    if (!command.examples.empty()) {
        out += "\n";
        for (const Example& example : command.examples) {
            out += "    # " + example.what + "\n    " + example.line + "\n";
        }
    }
    return out;
}

} // namespace

std::string version_text() {
    return std::string("tombolo ") + version + "\n";
}

std::string usage(const Command& command) {
    std::string out = "tombolo " + command.path;
    if (!command.flags.empty()) {
        out += " [OPTIONS]";
    }
    for (const Argument& argument : command.arguments) {
        const std::string name = argument.name + (argument.repeatable ? "..." : "");
        out += argument.optional ? " [" + name + "]" : " " + name;
    }
    return out;
}

std::string overview(const CommandTable& table) {
    std::string out = "tombolo: manage apps and servers of Tombolo\n\nusage: tombolo COMMAND "
                      "[OPTIONS]\n\ncommands:\n";
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Command& command : table.commands) {
        if (group_of(command).empty()) {
            rows.emplace_back(command.path, command.summary);
        }
    }
    for (const Group& group : table.groups) {
        rows.emplace_back(group.name + " ...", group.summary);
    }
    out += pairs(rows) + "\noptions of every command:\n" + flags_text(table.global_flags);
    return out + "\nA command's own help: tombolo COMMAND --help. All of it: man tombolo.\n";
}

std::string group_help(const CommandTable& table, const std::string& group) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Command& command : table.commands) {
        if (group_of(command) == group) {
            rows.emplace_back("tombolo " + command.path, command.summary);
        }
    }
    const auto found = std::find_if(table.groups.begin(), table.groups.end(),
                                    [&](const Group& each) { return each.name == group; });
    return "tombolo " + group + ": " + found->summary + "\n\n" + pairs(rows) + "\nSee tombolo " +
           group + " COMMAND --help.\n";
}

std::string command_help(const CommandTable& table, const Command& command) {
    std::string out =
        "tombolo " + command.path + ": " + command.summary + "\n\nusage: " + usage(command) + "\n";
    if (!command.details.empty()) {
        out += "\n" + wrapped(command.details, 0) + "\n";
    }
    if (!command.aliases.empty()) {
        out += "\nalso: " + aliases_text(command) + "\n";
    }
    if (!command.arguments.empty()) {
        std::vector<std::pair<std::string, std::string>> rows;
        for (const Argument& argument : command.arguments) {
            rows.emplace_back(argument.name, argument.help);
        }
        out += "\narguments:\n" + pairs(rows);
    }
    if (!command.flags.empty()) {
        out += "\noptions:\n" + flags_text(command.flags);
    }
    if (!command.examples.empty()) {
        out += "\nexamples:\n";
        for (const Example& example : command.examples) {
            out += "  # " + example.what + "\n  " + example.line + "\n";
        }
    }
    return out + "\noptions of every command:\n" + flags_text(table.global_flags);
}

std::string manual_page(const CommandTable& table) {
    std::string out = fmt::format(
        ".\\\" Made from the command table of src/cli; do not edit.\n"
        ".TH TOMBOLO 1 \"\" \"Tombolo {}\" \"Tombolo Manual\"\n.SH NAME\ntombolo \\- manage apps "
        "and servers of Tombolo\n.SH SYNOPSIS\n.B tombolo\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
        ".SH COMMANDS\n",
        version);
    for (const Command& command : table.commands) {
        out += ".SS \"" + roff(usage(command)) + "\"\n" + roff(command.summary) + ".\n";
        out += roff_paragraphs(command.details);
        if (!command.aliases.empty()) {
            out += ".PP\nAlso: " + roff(aliases_text(command)) + ".\n";
        }
        for (const Argument& argument : command.arguments) {
            out += ".TP\n\\fI" + roff(argument.name) + "\\fR\n" + roff(argument.help) + "\n";
        }
        out += roff_flags(command.flags);
        for (const Example& example : command.examples) {
            out += ".PP\n" + roff(example.what) + ":\n.PP\n.nf\n.RS\n" + roff(example.line) +
                   "\n.RE\n.fi\n";
        }
    }
    out += ".SH OPTIONS OF EVERY COMMAND\n" + roff_flags(table.global_flags);
    out += ".SH ENVIRONMENT\n";
    for (const Environment& variable : environment) {
        out += std::string(".TP\n.B ") + variable.name + "\n" + roff(variable.meaning) + "\n";
    }
    out += ".SH FILES\n.TP\n\\fI$XDG_CONFIG_HOME/tombolo/PROFILE.yaml\\fR\nA profile: server, user "
           "and session tokens, readable by its owner only. Without XDG_CONFIG_HOME it is "
           "\\fI~/.config\\fR.\n.SH EXIT STATUS\n";
    for (const Exit& exit : exits) {
        out += fmt::format(".TP\n.B {}\n{}\n", exit.code, roff(exit.meaning));
    }
    return out + ".SH SEE ALSO\n.BR tombolod (1)\n";
}

std::string reference_page(const CommandTable& table) {
    std::string out =
        "# The command line\n\nMade from the command table of `src/cli` by `cli_reference`; a test "
        "compares them. Also as `man tombolo` and `tombolo COMMAND --help`.\n\n"
        "Results go to standard output, everything else to standard error. With `--json` a result "
        "is one JSON document a line, its members named as in the Admin API.\n\n## Exit codes\n\n"
        "| code | |\n| --- | --- |\n";
    for (const Exit& exit : exits) {
        out += fmt::format("| {} | {} |\n", exit.code, exit.meaning);
    }
    out += "\n## Environment\n\n| variable | |\n| --- | --- |\n";
    for (const Environment& variable : environment) {
        out += fmt::format("| `{}` | {} |\n", variable.name, variable.meaning);
    }
    out += "\nProfiles are files `$XDG_CONFIG_HOME/tombolo/PROFILE.yaml` (mode 0600; without "
           "`XDG_CONFIG_HOME` in `~/.config`). They hold session tokens, never a password.\n";
    out += "\n## Options of every command\n" + markdown_flags(table.global_flags);
    out += "\n## Commands\n";
    for (const Command& command : table.commands) {
        out += markdown_command(command);
    }
    return out;
}

} // namespace tombolo::cli
