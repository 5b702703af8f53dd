#pragma once

// The one command table: each resource adds its commands from its own file in commands/.

#include "cli/command.hpp"

namespace tombolo::cli {

/// In the order of help and reference.
const CommandTable& command_table();

// Each from the file of that name in commands/.
void add_account_commands(CommandTable& table);
void add_app_commands(CommandTable& table);
void add_shell_commands(CommandTable& table);

} // namespace tombolo::cli
