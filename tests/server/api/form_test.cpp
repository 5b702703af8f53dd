// The form of requests and responses: client-http-api.md R0-1 to R0-9 as far as no socket is
// needed, unknown paths and methods, bad bodies.

#include <gtest/gtest.h>

#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

using http::Method;

TEST(Checklist_03, every_json_answer_has_exactly_that_type_and_empty_ones_have_none) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    const std::vector<Answer> answers = {
        service.get("location"),
        service.get("nothing/here"),
        service.call(Method::put, "location"),
        service.log_in("anon-user", "[]"),
        service.log_in("nothing", ""),
        service.log_in("local-userpass", "{}"),
        service.get("/auth/profile", user.access),
        service.get("/auth/profile", "garbage"),
        service.get("/auth/api_keys", user.refresh),
        service.post("/auth/session", "", user.refresh),
        service.post("auth/providers/local-userpass/reset/send", R"({"email": "a@example.com"})"),
        service.call(Method::delete_, "/auth/session", user.refresh),
        service.call(Method::delete_, "/auth/delete", user.access),
    };
    for (const Answer& answer : answers) {
        if (answer.text.empty()) {
            EXPECT_FALSE(answer.headers.contains("content-type"));
        } else {
            EXPECT_EQ(answer.headers.find("content-type"), "application/json") << answer.text;
        }
    }
}

TEST(Checklist_51, success_bodies_never_look_like_errors) {
    Service service;
    const SignedInUser user = service.user("a@example.com");
    for (const Answer& answer :
         {service.get("location"), service.log_in("anon-user", ""),
          service.get("/auth/profile", user.access),
          service.post("/auth/session", "", user.refresh),
          service.post("/auth/api_keys", R"({"name": "k"})", user.refresh)}) {
        ASSERT_LT(answer.status, 300) << answer.text;
        EXPECT_FALSE(answer.body.as_object().contains("error"));
        EXPECT_FALSE(answer.body.as_object().contains("error_code"));
    }
}

TEST(Form, errors_have_text_code_and_link) {
    Service service;
    const Answer answer = service.get("nothing/here");
    EXPECT_EQ(answer.status, 404);
    ASSERT_EQ(answer.body.as_object().size(), 3U);
    EXPECT_FALSE(answer["error"].empty());
    EXPECT_FALSE(answer["error_code"].empty());
    EXPECT_EQ(answer["link"], "http://127.0.0.1:9090/logs?co_id=00112233445566778899aabb");
}

TEST(Form, wrong_method_names_the_right_ones) {
    Service service;
    const Answer answer = service.call(Method::patch, "/auth/session");
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.headers.find("allow"), "POST, DELETE");
    EXPECT_EQ(answer.headers.find("content-type"), "application/json");
}

TEST(Form, bodies_that_are_no_object_are_bad_requests) {
    Service service;
    for (const char* body : {"[]", "17", "\"text\"", "null", "{", "{}{}", "{\"a\":}", "\xff",
                             "{\"username\": 1, \"password\": \"123456\"}"}) {
        const Answer answer = service.log_in("local-userpass", body);
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_EQ(answer["error_code"], "BadRequest") << body;
    }
    const std::string deep(100'000, '[');
    EXPECT_EQ(service.log_in("anon-user", R"({"a": )" + deep).status, 400);
}

TEST(Form, missing_members_are_named) {
    Service service;
    const Answer answer = service.log_in("local-userpass", R"({"username": "a@example.com"})");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer["error_code"], "MissingParameter");
    EXPECT_EQ(answer["error"], "'password' is required");
}

TEST(Form, bodies_are_bounded_by_route) {
    Service service;
    const auto bound = [&](const char* path) {
        return service.dispatcher().body_bytes_max(
            Method::post, std::string("/api/client/v2.0/app/demo-abcde/auth/providers/") + path);
    };
    EXPECT_EQ(bound("local-userpass/login"), 64U * 1024);
    EXPECT_EQ(bound("anon-user/login"), 64U * 1024);
    EXPECT_GT(bound("custom-token/login"), 1'000'000U);
}

TEST(Form, every_route_answers_garbage_without_failing_inside) {
    Service service;
    const SignedInUser user = service.anonymous();
    for (const auto& [method, pattern] : service.dispatcher().routes()) {
        std::string path = pattern.substr(api::client_base.size());
        if (path.starts_with("/app/{app}/")) {
            path = path.substr(11);
        }
        for (const std::string& token : {std::string(), std::string("x.y.z"), user.refresh}) {
            for (const char* body : {"", "{}", "[", R"({"email": 1, "token": [], "name": {}})"}) {
                const Answer answer = service.call(method, path, token, body);
                EXPECT_LT(answer.status, 500) << pattern << " " << body << " " << answer.text;
            }
        }
    }
}

} // namespace
} // namespace tombolo::server
