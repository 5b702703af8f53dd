#pragma once

// Points and shapes on the sphere, and whether one lies in the other (database-and-sdk.md 1.12).
//
// GeoShape    what a query says: plain numbers, nothing checked.
// GeoRegion   a checked shape, ready to test many points. Immutable; copies share.
//
// Angles are degrees except a circle's radius, which is in radians. Edges are the shortest arcs on
// the sphere, also those of a box. Altitude is carried along and never looked at.
//
// Thread-safety: const members of GeoRegion may be called from several threads.

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "core/value.hpp"

namespace tombolo {

/// The radius that the SDKs' kilometre and mile helpers use.
inline constexpr double earth_radius_m = 6'378'100.0;

struct GeoPoint {
    double longitude = 0; ///< -180..180
    double latitude = 0;  ///< -90..90
    std::optional<double> altitude{};

    /// Both angles are finite and in range.
    bool is_valid() const noexcept;

    friend bool operator==(const GeoPoint&, const GeoPoint&) = default;
};

/// The quadrilateral with these two opposite corners.
struct GeoBox {
    GeoPoint low;
    GeoPoint high;
    friend bool operator==(const GeoBox&, const GeoBox&) = default;
};

/// The first ring is the outer one, the others are holes. A ring ends with the point it began with.
struct GeoPolygon {
    std::vector<std::vector<GeoPoint>> rings;
    friend bool operator==(const GeoPolygon&, const GeoPolygon&) = default;
};

struct GeoCircle {
    GeoPoint center;
    double radius_radians = 0;
    friend bool operator==(const GeoCircle&, const GeoCircle&) = default;
};

using GeoShape = std::variant<GeoBox, GeoPolygon, GeoCircle>;

class GeoRegion {
  public:
    /// invalid_argument with the reason when the shape is not valid: an angle out of range, a
    /// negative radius, a ring that is open, crosses itself or has fewer than three distinct
    /// points, a hole outside the outer ring, crossing or inside another one. limit_exceeded beyond
    /// limits::geo_vertices_max points. A ring that encloses more than half of the sphere means its
    /// other side, so that the order of points does not matter.
    static Result<GeoRegion> make(const GeoShape& shape);

    /// False for a point that is not valid.
    bool contains(const GeoPoint& point) const noexcept;

  private:
    struct Impl;
    explicit GeoRegion(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}

    /// Shared because a prepared polygon is large and immutable, and query plans are copied.
    std::shared_ptr<const Impl> impl_;
};

/// Angle between two points seen from the centre of the sphere. REQUIRES: both valid.
double distance_radians(const GeoPoint& left, const GeoPoint& right) noexcept;
double distance_metres(const GeoPoint& left, const GeoPoint& right) noexcept;

/// The point that an embedded object with these fields stands for; none when the type is not
/// "Point" (in any case), there are fewer than two coordinates, or they are out of range.
std::optional<GeoPoint> geo_point_from(std::string_view type,
                                       std::span<const double> coordinates) noexcept;

/// The same for a GeoJSON point held as an embedded object or a dictionary; integers serve as
/// coordinates too.
std::optional<GeoPoint> geo_point_from(const Value& value) noexcept;

/// A GeoJSON Point or Polygon held as an object or dictionary, with the reason when it is none:
/// what filters and arguments are made of. Says nothing about rings: GeoRegion::make does.
Result<GeoPoint> parse_geo_json_point(const Value& value);
Result<GeoPolygon> parse_geo_json_polygon(const Value& value);

} // namespace tombolo
