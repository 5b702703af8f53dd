#include <string>

#include "protocol/close_codes.hpp"
#include "protocol/sync_error.hpp"

namespace tombolo::protocol {

namespace {

std::string_view level_name(ErrorLevel level) {
    return level == ErrorLevel::connection ? "connection" : "session";
}

std::string sending_name(const SyncErrorInfo& info) {
    switch (info.sending) {
    case ErrorSending::server:
        return "server";
    case ErrorSending::crash:
        return "**never**: aborts the published client";
    case ErrorSending::client:
        return "client only";
    case ErrorSending::retired:
        return "retired";
    }
    return {};
}

std::string reaction_text(CloseCode code) {
    const CloseReaction known = close_reaction(static_cast<std::uint16_t>(code), true);
    if (!known.action) {
        return "nothing";
    }
    std::string text(action_name(*known.action));
    if (!known.status.empty()) {
        text += ", reports " + std::string(known.status);
    }
    if (known.is_fatal) {
        text += ", fatal";
    }
    if (close_reaction(static_cast<std::uint16_t>(code), false) != known) {
        text += "; RefreshLocation while the endpoint is unverified";
    }
    return text;
}

} // namespace

std::string sync_errors_markdown() {
    std::string page =
        "# Sync errors\n"
        "\n"
        "<!-- Made from src/protocol/sync_errors.def and close_codes.def by "
        "`build/release/bin/sync_errors_doc`; do not edit. -->\n"
        "\n"
        "What the server says in a JSON_ERROR message, what an SDK reports, and what "
        "happens then. Action and \"try again\" are what the server sends unless a "
        "rule says otherwise.\n"
        "A connection error concerns every session of the connection, a session "
        "error one open file. Every session error except 231 and 236 ends the "
        "binding; with \"try again\" the client binds again by itself.\n"
        "\n"
        "| code | name | level | SDK status | action | try again | sent by | meaning |\n"
        "|---|---|---|---|---|---|---|---|\n";
    for (const SyncErrorInfo& info : sync_error_table()) {
        page += "| " + std::to_string(static_cast<int>(info.code));
        page += " | `" + std::string(info.name) + "`";
        page += " | " + std::string(level_name(info.level));
        page += " | " + std::string(info.status);
        page += " | " + std::string(action_name(info.action));
        page += info.try_again ? " | yes" : " | no";
        page += " | " + sending_name(info);
        page += " | " + std::string(info.note) + " |\n";
    }
    page += "\n"
            "## When the connection ends\n"
            "\n"
            "WebSocket close codes, and what a refused upgrade counts as. Codes from 4400 on are "
            "made by the client and never travel. Transient: the client backs off and connects "
            "again. Fatal: flagged so to the app.\n"
            "\n"
            "| code | name | client's reaction | note |\n"
            "|---|---|---|---|\n";
    for (const CloseCodeInfo& info : close_code_table()) {
        page += "| " + std::to_string(static_cast<int>(info.code));
        page += " | `" + std::string(info.name) + "`";
        page += " | " + reaction_text(info.code);
        page += " | " + std::string(info.note) + " |\n";
    }
    return page;
}

} // namespace tombolo::protocol
