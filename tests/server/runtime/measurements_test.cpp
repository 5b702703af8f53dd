// Metrics of device-sync-server.md 8.6; section 11, H4: percentiles.

#include "server/runtime/measurements.hpp"

#include <gtest/gtest.h>

namespace tombolo::server {
namespace {

using std::chrono::minutes;

class MeasurementsOfAnApp : public ::testing::Test {
  protected:
    MeasurementsOfAnApp() : start_(clock_.unix_ms() / 60'000 * 60'000) {}

    std::vector<std::int64_t> per_minute(Measured what, std::size_t points) const {
        return app_.series(what, start_, 60'000, points);
    }
    std::int64_t all(Measured what) const { return app_.series(what, start_, 3'600'000, 1).at(0); }

    ManualClock clock_{1'700'000'040'000};
    AppMeasurements app_{clock_};
    const std::int64_t start_;
};

using Values = std::vector<std::int64_t>;

TEST_F(MeasurementsOfAnApp, counters_add_up_in_the_minute_in_which_it_happened) {
    app_.count(Measured::egress_bytes, 100);
    app_.count(Measured::egress_bytes, 50);
    clock_.advance(minutes(2));
    app_.count(Measured::egress_bytes, 7);
    app_.count(Measured::requests);
    EXPECT_EQ(per_minute(Measured::egress_bytes, 4), (Values{150, 0, 7, 0}));
    EXPECT_EQ(all(Measured::egress_bytes), 157);
    EXPECT_EQ(all(Measured::requests), 1);
}

TEST_F(MeasurementsOfAnApp, levels_last_until_they_change) {
    app_.change(Measured::open_connections, 2);
    clock_.advance(minutes(3));
    app_.change(Measured::open_connections, -1);
    clock_.advance(minutes(1));
    EXPECT_EQ(per_minute(Measured::open_connections, 6), (Values{2, 2, 2, 2, 1, 0}))
        << "the last minute has not come yet";
    EXPECT_EQ(all(Measured::open_connections), 2);
    EXPECT_EQ(all(Measured::connection_minutes), 9);
    EXPECT_EQ(per_minute(Measured::connection_minutes, 6), (Values{2, 2, 2, 2, 1, 0}));
}

TEST_F(MeasurementsOfAnApp, h4_durations_give_their_95th_percentile) {
    EXPECT_EQ(all(Measured::upload_ms), 0);
    for (std::int64_t ms = 1; ms <= 100; ++ms) {
        app_.took(Measured::upload_ms, ms);
    }
    EXPECT_EQ(all(Measured::upload_ms), 95);
    app_.took(Measured::bootstrap_ms, 7);
    EXPECT_EQ(all(Measured::bootstrap_ms), 7);
    clock_.advance(minutes(1));
    for (std::int64_t ms = 10; ms <= 100'000; ms += 10) {
        app_.took(Measured::upload_ms, ms);
    }
    const Values both = per_minute(Measured::upload_ms, 2);
    EXPECT_EQ(both.at(0), 95);
    EXPECT_NEAR(static_cast<double>(both.at(1)), 95'000.0, 950.0);
}

TEST_F(MeasurementsOfAnApp, a_week_is_kept) {
    for (int i = 0; i < 8 * 24 * 60; ++i) {
        app_.count(Measured::requests);
        clock_.advance(minutes(1));
    }
    EXPECT_EQ(app_.series(Measured::requests, start_, std::int64_t{10} * 24 * 3'600'000, 1).at(0),
              7 * 24 * 60);
}

} // namespace
} // namespace tombolo::server
