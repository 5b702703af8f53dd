#pragma once

// The one command table: each resource adds its commands from its own file in commands/.

#include "cli/command.hpp"

namespace tombolo::cli {

/// In the order of help and reference.
const CommandTable& command_table();

// Each from the file of that name in commands/.
void add_account_commands(CommandTable& table);
void add_app_commands(CommandTable& table);
void add_init_command(CommandTable& table);
void add_deploy_commands(CommandTable& table);
void add_user_commands(CommandTable& table);
void add_access_list_commands(CommandTable& table);
void add_secret_commands(CommandTable& table);
void add_value_commands(CommandTable& table);
void add_function_commands(CommandTable& table);
void add_log_commands(CommandTable& table);
void add_alert_commands(CommandTable& table);
void add_schema_commands(CommandTable& table);
void add_model_commands(CommandTable& table);
void add_data_commands(CommandTable& table);
void add_sync_commands(CommandTable& table);
void add_sync_device_commands(CommandTable& table);
void add_sync_inquiry_commands(CommandTable& table);
void add_device_commands(CommandTable& table);
void add_server_commands(CommandTable& table);
void add_admin_commands(CommandTable& table);
void add_shell_commands(CommandTable& table);

} // namespace tombolo::cli
