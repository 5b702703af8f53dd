#pragma once

// An app's functions, values and environment as its directory states them
// (admin-api-and-config.md 4.7, 4.8).
//
//   functions/config.json       array of {name, private, can_evaluate, run_as_system, ...}
//   functions/<name>.js         source; one without an entry gets a default entry
//   values/<name>.json          {name, value, from_secret, private}
//   environments/<name>.json    {"values": {name: any}}; root_config.json's "environment" picks one
//
// Pure: reads the tree, keeps no reference to it.

#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "server/app/app_tree.hpp"

namespace tombolo::server {

struct FunctionConfig {
    std::string name;        ///< may contain "/"
    bool is_private = false; ///< callable by other functions, rules and providers only
    /// Expression that decides whether a client may call it; empty: everyone.
    boost::json::object can_evaluate;
    bool disable_arg_logs = false;
    bool run_as_system = false;
    std::string run_as_user_id;
    /// Source of a function that returns the id of the user to run as.
    std::string run_as_user_id_script_source;
    std::string source;
};

struct ValueConfig {
    std::string name;
    boost::json::value value; ///< with from_secret the secret's name
    bool from_secret = false;
    bool is_private = false;
};

struct FunctionsConfig {
    std::map<std::string, FunctionConfig, std::less<>> functions;
    std::map<std::string, ValueConfig, std::less<>> values;
    std::string environment;                ///< tag: "", "development", ...
    boost::json::object environment_values; ///< of that environment
    /// functions/package.json and a functions/node_modules.* archive, as the tree has them; empty
    /// when absent.
    std::string package_json;
    std::string dependency_archive; ///< path in the tree

    /// Each names its file; a deployment with one is refused.
    std::vector<std::string> problems;
};

FunctionsConfig parse_functions(const AppTree& tree);

/// Longest function name (admin-api-and-config.md R12 leaves it open; file names end at 255).
inline constexpr std::size_t function_name_bytes_max = 255;

} // namespace tombolo::server
