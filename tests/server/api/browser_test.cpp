// What a browser asks for: client-http-api.md 11.5 and S-15.

#include <gtest/gtest.h>

#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

using http::Method;

http::Headers from(const std::string& origin) {
    http::Headers headers;
    headers.set("Origin", origin);
    return headers;
}

AppTree listing_app() {
    AppTree tree = demo_app();
    tree["root_config.json"] = R"({"name": "demo", "app_id": "demo-abcde",
        "allowed_request_origins": ["https://good.example", "http://localhost:8080"]})";
    return tree;
}

ServiceOptions with(std::vector<AppTree> apps) {
    ServiceOptions options;
    options.apps = std::move(apps);
    return options;
}

const std::string login_path = "auth/providers/anon-user/login";

TEST(Checklist_42, preflight_passes_from_a_listed_origin_only) {
    Service service(with({listing_app()}));
    const Answer good =
        service.call(Method::options, login_path, {}, {}, from("http://localhost:8080"));
    EXPECT_EQ(good.status, 204);
    EXPECT_TRUE(good.text.empty());
    EXPECT_FALSE(good.headers.contains("content-type"));
    EXPECT_EQ(good.headers.find("access-control-allow-origin"), "http://localhost:8080");
    EXPECT_EQ(good.headers.find("vary"), "Origin");
    EXPECT_EQ(good.headers.find("access-control-allow-credentials"), "true");
    EXPECT_EQ(good.headers.find("access-control-allow-headers"),
              "Authorization, Content-Type, Accept");
    for (const char* method : {"GET", "POST", "PUT", "DELETE", "OPTIONS"}) {
        EXPECT_NE(good.headers.find("access-control-allow-methods").find(method),
                  std::string_view::npos);
    }
    EXPECT_GE(std::stoi(std::string(good.headers.find("access-control-max-age"))), 600);
    for (const char* origin :
         {"https://evil.example", "https://good.example.evil", "HTTPS://good.example", "null"}) {
        const Answer bad = service.call(Method::options, login_path, {}, {}, from(origin));
        EXPECT_EQ(bad.status, 403) << origin;
        EXPECT_FALSE(bad.headers.contains("access-control-allow-origin"));
    }
}

TEST(Checklist_42, errors_carry_cors_headers_too) {
    Service service(with({listing_app()}));
    const http::Headers origin = from("https://good.example");
    for (const Answer& answer : {service.call(Method::get, "/auth/profile", "garbage", {}, origin),
                                 service.call(Method::get, "nothing/here", {}, {}, origin),
                                 service.call(Method::post, login_path, {}, "not json", origin)}) {
        EXPECT_GE(answer.status, 400);
        EXPECT_EQ(answer.headers.find("access-control-allow-origin"), "https://good.example");
        EXPECT_EQ(answer.headers.find("access-control-expose-headers"),
                  "x-baas-location, x-appservices-request-id");
    }
}

TEST(Browser, request_from_an_origin_that_is_not_listed_is_blocked_itself) {
    Service service(with({listing_app()}));
    const Answer login =
        service.call(Method::post, login_path, {}, "", from("https://evil.example"));
    EXPECT_EQ(login.status, 403);
    EXPECT_TRUE(login["user_id"].empty());
    EXPECT_EQ(service.call(Method::post, login_path, {}, "").status, 200);
}

TEST(Browser, without_a_list_every_origin_is_served_without_credentials) {
    Service service;
    const Answer login =
        service.call(Method::post, login_path, {}, "", from("https://any.example"));
    EXPECT_EQ(login.status, 200);
    EXPECT_EQ(login.headers.find("access-control-allow-origin"), "*");
    EXPECT_FALSE(login.headers.contains("access-control-allow-credentials"));
}

TEST(Browser, requests_without_an_origin_get_no_cors_headers) {
    Service service;
    EXPECT_FALSE(service.get("location").headers.contains("access-control-allow-origin"));
}

TEST(Browser, user_paths_take_the_origins_of_any_app) {
    Service alone(with({listing_app()}));
    EXPECT_EQ(
        alone.call(Method::options, "/auth/profile", {}, {}, from("https://evil.example")).status,
        403);
    Service both(with({listing_app(), demo_app_named("other")}));
    EXPECT_EQ(
        both.call(Method::options, "/auth/profile", {}, {}, from("https://evil.example")).status,
        204);
}

} // namespace
} // namespace tombolo::server
