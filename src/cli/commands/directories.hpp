#pragma once

// What commands of other files share of app directories and collections.

#include "cli/run.hpp"

namespace tombolo::cli {

/// tombolo pull, with its flags.
ExitCode pull(Run& run);
/// Imports what `from` is into `to`, which keeps its name, and makes `to` the command's app.
void copy_app(Run& run, const RemoteApp& from, const RemoteApp& to);

/// Writes what `from` is into the directory, as an app of that name that is on no server yet.
void write_app_copy(Run& run, const RemoteApp& from, const std::string& directory,
                    const std::string& name);

/// tombolo schema validate --collection: documents against a schema.
ExitCode validate_documents(Run& run);

} // namespace tombolo::cli
