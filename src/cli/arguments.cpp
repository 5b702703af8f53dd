#include "cli/arguments.hpp"

#include <charconv>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>

#include "cli/manual.hpp"

namespace tombolo::cli {

std::string Arguments::value(const std::string& name, const std::string& fallback) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : found->second.back();
}

std::vector<std::string> Arguments::values(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::optional<std::int64_t> Arguments::number(const std::string& name, std::int64_t least,
                                              std::int64_t most) const {
    if (!has(name)) {
        return {};
    }
    const std::string text = value(name);
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < least ||
        number > most) {
        throw Failure(ExitCode::usage, "--" + name + " must be a whole number from " +
                                           std::to_string(least) + " to " + std::to_string(most) +
                                           ", not '" + text + "'");
    }
    return number;
}

namespace {

std::string option_names(const Flag& flag) {
    std::string names = "--" + flag.name;
    if (flag.letter != '\0') {
        names += std::string(",-") + flag.letter;
    }
    for (const std::string& alias : flag.aliases) {
        names += ",--" + alias;
    }
    return names;
}

// Adds the flag to the parser; what is found goes to `arguments` once parsing has succeeded.
using Collect = std::function<void(Arguments&)>;

Collect add_flag(::CLI::App& app, const Flag& flag) {
    if (flag.value.empty()) {
        ::CLI::Option* option = app.add_flag(option_names(flag));
        return [option, name = flag.name](Arguments& arguments) {
            if (option->count() > 0) {
                arguments.add(name, "true");
            }
        };
    }
    auto values = std::make_shared<std::vector<std::string>>();
    ::CLI::Option* option = app.add_option(option_names(flag), *values);
    option->expected(1);
    option->multi_option_policy(flag.repeatable ? ::CLI::MultiOptionPolicy::TakeAll
                                                : ::CLI::MultiOptionPolicy::TakeLast);
    option->allow_extra_args(false);
    if (!flag.choices.empty()) {
        option->check(::CLI::IsMember(flag.choices));
    }
    return [values, name = flag.name](Arguments& arguments) {
        for (const std::string& value : *values) {
            arguments.add(name, value);
        }
    };
}

Collect add_argument(::CLI::App& app, const Argument& argument) {
    auto values = std::make_shared<std::vector<std::string>>();
    ::CLI::Option* option = app.add_option(argument.name, *values);
    option->required(!argument.optional);
    if (argument.repeatable) {
        option->expected(argument.optional ? 0 : 1, ::CLI::detail::expected_max_vector_size);
    } else {
        option->expected(1);
        option->allow_extra_args(false); // else the first argument takes those after it
    }
    return [values, name = argument.name](Arguments& arguments) {
        for (const std::string& value : *values) {
            arguments.add(name, value);
        }
    };
}

// The words up to the first option.
std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        if (word.starts_with('-')) {
            break;
        }
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

struct Leaf {
    const Command* command;
    ::CLI::App* app;
    std::vector<Collect> collect;
};

class Parser {
  public:
    explicit Parser(const CommandTable& table) : table_(table), app_("", "tombolo") {
        app_.set_help_flag();
        app_.require_subcommand(0, 1);
        app_.fallthrough();
        for (const Flag& flag : table.global_flags) {
            global_.push_back(add_flag(app_, flag));
        }
        for (const Group& group : table.groups) {
            ::CLI::App* added = app_.add_subcommand(group.name);
            added->set_help_flag();
            added->fallthrough();
            added->require_subcommand(0, 1);
            for (const std::string& alias : group.aliases) {
                added->alias(alias);
            }
        }
        for (const Command& command : table.commands) {
            add_command(command);
        }
    }

    Parsed parse(const std::vector<std::string>& words) {
        Parsed parsed;
        try {
            app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        } catch (const ::CLI::ExtrasError& error) {
            const bool unknown = selected() == nullptr && !words.empty();
            return wrong(unknown ? "there is no command '" + joined(words) + "'" : error.what());
        } catch (const ::CLI::ParseError& error) {
            return wrong(error.what());
        }
        for (const Collect& collect : global_) {
            collect(parsed.arguments);
        }
        const Leaf* leaf = selected();
        if (parsed.arguments.has("help") || (leaf == nullptr && words.empty())) {
            parsed.text = help();
            return parsed;
        }
        if (parsed.arguments.has("version")) {
            parsed.text = version_text();
            return parsed;
        }
        if (leaf == nullptr) {
            return wrong("a command is missing");
        }
        for (const Argument& argument : leaf->command->arguments) {
            const ::CLI::Option* option = leaf->app->get_option(argument.name);
            if (!argument.optional && option->count() == 0) {
                return wrong(argument.name + " is required");
            }
        }
        for (const Collect& collect : leaf->collect) {
            collect(parsed.arguments);
        }
        parsed.command = leaf->command;
        return parsed;
    }

  private:
    void add_command(const Command& command) {
        const std::size_t space = command.path.find(' ');
        ::CLI::App* parent =
            space == std::string::npos ? &app_ : app_.get_subcommand(command.path.substr(0, space));
        const std::string name =
            space == std::string::npos ? command.path : command.path.substr(space + 1);
        ::CLI::App* added = parent->add_subcommand(name);
        added->set_help_flag();
        added->fallthrough();
        for (const std::string& alias : command.aliases) {
            added->alias(alias);
        }
        Leaf& leaf = leaves_.emplace_back(Leaf{&command, added, {}});
        for (const Flag& flag : command.flags) {
            leaf.collect.push_back(add_flag(*added, flag));
        }
        for (const Argument& argument : command.arguments) {
            leaf.collect.push_back(add_argument(*added, argument));
        }
        // Checked after --help was looked for.
        for (::CLI::Option* option : added->get_options()) {
            option->required(false);
        }
    }

    const Leaf* selected() const {
        for (const Leaf& leaf : leaves_) {
            if (leaf.app->parsed()) {
                return &leaf;
            }
        }
        return nullptr;
    }

    std::string group() const {
        for (const Group& group : table_.groups) {
            if (app_.get_subcommand(group.name)->parsed()) {
                return group.name;
            }
        }
        return {};
    }

    std::string help() const {
        if (const Leaf* leaf = selected()) {
            return command_help(table_, *leaf->command);
        }
        return group().empty() ? overview(table_) : group_help(table_, group());
    }

    Parsed wrong(const std::string& what) const {
        Parsed parsed;
        parsed.code = ExitCode::usage;
        parsed.text = "error: " + what + "\n";
        if (const Leaf* leaf = selected()) {
            parsed.text += "usage: " + usage(*leaf->command) + "\nSee tombolo " +
                           leaf->command->path + " --help.\n";
        } else {
            parsed.text += "See tombolo " + (group().empty() ? "" : group() + " ") + "--help.\n";
        }
        return parsed;
    }

    const CommandTable& table_;
    ::CLI::App app_;
    std::vector<Collect> global_;
    std::vector<Leaf> leaves_;
};

} // namespace

Parsed parse(const CommandTable& table, const std::vector<std::string>& words) {
    try {
        return Parser(table).parse(words);
    } catch (const std::exception& error) {
        Parsed parsed;
        parsed.code = ExitCode::usage;
        parsed.text = std::string("error: ") + error.what() + "\n";
        return parsed;
    }
}

} // namespace tombolo::cli
