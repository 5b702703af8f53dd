#pragma once

// What the commands of `tombolo sync` that work with a device have in common.

#include <set>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "cli/command.hpp"
#include "cli/device/device_run.hpp"

namespace tombolo::cli {

/// --device, and these.
std::vector<Flag> device_flags(std::vector<Flag> more);
Flag offline_flag();

/// Failure(not_found or usage) in place of an error.
template <class T>
T value_or_usage(Result<T> result) {
    if (!result) {
        const bool missing = result.error().code() == ErrorCode::not_found;
        throw Failure(missing ? ExitCode::not_found : ExitCode::usage, result.error().what());
    }
    return *std::move(result);
}

/// Sends and receives, unless --offline. An unreachable server is a failure when it must be
/// reached, else a note: writes wait. A write that the server undid is a failure.
ExitCode go_online(Run& run, DeviceRun& device, bool must_reach);

/// "2 writes wait to be sent".
std::string waiting_words(DeviceRun& device);
/// Objects by class.
boost::json::object counts_of(DeviceRun& device);
std::string counts_text(DeviceRun& device);

/// The text of an object as one.
boost::json::object parsed_object(const std::string& text);
/// With only those members, when any are named.
boost::json::object picked(boost::json::object object, const std::set<std::string>& fields);

/// Classes of an app directory, or of one file with a JSON schema.
schema::Schema read_classes(const std::string& path);

/// From commands/device_objects.cpp.
void add_device_object_commands(CommandTable& table);

} // namespace tombolo::cli
