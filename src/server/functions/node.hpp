#pragma once

// Finding Node.js.

#include <string>

#include "core/result.hpp"

namespace tombolo::functions {

struct Node {
    std::string path;
    std::string version; ///< "v18.19.0"
};

/// `name` is a path, or a name that is looked for in PATH. not_found when there is none;
/// unsupported when it is older than version 18. The message says what to do.
Result<Node> find_node(const std::string& name);

} // namespace tombolo::functions
