// The whole server over a socket: what the parts show only together.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "server/daemon/daemon.hpp"
#include "server/http/raw_client.hpp"
#include "server/runtime/json.hpp"
#include "server/support/service.hpp"

namespace tombolo::server {
namespace {

namespace fs = std::filesystem;

class DaemonTest : public testing::Test {
  protected:
    DaemonTest() {
        const fs::path app = folder_.path() / "app";
        for (const auto& [path, content] : demo_app()) {
            fs::create_directories((app / path).parent_path());
            std::ofstream(app / path) << content;
        }
        config_.data = (folder_.path() / "data").string();
        config_.listen = "127.0.0.1:0";
        config_.apps = {app.string()};
        config_.requests_per_minute = 0;
    }

    void start() { daemon_ = Daemon::start(config_, *log_).value(); }
    void restart() {
        daemon_.reset();
        start();
    }

    http::RawClient::Answer request(const std::string& method, const std::string& path,
                                    const std::string& token = {}, const std::string& body = {}) {
        const std::string url = daemon_->url();
        http::RawClient client(
            static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
        client.send(method + " " + path + " HTTP/1.1\r\nHost: evil.example\r\n" +
                    (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
                    "Content-Type: application/json;charset=utf-8\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.receive();
    }
    http::RawClient::Answer call(const std::string& method, const std::string& path,
                                 const std::string& token = {}, const std::string& body = {}) {
        return request(method, "/api/client/v2.0" + path, token, body);
    }
    boost::json::object log_in(const std::string& provider, const std::string& body) {
        const auto answer =
            call("POST", "/app/demo-abcde/auth/providers/" + provider + "/login", {}, body);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return parse_json_object(answer.body).value();
    }

    store::TemporaryFolder folder_;
    std::unique_ptr<Log> log_ = Log::none();
    Config config_;
    std::unique_ptr<Daemon> daemon_;
};

TEST_F(DaemonTest, location_comes_from_the_configuration_not_from_the_host_header) {
    start();
    const auto answer = call("GET", "/app/demo-abcde/location");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(parse_json_object(answer.body)->at("hostname").as_string(), daemon_->url());
}

TEST_F(DaemonTest, every_response_has_a_request_id_and_json_type_without_charset) {
    start();
    for (const auto& answer : {call("GET", "/app/demo-abcde/location"), call("GET", "/nothing"),
                               call("GET", "/auth/profile", "garbage")}) {
        EXPECT_TRUE(answer.has("x-appservices-request-id: ")) << answer.head;
        EXPECT_TRUE(answer.has("Content-Type: application/json\r\n")) << answer.head;
    }
    const auto user = log_in("anon-user", "");
    const auto out = call("DELETE", "/auth/session", string_or(user, "refresh_token"));
    EXPECT_EQ(out.status, 204);
    EXPECT_TRUE(out.has("x-appservices-request-id: "));
    EXPECT_FALSE(out.has("Content-Type"));
}

TEST_F(DaemonTest, body_beyond_the_bound_is_refused_as_json) {
    start();
    const auto answer = call("POST", "/app/demo-abcde/auth/providers/anon-user/login", {},
                             std::string(100'000, ' '));
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(answer.has("Content-Type: application/json\r\n"));
    EXPECT_EQ(string_or(*parse_json_object(answer.body), "error_code"), "ReadSizeLimitExceeded");
}

TEST_F(DaemonTest, a_browser_can_read_why_its_request_was_refused_before_its_route) {
    start();
    const auto answer = call("POST", "/app/demo-abcde/auth/providers/anon-user/login",
                             "x\r\nOrigin: https://app.example.com", std::string(200'000, ' '));
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(answer.has("Access-Control-Allow-Origin: *\r\n"));
}

TEST_F(DaemonTest, files_are_served_where_the_api_is_not) {
    fs::create_directories(folder_.path() / "site");
    std::ofstream(folder_.path() / "site" / "index.html") << "<title>My app</title>";
    config_.static_dir = (folder_.path() / "site").string();
    start();
    EXPECT_EQ(request("GET", "/").body, "<title>My app</title>");
    EXPECT_TRUE(request("GET", "/").has("Content-Type: text/html; charset=utf-8\r\n"));
    EXPECT_EQ(request("POST", "/").status, 404);
    EXPECT_EQ(request("GET", "/missing.html").status, 404);
    EXPECT_EQ(call("GET", "/app/demo-abcde/location").status, 200);
}

TEST_F(DaemonTest, a_page_says_what_the_address_is_when_there_are_no_files) {
    start();
    EXPECT_NE(request("GET", "/").body.find("Tombolo is running"), std::string::npos);
}

TEST_F(DaemonTest, users_sessions_and_keys_outlive_a_restart) {
    start();
    const auto user = log_in("anon-user", "");
    restart();
    const auto profile = call("GET", "/auth/profile", string_or(user, "access_token"));
    EXPECT_EQ(profile.status, 200);
    EXPECT_EQ(call("POST", "/auth/session", string_or(user, "refresh_token")).status, 201);
    EXPECT_EQ(daemon_->first_administrator(), nullptr);
}

TEST_F(DaemonTest, another_master_key_stops_the_start_before_anything_is_written) {
    start();
    daemon_.reset();
    const std::string right = config_.data + "/master.key";
    config_.master_key_file = (folder_.path() / "other.key").string();
    const auto refused = Daemon::start(config_, *log_);
    ASSERT_FALSE(refused);
    EXPECT_NE(std::string(refused.error().what()).find("master key"), std::string::npos);
    config_.master_key_file = right;
    start();
    const std::string token = make_jwt(
        R"({"aud": "demo-abcde", "exp": 4000000000, "sub": "s", "user_data": {"name": "Ada"}})",
        demo_token_key);
    static_cast<void>(log_in("custom-token", R"({"token": ")" + token + "\"}"));
}

TEST_F(DaemonTest, Checklist_50_log_has_no_token_of_a_query) {
    const std::string file = (folder_.path() / "log").string();
    log_ = Log::open({LogLevel::debug, LogFormat::json, file}).value();
    start();
    static_cast<void>(call("GET", "/app/demo-abcde/location?baas_at=secret-token"));
    static_cast<void>(call("GET", "/auth/profile", "secret-token"));
    daemon_.reset();
    log_->flush();
    std::ifstream stream(file);
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    EXPECT_NE(text.find("/location"), std::string::npos);
    EXPECT_EQ(text.find("secret-token"), std::string::npos);
}

} // namespace
} // namespace tombolo::server
