// geoWithin.

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "query/binder_class.hpp"

namespace tombolo::query::detail {

Result<GeoPoint> Binder::point(const syntax::GeoPointLiteral& literal) {
    GeoPoint point;
    TOMBOLO_TRY(point.longitude, bind_number(context_, literal.coordinates[0]));
    TOMBOLO_TRY(point.latitude, bind_number(context_, literal.coordinates[1]));
    if (literal.coordinates.size() > 2) {
        TOMBOLO_TRY(point.altitude, bind_number(context_, literal.coordinates[2]));
    }
    return point;
}

Result<GeoShape> Binder::shape(const syntax::GeoShapeLiteral& literal) {
    std::vector<std::vector<GeoPoint>> rings;
    for (const auto& ring : literal.rings) {
        std::vector<GeoPoint>& points = rings.emplace_back();
        for (const syntax::GeoPointLiteral& vertex : ring) {
            TOMBOLO_TRY(const GeoPoint bound, point(vertex));
            points.push_back(bound);
        }
    }
    switch (literal.kind) {
    case syntax::GeoShapeKind::box:
        return GeoShape(GeoBox{rings[0][0], rings[0][1]});
    case syntax::GeoShapeKind::circle: {
        TOMBOLO_TRY(const double radius, bind_number(context_, literal.radius[0]));
        return GeoShape(GeoCircle{rings[0][0], radius});
    }
    case syntax::GeoShapeKind::polygon:
        break;
    }
    return GeoShape(GeoPolygon{std::move(rings)});
}

Result<Condition> Binder::bind(const syntax::GeoWithin& node, const Scope& scope) {
    TOMBOLO_TRY(Operand subject, operand(node.property, node.position, scope));
    Path& path = std::get<Path>(subject.node);
    const ClassSchema* place = path.type.type == PropertyType::link ? path.type.target : nullptr;
    const Property* type = place && place->is_embedded() ? place->find("type") : nullptr;
    const Property* coordinates = type ? place->find("coordinates") : nullptr;
    const bool good = coordinates && type->type == PropertyType::string &&
                      type->collection == CollectionKind::none &&
                      coordinates->type == PropertyType::float64 &&
                      coordinates->collection == CollectionKind::list;
    if (!good) {
        return context_.invalid(node.position,
                                "geoWithin needs an embedded object with 'type: String' and "
                                "'coordinates: List<Double>' on its left");
    }
    if (subject.quantifier != Quantifier::unspecified && !path.many) {
        return context_.invalid(node.position,
                                "the key path behind ANY, ALL or NONE must contain a list");
    }
    Step follow;
    follow.kind = StepKind::follow;
    follow.object_class = place;
    path.steps.push_back(std::move(follow));
    std::optional<GeoShape> bound;
    if (const auto* argument_literal = std::get_if<syntax::Literal>(&node.shape)) {
        TOMBOLO_TRY(const Argument* argument,
                    context_.argument(argument_literal->text, argument_literal->position));
        const GeoShape* given = std::get_if<GeoShape>(argument);
        if (!given) {
            return context_.invalid(argument_literal->position,
                                    fmt::format("argument ${} behind geoWithin must be a shape",
                                                argument_literal->text));
        }
        bound = *given;
    } else {
        TOMBOLO_TRY(bound, shape(std::get<syntax::GeoShapeLiteral>(node.shape)));
    }
    auto region = GeoRegion::make(*bound);
    if (!region) {
        return context_.invalid(node.position, region.error().message());
    }
    return Condition{GeoCondition{std::move(path), subject.quantifier, *std::move(bound),
                                  std::move(*region), type, coordinates}};
}

} // namespace tombolo::query::detail
