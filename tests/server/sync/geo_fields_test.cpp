// Points that subscriptions select by (device-sync-server.md 1.6; section 11, A11).

#include <string>

#include <gtest/gtest.h>

#include "changeset/builder.hpp"
#include "sim/engine_world.hpp"

namespace tombolo::sim {

namespace {

using changeset::ChangesetBuilder;
using changeset::MemoryState;
using changeset::PayloadType;
using schema::ClassKind;
using schema::CollectionKind;
using schema::Property;
using schema::PropertyType;
using testing::SyncDevice;

Property field(const char* name, PropertyType type,
               CollectionKind collection = CollectionKind::none, const char* target = "") {
    Property made;
    made.name = name;
    made.type = type;
    made.collection = collection;
    made.target = target;
    return made;
}

server::sync::SyncModel places(bool is_queryable) {
    server::sync::SyncModel model = World::model_of_views(fresh_database());
    schema::ClassSchema point("Point", ClassKind::embedded);
    point.add(field("type", PropertyType::string))
        .add(field("coordinates", PropertyType::float64, CollectionKind::list));
    Property place = field("place", PropertyType::link, CollectionKind::none, "Point");
    place.nullable = true;
    model.documents.schema.add(std::move(point));
    model.documents.schema.find("T")->add(std::move(place));
    if (is_queryable) {
        model.queryable.global.insert("place");
    }
    return model;
}

void add_place(ChangesetBuilder& out, std::int64_t key, const char* type,
               const std::vector<double>& coordinates) {
    out.create_object("T", key);
    out.update({"T", key, "q"}, std::int64_t{1});
    out.update({"T", key, "place"}, PayloadType::object_value);
    out.update({"T", key, "place", {"type"}}, type);
    for (std::uint32_t i = 0; i < coordinates.size(); ++i) {
        out.array_insert({"T", key, "place", {"coordinates", i}}, ScalarView(coordinates[i]), i);
    }
}

struct Trip {
    explicit Trip(bool is_queryable) : world(3, places(is_queryable)), device("a", MemoryState()) {
        world.adopt(device);
        device.connect(world.engine());
        world.exchange({&device});
        device.subscribe("{\"T\":\"(TRUEPREDICATE)\"}");
        world.exchange({&device});
        ChangesetBuilder out;
        add_place(out, 1, "Point", {12.5, 55.6});
        add_place(out, 2, "Point", {-180.1, -90.1});
        add_place(out, 3, "Point", {2129});
        add_place(out, 4, "Circle", {1, 2});
        out.create_object("T", std::int64_t{5});
        out.update({"T", std::int64_t{5}, "q"}, std::int64_t{1});
        world.clock().advance(std::chrono::milliseconds(1));
        device.commit(out.finish().value(), world.now());
        world.exchange({&device});
    }
    bool holds(std::int64_t key) const { return device.state().find_object("T", key) != nullptr; }

    World world;
    SyncDevice device;
};

} // namespace

TEST(GeoFields, a11_invalid_points_are_taken_back_and_only_their_objects) {
    const Trip trip(true);
    ASSERT_FALSE(trip.device.failure()) << *trip.device.failure();
    EXPECT_TRUE(trip.holds(1));
    EXPECT_FALSE(trip.holds(2));
    EXPECT_FALSE(trip.holds(3));
    EXPECT_FALSE(trip.holds(4));
    EXPECT_TRUE(trip.holds(5));
    ASSERT_EQ(trip.device.rejections().size(), 1U);
    const auto& updates = trip.device.rejections().front().body.rejected->updates;
    ASSERT_EQ(updates.size(), 3U);
    EXPECT_EQ(updates[0].reason, "write to 2 in table \"T\" will corrupt geojson data");
}

TEST(GeoFields, fields_that_no_query_reads_may_hold_anything) {
    const Trip trip(false);
    ASSERT_FALSE(trip.device.failure()) << *trip.device.failure();
    EXPECT_TRUE(trip.holds(2));
    EXPECT_TRUE(trip.device.rejections().empty());
}

} // namespace tombolo::sim
