// The tombolod program as its operator meets it.

#include <signal.h>

#include <filesystem>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/daemon/tombolod_process.hpp"
#include "server/http/raw_client.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::server {
namespace {

using http::RawClient;
using testing::HasSubstr;
using testing::Not;

std::string get(const std::string& path) {
    return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string post(const std::string& path, const std::string& body) {
    return "POST " + path +
           " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}
RawClient::Answer ask(std::uint16_t port, const std::string& request) {
    RawClient client(port);
    client.send(request);
    return client.receive();
}

class Process : public testing::Test {
  protected:
    std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
        std::vector<std::string> all{"--data", folder_.file("data"), "--listen", "127.0.0.1:0"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    // A start that is expected to succeed.
    Tombolod& start(std::vector<std::string> more = {}) {
        server_.reset();
        server_.emplace(arguments(std::move(more)),
                        folder_.file("output" + std::to_string(starts_++)));
        if (!server_->wait_ready()) {
            throw std::runtime_error(server_->output());
        }
        return *server_;
    }

    // A start that is expected to fail: what it says.
    std::string refused(const std::vector<std::string>& all, int exit) {
        Tombolod server(all, folder_.file("refused" + std::to_string(starts_++)));
        EXPECT_EQ(server.wait_exit(), exit);
        return server.output();
    }

    std::string write_app(const std::string& deployment_model) const {
        folder_.write("app/realm_config.json",
                      R"({"name":"shop","app_id":"shop-abcde","config_version":20210101,)"
                      R"("location":"US-VA","deployment_model":")" +
                          deployment_model + R"("})");
        folder_.write("app/auth/providers.json",
                      R"({"anon-user":{"name":"anon-user","type":"anon-user","disabled":false}})");
        return folder_.file("app");
    }

    TemporaryFolder folder_;
    std::optional<Tombolod> server_;
    int starts_ = 0;
};

constexpr const char* location = "/api/client/v2.0/app/shop-abcde/location";
constexpr const char* anonymous_login =
    "/api/client/v2.0/app/shop-abcde/auth/providers/anon-user/login";

TEST_F(Process, prints_the_one_time_administrator_password_at_the_first_start_only) {
    EXPECT_THAT(start().output(), HasSubstr("administrator admin created; one-time password: "));
    server_->signal(SIGTERM);
    EXPECT_EQ(server_->wait_exit(), 0);
    EXPECT_THAT(start().output(), Not(HasSubstr("administrator")));
}

TEST_F(Process, keeps_the_one_time_password_for_a_start_that_succeeds) {
    EXPECT_THAT(refused(arguments({"--app", folder_.file("absent")}), 1),
                Not(HasSubstr("password")));
    EXPECT_THAT(start().output(), HasSubstr("one-time password: "));
}

TEST_F(Process, takes_the_administrator_from_a_file_and_never_prints_a_chosen_password) {
    const std::string file = folder_.write("password", "a chosen secret\n");
    const std::string output =
        start({"--admin-user", "ada", "--admin-password-file", file}).output();
    EXPECT_THAT(output, HasSubstr("administrator ada created\n"));
    EXPECT_THAT(output, Not(HasSubstr("chosen secret")));
}

TEST_F(Process, stops_cleanly_at_sigterm_and_sigint) {
    for (const int number : {SIGTERM, SIGINT}) {
        start();
        RawClient idle(server_->port());
        server_->signal(number);
        EXPECT_EQ(server_->wait_exit(), 0);
        EXPECT_TRUE(idle.ended());
    }
}

TEST_F(Process, answers_requests_under_way_before_it_stops) {
    start({"--app", write_app("GLOBAL")});
    RawClient client(server_->port());
    client.send(get(location));
    EXPECT_EQ(client.receive().status, 200);
    // Half a request is not one under way; a whole one is answered even when the signal is there.
    client.send(post(anonymous_login, "{}"));
    server_->signal(SIGTERM);
    const int status = client.receive().status;
    EXPECT_TRUE(status == 200 || status == 0) << status; // 0: the signal came before the request
    EXPECT_EQ(server_->wait_exit(), 0);
}

TEST_F(Process, keeps_what_was_acknowledged_over_a_kill) {
    const std::string app = write_app("GLOBAL");
    start({"--app", app});
    const RawClient::Answer signed_in = ask(server_->port(), post(anonymous_login, "{}"));
    ASSERT_EQ(signed_in.status, 200) << signed_in.body;
    const std::string mark = "\"access_token\":\"";
    const std::size_t at = signed_in.body.find(mark) + mark.size();
    const std::string token = signed_in.body.substr(at, signed_in.body.find('"', at) - at);
    server_->signal(SIGKILL);
    EXPECT_EQ(server_->wait_exit(), -SIGKILL);
    start();
    EXPECT_EQ(ask(server_->port(), "GET /api/client/v2.0/auth/profile HTTP/1.1\r\nHost: h\r\n"
                                   "Authorization: Bearer " +
                                       token + "\r\n\r\n")
                  .status,
              200);
}

TEST_F(Process, reloads_app_directories_at_sighup) {
    start({"--app", write_app("GLOBAL")});
    EXPECT_THAT(ask(server_->port(), get(location)).body, HasSubstr("GLOBAL"));
    write_app("LOCAL");
    server_->signal(SIGHUP);
    ASSERT_TRUE(server_->wait_for("reloaded certificates and app directories"));
    EXPECT_THAT(ask(server_->port(), get(location)).body, HasSubstr("LOCAL"));
}

TEST_F(Process, keeps_the_old_app_when_the_new_one_is_broken) {
    start({"--app", write_app("GLOBAL")});
    folder_.write("app/realm_config.json", "{");
    server_->signal(SIGHUP);
    ASSERT_TRUE(server_->wait_for("not reloaded; what was in use stays in use"));
    EXPECT_THAT(server_->output(), HasSubstr("realm_config.json"));
    EXPECT_EQ(ask(server_->port(), get(location)).status, 200);
}

TEST_F(Process, reloads_the_log_level_at_sighup) {
    const std::string file = folder_.write("c.toml", "log_level = 'info'\n");
    start({"--config", file, "--app", write_app("GLOBAL")});
    folder_.write("c.toml", "log_level = 'debug'\n");
    server_->signal(SIGHUP);
    ASSERT_TRUE(server_->wait_for("reloaded certificates and app directories"));
    EXPECT_EQ(ask(server_->port(), get(location)).status, 200);
    EXPECT_TRUE(server_->wait_for("served"));
}

TEST_F(Process, says_who_holds_the_data_folder) {
    start();
    const std::string said = refused(arguments(), 1);
    EXPECT_THAT(said, HasSubstr("another process has the store open"));
    EXPECT_EQ(ask(server_->port(), get("/")).status, 200);
}

TEST_F(Process, says_that_the_port_is_taken) {
    start();
    const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
    const std::string said = refused({"--data", folder_.file("other"), "--listen", taken}, 1);
    EXPECT_THAT(said, HasSubstr("cannot listen on " + taken));
    EXPECT_THAT(said, HasSubstr("in use"));
}

TEST_F(Process, ends_with_2_on_wrong_options_and_1_on_a_wrong_world) {
    EXPECT_THAT(refused({"--data", "d", "--listen", "0.0.0.0:0"}, 2), HasSubstr("without TLS"));
    EXPECT_THAT(refused({"--nonsense"}, 2), HasSubstr("--help"));
    EXPECT_THAT(refused(arguments({"--app", folder_.file("absent")}), 1), HasSubstr("absent"));
    EXPECT_THAT(refused(arguments({"--admin-password", "short"}), 1), HasSubstr("6 to 128"));
    const std::string file = folder_.write("a file", "");
    EXPECT_THAT(refused({"--data", file + "/data"}, 1), HasSubstr("cannot make the data folder"));
}

TEST_F(Process, shows_metrics_health_and_readiness) {
    start({"--metrics-listen", "127.0.0.1:0", "--app", write_app("GLOBAL")});
    EXPECT_EQ(ask(server_->port(), get(location)).status, 200);
    const std::uint16_t port = server_->metrics_port();
    EXPECT_NE(port, server_->port());
    EXPECT_EQ(ask(port, get("/health")).body, "ok\n");
    EXPECT_EQ(ask(port, get("/ready")).body, "ready\n");
    // A request is counted just after its response went out.
    RawClient::Answer metrics;
    for (int tries = 0; tries < 1000 && !metrics.has_body("status=\"200\""); ++tries) {
        metrics = ask(port, get("/metrics"));
    }
    EXPECT_EQ(metrics.status, 200);
    EXPECT_TRUE(metrics.has("text/plain; version=0.0.4"));
    for (const char* name :
         {"tombolo_http_requests_total{", "tombolo_http_request_seconds_total{",
          "tombolo_http_connections ", "tombolo_http_refused_total ",
          "tombolo_store_commits_total ", "tombolo_store_disk_bytes ", "tombolo_store_version "}) {
        EXPECT_THAT(metrics.body, HasSubstr(name));
    }
    EXPECT_THAT(metrics.body, HasSubstr("status=\"200\""));
    EXPECT_EQ(ask(port, get("/else")).status, 404);
    EXPECT_EQ(ask(server_->port(), get("/metrics")).status, 404); // never on the public listener
}

TEST_F(Process, writes_json_logs_to_a_file) {
    const std::string log = folder_.file("log");
    start({"--log-file", log, "--log-format", "json", "--app", write_app("GLOBAL")});
    server_->signal(SIGTERM);
    EXPECT_EQ(server_->wait_exit(), 0);
    EXPECT_THAT(read_file(log), HasSubstr("\"message\":\"app deployed\""));
    EXPECT_THAT(read_file(log), HasSubstr("\"app\":\"shop-abcde\""));
    EXPECT_THAT(server_->output(), Not(HasSubstr("app deployed")));
}

TEST_F(Process, refuses_a_store_whose_master_key_is_gone) {
    start();
    server_->signal(SIGTERM);
    EXPECT_EQ(server_->wait_exit(), 0);
    ASSERT_TRUE(std::filesystem::remove(folder_.file("data/master.key")));
    const std::string said = refused(arguments(), 1);
    EXPECT_THAT(said, HasSubstr("master key"));
}

TEST_F(Process, raises_its_limit_of_open_files) {
    start();
    // The hard limit is what the environment allows.
    const std::string limits = read_file("/proc/" + std::to_string(server_->pid()) + "/limits");
    const std::size_t at = limits.find("Max open files");
    ASSERT_NE(at, std::string::npos);
    char soft[32] = {};
    char hard[32] = {};
    ASSERT_EQ(std::sscanf(limits.c_str() + at, "Max open files %31s %31s", soft, hard), 2);
    EXPECT_STREQ(soft, hard);
}

} // namespace
} // namespace tombolo::server
