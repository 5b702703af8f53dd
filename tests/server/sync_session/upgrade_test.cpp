// "A server must" of sync-protocol.md 11, over sockets: the upgrade and the transport.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/http/raw_client.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

using Kind = tombolo::testing::WebSocketClient::Kind;
using protocol::SyncErrorCode;
using ::testing::HasSubstr;

TEST_F(ServerMust, s01_serve_location_and_accept_the_upgrade_with_the_token_in_the_query) {
    http::RawClient client(server_.port());
    client.send("GET /api/client/v2.0/app/islands-abcde/location HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto location = client.receive();
    EXPECT_EQ(location.status, 200);
    EXPECT_THAT(location.body, HasSubstr("\"ws_hostname\":\"ws://127.0.0.1:"));
    EXPECT_THAT(location.body, HasSubstr("\"hostname\":\"http://127.0.0.1:"));
    SyncWire wire(server_.wire(server_.log_in()));
    EXPECT_EQ(wire.status(), 101);
    EXPECT_FALSE(wire.socket().header("x-appservices-request-id").empty());
}

TEST_F(ServerMust, s02_choose_the_highest_common_version_and_14_when_it_is_offered) {
    const Login login = server_.log_in();
    const auto answer = [&](const std::string& offer) {
        WireOptions options = server_.wire(login);
        options.subprotocols = offer;
        SyncWire wire(options);
        return wire.status() == 101 ? wire.socket().header("sec-websocket-protocol")
                                    : std::to_string(wire.status());
    };
    const std::string flexible = "com.mongodb.realm-query-sync#";
    EXPECT_EQ(answer(flexible + "14, " + flexible + "13, " + flexible + "2"), flexible + "14");
    EXPECT_EQ(answer(flexible + "11, " + flexible + "14"), flexible + "14");
    EXPECT_EQ(answer("other, " + flexible + "15, " + flexible + "12"), flexible + "12");
    EXPECT_EQ(answer(flexible + "13"), flexible + "13");
    EXPECT_EQ(answer(flexible + "11"), flexible + "11");
    EXPECT_EQ(answer(flexible + "10, " + flexible + "15"), "400");
    EXPECT_EQ(answer("nonsense"), "400");
    EXPECT_EQ(answer("com.mongodb.realm-sync#14"), "com.mongodb.realm-sync#14");
}

TEST_F(ServerMust, s03_answer_bad_tokens_401_unknown_apps_404_and_browsers_by_a_close_code) {
    WireOptions options = server_.wire(server_.log_in());
    const std::string good = options.token;
    for (const std::string& bad : {std::string(), std::string("x.y.z"), good + "x"}) {
        options.token = bad;
        SyncWire wire(options);
        EXPECT_EQ(wire.status(), 401) << bad;
        EXPECT_LT(wire.socket().body().size(), 8192u);
    }
    options.headers = {{"Origin", "https://app.example"}};
    SyncWire browser(options);
    EXPECT_EQ(browser.status(), 101);
    EXPECT_EQ(browser.receive().close_code, 4001);
    EXPECT_TRUE(browser.receive().ended());
    options.headers.clear();
    options.token = good;
    options.app = "nobody-zzzzz";
    EXPECT_EQ(SyncWire(options).status(), 404);
    http::RawClient plain(server_.port());
    plain.send("GET /api/client/v2.0/app/islands-abcde/realm-sync?baas_at=" + good +
               " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(plain.receive().status, 400);
}

TEST_F(ServerMust, s05_close_tcp_after_a_close_frame) {
    Script script(server_, server_.log_in());
    script.wire().socket().send_frame(0x88, std::string("\x03\xe8", 2));
    const auto close = script.wire().receive();
    EXPECT_EQ(close.close_code, 1000); // echoed to who said it first
    EXPECT_TRUE(script.wire().receive().ended());
}

TEST_F(ServerMust, s06_parse_strictly_and_end_the_connection_on_bad_syntax) {
    for (const auto& [text, code] :
         std::vector<std::pair<std::string, int>>{{"ping  1 0\n", 103},
                                                  {"ping 1 0\r\n", 103},
                                                  {"ping +1 0\n", 103},
                                                  {"ping 1 0\nx", 103},
                                                  {"ping 1", 103},
                                                  {"bind 1 5 0 1 0\n{}", 103},
                                                  {"bind 0 2 0 1 0\n{}", 103},
                                                  {"mark 1 99999999999999999999\n", 103},
                                                  {"transact 1\n", 102},
                                                  {"refresh 1\n", 102}}) {
        Script script(server_, server_.log_in());
        script.wire().send_text(text);
        const auto answer = script.wire().receive();
        const auto* error = answer.as<protocol::JsonError>();
        ASSERT_NE(error, nullptr) << text << answer.head();
        EXPECT_EQ(error->code, code) << text;
        EXPECT_EQ(error->session.value, 0u);
        EXPECT_TRUE(script.wire().receive().ended()) << text;
    }
}

TEST_F(ServerMust, s06_end_oversize_messages_with_1009_never_104) {
    Script script(server_, server_.log_in());
    script.bind_new();
    // The declared size alone is beyond what an UPLOAD may be.
    script.wire().send_text("upload 1 1 999999999 10 0 0 0\n0123456789");
    const auto answer = script.wire().receive();
    EXPECT_EQ(answer.close_code, 1009) << answer.head();
    EXPECT_TRUE(script.wire().receive().ended());
}

TEST_F(ServerMust, s28_answer_ping_with_its_timestamp_and_so_before_anything_else) {
    Script script(server_, server_.log_in());
    for (const std::int64_t timestamp : {0LL, 8'123'456LL, 9'007'199'254'740'993LL}) {
        script.wire().send(protocol::Ping{timestamp, 17});
        const auto answer = script.wire().receive();
        ASSERT_NE(answer.as<protocol::Pong>(), nullptr) << answer.head();
        EXPECT_EQ(answer.as<protocol::Pong>()->timestamp_ms, timestamp);
    }
}

TEST_F(ServerMust, s41_answer_an_expired_token_401_on_reconnect_so_that_it_is_refreshed) {
    const std::string everything = R"q({"Item":"(TRUEPREDICATE)"})q";
    Login login = server_.log_in();
    const protocol::SaltedFileIdent file = Script(server_, login).open_file(everything);
    // What a client presents that was away for longer than its token lives.
    login.access_token = server_.expired(login.access_token);
    EXPECT_EQ(SyncWire(server_.wire(login)).status(), 401);
    WireOptions browser = server_.wire(login);
    browser.headers = {{"Origin", "https://app.example"}};
    SyncWire page(browser);
    EXPECT_EQ(page.status(), 101);
    EXPECT_EQ(page.receive().close_code, 4001);
    // The next access token goes on with the same file.
    login.access_token = refreshed_access_token(server_.port(), login.refresh_token);
    Script again(server_, login);
    again.bind(false);
    again.ident(file, {}, 1, everything);
    again.mark(1);
    EXPECT_FALSE(again.downloads_until_mark(1).empty());
}

TEST_F(ServerMust, s42_acknowledge_at_once_to_clients_that_leave_nagle_on) {
    WireOptions options = server_.wire(server_.log_in());
    options.no_delay = false;
    Script script(options);
    // The second small message waits in the client's system until the first is acknowledged.
    std::vector<std::chrono::microseconds> times;
    for (std::int64_t i = 0; i < 20; ++i) {
        const auto start = std::chrono::steady_clock::now();
        script.bind(false, static_cast<std::uint64_t>(i) + 1);
        script.wire().send(protocol::Ping{i, 0});
        const auto answer = script.wire().receive();
        ASSERT_NE(answer.as<protocol::Pong>(), nullptr) << answer.head();
        times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now() - start));
    }
    std::sort(times.begin(), times.end());
    EXPECT_LT(times[10].count(), 20'000);
}

TEST_F(ServerMust, s23_send_wrong_mode_clients_113_with_session_0) {
    WireOptions options = server_.wire(server_.log_in());
    options.subprotocols = "com.mongodb.realm-sync#14";
    Script script(options);
    script.wire().send_text("bind 1 5 0 1 0\n\"foo\"");
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->code, 113);
    EXPECT_EQ(error->session.value, 0u);
    EXPECT_EQ(error->body.action, protocol::ErrorAction::application_bug);
    EXPECT_FALSE(error->body.try_again);
}

TEST_F(ServerMust, a_stop_says_100_to_every_connection_and_ends_it) {
    Script script(server_, server_.log_in());
    script.bind_new();
    server_.stop();
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    ASSERT_NE(error, nullptr) << answer.head();
    EXPECT_EQ(error->code, 100);
    EXPECT_TRUE(error->body.try_again);
    EXPECT_EQ(error->body.action, protocol::ErrorAction::transient);
    EXPECT_TRUE(script.wire().receive().ended());
}

} // namespace
} // namespace tombolo::server
