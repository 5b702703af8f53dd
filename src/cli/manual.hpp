#pragma once

// Everything that describes the commands, made from the table: --help, the manual page, the
// reference page.

#include <string>

#include "cli/command.hpp"

namespace tombolo::cli {

std::string version_text();
/// "tombolo apps create [OPTIONS] NAME".
std::string usage(const Command& command);

std::string overview(const CommandTable& table);
std::string group_help(const CommandTable& table, const std::string& group);
std::string command_help(const CommandTable& table, const Command& command);

/// tombolo(1), in man(7) macros.
std::string manual_page(const CommandTable& table);
/// docs/reference/cli.md.
std::string reference_page(const CommandTable& table);

} // namespace tombolo::cli
