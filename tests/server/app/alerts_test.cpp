// Alerts: durable, counted, gathered, and posted without holding anybody up.

#include "server/app/alerts.hpp"

#include <atomic>

#include <gtest/gtest.h>

#include "server/app/app_log.hpp"
#include "server/runtime/json.hpp"
#include "server/store/store_fixture.hpp"

namespace tombolo::server {
namespace {

class AlertsTest : public store::StoreTest {
  protected:
    std::unique_ptr<Alerts> make(AlertOptions options = {}) {
        return std::make_unique<Alerts>(
            *store_, [this] { return now_ms_.load(); }, *log_, nullptr, std::move(options));
    }
    Alert alert(std::string_view kind, std::string message) const {
        return {app_, "notes-abcde", kind, std::move(message), "look"};
    }

    const ObjectId app_ = ObjectId::parse("650000000000000000000001").value();
    const std::unique_ptr<Log> log_ = Log::none();
    std::atomic<std::int64_t> now_ms_{1'700'000'000'000};
};

TEST_F(AlertsTest, are_there_after_a_restart_newest_first) {
    auto alerts = make();
    alerts->raise(alert(alert_kind::sync_failed, "first"));
    now_ms_ += 10;
    alerts->raise({{}, "", alert_kind::rate_limit, "of the server", "look"});
    now_ms_ += 10;
    alerts->raise(alert(alert_kind::sync_paused, "third"));
    alerts.reset();
    reopen();
    alerts = make();
    const auto found = alerts->find(app_, 100).value();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(string_or(found[0].as_object(), "message"), "third");
    EXPECT_EQ(string_or(found[1].as_object(), "message"), "of the server");
    EXPECT_EQ(string_or(found[2].as_object(), "kind"), "sync_failed");
    EXPECT_EQ(alerts->find(app_, 1).value().size(), 1U);
}

TEST_F(AlertsTest, refused_requests_are_one_alert_an_hour_and_counted) {
    auto alerts = make();
    for (int i = 0; i < 100; ++i) {
        alerts->raise(alert(alert_kind::rate_limit, "too many"));
    }
    alerts->flush();
    EXPECT_EQ(alerts->find(app_, 100).value().size(), 1U);
    now_ms_ += std::int64_t{3600} * 1000;
    alerts->raise(alert(alert_kind::rate_limit, "too many"));
    alerts->flush();
    const auto found = alerts->find(app_, 100).value();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].at("repeated").as_int64(), 99);
    ASSERT_EQ(alerts->counts().size(), 1U);
    EXPECT_EQ(alerts->counts()[0].raised, 101U);
}

TEST_F(AlertsTest, a_webhook_that_fails_is_tried_twice_and_the_alert_stays) {
    std::atomic<int> posts{0};
    AlertOptions options;
    options.post = [&](const std::string& json) -> Result<void> {
        EXPECT_NE(json.find("\"kind\":\"sync_failed\""), std::string::npos);
        ++posts;
        return Error(ErrorCode::unavailable, "nobody there");
    };
    auto alerts = make(options);
    alerts->raise(alert(alert_kind::sync_failed, "gone"));
    alerts->flush();
    EXPECT_EQ(posts, 2);
    EXPECT_EQ(alerts->posts_failed(), 1U);
    EXPECT_EQ(alerts->find(app_, 100).value().size(), 1U);
}

TEST_F(AlertsTest, old_ones_and_too_many_go) {
    AlertOptions options;
    options.kept_max = 3;
    auto alerts = make(options);
    for (int i = 0; i < 5; ++i) {
        alerts->raise(alert(alert_kind::sync_failed, std::to_string(i)));
        now_ms_ += 1;
    }
    alerts->flush();
    alerts->trim();
    EXPECT_EQ(alerts->find(app_, 100).value().size(), 3U);
    now_ms_ += options.keep_ms;
    alerts->trim();
    EXPECT_EQ(alerts->find(app_, 100).value().size(), 0U);
}

} // namespace
} // namespace tombolo::server
