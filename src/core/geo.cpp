#include "core/geo.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <fmt/format.h>
#include <s2/s2cap.h>
#include <s2/s2error.h>
#include <s2/s2latlng.h>
#include <s2/s2loop.h>
#include <s2/s2polygon.h>

#include "core/limits.hpp"

namespace tombolo {

struct GeoRegion::Impl {
    std::variant<S2Cap, std::unique_ptr<const S2Polygon>> region;
};

namespace {

S2Point to_s2(const GeoPoint& point) noexcept {
    return S2LatLng::FromDegrees(point.latitude, point.longitude).ToPoint();
}

Error invalid(std::string message, std::string context = {}) {
    return Error(ErrorCode::invalid_argument, std::move(message), std::move(context));
}

Result<void> check_point(const GeoPoint& point, const std::string& context) {
    if (!point.is_valid()) {
        return invalid(fmt::format("longitude/latitude is out of bounds, lng: {} lat: {}",
                                   point.longitude, point.latitude),
                       context);
    }
    return {};
}

/// The ring as S2 has it: checked, on the smaller side, without the closing point.
Result<std::unique_ptr<S2Loop>> make_loop(const std::vector<GeoPoint>& ring,
                                          const std::string& context) {
    for (const GeoPoint& point : ring) {
        TOMBOLO_TRY_VOID(check_point(point, context));
    }
    const auto same_place = [](const GeoPoint& a, const GeoPoint& b) {
        return a.longitude == b.longitude && a.latitude == b.latitude;
    };
    if (ring.empty() || !same_place(ring.front(), ring.back())) {
        return invalid(
            "Loop is not closed: a polygon's ring must end with the point it begins with", context);
    }
    std::vector<S2Point> vertices;
    vertices.reserve(ring.size());
    for (std::size_t i = 0; i < ring.size(); ++i) {
        if (i == 0 || !same_place(ring[i - 1], ring[i])) {
            vertices.push_back(to_s2(ring[i]));
        }
    }
    if (vertices.size() > 1) {
        vertices.pop_back();
    }
    if (vertices.size() < 3) {
        return invalid("Loop must have at least 3 different vertices", context);
    }
    auto loop = std::make_unique<S2Loop>();
    // S2's own checks would end the process.
    loop->set_s2debug_override(S2Debug::DISABLE);
    loop->Init(vertices);
    S2Error error;
    if (loop->FindValidationError(&error)) {
        return invalid("a polygon's ring is not valid: " + error.text(), context);
    }
    loop->Normalize();
    return loop;
}

Result<std::unique_ptr<const S2Polygon>> make_polygon(const GeoPolygon& shape) {
    if (shape.rings.empty()) {
        return invalid("a polygon needs an outer ring");
    }
    std::size_t points = 0;
    for (const auto& ring : shape.rings) {
        points += ring.size();
    }
    if (points > limits::geo_vertices_max) {
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("a polygon has {} points; at most {} are allowed", points,
                                 limits::geo_vertices_max));
    }
    std::vector<std::unique_ptr<S2Loop>> loops;
    for (std::size_t i = 0; i < shape.rings.size(); ++i) {
        TOMBOLO_TRY(auto loop, make_loop(shape.rings[i], fmt::format("ring {}", i)));
        if (i > 0 && !loops.front()->Contains(*loop)) {
            return invalid("a polygon's hole must lie inside its outer ring",
                           fmt::format("ring {}", i));
        }
        loops.push_back(std::move(loop));
    }
    auto polygon = std::make_unique<S2Polygon>();
    polygon->set_s2debug_override(S2Debug::DISABLE);
    polygon->InitNested(std::move(loops));
    S2Error error;
    if (polygon->FindValidationError(&error)) {
        return invalid("a polygon is not valid: " + error.text());
    }
    for (int i = 0; i < polygon->num_loops(); ++i) {
        if (polygon->loop(i)->depth() > 1) {
            return invalid("a polygon's hole must not lie inside another hole");
        }
    }
    return std::unique_ptr<const S2Polygon>(std::move(polygon));
}

/// The fields of an object or dictionary, else nullptr.
const Dictionary* fields_of(const Value& value) noexcept {
    if (const Object* object = value.get_if<Object>()) {
        return &object->fields;
    }
    return value.get_if<Dictionary>();
}

bool is_point_type(std::string_view type) noexcept {
    constexpr std::string_view expected = "point";
    return std::equal(
        type.begin(), type.end(), expected.begin(), expected.end(),
        [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a + 32 == b); });
}

std::optional<double> number_from(const Value& value) noexcept {
    if (const double* number = value.get_if<double>()) {
        return *number;
    }
    if (const float* number = value.get_if<float>()) {
        return *number;
    }
    if (const std::int64_t* number = value.get_if<std::int64_t>()) {
        return static_cast<double>(*number);
    }
    return std::nullopt;
}

/// A position of GeoJSON: [longitude, latitude] or [longitude, latitude, altitude].
std::optional<GeoPoint> position_from(const Value& value) noexcept {
    const List* list = value.get_if<List>();
    if (list == nullptr || list->elements.size() < 2) {
        return std::nullopt;
    }
    const auto longitude = number_from(list->elements[0]);
    const auto latitude = number_from(list->elements[1]);
    if (!longitude || !latitude) {
        return std::nullopt;
    }
    GeoPoint point{*longitude, *latitude, {}};
    if (list->elements.size() > 2) {
        point.altitude = number_from(list->elements[2]);
    }
    return point;
}

/// The member "coordinates" of a GeoJSON object of this type.
Result<const Value*> coordinates_of(const Value& value, std::string_view type) {
    const Dictionary* fields = fields_of(value);
    const Value* found = fields != nullptr ? fields->find("type") : nullptr;
    const std::string* name = found != nullptr ? found->get_if<std::string>() : nullptr;
    if (name == nullptr || *name != type) {
        return invalid(fmt::format("expected GeoJSON with \"type\": \"{}\"", type));
    }
    const Value* coordinates = fields->find("coordinates");
    if (coordinates == nullptr || coordinates->get_if<List>() == nullptr) {
        return invalid("GeoJSON needs a list \"coordinates\"");
    }
    return coordinates;
}

} // namespace

bool GeoPoint::is_valid() const noexcept {
    // A NaN fails both comparisons.
    return std::fabs(longitude) <= 180 && std::fabs(latitude) <= 90;
}

Result<GeoRegion> GeoRegion::make(const GeoShape& shape) {
    if (const auto* circle = std::get_if<GeoCircle>(&shape)) {
        TOMBOLO_TRY_VOID(check_point(circle->center, "centre of a circle"));
        if (!(circle->radius_radians >= 0)) {
            return invalid("a circle's radius must not be negative");
        }
        const double radius = std::min(circle->radius_radians, std::numbers::pi);
        return GeoRegion(std::make_shared<const Impl>(
            Impl{S2Cap(to_s2(circle->center), S1Angle::Radians(radius))}));
    }
    GeoPolygon corners;
    if (const auto* box = std::get_if<GeoBox>(&shape)) {
        const GeoPoint low_high{box->low.longitude, box->high.latitude, {}};
        const GeoPoint high_low{box->high.longitude, box->low.latitude, {}};
        corners.rings = {{box->low, high_low, box->high, low_high, box->low}};
    }
    const auto* polygon = std::get_if<GeoPolygon>(&shape);
    TOMBOLO_TRY(auto prepared, make_polygon(polygon != nullptr ? *polygon : corners));
    return GeoRegion(std::make_shared<const Impl>(Impl{std::move(prepared)}));
}

bool GeoRegion::contains(const GeoPoint& point) const noexcept {
    if (!point.is_valid()) {
        return false;
    }
    const S2Point place = to_s2(point);
    if (const auto* cap = std::get_if<S2Cap>(&impl_->region)) {
        return cap->Contains(place);
    }
    return (*std::get_if<std::unique_ptr<const S2Polygon>>(&impl_->region))->Contains(place);
}

double distance_radians(const GeoPoint& left, const GeoPoint& right) noexcept {
    return S1Angle(to_s2(left), to_s2(right)).radians();
}

double distance_metres(const GeoPoint& left, const GeoPoint& right) noexcept {
    return distance_radians(left, right) * earth_radius_m;
}

std::optional<GeoPoint> geo_point_from(std::string_view type,
                                       std::span<const double> coordinates) noexcept {
    if (!is_point_type(type) || coordinates.size() < 2) {
        return std::nullopt;
    }
    GeoPoint point{coordinates[0], coordinates[1], {}};
    if (coordinates.size() > 2) {
        point.altitude = coordinates[2];
    }
    return point.is_valid() ? std::optional(point) : std::nullopt;
}

std::optional<GeoPoint> geo_point_from(const Value& value) noexcept {
    const Dictionary* fields = fields_of(value);
    const Value* type = fields != nullptr ? fields->find("type") : nullptr;
    const Value* coordinates = fields != nullptr ? fields->find("coordinates") : nullptr;
    const std::string* name = type != nullptr ? type->get_if<std::string>() : nullptr;
    if (name == nullptr || !is_point_type(*name) || coordinates == nullptr) {
        return std::nullopt;
    }
    const auto point = position_from(*coordinates);
    return point && point->is_valid() ? point : std::nullopt;
}

Result<GeoPoint> parse_geo_json_point(const Value& value) {
    TOMBOLO_TRY(const Value* coordinates, coordinates_of(value, "Point"));
    const auto point = position_from(*coordinates);
    if (!point) {
        return invalid("a GeoJSON position is a list of two or three numbers", "coordinates");
    }
    TOMBOLO_TRY_VOID(check_point(*point, "coordinates"));
    return *point;
}

Result<GeoPolygon> parse_geo_json_polygon(const Value& value) {
    TOMBOLO_TRY(const Value* coordinates, coordinates_of(value, "Polygon"));
    GeoPolygon polygon;
    for (const Value& element : coordinates->get_if<List>()->elements) {
        const std::string place = fmt::format("ring {}", polygon.rings.size());
        const List* positions = element.get_if<List>();
        if (positions == nullptr) {
            return invalid("a GeoJSON ring is a list of positions", place);
        }
        std::vector<GeoPoint>& ring = polygon.rings.emplace_back();
        for (const Value& position : positions->elements) {
            const auto point = position_from(position);
            if (!point) {
                return invalid("a GeoJSON position is a list of two or three numbers", place);
            }
            ring.push_back(*point);
        }
    }
    return polygon;
}

} // namespace tombolo
