#pragma once

// Completion scripts for shells, made from the command table.

#include <string>

#include "cli/command.hpp"

namespace tombolo::cli {

/// `shell` is "bash", "zsh" or "fish".
std::string completion_script(const CommandTable& table, const std::string& shell);

} // namespace tombolo::cli
