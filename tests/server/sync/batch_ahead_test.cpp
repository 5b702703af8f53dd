// Batches made on top of one that is being committed: engine_ahead.cpp.

#include "server/sync/scenario.hpp"

namespace tombolo::sim {

namespace {

class BatchAhead : public SyncScenario {
  protected:
    BatchAhead() {
        world_.options().ahead_bytes = 0;
        world_.crash(true); // begins anew, with that
    }

    /// A write in a batch whose commit waits, and two in one that waits for it.
    SyncDevice& device_with_a_batch_ahead() {
        SyncDevice& a = device("a", "TRUEPREDICATE");
        create(a, 1, 1);
        a.send();
        world_.run_once();
        set(a, 1, "x", 5);
        create(a, 2, 2);
        a.send();
        world_.run_once();
        EXPECT_TRUE(world_.has_ahead());
        return a;
    }
    void run() {
        while (world_.run_once()) {
        }
    }
};

} // namespace

TEST_F(BatchAhead, waits_for_the_one_below) {
    SyncDevice& a = device_with_a_batch_ahead();
    const std::uint64_t top = world_.engine().statistics().server_version;
    EXPECT_EQ(stored(1, "q"), "");
    EXPECT_EQ(world_.disk().settle(), 1U);
    EXPECT_EQ(stored(1, "q"), "1");
    run(); // tells of the first, and commits the second
    a.receive();
    EXPECT_EQ(world_.engine().statistics().server_version, top + 1);
    EXPECT_TRUE(a.has_pending()); // the second is not acknowledged
    EXPECT_EQ(world_.disk().settle(), 1U);
    exchange();
    EXPECT_EQ(stored(1, "x"), "5");
    EXPECT_EQ(stored(2, "q"), "2");
    EXPECT_FALSE(a.has_pending());
}

TEST_F(BatchAhead, is_made_again_when_the_one_below_was_lost) {
    SyncDevice& a = device_with_a_batch_ahead();
    a.disconnect();
    crash(false);
    EXPECT_EQ(stored(1, "q"), "");
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(stored(1, "x"), "5");
    EXPECT_EQ(stored(2, "q"), "2");
}

TEST_F(BatchAhead, is_sent_again_when_only_the_one_below_was_synced) {
    SyncDevice& a = device_with_a_batch_ahead();
    EXPECT_EQ(world_.disk().settle(), 1U);
    run();
    a.receive();
    a.disconnect();
    crash(false);
    EXPECT_EQ(stored(1, "q"), "1");
    EXPECT_EQ(stored(1, "x"), "0");
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(stored(1, "x"), "5");
    EXPECT_EQ(stored(2, "q"), "2");
}

TEST_F(BatchAhead, is_integrated_again_behind_the_one_below_that_was_refused) {
    SyncDevice& a = device_with_a_batch_ahead();
    world_.refuse();
    exchange();
    EXPECT_FALSE(a.has_pending());
    EXPECT_EQ(stored(1, "x"), "5");
    EXPECT_EQ(stored(2, "q"), "2");
}

TEST_F(BatchAhead, is_given_up_with_the_one_below_when_the_disk_fails) {
    SyncDevice& a = device_with_a_batch_ahead();
    world_.disk().refuse(Error(ErrorCode::disk_full, "the disk is full"));
    run();
    EXPECT_FALSE(world_.disk().is_waiting());
    EXPECT_EQ(stored(1, "q"), "");
    EXPECT_EQ(stored(2, "q"), "");
    EXPECT_TRUE(a.has_pending());
    crash(false); // room again, and a new start
    a.connect(world_.engine());
    exchange();
    EXPECT_EQ(stored(1, "x"), "5");
    EXPECT_EQ(stored(2, "q"), "2");
}

} // namespace tombolo::sim
