#pragma once

// What a change of role means for a device that holds what the old one let it read
// (server-sync-algorithm.md 8): a device may be sent what it missed under the old role only when
// the new one takes nothing away.
//
// Pure.

#include "server/sync/engine/model.hpp"
#include "server/sync/engine/roles.hpp"

namespace tombolo::server::sync {

/// Whatever `narrow` lets read, objects and fields, may be read under `wide`. False when that
/// cannot be told: filters are compared as disjunctions of tests on single fields.
bool reads_within(const Model& model, const Role& narrow, const Role& wide);

} // namespace tombolo::server::sync
