#include "server/auth/expiry.hpp"

#include <gtest/gtest.h>

#include "server/auth/records.hpp"
#include "server/support/service.hpp"

namespace tombolo::auth {
namespace {

constexpr std::int64_t day_ms = 24 * 3600 * 1000;

std::size_t count(const store::Store& store, const std::string& prefix) {
    const auto snapshot = store.snapshot();
    std::string end = prefix;
    ++end.back();
    const auto cursor = snapshot->scan_records(store::Space::meta, prefix, end);
    std::size_t found = 0;
    while (cursor->next()) {
        ++found;
    }
    return found;
}

TEST(Expiry, what_still_holds_stays) {
    server::Service service;
    const auto user = service.user("a@example.com");
    store::Store& store = service.context().store;
    const auto removed = remove_expired(store, service.now_ms).value();
    EXPECT_EQ(removed.sessions + removed.mail_tokens + removed.devices, 0U);
    EXPECT_EQ(service.get("/auth/profile", user.access).status, 200);
}

TEST(Expiry, expired_sessions_go_with_their_place_in_the_users_list) {
    server::Service service;
    service.user("a@example.com");
    service.user("b@example.com");
    store::Store& store = service.context().store;
    const std::size_t sessions = count(store, "sessions/");
    ASSERT_GE(sessions, 2U);
    ASSERT_EQ(count(store, "user-sessions/"), sessions);
    service.now_ms += 399 * day_ms; // beyond any refresh token
    const auto late = service.anonymous();
    EXPECT_EQ(remove_expired(store, service.now_ms).value().sessions, sessions);
    EXPECT_EQ(count(store, "sessions/"), 1U);
    EXPECT_EQ(count(store, "user-sessions/"), 1U);
    EXPECT_EQ(service.get("/auth/profile", late.access).status, 200);
}

TEST(Expiry, mail_tokens_go_when_they_cannot_be_used_any_more) {
    server::ServiceOptions options;
    options.apps = {server::confirming_app()};
    server::Service service(options);
    ASSERT_EQ(service
                  .post("auth/providers/local-userpass/register",
                        R"({"email":"a@example.com","password":"secret horse"})")
                  .status,
              201);
    store::Store& store = service.context().store;
    ASSERT_EQ(count(store, "mail-tokens/"), 1U);
    EXPECT_EQ(remove_expired(store, service.now_ms).value().mail_tokens, 0U);
    EXPECT_EQ(remove_expired(store, service.now_ms + 30 * day_ms).value().mail_tokens, 1U);
    EXPECT_EQ(count(store, "mail-tokens/"), 0U);
}

TEST(Expiry, a_device_goes_when_it_was_not_seen_for_long_and_stays_when_it_was) {
    server::Service service;
    const auto log_in = [&](const std::string& device) {
        const auto answer = service.log_in("anon-user", R"({"options":{"device":{"deviceId":")" +
                                                            device + R"("}}})");
        return server::Service::signed_in(answer).device;
    };
    const std::string seen = log_in("");
    const std::string gone = log_in("");
    ASSERT_NE(seen, gone);
    service.now_ms += 300 * day_ms;
    ASSERT_EQ(log_in(seen), seen);
    service.now_ms += 200 * day_ms;
    store::Store& store = service.context().store;
    EXPECT_EQ(remove_expired(store, service.now_ms).value().devices, 1U);
    EXPECT_EQ(log_in(seen), seen);
    EXPECT_NE(log_in(gone), gone);
}

TEST(Expiry, devices_kept_before_their_day_was_count_from_now) {
    server::Service service;
    store::Store& store = service.context().store;
    store::Transaction transaction;
    transaction.put_record(store::Space::meta, "devices/x/y", "");
    ASSERT_TRUE(store.commit(std::move(transaction)));
    EXPECT_EQ(remove_expired(store, service.now_ms).value().devices, 0U);
    EXPECT_EQ(decode_device(*store.snapshot()->record(store::Space::meta, "devices/x/y").value()),
              service.now_ms);
}

} // namespace
} // namespace tombolo::auth
