#pragma once

// App directories on this machine (admin-api-and-config.md 4): finding them, and turning them into
// the JSON that the import route takes (4.11).
//
// Both layouts: the current one (root_config.json, realm_config.json) and the old one (config.json,
// stitch.json). Files that no layout knows are not sent.

#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "core/result.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::cli {

/// The app directory that `start` lies in: the nearest one up, at most 8 levels; nothing when there
/// is none.
std::optional<std::string> find_app_root(const std::string& start);

/// The client app id that the directory belongs to: .mdb/meta.json first, then the root file. Empty
/// when it does not say.
std::string app_id_of(const std::string& root);

/// Writes .mdb/meta.json, so that later commands know the app.
Result<void> write_app_meta(const std::string& root, const std::string& app_id,
                            const std::string& group_id, const std::string& client_app_id);

struct FileProblem {
    std::string path;
    std::string message;
};

struct AppJson {
    boost::json::object app;
    /// What is wrong with the files, each naming one; `app` is not to be used then.
    std::vector<FileProblem> problems;
};

/// Pure: the import form of a tree.
AppJson app_to_json(const server::AppTree& tree);

} // namespace tombolo::cli
