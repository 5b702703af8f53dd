#include "core/geo.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tombolo {
namespace {

GeoPoint at(double longitude, double latitude) {
    return {longitude, latitude, {}};
}

using Ring = std::vector<GeoPoint>;

const Ring square = {at(0, 0), at(10, 0), at(10, 10), at(0, 10), at(0, 0)};

std::string refusal(const GeoShape& shape) {
    const auto region = GeoRegion::make(shape);
    EXPECT_FALSE(region);
    if (region) {
        return "accepted";
    }
    EXPECT_EQ(region.error().code(), ErrorCode::invalid_argument);
    return region.error().what();
}

TEST(Geo, t20_box_holds_the_points_between_its_corners) {
    const auto region = GeoRegion::make(GeoBox{at(10, 59), at(11, 60)});
    ASSERT_TRUE(region);
    EXPECT_TRUE(region->contains(at(10.7, 59.9)));
    EXPECT_FALSE(region->contains(at(9.9, 59.5)));
    EXPECT_FALSE(region->contains(at(10.5, 60.5)));
}

TEST(Geo, t20_order_of_a_boxs_corners_does_not_matter) {
    const auto region = GeoRegion::make(GeoBox{at(11, 60), at(10, 59)});
    ASSERT_TRUE(region);
    EXPECT_TRUE(region->contains(at(10.7, 59.9)));
    EXPECT_FALSE(region->contains(at(-170, -59)));
}

TEST(Geo, t20_circle_holds_the_points_within_its_radius) {
    const auto region = GeoRegion::make(GeoCircle{at(10.7, 59.9), 0.0002});
    ASSERT_TRUE(region);
    EXPECT_TRUE(region->contains(at(10.7, 59.9)));
    EXPECT_TRUE(region->contains(at(10.71, 59.905)));
    EXPECT_FALSE(region->contains(at(10.8, 59.9)));
    EXPECT_TRUE(GeoRegion::make(GeoCircle{at(0, 0), 100})->contains(at(180, 0)));
    EXPECT_TRUE(GeoRegion::make(GeoCircle{at(0, 0), 0})->contains(at(0, 0)));
}

TEST(Geo, t20_polygon_holds_its_inside_without_its_holes) {
    const Ring hole = {at(4, 4), at(6, 4), at(6, 6), at(4, 6), at(4, 4)};
    const auto region = GeoRegion::make(GeoPolygon{{square, hole}});
    ASSERT_TRUE(region) << region.error().what();
    EXPECT_TRUE(region->contains(at(2, 2)));
    EXPECT_FALSE(region->contains(at(5, 5)));
    EXPECT_FALSE(region->contains(at(11, 5)));
    EXPECT_FALSE(region->contains({2, 500, {}}));
    EXPECT_TRUE(region->contains({2, 2, 8000.0}));
}

TEST(Geo, t20_direction_of_a_ring_does_not_matter) {
    const Ring clockwise(square.rbegin(), square.rend());
    const auto region = GeoRegion::make(GeoPolygon{{clockwise}});
    ASSERT_TRUE(region);
    EXPECT_TRUE(region->contains(at(5, 5)));
    EXPECT_FALSE(region->contains(at(-5, -5)));
}

TEST(Geo, t20_repeated_points_are_dropped) {
    EXPECT_TRUE(GeoRegion::make(
        GeoPolygon{{{at(0, 0), at(0, 0), at(1, 0), at(1, 0), at(1, 1), at(0, 0), at(0, 0)}}}));
}

TEST(Geo, t20_invalid_shapes_are_refused_with_a_reason) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_NE(refusal(GeoBox{at(181, 0), at(0, 1)}).find("longitude"), std::string::npos);
    EXPECT_NE(refusal(GeoCircle{at(0, 91), 1}).find("latitude"), std::string::npos);
    EXPECT_NE(refusal(GeoCircle{at(nan, 0), 1}).find("out of bounds"), std::string::npos);
    EXPECT_NE(refusal(GeoCircle{at(0, 0), -0.1}).find("negative"), std::string::npos);
    EXPECT_NE(refusal(GeoCircle{at(0, 0), nan}).find("negative"), std::string::npos);
    EXPECT_NE(refusal(GeoBox{at(1, 1), at(1, 1)}).find("3 different"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{}).find("outer ring"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{{}}}).find("must end"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{{at(0, 0), at(1, 0), at(1, 1)}}}).find("must end"),
              std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{{at(0, 0)}}}).find("3 different"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{{at(0, 0), at(1, 0), at(0, 0)}}}).find("3 different"),
              std::string::npos);
    // crosses itself
    EXPECT_NE(
        refusal(GeoPolygon{{{at(0, 0), at(1, 1), at(1, 0), at(0, 1), at(0, 0)}}}).find("not valid"),
        std::string::npos);
    // goes back on itself
    EXPECT_NE(
        refusal(GeoPolygon{{{at(0, 0), at(1, 0), at(2, 0), at(1, 0), at(0, 0)}}}).find("not valid"),
        std::string::npos);
}

TEST(Geo, t20_holes_lie_inside_the_outer_ring_apart_from_each_other) {
    const Ring outside = {at(20, 20), at(21, 20), at(21, 21), at(20, 20)};
    EXPECT_NE(refusal(GeoPolygon{{square, outside}}).find("inside its outer ring"),
              std::string::npos);
    const Ring across = {at(5, 5), at(15, 5), at(15, 6), at(5, 5)};
    EXPECT_NE(refusal(GeoPolygon{{square, across}}).find("polygon"), std::string::npos);
    const Ring hole = {at(2, 2), at(8, 2), at(8, 8), at(2, 8), at(2, 2)};
    const Ring nested = {at(4, 4), at(6, 4), at(6, 6), at(4, 4)};
    EXPECT_NE(refusal(GeoPolygon{{square, hole, nested}}).find("another hole"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{square, nested, hole}}).find("another hole"), std::string::npos);
    const Ring crossing = {at(7, 4), at(9, 4), at(9, 6), at(7, 4)};
    EXPECT_NE(refusal(GeoPolygon{{square, hole, crossing}}).find("polygon"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{square, square}}).find("polygon"), std::string::npos);
    EXPECT_NE(refusal(GeoPolygon{{square, hole, hole}}).find("polygon"), std::string::npos);
}

TEST(Geo, too_many_points_are_refused) {
    Ring ring;
    for (int i = 0; i < 10'001; ++i) {
        ring.push_back(at(std::cos(i) * 10, std::sin(i) * 10));
    }
    const auto region = GeoRegion::make(GeoPolygon{{ring}});
    ASSERT_FALSE(region);
    EXPECT_EQ(region.error().code(), ErrorCode::limit_exceeded);
}

RC_GTEST_PROP(Geo, hostile_rings_are_accepted_or_refused, ()) {
    const auto coordinate = rc::gen::element(0.0, 1.0, 2.0, -1.0, 45.0, 90.0, -90.0, 180.0, -180.0,
                                             179.999, 1e-300, 0.5);
    std::vector<Ring> rings;
    const int count = *rc::gen::inRange(1, 4);
    for (int i = 0; i < count; ++i) {
        Ring& ring = rings.emplace_back();
        const int points = *rc::gen::inRange(0, 7);
        for (int j = 0; j < points; ++j) {
            ring.push_back(at(*coordinate, *coordinate / 2));
        }
        if (!ring.empty()) {
            ring.push_back(ring.front());
        }
    }
    const auto region = GeoRegion::make(GeoPolygon{rings});
    if (region) {
        RC_ASSERT(region->contains(at(0.3, 0.1)) || !region->contains(at(0.3, 0.1)));
    } else {
        RC_ASSERT(region.error().code() == ErrorCode::invalid_argument);
    }
}

TEST(Geo, distances_are_great_circles) {
    EXPECT_NEAR(distance_radians(at(0, 0), at(90, 0)), std::numbers::pi / 2, 1e-12);
    EXPECT_NEAR(distance_radians(at(0, 90), at(123, 90)), 0, 1e-12);
    EXPECT_NEAR(distance_metres(at(10.75, 59.91), at(5.32, 60.39)), 305'000,
                2'000); // Oslo to Bergen
}

Value point_object(const char* type, List coordinates) {
    return Object{Dictionary{{"type", type}, {"coordinates", std::move(coordinates)}}};
}

TEST(Geo, t20_points_come_from_embedded_objects) {
    const auto point = geo_point_from(point_object("pOINT", List{{10.5, 59}}));
    ASSERT_TRUE(point);
    EXPECT_EQ(*point, at(10.5, 59));
    EXPECT_EQ(geo_point_from(point_object("Point", List{{1.0, 2.0, 3.0}}))->altitude, 3.0);
    EXPECT_FALSE(geo_point_from(point_object("Polygon", List{{1.0, 2.0}})));
    EXPECT_FALSE(geo_point_from(point_object("Point", List{{1.0}})));
    EXPECT_FALSE(geo_point_from(point_object("Point", List{{1.0, 95.0}})));
    EXPECT_FALSE(geo_point_from(point_object("Point", List{{"1", "2"}})));
    EXPECT_FALSE(geo_point_from(Value("Point")));
    EXPECT_FALSE(geo_point_from(Value(Dictionary{{"type", "Point"}})));
    const double coordinates[] = {1, 2};
    EXPECT_TRUE(geo_point_from("Point", coordinates));
    EXPECT_FALSE(geo_point_from("Points", coordinates));
}

TEST(Geo, geo_json_is_parsed_with_reasons) {
    EXPECT_TRUE(parse_geo_json_point(point_object("Point", List{{1, 2}})));
    EXPECT_EQ(parse_geo_json_point(point_object("Point", List{{1, 92}})).error().context(),
              "coordinates");
    EXPECT_FALSE(parse_geo_json_point(Value(3)));
    EXPECT_FALSE(parse_geo_json_point(point_object("Point", List{{1}})));
    const List ring{{List{{0, 0}}, List{{1, 0}}, List{{1, 1}}, List{{0, 0}}}};
    const auto polygon = parse_geo_json_polygon(point_object("Polygon", List{{ring}}));
    ASSERT_TRUE(polygon);
    EXPECT_EQ(polygon->rings.size(), 1U);
    EXPECT_EQ(polygon->rings[0].size(), 4U);
    EXPECT_EQ(parse_geo_json_polygon(point_object("Polygon", List{{ring, 5}})).error().context(),
              "ring 1");
    EXPECT_FALSE(parse_geo_json_polygon(point_object("Polygon", List{{List{{List{{1}}}}}})));
    EXPECT_FALSE(parse_geo_json_polygon(point_object("Point", List{{ring}})));
}

} // namespace
} // namespace tombolo
