#pragma once

// Queryable fields that come into being because a subscription names them, in development mode
// (device-sync-server.md 2.3). Pure.

#include <string_view>

#include "server/sync/engine/engine.hpp"

namespace tombolo::server::sync {

/// Makes the fields that the query body names queryable in their classes, where they can be
/// (top-level scalars, arrays of scalars, GeoJSON points). False when nothing is new; a body that
/// cannot be understood adds nothing.
bool add_queryable_fields(SyncModel& model, std::string_view body);

} // namespace tombolo::server::sync
