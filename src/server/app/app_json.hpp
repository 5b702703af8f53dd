#pragma once

// An app as one JSON object: the body of the Admin API's import (admin-api-and-config.md 4.11), in
// its current form and in the one of config_version below 20210101.
//
// Pure functions, bounded by the parser.

#include <boost/json/object.hpp>

#include "core/result.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::server {

/// As a directory of the layout that the object has; normalize_app() comes next. invalid_argument
/// names every member that has the wrong type.
Result<AppTree> app_tree_of_json(const boost::json::object& app);

/// The other way, of a tree in the kept form.
boost::json::object app_json_of_tree(const AppTree& kept);

/// Replaces `current` by an import: what an import's form cannot hold (hosted files, packages of
/// functions, ids) stays, and files that say the same keep their bytes.
AppTree merge_import(const AppTree& current, const AppTree& imported);

} // namespace tombolo::server
