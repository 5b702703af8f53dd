// Limits of a server (device-sync-server.md 8.3; section 11, H2 and H3): how many at a time, how
// large. Each is a setting.

#include <atomic>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "server/http/raw_client.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr const char* all_items = R"j({"Item":"(TRUEPREDICATE)"})j";

std::string request(const std::string& method, const std::string& path, const std::string& body) {
    return method + " " + path + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// What becomes of a message of that size which is nothing that the protocol knows.
int answer_to(const IslandsServer& server, std::size_t bytes) {
    Script script(server, server.log_in());
    std::string message(bytes, 'x');
    message[9] = '\n';
    script.wire().send_text(message);
    const auto answer = script.wire().receive();
    const auto* error = answer.as<protocol::JsonError>();
    return error != nullptr ? error->code : answer.close_code;
}

/// An UPLOAD of a little more than a MiB as sent; the close code, or 0 when it was integrated.
int answer_to_large_write(const IslandsServer& server) {
    Script script(server, server.log_in());
    script.open_file(all_items);
    // Nothing that deflate makes smaller.
    std::string name;
    std::uint64_t state = 88172645463325252U;
    while (name.size() < 2 * mebibyte) {
        state ^= state << 13U;
        state ^= state >> 7U;
        state ^= state << 17U;
        name += static_cast<char>('!' + state % 90U);
    }
    const std::uint64_t base = script.progress().download.server.value;
    script.upload({{9, base, item(1, name, "ann", 1)}}, {{9}, {base}}, base);
    const auto answer = script.wire().receive();
    return answer.close_code;
}

} // namespace

TEST(SyncLimits, h2_a_connection_beyond_the_limit_is_refused_with_a_retry_hint) {
    IslandsServer server([](Config& config) { config.sync_connections = 2; });
    std::optional<Script> first(std::in_place, server, server.log_in());
    const Script second(server, server.log_in());
    EXPECT_EQ(first->status(), 101);
    EXPECT_EQ(second.status(), 101);
    const WireOptions wire = server.wire(server.log_in());
    {
        SyncWire third(wire);
        EXPECT_EQ(third.status(), 503);
        EXPECT_EQ(third.socket().header("retry-after"), "1");
        EXPECT_NE(third.socket().body().find("too many sync connections"), std::string::npos);
    }
    first.reset();
    int status = 0;
    for (int tries = 0; status != 101 && tries < 1000; ++tries) { // until the server has seen it go
        status = SyncWire(wire).status();
    }
    EXPECT_EQ(status, 101);
    server.restart([](Config& config) { config.sync_connections = 3; });
    std::vector<std::unique_ptr<Script>> all;
    for (int i = 0; i < 3; ++i) {
        all.push_back(std::make_unique<Script>(server, server.log_in()));
        EXPECT_EQ(all.back()->status(), 101);
    }
}

TEST(SyncLimits, h2_a_request_beyond_the_limit_gets_429_with_a_retry_hint) {
    const IslandsServer server([](Config& config) { config.requests_running = 1; });
    const std::string app = std::string("/api/client/v2.0/app/") + islands_app;
    // Passwords are hashed slowly: there is always one of these.
    std::atomic<bool> is_done = false;
    std::thread busy([&] {
        http::RawClient client(server.port());
        for (int i = 0; !is_done; ++i) {
            client.send(request("POST", app + "/auth/providers/local-userpass/register",
                                R"({"email":"u)" + std::to_string(i) +
                                    R"(@example.com","password":"a long horse"})"));
            client.receive();
        }
    });
    http::RawClient client(server.port());
    bool is_refused = false;
    for (int tries = 0; !is_refused && tries < 10'000; ++tries) {
        client.send(request("GET", app + "/location", ""));
        const auto answer = client.receive();
        is_refused = answer.status == 429;
        EXPECT_EQ(is_refused, answer.has("Retry-After: 1"));
    }
    EXPECT_TRUE(is_refused);
    is_done = true;
    busy.join();
    client.send(request("GET", app + "/location", ""));
    EXPECT_EQ(client.receive().status, 200);
}

TEST(SyncLimits, h2_sign_ins_beyond_the_rate_of_an_address_get_429) {
    const IslandsServer server([](Config& config) {
        config.requests_per_minute = 60;
        config.request_burst = 2;
    });
    const std::string sign_in = request("POST",
                                        std::string("/api/client/v2.0/app/") + islands_app +
                                            "/auth/providers/anon-user/login",
                                        "{}");
    http::RawClient client(server.port());
    int refused = 0;
    for (int i = 0; i < 6; ++i) {
        client.send(sign_in);
        const auto answer = client.receive();
        EXPECT_EQ(answer.status == 429, answer.has("Retry-After: 1")) << answer.status;
        refused += answer.status == 429 ? 1 : 0;
    }
    EXPECT_GE(refused, 1);
    EXPECT_LE(refused, 4);
}

TEST(SyncLimits, h3_a_message_of_20_mebibytes_is_read_and_a_byte_more_ends_the_connection) {
    IslandsServer server;
    EXPECT_EQ(answer_to(server, 20 * mebibyte), 102);
    EXPECT_EQ(answer_to(server, 20 * mebibyte + 1), 1009);
    server.restart([](Config& config) { config.sync_message_megabytes = 21; });
    EXPECT_EQ(answer_to(server, 20 * mebibyte + 1), 102);
    EXPECT_EQ(answer_to(server, 21 * mebibyte + 1), 1009);
}

TEST(SyncLimits, h3_a_write_that_is_too_large_gets_through_when_the_limit_is_raised) {
    IslandsServer server([](Config& config) { config.sync_message_megabytes = 1; });
    EXPECT_EQ(answer_to_large_write(server), 1009);
    server.restart([](Config& config) { config.sync_message_megabytes = 20; });
    EXPECT_EQ(answer_to_large_write(server), 0);
}

} // namespace tombolo::server
