#include "mql/filter_geo.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/geo.hpp"

namespace tombolo::mql::detail {

namespace {

struct FlatPoint {
    double x = 0;
    double y = 0;
};

struct FlatBox {
    FlatPoint low;
    FlatPoint high;
};

struct FlatCircle {
    FlatPoint center;
    double radius = 0;
};

struct FlatPolygon {
    std::vector<FlatPoint> vertices;
};

struct SamePoint {
    GeoPoint point;
};

struct Regions {
    std::vector<GeoRegion> regions; ///< a MultiPolygon has several
};

enum class Metric : std::uint8_t { flat, radians, metres };

struct Near {
    FlatPoint center;
    Metric metric = Metric::flat;
    double min = 0;
    double max = INFINITY;
};

Error invalid(std::string message) {
    return Error(ErrorCode::mql_invalid, std::move(message));
}

std::optional<FlatPoint> pair_of_numbers(BsonDocumentView container) noexcept {
    std::array<double, 2> numbers{};
    std::size_t count = 0;
    for (const BsonElement& element : container) {
        if (!element.value.is_number() || !std::isfinite(element.value.to_double())) {
            return std::nullopt;
        }
        numbers[count++] = element.value.to_double();
        if (count == 2) {
            return FlatPoint{numbers[0], numbers[1]};
        }
    }
    return std::nullopt;
}

std::optional<FlatPoint> geo_json_position(BsonDocumentView value) noexcept {
    const BsonView type = value.find("type");
    const BsonView coordinates = value.find("coordinates");
    if (!type.is_string() || type.as_string() != "Point" || !coordinates.is_array()) {
        return std::nullopt;
    }
    return pair_of_numbers(coordinates.as_document());
}

/// A stored point in any of its forms.
std::optional<FlatPoint> point_of(BsonView value) noexcept {
    if (value.is_array()) {
        return pair_of_numbers(value.as_document());
    }
    if (!value.is_document()) {
        return std::nullopt;
    }
    const auto position = geo_json_position(value.as_document());
    return position ? position : pair_of_numbers(value.as_document());
}

GeoPoint on_sphere(FlatPoint point) noexcept {
    return {point.x, point.y};
}

Result<FlatPoint> parse_point(BsonView value, std::string_view what) {
    if (const auto point =
            value.is_container() ? pair_of_numbers(value.as_document()) : std::nullopt) {
        return *point;
    }
    return invalid(std::string(what) + " needs a point of two numbers, got " +
                   std::string(type_alias(value.type())));
}

Result<std::vector<FlatPoint>> parse_points(BsonView value, std::string_view what) {
    if (!value.is_container()) {
        return invalid(std::string(what) + " needs an array of points");
    }
    std::vector<FlatPoint> points;
    for (const BsonElement& element : value.as_document()) {
        TOMBOLO_TRY(const FlatPoint point, parse_point(element.value, what));
        points.push_back(point);
    }
    return points;
}

/// Clients look for MongoDB's "(BadValue)" in front of these reasons.
Result<GeoRegion> make_region(const GeoShape& shape) {
    auto region = GeoRegion::make(shape);
    if (!region) {
        return Error(ErrorCode::mql_invalid, "(BadValue) " + region.error().message(),
                     region.error().context());
    }
    return region;
}

Result<GeoRegion> parse_polygon(BsonView rings) {
    if (!rings.is_array()) {
        return invalid("Polygon coordinates must be an array of rings");
    }
    GeoPolygon polygon;
    for (const BsonElement& ring : rings.as_document()) {
        TOMBOLO_TRY(const std::vector<FlatPoint> points, parse_points(ring.value, "a ring"));
        std::vector<GeoPoint>& out = polygon.rings.emplace_back();
        for (const FlatPoint point : points) {
            out.push_back(on_sphere(point));
        }
    }
    return make_region(polygon);
}

Result<GeoPoint> parse_geo_json_center(BsonView geometry, std::string_view op) {
    const auto position =
        geometry.is_document() ? geo_json_position(geometry.as_document()) : std::nullopt;
    if (!position) {
        return invalid(std::string(op) + " needs a GeoJSON Point as $geometry");
    }
    const GeoPoint point = on_sphere(*position);
    if (!point.is_valid()) {
        return invalid("(BadValue) longitude/latitude is out of bounds");
    }
    return point;
}

} // namespace

struct GeoTest {
    std::variant<FlatBox, FlatCircle, FlatPolygon, SamePoint, Regions, Near> shape;
};

namespace {

GeoPredicate make(decltype(GeoTest::shape) shape) {
    return {std::make_shared<const GeoTest>(GeoTest{std::move(shape)})};
}

Result<GeoPredicate> compile_geometry(std::string_view op, BsonView geometry) {
    if (!geometry.is_document()) {
        return invalid("$geometry must be a GeoJSON object");
    }
    const BsonDocumentView object = geometry.as_document();
    const BsonView type = object.find("type");
    const std::string_view name = type.is_string() ? type.as_string() : std::string_view();
    if (!object.find("crs").is_missing()) {
        return Error(ErrorCode::mql_unsupported, "$geometry with a crs is not supported");
    }
    if (name == "Point" && op == "$geoIntersects") {
        TOMBOLO_TRY(const GeoPoint point, parse_geo_json_center(geometry, op));
        return make(SamePoint{point});
    }
    Regions regions;
    if (name == "Polygon") {
        TOMBOLO_TRY(GeoRegion region, parse_polygon(object.find("coordinates")));
        regions.regions.push_back(std::move(region));
        return make(std::move(regions));
    }
    if (name == "MultiPolygon") {
        const BsonView polygons = object.find("coordinates");
        if (!polygons.is_array()) {
            return invalid("MultiPolygon coordinates must be an array of polygons");
        }
        for (const BsonElement& polygon : polygons.as_document()) {
            TOMBOLO_TRY(GeoRegion region, parse_polygon(polygon.value));
            regions.regions.push_back(std::move(region));
        }
        return make(std::move(regions));
    }
    return Error(ErrorCode::mql_unsupported, std::string(op) + " of a GeoJSON '" +
                                                 std::string(name) +
                                                 "' is not supported; use a Polygon");
}

Result<std::pair<FlatPoint, double>> parse_circle(BsonView operand, std::string_view what) {
    if (!operand.is_array() || operand.as_document().count() != 2) {
        return invalid(std::string(what) + " needs [center, radius]");
    }
    TOMBOLO_TRY(const FlatPoint center, parse_point(operand.as_document().at(0), what));
    const BsonView radius = operand.as_document().at(1);
    if (!radius.is_number() || !(radius.to_double() >= 0)) {
        return invalid("(BadValue) radius must be a non-negative number: " + std::string(what));
    }
    return std::pair(center, radius.to_double());
}

Result<GeoPredicate> compile_center_sphere(BsonView operand) {
    TOMBOLO_TRY(const auto circle, parse_circle(operand, "$centerSphere"));
    TOMBOLO_TRY(GeoRegion region, make_region(GeoCircle{on_sphere(circle.first), circle.second}));
    return make(Regions{{std::move(region)}});
}

Result<GeoPredicate> compile_box(BsonView operand) {
    TOMBOLO_TRY(const std::vector<FlatPoint> corners, parse_points(operand, "$box"));
    if (corners.size() != 2) {
        return invalid("$box needs two corners");
    }
    return make(
        FlatBox{{std::min(corners[0].x, corners[1].x), std::min(corners[0].y, corners[1].y)},
                {std::max(corners[0].x, corners[1].x), std::max(corners[0].y, corners[1].y)}});
}

Result<GeoPredicate> compile_within(std::string_view op, BsonView operand) {
    if (!operand.is_document() || operand.as_document().empty()) {
        return invalid(std::string(op) + " needs an object with a shape");
    }
    const BsonElement shape = *operand.as_document().begin();
    if (shape.key == "$geometry") {
        return compile_geometry(op, shape.value);
    }
    if (op == "$geoIntersects") {
        return invalid("$geoIntersects needs a $geometry");
    }
    if (shape.key == "$box") {
        return compile_box(shape.value);
    }
    if (shape.key == "$polygon") {
        TOMBOLO_TRY(std::vector<FlatPoint> points, parse_points(shape.value, "$polygon"));
        if (points.size() < 3) {
            return invalid("$polygon needs at least three points");
        }
        return make(FlatPolygon{std::move(points)});
    }
    if (shape.key == "$center") {
        TOMBOLO_TRY(const auto circle, parse_circle(shape.value, "$center"));
        return make(FlatCircle{circle.first, circle.second});
    }
    if (shape.key == "$centerSphere") {
        return compile_center_sphere(shape.value);
    }
    return Error(ErrorCode::mql_unsupported,
                 "unknown geo specifier: " + std::string(shape.key) + " in " + std::string(op));
}

Result<void> read_distances(BsonDocumentView from, Near& near) {
    for (const auto& [name, out] : {std::pair<std::string_view, double*>{"$minDistance", &near.min},
                                    {"$maxDistance", &near.max}}) {
        const BsonView value = from.find(name);
        if (value.is_missing()) {
            continue;
        }
        if (!value.is_number() || !(value.to_double() >= 0)) {
            return invalid(std::string(name) + " must be a number that is not negative");
        }
        *out = value.to_double();
    }
    return {};
}

Result<GeoPredicate> compile_near(std::string_view op, BsonView operand,
                                  BsonDocumentView siblings) {
    Near near;
    if (operand.is_document() && !operand.as_document().find("$geometry").is_missing()) {
        TOMBOLO_TRY(const GeoPoint center,
                    parse_geo_json_center(operand.as_document().find("$geometry"), op));
        near.center = {center.longitude, center.latitude};
        near.metric = Metric::metres;
        TOMBOLO_TRY_VOID(read_distances(operand.as_document(), near));
        for (const BsonElement& element : operand.as_document()) {
            if (element.key != "$geometry" && element.key != "$minDistance" &&
                element.key != "$maxDistance") {
                return Error(ErrorCode::mql_unsupported, "unknown argument of " + std::string(op) +
                                                             ": " + std::string(element.key));
            }
        }
        return make(near);
    }
    TOMBOLO_TRY(near.center, parse_point(operand, op));
    near.metric = op == "$nearSphere" ? Metric::radians : Metric::flat;
    if (near.metric == Metric::radians && !on_sphere(near.center).is_valid()) {
        return invalid("(BadValue) longitude/latitude is out of bounds");
    }
    TOMBOLO_TRY_VOID(read_distances(siblings, near));
    return make(near);
}

double cross(FlatPoint a, FlatPoint b, FlatPoint p) noexcept {
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

// Even-odd rule; the border belongs to the polygon.
bool contains(const FlatPolygon& polygon, FlatPoint p) noexcept {
    bool inside = false;
    FlatPoint a = polygon.vertices.back();
    for (const FlatPoint b : polygon.vertices) {
        const bool between = p.x >= std::min(a.x, b.x) && p.x <= std::max(a.x, b.x) &&
                             p.y >= std::min(a.y, b.y) && p.y <= std::max(a.y, b.y);
        const double side = cross(a, b, p);
        if (between && side == 0) {
            return true;
        }
        if ((a.y > p.y) != (b.y > p.y) && (side > 0) == (b.y > a.y)) {
            inside = !inside;
        }
        a = b;
    }
    return inside;
}

double distance(const Near& near, FlatPoint point) noexcept {
    switch (near.metric) {
    case Metric::radians:
        return distance_radians(on_sphere(near.center), on_sphere(point));
    case Metric::metres:
        return distance_metres(on_sphere(near.center), on_sphere(point));
    case Metric::flat:
        break;
    }
    return std::hypot(near.center.x - point.x, near.center.y - point.y);
}

std::optional<double> near_distance(const Near& near, FlatPoint point) noexcept {
    if (near.metric != Metric::flat && !on_sphere(point).is_valid()) {
        return std::nullopt;
    }
    const double found = distance(near, point);
    return found >= near.min && found <= near.max ? std::optional(found) : std::nullopt;
}

} // namespace

Result<GeoPredicate> compile_geo(std::string_view op, BsonView operand, BsonDocumentView siblings) {
    if (op == "$near" || op == "$nearSphere") {
        return compile_near(op, operand, siblings);
    }
    return compile_within(op, operand);
}

bool geo_matches(const GeoPredicate& predicate, BsonView value) noexcept {
    const auto point = point_of(value);
    if (!point) {
        return false;
    }
    const auto& shape = predicate.test->shape;
    if (const auto* box = std::get_if<FlatBox>(&shape)) {
        return point->x >= box->low.x && point->x <= box->high.x && point->y >= box->low.y &&
               point->y <= box->high.y;
    }
    if (const auto* circle = std::get_if<FlatCircle>(&shape)) {
        return std::hypot(point->x - circle->center.x, point->y - circle->center.y) <=
               circle->radius;
    }
    if (const auto* polygon = std::get_if<FlatPolygon>(&shape)) {
        return contains(*polygon, *point);
    }
    if (const auto* same = std::get_if<SamePoint>(&shape)) {
        return point->x == same->point.longitude && point->y == same->point.latitude;
    }
    if (const auto* regions = std::get_if<Regions>(&shape)) {
        return std::any_of(
            regions->regions.begin(), regions->regions.end(),
            [&](const GeoRegion& region) { return region.contains(on_sphere(*point)); });
    }
    return near_distance(std::get<Near>(shape), *point).has_value();
}

std::optional<double> geo_distance(const GeoPredicate& predicate, BsonView value) noexcept {
    const auto* near = std::get_if<Near>(&predicate.test->shape);
    const auto point = point_of(value);
    return near != nullptr && point ? near_distance(*near, *point) : std::nullopt;
}

bool geo_is_near(const GeoPredicate& predicate) noexcept {
    return std::holds_alternative<Near>(predicate.test->shape);
}

} // namespace tombolo::mql::detail
