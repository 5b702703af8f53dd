#pragma once

// What commands of other files share of app directories and collections.

#include "cli/run.hpp"

namespace tombolo::cli {

/// tombolo pull, with its flags.
ExitCode pull(Run& run);
/// Imports what `from` is into `to`, which keeps its name, and makes `to` the command's app.
void copy_app(Run& run, const RemoteApp& from, const RemoteApp& to);

/// tombolo schema validate --collection: documents against a schema.
ExitCode validate_documents(Run& run);

} // namespace tombolo::cli
