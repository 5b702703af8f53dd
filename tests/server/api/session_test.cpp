// Sessions, tokens, deletion, revocation and disabling over the API, on a clock of the test's own.

#include <gtest/gtest.h>

#include "server/auth/sessions.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

using http::Method;

void expect_invalid_session(const Answer& answer) {
    EXPECT_EQ(answer.status, 401) << answer.text;
    EXPECT_EQ(answer["error_code"], "InvalidSession");
}

ObjectId id_of(const SignedInUser& user) {
    return ObjectId::parse(user.id).value();
}

TEST(Checklist_12, only_a_refresh_token_refreshes_and_gives_30_minutes) {
    Service service;
    const SignedInUser user = service.anonymous();
    const Answer wrong = service.post("/auth/session", "", user.access);
    expect_invalid_session(wrong);
    EXPECT_EQ(wrong["error"], "invalid refresh token: incorrect token type");
    service.now_ms += 3'600'000;
    const Answer right = service.post("/auth/session", "", user.refresh);
    EXPECT_EQ(right.status, 201);
    service.now_ms += 1'799'000;
    EXPECT_EQ(service.get("/auth/profile", right["access_token"]).status, 200);
    service.now_ms += 1'000;
    expect_invalid_session(service.get("/auth/profile", right["access_token"]));
}

TEST(Checklist_13, revocation_ends_refreshing_but_not_issued_tokens) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    auth::Sessions(service.context()).revoke_all(service.app()->id, id_of(user));
    expect_invalid_session(service.post("/auth/session", "", user.refresh));
    EXPECT_EQ(service.get("/auth/profile", user.access).status, 200);
    service.now_ms += 1'800'000;
    expect_invalid_session(service.get("/auth/profile", user.access));
    const SignedInUser again = service.user("a@example.com");
    EXPECT_EQ(again.id, user.id);
    EXPECT_EQ(service.post("/auth/session", "", again.refresh).status, 201);
}

TEST(Checklist_14, second_sign_out_cannot_find_the_token) {
    Service service;
    const SignedInUser user = service.anonymous();
    EXPECT_EQ(service.call(Method::delete_, "/auth/session", user.refresh).status, 204);
    const Answer again = service.call(Method::delete_, "/auth/session", user.refresh);
    expect_invalid_session(again);
    EXPECT_NE(again["error"].find("failed to find refresh token"), std::string::npos);
    EXPECT_EQ(service.get("/auth/profile", user.access).status, 200);
}

TEST(Checklist_15, deletion_ends_everything_and_frees_the_address) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    const std::string key = service.post("/auth/api_keys", R"({"name": "k"})", user.refresh)["key"];
    EXPECT_EQ(service.call(Method::delete_, "/auth/delete", user.access).status, 204);
    expect_invalid_session(service.post("/auth/session", "", user.refresh));
    EXPECT_NE(service.call(Method::delete_, "/auth/session", user.refresh)["error"].find(
                  "failed to find refresh token"),
              std::string::npos);
    expect_invalid_session(service.get("/auth/profile", user.access));
    EXPECT_EQ(service.log_in("api-key", R"({"key": ")" + key + "\"}").status, 401);
    EXPECT_NE(service.user("a@example.com").id, user.id);
}

TEST(Checklist_48, rotation_of_the_signing_key_logs_nobody_out) {
    Service service;
    const SignedInUser user = service.anonymous();
    for (int i = 0; i < 3; ++i) {
        service.now_ms += std::int64_t{30} * 24 * 3'600'000;
        ASSERT_TRUE(service.context().tokens.rotate(service.now_ms / 1000));
    }
    const Answer renewed = service.post("/auth/session", "", user.refresh);
    EXPECT_EQ(renewed.status, 201);
    EXPECT_EQ(service.get("/auth/profile", renewed["access_token"]).status, 200);
}

TEST(Checklist_49, token_of_another_app_is_forbidden_not_unauthorized) {
    ServiceOptions options;
    options.apps = {demo_app(), demo_app_named("other")};
    Service service(options);
    const SignedInUser user = service.anonymous();
    service.app_id = "other-abcde";
    const Answer push = service.call(Method::put, "push/providers/gcm/registration", user.access,
                                     R"({"registrationToken": "t"})");
    EXPECT_EQ(push.status, 403);
    EXPECT_EQ(push["error_code"], "UserAppDomainMismatch");
    const Answer link =
        service.post("auth/providers/api-key/login?link=true", R"({"key": "x"})", user.access);
    EXPECT_EQ(link.status, 403);
}

TEST(Sessions, users_of_two_apps_share_nothing) {
    ServiceOptions options;
    options.apps = {demo_app(), demo_app_named("other")};
    Service service(options);
    const SignedInUser here = service.user("a@example.com");
    const std::string key = service.post("/auth/api_keys", R"({"name": "k"})", here.refresh)["key"];
    service.app_id = "other-abcde";
    EXPECT_EQ(service
                  .log_in("local-userpass",
                          R"({"username": "a@example.com", "password": "secret horse"})")
                  .status,
              401);
    EXPECT_EQ(service.log_in("api-key", R"({"key": ")" + key + "\"}").status, 401);
    EXPECT_NE(service.user("a@example.com").id, here.id);
}

TEST(Sessions, refresh_token_is_no_access_token) {
    Service service;
    const SignedInUser user = service.anonymous();
    expect_invalid_session(service.get("/auth/profile", user.refresh));
    expect_invalid_session(service.call(Method::delete_, "/auth/delete", user.refresh));
    expect_invalid_session(service.get("/auth/api_keys", user.access));
    expect_invalid_session(service.call(Method::delete_, "/auth/session", user.access));
    EXPECT_EQ(service.get("/auth/profile", user.access).status, 200);
}

TEST(Sessions, anonymous_users_have_no_api_keys) {
    Service service;
    const SignedInUser user = service.anonymous();
    const Answer answer = service.get("/auth/api_keys", user.refresh);
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer["error"], "anonymous users cannot have API keys");
}

TEST(Sessions, calls_without_a_token_are_asked_to_authenticate) {
    Service service;
    for (const Answer& answer :
         {service.get("/auth/api_keys"), service.get("/auth/profile"),
          service.post("/auth/session", ""),
          service.post("auth/providers/api-key/login?link=true", R"({"key": "x"})")}) {
        EXPECT_EQ(answer.status, 401);
        EXPECT_EQ(answer["error"], "must authenticate first");
    }
}

TEST(Sessions, disabled_user_can_do_nothing_until_enabled) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    const auth::Sessions sessions(service.context());
    sessions.set_disabled(service.app()->id, id_of(user), true);
    expect_invalid_session(service.get("/auth/profile", user.access));
    expect_invalid_session(service.post("/auth/session", "", user.refresh));
    expect_invalid_session(service.get("/auth/api_keys", user.refresh));
    const std::string login = R"({"username": "a@example.com", "password": "secret horse"})";
    const Answer refused = service.log_in("local-userpass", login);
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused["error_code"], "UserDisabled");
    sessions.set_disabled(service.app()->id, id_of(user), false);
    EXPECT_EQ(Service::signed_in(service.log_in("local-userpass", login)).id, user.id);
}

TEST(Sessions, each_sign_in_is_a_session_of_its_own) {
    Service service;
    const SignedInUser first = service.user("a@example.com");
    const SignedInUser second = service.user("a@example.com");
    EXPECT_NE(jwt_claims(first.access).at("iss"), jwt_claims(second.access).at("iss"));
    EXPECT_EQ(service.call(Method::delete_, "/auth/session", second.refresh).status, 204);
    EXPECT_EQ(service.post("/auth/session", "", first.refresh).status, 201);
}

TEST(Sessions, refresh_tokens_end_after_60_days_but_those_of_anonymous_users_last) {
    Service service;
    const SignedInUser named = service.user("a@example.com");
    const SignedInUser anonymous = service.anonymous();
    service.now_ms += std::int64_t{60} * 24 * 3'600'000;
    expect_invalid_session(service.post("/auth/session", "", named.refresh));
    EXPECT_EQ(service.post("/auth/session", "", anonymous.refresh).status, 201);
}

TEST(Sessions, a_key_that_is_disabled_ends_refreshing_of_its_sessions) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    const Answer created = service.post("/auth/api_keys", R"({"name": "k"})", user.refresh);
    const SignedInUser by_key =
        Service::signed_in(service.log_in("api-key", R"({"key": ")" + created["key"] + "\"}"));
    EXPECT_EQ(service.post("/auth/session", "", by_key.refresh).status, 201);
    const std::string path = "/auth/api_keys/" + created["_id"];
    ASSERT_EQ(service.call(Method::put, path + "/disable", user.refresh).status, 204);
    expect_invalid_session(service.post("/auth/session", "", by_key.refresh));
    EXPECT_EQ(service.post("/auth/session", "", user.refresh).status, 201);
}

TEST(Sessions, a_user_has_at_most_20_keys) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(
            service
                .post("/auth/api_keys", R"({"name": "k)" + std::to_string(i) + "\"}", user.refresh)
                .status,
            201);
    }
    EXPECT_EQ(service.post("/auth/api_keys", R"({"name": "more"})", user.refresh).status, 400);
}

TEST(Mail, confirmation_and_reset_tokens_last_30_minutes_and_work_once) {
    ServiceOptions options;
    options.apps = {confirming_app()};
    Service service(options);
    const std::string path = "auth/providers/local-userpass/";
    ASSERT_EQ(
        service.post(path + "register", R"({"email": "a@example.com", "password": "secret horse"})")
            .status,
        201);
    const std::string login = R"({"username": "a@example.com", "password": "secret horse"})";
    EXPECT_EQ(service.log_in("local-userpass", login)["error"], "confirmation required");
    const std::string late = service.newest_mail_token();
    service.now_ms += 1'800'000;
    const Answer expired = service.post(path + "confirm", "{" + late + "}");
    EXPECT_EQ(expired.status, 400);
    EXPECT_EQ(expired["error_code"], "UserpassTokenInvalid");

    ASSERT_EQ(service.post(path + "reset/send", R"({"email": "a@example.com"})").status, 202);
    const std::vector<std::string> mails = service.mails();
    ASSERT_EQ(mails.size(), 2U);
    const std::string& mail =
        mails[0].find("localhost/reset") == std::string::npos ? mails[1] : mails[0];
    const std::string token = mail.substr(mail.find("token=") + 6, 64);
    const std::string id = mail.substr(mail.find("tokenId=") + 8, 24);
    const std::string body =
        R"({"password": "other horse", "token": ")" + token + R"(", "tokenId": ")" + id + "\"}";
    const Answer wrong_purpose = service.post(path + "confirm", body);
    EXPECT_EQ(wrong_purpose["error"], "invalid token data");
    EXPECT_EQ(service.post(path + "reset", body).status, 200);
    EXPECT_EQ(service.post(path + "reset", body)["error_code"], "UserpassTokenInvalid");
    EXPECT_EQ(service.log_in("local-userpass", login).status, 401);
    EXPECT_EQ(
        service
            .log_in("local-userpass", R"({"username": "a@example.com", "password": "other horse"})")
            .status,
        200);
}

TEST(Mail, unknown_addresses_get_none_and_nobody_is_told) {
    ServiceOptions options;
    options.apps = {confirming_app()};
    Service service(options);
    for (const char* call : {"confirm/send", "reset/send"}) {
        EXPECT_EQ(service
                      .post(std::string("auth/providers/local-userpass/") + call,
                            R"({"email": "nobody@example.com"})")
                      .status,
                  202);
    }
    EXPECT_TRUE(service.mails().empty());
}

TEST(Mail, addresses_that_could_bring_headers_along_are_refused) {
    Service service;
    for (const char* address : {"a@b.c\\r\\nBcc: x@y.z", "a b@c.d", "", "a\\u0000@b.c"}) {
        const Answer answer = service.post("auth/providers/local-userpass/register",
                                           std::string(R"({"email": ")") + address +
                                               R"(", "password": "secret horse"})");
        EXPECT_EQ(answer.status, 400) << address;
        EXPECT_EQ(answer["error"], "email invalid");
    }
}

} // namespace
} // namespace tombolo::server
