// Throttling by address and lock-out by account, on a clock of the test's own: S-5, S-6.

#include <gtest/gtest.h>

#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

ServiceOptions throttled(unsigned per_minute, unsigned burst) {
    ServiceOptions options;
    options.throttle.requests_per_minute = per_minute;
    options.throttle.burst = burst;
    return options;
}

Answer log_in(Service& service, const std::string& address, const std::string& password) {
    return service.log_in("local-userpass",
                          R"({"username": ")" + address + R"(", "password": ")" + password + "\"}");
}

TEST(ApiThrottle, address_beyond_its_rate_gets_429_with_retry_after) {
    Service service(throttled(60, 2));
    EXPECT_EQ(service.log_in("anon-user", "").status, 200);
    EXPECT_EQ(service.log_in("anon-user", "").status, 200);
    const Answer refused = service.log_in("anon-user", "");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.headers.find("content-type"), "application/json");
    EXPECT_TRUE(refused.headers.contains("retry-after"));
    service.remote_address = "192.0.2.2";
    EXPECT_EQ(service.log_in("anon-user", "").status, 200);
    service.remote_address = "192.0.2.1";
    service.now_ms += 1000;
    EXPECT_EQ(service.log_in("anon-user", "").status, 200);
}

TEST(Checklist_43, throttled_refresh_is_429_and_never_401) {
    Service service(throttled(60, 2));
    const SignedInUser user = service.anonymous();
    EXPECT_EQ(service.post("/auth/session", "", user.refresh).status, 201);
    EXPECT_EQ(service.post("/auth/session", "", user.refresh).status, 429);
    EXPECT_EQ(service.get("/auth/profile", user.access).status, 200);
    service.now_ms += 1000;
    EXPECT_EQ(service.post("/auth/session", "", user.refresh).status, 201);
}

TEST(ApiThrottle, account_waits_after_failures_alike_for_known_and_unknown) {
    Service service;
    static_cast<void>(service.user("known@example.com"));
    for (const char* address : {"known@example.com", "unknown@example.com"}) {
        for (int i = 0; i < 6; ++i) {
            EXPECT_EQ(log_in(service, address, "wrong").status, 401);
        }
        EXPECT_EQ(log_in(service, address, "wrong").status, 429);
        EXPECT_EQ(log_in(service, address, "secret horse").status, 429);
    }
    service.now_ms += 1000;
    EXPECT_EQ(log_in(service, "unknown@example.com", "secret horse").status, 401);
    EXPECT_EQ(log_in(service, "known@example.com", "secret horse").status, 200);
    EXPECT_EQ(log_in(service, "known@example.com", "wrong").status, 401);
}

TEST(ApiThrottle, reset_of_the_password_ends_the_wait) {
    Service service;
    static_cast<void>(service.user("a@example.com"));
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(log_in(service, "a@example.com", "wrong").status, 401);
    }
    ASSERT_EQ(
        service.post("auth/providers/local-userpass/reset/send", R"({"email": "a@example.com"})")
            .status,
        202);
    ASSERT_EQ(service
                  .post("auth/providers/local-userpass/reset",
                        "{" + service.newest_mail_token() + R"(, "password": "a new horse"})")
                  .status,
              200);
    EXPECT_EQ(log_in(service, "a@example.com", "a new horse").status, 200);
}

} // namespace
} // namespace tombolo::server
