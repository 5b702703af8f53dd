#pragma once

// What went wrong between a device and its server, in words for the person who has to do something
// about it. Pure.

#include <string>
#include <vector>

#include "cli/failure.hpp"
#include "client/device_connection.hpp"

namespace tombolo::cli {

struct Advice {
    std::string message;
    std::string hint; ///< what to do
    ExitCode code = ExitCode::failure;
};

Advice words_for(const client::ConnectionEnd& end, const std::string& server);
Advice words_for(const protocol::JsonError& error);
Advice words_for_query(const std::string& server_message);
/// One line for each write that the server undid.
std::vector<std::string> undone_writes(const protocol::JsonError& error);

/// The server wants the device to begin anew.
bool asks_for_reset(const protocol::JsonError& error);

} // namespace tombolo::cli
