#pragma once

// Geospatial predicates of filters on points: $geoWithin, $geoIntersects, $near, $nearSphere.
//
// Operands: GeoJSON (Point, Polygon, MultiPolygon) under $geometry, and the legacy shapes $center,
// $centerSphere, $box, $polygon. Values: GeoJSON points, [x, y] pairs and {x: .., y: ..} documents
// of two numbers; any other geometry never matches. GeoJSON and the ...Sphere forms are spherical
// (metres; radians for legacy distances), the others flat.

#include <memory>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::mql::detail {

struct GeoTest;

struct GeoPredicate {
    std::shared_ptr<const GeoTest> test; // shared only to keep the type incomplete here
};

/// `op` is one of the four names; `siblings` the document it stands in ($maxDistance and
/// $minDistance of legacy forms).
Result<GeoPredicate> compile_geo(std::string_view op, BsonView operand, BsonDocumentView siblings);

bool geo_matches(const GeoPredicate& predicate, BsonView value) noexcept;

/// Distance of a $near predicate's centre to the value, or nothing when the value is no point.
std::optional<double> geo_distance(const GeoPredicate& predicate, BsonView value) noexcept;

bool geo_is_near(const GeoPredicate& predicate) noexcept;

} // namespace tombolo::mql::detail
