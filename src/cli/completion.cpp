#include "cli/completion.hpp"

#include <map>
#include <vector>

#include <fmt/format.h>

namespace tombolo::cli {

namespace {

bool takes_file(const Flag& flag) {
    return flag.value == "FILE" || flag.value == "DIRECTORY";
}

std::string group_of(const Command& command) {
    const std::size_t space = command.path.find(' ');
    return space == std::string::npos ? std::string() : command.path.substr(0, space);
}

std::string word_of(const Command& command) {
    return command.path.substr(command.path.find(' ') + 1); // npos + 1 == 0: all of it
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

std::vector<std::string> first_words(const CommandTable& table) {
    std::vector<std::string> words;
    for (const Command& command : table.commands) {
        if (group_of(command).empty()) {
            words.push_back(command.path);
        }
    }
    for (const Group& group : table.groups) {
        words.push_back(group.name);
    }
    return words;
}

std::vector<std::string> flag_words(const std::vector<Flag>& flags) {
    std::vector<std::string> words;
    for (const Flag& flag : flags) {
        if (!flag.hidden) {
            words.push_back("--" + flag.name);
        }
    }
    return words;
}

// Patterns of flags by what completes their value.
struct ValueFlags {
    std::vector<std::string> files;
    std::vector<std::string> others;
    std::map<std::string, std::string> choices;
};

void collect(const std::vector<Flag>& flags, ValueFlags& into) {
    for (const Flag& flag : flags) {
        if (flag.value.empty() || flag.hidden) {
            continue;
        }
        const std::string name = "--" + flag.name;
        if (!flag.choices.empty()) {
            into.choices[name] = joined(flag.choices);
        } else {
            (takes_file(flag) ? into.files : into.others).push_back(name);
        }
    }
}

std::string alternatives(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : "|") + word;
    }
    return out;
}

// One function that looks at the words before the cursor. zsh runs it through bashcompinit.
std::string bash_script(const CommandTable& table) {
    std::string out = "# bash completion for tombolo; made by: tombolo completion bash\n"
                      "_tombolo() {\n"
                      "    local current previous path word candidates\n"
                      "    current=${COMP_WORDS[COMP_CWORD]}\n"
                      "    previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                      "    path=\n"
                      "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                      "        case $word in\n            -*) ;;\n"
                      "            *) case \"$path\" in\n";
    std::vector<std::string> group_names;
    for (const Group& group : table.groups) {
        group_names.push_back(group.name);
    }
    out += "                '') path=$word ;;\n";
    out += "                " + alternatives(group_names) + ") path=\"$path $word\" ;;\n";
    out += "            esac ;;\n        esac\n    done\n    case \"$path $previous\" in\n";
    ValueFlags global;
    collect(table.global_flags, global);
    for (const Command& command : table.commands) {
        ValueFlags own;
        collect(command.flags, own);
        for (const auto& [flag, choices] : own.choices) {
            out += fmt::format("        '{} {}') COMPREPLY=($(compgen -W '{}' -- \"$current\")); "
                               "return ;;\n",
                               command.path, flag, choices);
        }
        for (const std::string& flag : own.files) {
            out += fmt::format("        '{} {}') COMPREPLY=($(compgen -f -- \"$current\")); "
                               "return ;;\n",
                               command.path, flag);
        }
    }
    out += "    esac\n    case $previous in\n";
    for (const auto& [flag, choices] : global.choices) {
        out +=
            fmt::format("        {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n",
                        flag, choices);
    }
    for (const std::string& flag : global.files) {
        out +=
            fmt::format("        {}) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", flag);
    }
    out += "    esac\n    case $path in\n";
    out += "        '') candidates='" + joined(first_words(table)) + "' ;;\n";
    for (const Group& group : table.groups) {
        std::vector<std::string> words;
        for (const Command& command : table.commands) {
            if (group_of(command) == group.name) {
                words.push_back(word_of(command));
            }
        }
        out += fmt::format("        {}) candidates='{}' ;;\n", group.name, joined(words));
    }
    for (const Command& command : table.commands) {
        out += fmt::format("        '{}') candidates='{}' ;;\n", command.path,
                           joined(flag_words(command.flags)));
    }
    out += "        *) candidates= ;;\n    esac\n    case $current in\n        -*) "
           "candidates=\"$candidates " +
           joined(flag_words(table.global_flags)) + "\" ;;\n    esac\n";
    out += "    COMPREPLY=($(compgen -W \"$candidates\" -- \"$current\"))\n"
           "    if [ ${#COMPREPLY[@]} -eq 0 ]; then\n"
           "        COMPREPLY=($(compgen -f -- \"$current\"))\n    fi\n}\n";
    return out + "complete -o filenames -F _tombolo tombolo\n";
}

std::string quoted_for_fish(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
    return out + "'";
}

std::string fish_flags(const std::string& condition, const std::vector<Flag>& flags) {
    std::string out;
    for (const Flag& flag : flags) {
        if (flag.hidden) {
            continue;
        }
        out += "complete -c tombolo" + condition + " -l " + flag.name;
        if (flag.letter != '\0') {
            out += std::string(" -s ") + flag.letter;
        }
        if (!flag.value.empty()) {
            out += takes_file(flag) ? " -r -F" : " -x";
        }
        if (!flag.choices.empty()) {
            out += " -a " + quoted_for_fish(joined(flag.choices));
        }
        out += " -d " + quoted_for_fish(flag.help) + "\n";
    }
    return out;
}

std::string fish_script(const CommandTable& table) {
    std::string out = "# fish completion for tombolo; made by: tombolo completion fish\n" +
                      fish_flags("", table.global_flags);
    const std::string first = joined(first_words(table));
    for (const Command& command : table.commands) {
        const std::string group = group_of(command);
        std::string condition;
        if (group.empty()) {
            out += "complete -c tombolo -n 'not __fish_seen_subcommand_from " + first + "' -a " +
                   command.path + " -d " + quoted_for_fish(command.summary) + "\n";
            condition = " -n '__fish_seen_subcommand_from " + command.path + "'";
        } else {
            std::vector<std::string> words;
            for (const Command& other : table.commands) {
                if (group_of(other) == group) {
                    words.push_back(word_of(other));
                }
            }
            out += "complete -c tombolo -f -n '__fish_seen_subcommand_from " + group +
                   "; and not __fish_seen_subcommand_from " + joined(words) + "' -a " +
                   word_of(command) + " -d " + quoted_for_fish(command.summary) + "\n";
            condition = " -n '__fish_seen_subcommand_from " + group +
                        "; and __fish_seen_subcommand_from " + word_of(command) + "'";
        }
        out += fish_flags(condition, command.flags);
    }
    for (const Group& group : table.groups) {
        out += "complete -c tombolo -f -n 'not __fish_seen_subcommand_from " + first + "' -a " +
               group.name + " -d " + quoted_for_fish(group.summary) + "\n";
    }
    return out;
}

} // namespace

std::string completion_script(const CommandTable& table, const std::string& shell) {
    if (shell == "fish") {
        return fish_script(table);
    }
    if (shell == "zsh") {
        return "#compdef tombolo\n# zsh completion for tombolo; made by: tombolo completion zsh\n"
               "autoload -U +X bashcompinit && bashcompinit\n" +
               bash_script(table);
    }
    return bash_script(table);
}

} // namespace tombolo::cli
