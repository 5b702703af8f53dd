// The worked transcript of client-http-api.md section 13, call by call, in the order and with the
// bodies of a realm-core client. Functions come with a later layer: the profile stands for them.

#include <gtest/gtest.h>

#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

constexpr std::string_view json_type = "application/json";

TEST(Transcript, of_section_13_holds_call_by_call) {
    Service service;
    http::Headers core;
    core.set("Content-Type", "application/json;charset=utf-8");
    core.set("Accept", "application/json");

    const Answer location = service.get("location");
    EXPECT_EQ(location.status, 200);
    EXPECT_EQ(location.headers.find("content-type"), json_type);
    EXPECT_EQ(location.body, (boost::json::object{{"deployment_model", "GLOBAL"},
                                                  {"location", "US-VA"},
                                                  {"hostname", "http://127.0.0.1:9090"},
                                                  {"ws_hostname", "ws://127.0.0.1:9090"}}));

    const Answer login = service.call(
        http::Method::post, "auth/providers/anon-user/login", {},
        R"({"provider":"anon-user","options":{"device":{"appId":"demo-abcde","platform":"Linux",
            "platformVersion":"6","sdk":"CPP","sdkVersion":"1","coreVersion":"14.14.0"}}})",
        core);
    EXPECT_EQ(login.status, 200);
    EXPECT_EQ(login.headers.find("content-type"), json_type);
    const SignedInUser user = Service::signed_in(login);
    const boost::json::object access = jwt_claims(user.access);
    const boost::json::object refresh = jwt_claims(user.refresh);
    const std::string domain = service.app()->id.to_string();
    EXPECT_EQ(access.at("sub").as_string(), user.id);
    EXPECT_EQ(access.at("iss"), refresh.at("baas_id"));
    EXPECT_EQ(access.at("typ").as_string(), "access");
    EXPECT_EQ(access.at("iat").as_int64(), 1'700'000'000);
    EXPECT_EQ(access.at("exp").as_int64(), 1'700'001'800);
    EXPECT_EQ(access.at("baas_device_id").as_string(), user.device);
    EXPECT_EQ(access.at("baas_domain_id").as_string(), domain);
    EXPECT_EQ(refresh.at("sub").as_string(), user.id);
    EXPECT_EQ(refresh.at("typ").as_string(), "refresh");
    EXPECT_EQ(refresh.at("iat").as_int64(), 1'700'000'000);
    EXPECT_GT(refresh.at("exp").as_int64(), 3'200'000'000);
    EXPECT_EQ(refresh.at("baas_identity").as_object().at("provider_type").as_string(), "anon-user");

    const Answer profile = service.call(http::Method::get, "/auth/profile", user.access, {}, core);
    EXPECT_EQ(profile.status, 200);
    EXPECT_EQ(profile["user_id"], user.id);
    EXPECT_EQ(profile["domain_id"], domain);
    EXPECT_EQ(profile["type"], "normal");
    EXPECT_EQ(profile.body.at("data"), boost::json::object());
    ASSERT_EQ(profile.body.at("identities").as_array().size(), 1U);
    const auto& identity = profile.body.at("identities").as_array()[0].as_object();
    EXPECT_EQ(identity.at("provider_type").as_string(), "anon-user");
    EXPECT_EQ(identity.at("id").as_string().size(), 49U);
    EXPECT_EQ(identity.at("provider_id").as_string().size(), 24U);

    service.now_ms += std::int64_t{31} * 60 * 1000;
    const Answer expired = service.call(http::Method::get, "/auth/profile", user.access, {}, core);
    EXPECT_EQ(expired.status, 401);
    EXPECT_EQ(expired.headers.find("content-type"), json_type);
    EXPECT_EQ(expired["error"], "invalid session");
    EXPECT_EQ(expired["error_code"], "InvalidSession");
    EXPECT_NE(expired["link"].find("http://127.0.0.1:9090/"), std::string::npos);

    const Answer renewed =
        service.call(http::Method::post, "/auth/session", user.refresh, {}, core);
    EXPECT_EQ(renewed.status, 201);
    ASSERT_EQ(renewed.body.as_object().size(), 1U);
    EXPECT_EQ(service.get("/auth/profile", renewed["access_token"]).status, 200);

    const Answer out = service.call(http::Method::delete_, "/auth/session", user.refresh, {}, core);
    EXPECT_EQ(out.status, 204);
    EXPECT_TRUE(out.text.empty());
    EXPECT_FALSE(out.headers.contains("content-type"));
}

} // namespace
} // namespace tombolo::server
