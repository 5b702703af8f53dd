#pragma once

// Queryable fields: those that come into being because a subscription names them, in development
// mode (device-sync-server.md 2.3), and the indexed one (3.3). Pure.

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/value.hpp"
#include "server/sync/engine/engine.hpp"
#include "server/sync/engine/model.hpp"

namespace tombolo::server::sync {

/// Makes the fields that the query body names queryable in their classes, where they can be
/// (top-level scalars, arrays of scalars, GeoJSON points). False when nothing is new; a body that
/// cannot be understood adds nothing.
bool add_queryable_fields(SyncModel& model, std::string_view body);

/// Into `config` those of `known` that it does not name.
void keep_added_queryable(const SyncModel& known, SyncModel& config);

/// Whether the two differ in the indexed queryable field.
bool changes_indexed_field(const Model& model, const Object& before, const Object& after);

/// Of `added_queryable`, as the store keeps it.
std::string encode_added_queryable(const SyncModel& model);
/// Into the model; store_corrupt.
Result<void> decode_added_queryable(std::string_view record, SyncModel& model);

} // namespace tombolo::server::sync
