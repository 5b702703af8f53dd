#pragma once

// The four layouts of app directories (admin-api-and-config.md 4), to the one that the server keeps
// and back.
//
// Kept form: the layout of 20230101 without identity: root_config.json has no app_id and no
// config_version, parts have no ids. Files whose meaning the server does not know are kept byte for
// byte; of those it knows, the ones that had to be changed are printed anew.
//
// Pure functions. Errors of normalize_app() name every problem with its file.

#include <string>
#include <vector>

#include "core/result.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::server {

enum class AppLayout : std::uint32_t {
    v20180301 = 20180301, ///< stitch.json
    v20200603 = 20200603, ///< config.json
    v20210101 = 20210101, ///< realm_config.json
    v20230101 = 20230101, ///< root_config.json
};

struct ImportedApp {
    AppLayout layout = AppLayout::v20230101;
    AppTree tree;              ///< in the kept form; secrets.json is still in it
    std::string client_app_id; ///< that the directory names; may be empty
    /// What was changed or left out on the way, each naming its file.
    std::vector<std::string> notes;
};

/// The layout by root file, then config_version; not_found when there is no root file.
Result<AppLayout> detect_layout(const AppTree& tree);

Result<ImportedApp> normalize_app(const AppTree& tree);

struct ExportOptions {
    AppLayout layout = AppLayout::v20210101;
    std::string client_app_id; ///< empty: left out (source control, templates)
};

/// The tree as a directory of that layout; no secrets, no ids.
AppTree export_app(const AppTree& kept, const ExportOptions& options);

} // namespace tombolo::server
