// What the indexes of a collection refuse of an upload is taken back on the device, and the rest
// stands (device-sync-server.md 6.2, TranslatorCorrectiveErasure).

#include <gtest/gtest.h>

#include "scenario.hpp"
#include "server/sync/engine/conflict_log.hpp"

namespace tombolo::sim {

class IndexRefusals : public SyncScenario {
  protected:
    /// REQUIRES: the collection is there, that is, a device was.
    void make_unique(const char* field) {
        store::IndexSpec spec;
        spec.name = "one_" + std::string(field);
        spec.fields = {{field}};
        spec.unique = true;
        const auto collection = shared_store().find_collection({"source", database_, "T"});
        ASSERT_TRUE(collection);
        ASSERT_TRUE(shared_store().ensure_index(*collection, spec));
    }
    /// A device with objects 1, 2, ... that have these values in q; from then on q is unique.
    SyncDevice& device_with_unique(const std::vector<std::int64_t>& values) {
        SyncDevice& made = device("a", "TRUEPREDICATE");
        std::int64_t key = 0;
        for (const std::int64_t value : values) {
            create(made, ++key, value);
        }
        exchange();
        make_unique("q");
        return made;
    }
    std::vector<server::sync::NumberedConflict> conflicts() {
        return server::sync::list_conflicts(shared_store(), world_.options().app, {}, 0, 100, 0)
            .value()
            .conflicts;
    }
    static std::vector<std::string> reasons(const SyncDevice& device) {
        std::vector<std::string> out;
        for (const server::sync::SessionError& each : device.rejections()) {
            for (const protocol::RejectedUpdate& update : each.body.rejected->updates) {
                out.push_back(update.reason);
            }
        }
        return out;
    }
};

TEST_F(IndexRefusals, f6_an_object_that_violates_a_unique_index_vanishes_and_the_rest_stands) {
    SyncDevice& b = device("b", "TRUEPREDICATE");
    SyncDevice& a = device_with_unique({5});
    write(b, [](ChangesetBuilder& out) {
        out.create_object("T", std::int64_t{2});
        out.update({"T", std::int64_t{2}, "q"}, std::int64_t{5});
        out.create_object("T", std::int64_t{3});
        out.update({"T", std::int64_t{3}, "q"}, std::int64_t{6});
    });
    exchange();
    EXPECT_EQ(object(b, 2), nullptr);
    EXPECT_EQ(field(a, 3, "q"), 6);
    EXPECT_EQ(stored(3, "q"), "6");
    EXPECT_EQ(stored(2, "q"), "");
    EXPECT_FALSE(b.has_pending());
    ASSERT_EQ(reasons(b).size(), 1U);
    EXPECT_EQ(reasons(b)[0].find("write to 2 in table \"T\" not allowed; "), 0U) << reasons(b)[0];
    EXPECT_NE(reasons(b)[0].find("unique index 'one_q'"), std::string::npos) << reasons(b)[0];
    ASSERT_EQ(conflicts().size(), 1U);
    EXPECT_EQ(conflicts()[0].conflict.cause, server::sync::ConflictCause::refused);
    EXPECT_NE(conflicts()[0].conflict.reason.find("one_q"), std::string::npos);
    // The device goes on.
    create(b, 2, 7);
    exchange();
    EXPECT_EQ(field(a, 2, "q"), 7);
}

TEST_F(IndexRefusals, f6_an_update_that_violates_a_unique_index_is_put_back) {
    SyncDevice& a = device_with_unique({5, 6});
    set(a, 2, "q", 5);
    set(a, 2, "x", 9); // of the same object, later: goes with it
    set(a, 1, "x", 8);
    exchange();
    EXPECT_EQ(field(a, 2, "q"), 6);
    EXPECT_EQ(field(a, 2, "x"), 0);
    EXPECT_EQ(field(a, 1, "x"), 8);
    EXPECT_EQ(stored(2, "q"), "6");
}

TEST_F(IndexRefusals, values_swapped_in_one_upload_are_no_violation) {
    SyncDevice& a = device_with_unique({5, 6});
    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{6});
        out.update({"T", std::int64_t{2}, "q"}, std::int64_t{5});
    });
    exchange();
    EXPECT_EQ(stored(1, "q"), "6");
    EXPECT_EQ(stored(2, "q"), "5");
    EXPECT_TRUE(a.rejections().empty());
}

TEST_F(IndexRefusals, who_counted_on_a_value_that_is_not_given_up_is_refused_in_turn) {
    SyncDevice& a = device_with_unique({5, 6, 7});
    write(a, [](ChangesetBuilder& out) {
        out.update({"T", std::int64_t{1}, "q"}, std::int64_t{6}); // needs what 2 gives up
        out.update({"T", std::int64_t{2}, "q"}, std::int64_t{7}); // 3 keeps it
        out.update({"T", std::int64_t{3}, "x"}, std::int64_t{1});
    });
    exchange();
    EXPECT_EQ(stored(1, "q"), "5");
    EXPECT_EQ(stored(2, "q"), "6");
    EXPECT_EQ(stored(3, "x"), "1");
    EXPECT_EQ(field(a, 1, "q"), 5);
    EXPECT_EQ(field(a, 2, "q"), 6);
    EXPECT_EQ(reasons(a).size(), 2U);
}

TEST_F(IndexRefusals, uploads_of_other_devices_in_the_same_commit_stand) {
    SyncDevice& b = device("b", "TRUEPREDICATE");
    SyncDevice& a = device_with_unique({5});
    create(b, 2, 5);
    create(a, 4, 8);
    create(a, 5, 9);
    exchange();
    EXPECT_EQ(object(b, 2), nullptr);
    EXPECT_EQ(field(b, 4, "q"), 8);
    EXPECT_EQ(field(b, 5, "q"), 9);
    EXPECT_TRUE(a.rejections().empty());
}

} // namespace tombolo::sim
