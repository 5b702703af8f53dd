// geoWithin and its shapes.

#include <array>
#include <utility>

#include "query/parser_class.hpp"

namespace tombolo::query::detail {

Result<Predicate> Parser::geo_within(Expression subject) {
    const Position position = here();
    Property* property = std::get_if<Property>(&subject.node);
    if (!property || property->suffix != PathSuffix::none) {
        return syntax_error(lexer_.text(), subject.position.offset,
                            "expected a property before geoWithin");
    }
    TOMBOLO_TRY_VOID(advance());
    GeoWithin within{std::move(*property), Literal{}, position};
    if (token_.kind == TokenKind::argument) {
        within.shape = Literal{LiteralKind::argument, std::string(token_.text), {}, {}, here()};
        TOMBOLO_TRY_VOID(advance());
        return Predicate{std::move(within)};
    }
    static constexpr std::array<std::pair<std::string_view, GeoShapeKind>, 3> kinds = {
        {{"geobox", GeoShapeKind::box},
         {"geocircle", GeoShapeKind::circle},
         {"geopolygon", GeoShapeKind::polygon}}};
    for (const auto& [name, kind] : kinds) {
        if (is_keyword(name)) {
            TOMBOLO_TRY_VOID(advance());
            TOMBOLO_TRY(within.shape, geo_shape(kind));
            return Predicate{std::move(within)};
        }
    }
    return expected("geoBox, geoCircle, geoPolygon or an argument");
}

Result<GeoShapeLiteral> Parser::geo_shape(GeoShapeKind kind) {
    GeoShapeLiteral shape;
    shape.kind = kind;
    TOMBOLO_TRY_VOID(expect_symbol("("));
    if (kind != GeoShapeKind::polygon) {
        TOMBOLO_TRY(GeoPointLiteral first, geo_point());
        TOMBOLO_TRY_VOID(expect_symbol(","));
        shape.rings.push_back({std::move(first)});
        if (kind == GeoShapeKind::box) {
            TOMBOLO_TRY(GeoPointLiteral second, geo_point());
            shape.rings.front().push_back(std::move(second));
        } else {
            TOMBOLO_TRY(Literal radius, coordinate());
            shape.radius.push_back(std::move(radius));
        }
        TOMBOLO_TRY_VOID(expect_symbol(")"));
        return shape;
    }
    while (true) {
        TOMBOLO_TRY_VOID(expect_symbol("{"));
        std::vector<GeoPointLiteral>& ring = shape.rings.emplace_back();
        while (true) {
            TOMBOLO_TRY(GeoPointLiteral point, geo_point());
            ring.push_back(std::move(point));
            if (!is_symbol(",")) {
                break;
            }
            TOMBOLO_TRY_VOID(advance());
        }
        TOMBOLO_TRY_VOID(expect_symbol("}"));
        if (!is_symbol(",")) {
            break;
        }
        TOMBOLO_TRY_VOID(advance());
    }
    TOMBOLO_TRY_VOID(expect_symbol(")"));
    return shape;
}

Result<GeoPointLiteral> Parser::geo_point() {
    GeoPointLiteral point;
    TOMBOLO_TRY_VOID(expect_symbol("["));
    while (true) {
        TOMBOLO_TRY(Literal number, coordinate());
        point.coordinates.push_back(std::move(number));
        if (point.coordinates.size() == 3 || !is_symbol(",")) {
            break;
        }
        TOMBOLO_TRY_VOID(advance());
    }
    if (point.coordinates.size() < 2) {
        return expected("',' and the latitude");
    }
    TOMBOLO_TRY_VOID(expect_symbol("]"));
    return point;
}

Result<Literal> Parser::coordinate() {
    Literal out;
    const bool number = token_.kind == TokenKind::integer || token_.kind == TokenKind::floating ||
                        token_.kind == TokenKind::argument || is_symbol("-") || is_symbol("+");
    if (!number) {
        return expected("a number");
    }
    TOMBOLO_TRY(const bool found, literal(out));
    if (!found) {
        return expected("a number");
    }
    return out;
}

} // namespace tombolo::query::detail
