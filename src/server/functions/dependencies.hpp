#pragma once

// An app's npm packages: the node_modules archive of its functions folder, unpacked for its
// workers.
//
// Unpacking is done once for each archive: a folder that is there is complete, because it is made
// under another name and renamed.

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace tombolo::functions {

/// `name` tells the format: .tar, .tar.gz, .tgz or .zip. Afterwards `folder`/node_modules is there.
/// io when it cannot be unpacked, unsupported for another format.
Result<void> unpack_dependencies(std::string_view name, std::string_view archive,
                                 const std::string& folder);

} // namespace tombolo::functions
