#pragma once

// Queryable points (device-sync-server.md 1.6): an embedded object that queries read as a GeoJSON
// point must be one, or subscriptions could neither select nor leave out its object.

#include <string_view>

#include "core/value.hpp"
#include "server/sync/engine/model.hpp"

namespace tombolo::server::sync {

/// True when a queryable field of the object holds something shaped like a point by its class
/// (string `type`, list of double `coordinates`) that is none.
bool breaks_geo_field(const Model& model, std::string_view class_name, const Object& object);

} // namespace tombolo::server::sync
