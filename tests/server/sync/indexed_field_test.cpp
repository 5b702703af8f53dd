// The indexed queryable field (device-sync-server.md 3.3; section 11, C6).

#include "server/sync/scenario.hpp"

namespace tombolo::sim {

namespace {

server::sync::SyncModel tied_to_q() {
    server::sync::SyncModel model = World::model_of_views(fresh_database());
    model.queryable.global.insert("x");
    model.indexed_queryable = "q";
    return model;
}

class IndexedField : public SyncScenario {
  protected:
    IndexedField() : SyncScenario(5, tied_to_q()) {}

    /// Why the newest refused write was undone.
    static std::string reason(const SyncDevice& of) {
        return of.rejections().empty()
                   ? ""
                   : of.rejections().back().body.rejected->updates.front().reason;
    }
};

} // namespace

TEST_F(IndexedField, c6_subscriptions_tie_it_by_equality_or_in_at_the_top_level) {
    SyncDevice& a = device("a", "q == 1");
    create(a, 1, 1);
    exchange();
    std::size_t errors = 0;
    for (const char* bad : {"q == 1 OR x == 1", "q > 1", "q >= 1 AND q <= 1", "x == 1",
                            "TRUEPREDICATE", "q != 1", "NOT q == 1"}) {
        a.subscribe(subscription(bad));
        exchange();
        ASSERT_EQ(a.query_errors().size(), ++errors) << bad;
        EXPECT_NE(a.query_errors().back().find(
                      "Invalid query: \"T\": the query must compare the indexed queryable field "
                      "\"q\""),
                  std::string::npos)
            << a.query_errors().back();
        EXPECT_NE(object(a, 1), nullptr) << "the set before stays in force";
    }
    for (const char* good : {"q == 1", "q IN {1, 2}", "q == 1 AND x > 0", "x > 0 AND q IN {1}",
                             "1 == q AND (x == 1 OR x == 0)"}) {
        a.subscribe(subscription(good));
        exchange();
        EXPECT_EQ(a.query_errors().size(), errors) << good;
    }
    EXPECT_FALSE(a.error());
}

TEST_F(IndexedField, c6_a_devices_change_of_the_value_is_undone_with_the_reason) {
    SyncDevice& a = device("a", "q IN {1, 2}");
    SyncDevice& b = device("b", "q == 1");
    create(a, 1, 1);
    create(a, 2, 2);
    exchange();
    EXPECT_TRUE(a.rejections().empty()) << "a new object may have any value of the view";
    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{2});
        out.update({"T", std::int64_t{1}, "x"}, std::int64_t{5});
        out.update({"T", std::int64_t{2}, "x"}, std::int64_t{6});
    });
    exchange();

    ASSERT_EQ(a.rejections().size(), 1U);
    EXPECT_EQ(reason(a), "write to 1 in table \"T\" not allowed");
    EXPECT_EQ(field(a, 1, "q"), 1);
    EXPECT_EQ(field(a, 1, "x"), 0);
    EXPECT_EQ(field(b, 1, "q"), 1);
    EXPECT_EQ(stored(1, "q"), "1");
    EXPECT_EQ(stored(2, "x"), "6") << "other objects of the upload stand";

    set(a, 1, "q", 1); // what it is already
    set(a, 1, "x", 7);
    write(a, [](ChangesetBuilder& out) { out.add_integer({"T", std::int64_t{2}, "q"}, -1); });
    exchange();
    EXPECT_EQ(stored(1, "x"), "7");
    EXPECT_EQ(a.rejections().size(), 2U);
    EXPECT_EQ(stored(2, "q"), "2") << "an addition changes it too";
}

TEST_F(IndexedField, c6_an_outside_change_moves_the_object_and_beats_the_devices) {
    SyncDevice& a = device("a", "q == 1");
    SyncDevice& b = device("b", "q == 2");
    create(a, 1, 1);
    exchange();
    EXPECT_EQ(object(b, 1), nullptr);
    a.disconnect();
    set(a, 1, "x", 9);
    put(1, document(1, 2, 3));
    exchange();
    EXPECT_EQ(field(b, 1, "x"), 3);
    a.connect(world_.engine());
    exchange();

    EXPECT_EQ(object(a, 1), nullptr);
    EXPECT_EQ(stored(1, "q"), "2");
    EXPECT_EQ(stored(1, "x"), "3");
    EXPECT_EQ(field(b, 1, "x"), 3);
    EXPECT_TRUE(a.rejections().empty());
}

TEST_F(IndexedField, an_object_may_be_deleted_and_made_again_with_another_value) {
    SyncDevice& a = device("a", "q IN {1, 2}");
    create(a, 1, 1);
    exchange();
    write(a, [](ChangesetBuilder& out) { out.erase_object("T", std::int64_t{1}); });
    create(a, 1, 2);
    exchange();
    EXPECT_TRUE(a.rejections().empty());
    EXPECT_EQ(stored(1, "q"), "2");
}

} // namespace tombolo::sim
