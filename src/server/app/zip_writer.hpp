#pragma once

// Writes an app tree as a zip archive: deflated, UTF-8 names, one fixed time, so that equal trees
// give equal bytes. Pure.

#include <string>

#include "core/result.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::server {

/// limit_exceeded beyond 65,535 files or 4 GiB, which app trees never reach.
Result<std::string> write_zip(const AppTree& tree);

} // namespace tombolo::server
