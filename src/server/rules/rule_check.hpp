#pragma once

// Whether the rules of a configuration can be understood, asked before it becomes a deployment: a
// collection whose rules have a problem would deny everybody.

#include "core/result.hpp"
#include "server/app/app_config.hpp"
#include "server/app/app_tree.hpp"

namespace tombolo::rules {

/// invalid_argument with a line each problem: "data_sources/.../rules.json: roles[0].read: ...".
Result<void> check_rules(const server::AppConfig& config);

/// The same for the files that `after` has and `before` has not, or otherwise: what stood there
/// before is no change's fault. `config` is that of `after`.
Result<void> check_changed_rules(const server::AppConfig& config, const server::AppTree& before,
                                 const server::AppTree& after);

} // namespace tombolo::rules
