#include "server/sync/session/routes.hpp"

#include "server/store/store_fixture.hpp"

namespace tombolo::server::sync {
namespace {

using RoutesTest = store::StoreTest;

const ObjectId first = ObjectId::parse("64f0a1b2c3d4e5f601234567").value();
const ObjectId second = ObjectId::parse("64f0a1b2c3d4e5f601234568").value();

TEST_F(RoutesTest, a_collection_is_the_first_apps_until_that_gives_it_up) {
    Routes routes(*store_);
    const schema::Places items{{"Item", {"mongodb-atlas", "app", "Item"}}};
    EXPECT_TRUE(routes.add(first, items));
    EXPECT_TRUE(routes.add(first, items));
    const store::CollectionId id = *store_->find_collection({"mongodb-atlas", "app", "Item"});
    const Result<void> refused = routes.add(
        second, {{"Boat", {"mongodb-atlas", "app", "Boat"}}, {"Other", items.begin()->second}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::already_exists);
    EXPECT_EQ(routes.find(id), first);
    EXPECT_FALSE(routes.find(*store_->find_collection({"mongodb-atlas", "app", "Boat"})));
    routes.remove(first);
    EXPECT_FALSE(routes.find(id));
    EXPECT_TRUE(routes.add(second, items));
    EXPECT_EQ(routes.find(id), second);
}

} // namespace
} // namespace tombolo::server::sync
