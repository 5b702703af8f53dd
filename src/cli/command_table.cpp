#include "cli/command_table.hpp"

namespace tombolo::cli {

namespace {

CommandTable make_table() {
    CommandTable table;
    table.global_flags = {
        {.name = "profile",
         .value = "NAME",
         .help = "Profile to use: a server and who is logged in there (default: $TOMBOLO_PROFILE, "
                 "else \"default\")"},
        {.name = "url",
         .value = "URL",
         .help = "Server to talk to (default: $TOMBOLO_URL, else the profile's)",
         .aliases = {"realm-url"}},
        {.name = "ca-file",
         .value = "FILE",
         .help = "PEM file of the certificate authority to trust (default: $TOMBOLO_CA_FILE, else "
                 "the profile's, else the system's)"},
        {.name = "json", .help = "Print results as JSON, one document a line"},
        {.name = "output-format",
         .letter = 'f',
         .value = "FORMAT",
         .help = "The same as --json when it is json",
         .choices = {"json", "text"}},
        {.name = "output-target",
         .letter = 'o',
         .value = "FILE",
         .help = "Append results to a file instead of printing them"},
        {.name = "yes", .letter = 'y', .help = "Answer every question with yes"},
        {.name = "quiet", .letter = 'q', .help = "No notes and no progress"},
        {.name = "disable-colors", .help = "No colors", .aliases = {"no-color"}},
        {.name = "telemetry",
         .value = "ON",
         .help = "Ignored: nothing is ever sent",
         .hidden = true},
        {.name = "help", .letter = 'h', .help = "Print help and end"},
        {.name = "version", .help = "Print the version and end"},
    };
    add_account_commands(table);
    add_app_commands(table);
    add_init_command(table);
    add_deploy_commands(table);
    add_user_commands(table);
    add_access_list_commands(table);
    add_secret_commands(table);
    add_value_commands(table);
    add_function_commands(table);
    add_log_commands(table);
    add_alert_commands(table);
    add_schema_commands(table);
    add_model_commands(table);
    add_data_commands(table);
    add_sync_commands(table);
    add_sync_device_commands(table);
    add_sync_inquiry_commands(table);
    add_device_commands(table);
    add_server_commands(table);
    add_admin_commands(table);
    add_shell_commands(table);
    return table;
}

} // namespace

const CommandTable& command_table() {
    static const CommandTable table = make_table();
    return table;
}

const Command* CommandTable::find(const std::string& path) const {
    for (const Command& command : commands) {
        if (command.path == path) {
            return &command;
        }
    }
    return nullptr;
}

} // namespace tombolo::cli
