// History that is forgotten, and devices that need it all the same
// (device-sync-server.md 6.6, 11.G).

#include <chrono>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "scenario.hpp"
#include "server/sync/engine/records.hpp"
#include "server/sync/engine/trim.hpp"

namespace tombolo::sim {

namespace {

using protocol::SyncErrorCode;
using server::sync::TrimReport;
using std::chrono::hours;

class Trimming : public SyncScenario {
  protected:
    TrimReport trim() {
        std::optional<TrimReport> report;
        world_.engine().trim([&](Result<TrimReport> done) { report = done.value(); });
        world_.settle();
        return report.value();
    }
    /// Devices that are connected stay in touch, as they do: an hour at a time.
    void pass(int days) {
        for (int hour = 0; hour < 24 * days; ++hour) {
            world_.clock().advance(hours(1));
            if (hour % 6 == 0) {
                put(999, document(999, 99, hour));
                exchange();
            }
        }
    }
    std::uint64_t top() { return world_.engine().statistics().server_version; }
    std::size_t entries() {
        const server::sync::RecordKeys keys(world_.options().app);
        const auto snapshot = shared_store().snapshot();
        const auto cursor = snapshot->scan_records(store::Space::history, keys.app(),
                                                   server::sync::end_of_prefix(keys.app()));
        std::size_t count = 0;
        while (cursor->next()) {
            ++count;
        }
        return count;
    }
    static std::optional<SyncErrorCode> error_of(const SyncDevice& device) {
        return device.error() ? std::optional(device.error()->code) : std::nullopt;
    }
};

} // namespace

TEST_F(Trimming, nothing_goes_before_it_is_old_enough) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    pass(29);

    const TrimReport report = trim();

    EXPECT_EQ(report.trimmed, 0U);
    EXPECT_EQ(entries(), top());
}

TEST_F(Trimming, what_is_old_and_acknowledged_goes) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    pass(40);

    const TrimReport report = trim();

    EXPECT_GT(report.trimmed, 20U);
    EXPECT_EQ(report.trimmed, report.old_enough);
    EXPECT_EQ(entries(), top() - report.trimmed);
    set(a, 1, "x", 4);
    exchange();
    EXPECT_FALSE(a.has_pending());
    EXPECT_EQ(stored(1, "x"), "4");
}

TEST_F(Trimming, a_device_that_is_away_for_less_than_the_limit_holds_history_back) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    pass(15);
    SyncDevice& b = device("b", "TRUEPREDICATE");
    b.disconnect();
    const std::uint64_t seen = b.cursor();
    set(b, 1, "x", 7);
    pass(29);

    const TrimReport report = trim();

    EXPECT_LE(report.trimmed, seen);
    b.connect(world_.engine());
    exchange();
    EXPECT_EQ(error_of(b), std::nullopt);
    EXPECT_EQ(stored(1, "x"), "7");
}

// 11.G1
TEST_F(Trimming, client_older_than_the_trimmed_point_is_reset_and_a_younger_one_syncs) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& old = device("old", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    old.disconnect();
    set(old, 1, "x", 5);
    pass(20);
    SyncDevice& young = device("young", "TRUEPREDICATE");
    young.disconnect();
    pass(20);

    const TrimReport report = trim();

    EXPECT_EQ(report.files_passed_over, 1U);
    EXPECT_EQ(report.holder, young.file());
    old.connect(world_.engine());
    young.connect(world_.engine());
    exchange();
    EXPECT_EQ(error_of(old), SyncErrorCode::client_file_expired);
    EXPECT_TRUE(old.error()->body.should_client_reset);
    EXPECT_EQ(error_of(young), std::nullopt);
    EXPECT_EQ(field(young, 1, "q"), 1);
}

// 11.G2
TEST_F(Trimming, a_lower_limit_acts_at_the_next_run_and_a_higher_one_brings_nothing_back) {
    device("a", "TRUEPREDICATE");
    pass(10);
    EXPECT_EQ(trim().trimmed, 0U);

    world_.engine().set_limits(5 * 24 * 3600 * 1000, false);
    const std::uint64_t trimmed = trim().trimmed;
    EXPECT_GT(trimmed, 10U);

    world_.engine().set_limits(std::int64_t{60} * 24 * 3600 * 1000, false);
    EXPECT_EQ(trim().trimmed, trimmed);
    EXPECT_EQ(entries(), top() - trimmed);
}

TEST_F(Trimming, a_new_device_begins_above_what_was_trimmed) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    create(a, 1, 1);
    pass(40);
    ASSERT_GT(trim().trimmed, 0U);

    SyncDevice& b = device("b");
    create(b, 2, 3); // before any subscription: refused
    b.subscribe(subscription("TRUEPREDICATE"));
    exchange();

    EXPECT_EQ(error_of(b), std::nullopt);
    EXPECT_EQ(b.rejections().size(), 1U);
    EXPECT_EQ(field(b, 1, "q"), 1);
    EXPECT_EQ(object(b, 2), nullptr);
}

TEST_F(Trimming, documents_from_before_the_stores_floor_still_have_their_before_image) {
    SyncDevice& a = device("a", "q == 1");
    create(a, 1, 1);
    exchange();
    pass(35);
    SyncDevice& b = device("b", "q == 1");
    b.disconnect();
    // Written long ago, changed now: its image before lies below the store's floor.
    put(1, document(1, 2, 0));
    exchange();
    ASSERT_GT(trim().trimmed, 0U);
    ASSERT_TRUE(world_.disk().trim(world_.engine().past_needed_above()));

    set(b, 1, "x", 3);
    b.connect(world_.engine());
    exchange();

    EXPECT_EQ(error_of(b), std::nullopt);
    EXPECT_EQ(object(b, 1), nullptr); // it had left the view
    EXPECT_EQ(stored(1, "x"), "0");
}

TEST_F(Trimming, survives_a_crash_before_and_after_its_commit) {
    for (const bool was_synced : {false, true}) {
        SyncDevice& a = device("a" + std::to_string(was_synced ? 1 : 0), "TRUEPREDICATE");
        pass(40);
        world_.engine().trim([](Result<TrimReport>) {});
        world_.run_once();
        for (const auto& each : devices_) {
            each->disconnect();
        }
        crash(was_synced);

        const auto history = world_.engine().history().value();
        EXPECT_EQ(entries(), history.top - history.trimmed);
        for (const auto& each : devices_) {
            each->connect(world_.engine());
        }
        exchange();
        EXPECT_EQ(error_of(a), std::nullopt);
    }
}

TEST_F(Trimming, files_gone_for_twice_the_limit_are_forgotten) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    create(a, 1, 1);
    exchange();
    b.disconnect();
    pass(61);

    EXPECT_EQ(trim().files_forgotten, 1U);

    EXPECT_EQ(world_.engine().devices(0, 10).value().size(), 1U);
    b.connect(world_.engine());
    EXPECT_EQ(error_of(b), SyncErrorCode::bad_client_file_ident);
}

TEST_F(Trimming, a_connected_device_that_says_nothing_is_not_passed_over) {
    SyncDevice& a = device("a", "q == 1");
    world_.clock().advance(hours(24 * 31));
    put(1, document(1, 1, 1));
    world_.clock().advance(hours(24 * 31));
    put(2, document(2, 1, 1));

    const TrimReport report = trim();

    EXPECT_EQ(report.holder, a.file());
    EXPECT_LE(report.trimmed, a.cursor());
    exchange();
    EXPECT_EQ(field(a, 1, "x"), 1);
}

TEST_F(Trimming, operators_see_which_device_holds_history_back) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    b.disconnect();
    create(a, 1, 1);
    pass(2);

    const auto devices = world_.engine().devices(0, 10).value();

    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices[0].user, "a");
    EXPECT_TRUE(devices[0].is_connected);
    EXPECT_FALSE(devices[1].is_connected);
    EXPECT_LT(devices[1].needs_above, devices[0].needs_above);
    EXPECT_EQ(devices[1].query, subscription("TRUEPREDICATE"));
    EXPECT_EQ(trim().holder, b.file());
    const auto history = world_.engine().history().value();
    EXPECT_EQ(history.last_run.holder, b.file());
    // An estimate, which by chance says nothing of something small.
    std::uint64_t bytes = 0;
    for (std::int64_t x = 0; x < 200 && bytes == 0; ++x) {
        const auto now = world_.engine().history().value();
        bytes = now.history_bytes + now.parts_bytes;
        set(a, 1, "x", x);
        exchange();
    }
    EXPECT_GT(bytes, 0U);
}

// 11.G4
TEST_F(Trimming, force_reset_affects_only_that_ident) {
    SyncDevice& a = device("a", "TRUEPREDICATE");
    SyncDevice& b = device("b", "TRUEPREDICATE");
    SyncDevice& silent = device("d", "TRUEPREDICATE");
    SyncDevice& away = device("c", "TRUEPREDICATE");
    away.disconnect();

    for (const std::uint64_t ident : {b.file(), silent.file(), away.file()}) {
        world_.engine().reset_file(ident, false, [](Result<void> done) { EXPECT_TRUE(done); });
    }
    world_.settle();
    create(b, 5, 1);
    b.send();
    world_.settle();
    b.receive();
    away.connect(world_.engine());
    silent.receive();
    EXPECT_FALSE(silent.error());
    trim();
    silent.receive();
    EXPECT_EQ(error_of(silent), SyncErrorCode::bad_client_file_ident);

    EXPECT_EQ(error_of(b), SyncErrorCode::bad_client_file_ident);
    EXPECT_EQ(b.error()->body.action, protocol::ErrorAction::client_reset);
    EXPECT_EQ(error_of(away), SyncErrorCode::bad_client_file_ident);
    create(a, 1, 1);
    exchange();
    EXPECT_FALSE(a.has_pending());
    std::optional<Result<void>> unknown;
    world_.engine().reset_file(77, false, [&](Result<void> done) { unknown = done; });
    world_.settle();
    EXPECT_EQ(unknown.value().error().code(), ErrorCode::not_found);
}

TEST_F(Trimming, a_device_that_was_given_up_holds_nothing_back) {
    device("a", "TRUEPREDICATE");
    pass(20);
    SyncDevice& b = device("b", "TRUEPREDICATE");
    b.disconnect();
    pass(25);
    ASSERT_EQ(trim().holder, b.file());
    pass(4);

    world_.engine().reset_file(b.file(), true, [](Result<void> done) { EXPECT_TRUE(done); });
    world_.settle();

    EXPECT_NE(trim().holder, b.file());
    b.connect(world_.engine());
    EXPECT_EQ(error_of(b), SyncErrorCode::client_file_expired);
}

TEST_F(Trimming, history_of_an_app_that_nobody_uses_says_that_it_is_old) {
    const auto is_old = [&] {
        const auto stored =
            server::sync::stored_history(*shared_store().snapshot(), world_.options().app);
        return stored.value()->has_before(world_.clock().unix_ms() -
                                          world_.options().client_max_offline_ms);
    };
    SyncDevice& a = device("a", "TRUEPREDICATE");
    pass(10);
    EXPECT_FALSE(is_old());
    a.disconnect();
    world_.clock().advance(hours(24 * 40));

    EXPECT_TRUE(is_old());
    EXPECT_GT(trim().trimmed, 0U);
    EXPECT_FALSE(is_old());
}

} // namespace tombolo::sim
