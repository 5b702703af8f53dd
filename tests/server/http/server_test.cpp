#include "server/http/server.hpp"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "server/http/raw_client.hpp"

namespace tombolo::http {
namespace {

using std::chrono::milliseconds;

// Echoes what it understood; "/slow" answers when released.
class Echo final : public Handler {
  public:
    std::size_t body_bytes_max(Method /*method*/, std::string_view path) const override {
        return path == "/large" ? 1'000'000 : 100;
    }
    void handle(Request request, Responder respond) override {
        if (request.path == "/dropped") {
            return; // destroys the responder
        }
        if (request.path == "/slow") {
            const std::lock_guard lock(mutex_);
            waiting_.push_back(std::make_unique<Responder>(std::move(respond)));
            arrived_.notify_all();
            return;
        }
        Response response =
            Response::text(200, std::string(method_name(request.method)) + " " + request.path +
                                    " q=" + request.query + " from=" + request.remote_address +
                                    (request.secure ? " tls" : "") + " " + request.body);
        respond(std::move(response));
    }
    Response refuse(int status, std::string_view reason,
                    const Request& /*request*/) const override {
        return Response::text(status, std::string(reason));
    }
    void served(const Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}

    void wait_for_slow(std::size_t count) {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [&] { return waiting_.size() >= count; });
    }
    void release() {
        const std::lock_guard lock(mutex_);
        for (const auto& respond : waiting_) {
            (*respond)(Response::text(200, "slow"));
        }
        waiting_.clear();
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::unique_ptr<Responder>> waiting_;
};

class HttpServer : public testing::Test {
  protected:
    void start() {
        server_ = Server::create(options_, echo_).value();
        server_->start();
    }
    void TearDown() override {
        echo_.release();
        if (server_) {
            server_->stop(milliseconds(5000));
        }
    }

    ServerOptions options_;
    Echo echo_;
    std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, answers_requests_one_after_another_on_a_kept_connection) {
    start();
    RawClient client(server_->port());
    client.send("GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto first = client.receive();
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(first.body, "GET /a b q=x=1 from=127.0.0.1 ");
    EXPECT_TRUE(first.has("x-appservices-request-id: "));
    EXPECT_TRUE(first.has("Date: "));
    client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(client.receive().body, "POST /p q= from=127.0.0.1 abc");
    EXPECT_EQ(server_->counts().requests_served, 2u);
}

TEST_F(HttpServer, answers_pipelined_requests_in_order) {
    start();
    RawClient client(server_->port());
    client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\n"
                "Content-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.receive().body, "GET /1 q= from=127.0.0.1 ");
    EXPECT_EQ(client.receive().body, "POST /2 q= from=127.0.0.1 hi");
    EXPECT_EQ(client.receive().body, "GET /3 q= from=127.0.0.1 ");
}

TEST_F(HttpServer, reads_a_request_that_comes_byte_by_byte) {
    start();
    RawClient client(server_->port());
    for (const char byte :
         std::string("POST /slowly HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok")) {
        client.send(std::string_view(&byte, 1));
    }
    EXPECT_EQ(client.receive().body, "POST /slowly q= from=127.0.0.1 ok");
}

TEST_F(HttpServer, reads_chunked_bodies_and_bounds_them) {
    start();
    RawClient client(server_->port());
    client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(client.receive().body, "POST /c q= from=127.0.0.1 abcde");
    client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
        client.send("a\r\n0123456789\r\n");
    }
    EXPECT_EQ(client.receive().status, 413);
}

TEST_F(HttpServer, refuses_bodies_beyond_the_routes_limit_before_reading_them) {
    start();
    RawClient client(server_->port());
    client.send("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n");
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(client.ended());
    RawClient second(server_->port());
    second.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n" +
                std::string(500'000, 'x'));
    EXPECT_EQ(second.receive().status, 200);
}

TEST_F(HttpServer, refuses_headers_beyond_the_limit) {
    options_.header_bytes_max = 2000;
    start();
    RawClient client(server_->port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(3000, 'x') + "\r\n\r\n");
    EXPECT_EQ(client.receive().status, 431);
    RawClient endless(server_->port());
    endless.send("GET /" + std::string(5000, 'a'));
    EXPECT_EQ(endless.receive().status, 431);
}

TEST_F(HttpServer, refuses_what_is_not_http_and_paths_that_climb) {
    start();
    for (const char* bad :
         {"NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET /%2e%2e/x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
          "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET relative HTTP/1.1\r\nHost: h\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        RawClient client(server_->port());
        client.send(bad);
        EXPECT_EQ(client.receive().status, 400) << bad;
        EXPECT_TRUE(client.ended()) << bad;
    }
}

TEST_F(HttpServer, answers_head_without_a_body_and_expect_continue) {
    start();
    RawClient client(server_->port());
    client.send("HEAD /h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    const auto head = client.receive();
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(head.body.empty());
    RawClient second(server_->port());
    second.send("POST /e HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(second.receive().status, 100);
    second.send("ok");
    EXPECT_EQ(second.receive().status, 200);
}

TEST_F(HttpServer, closes_idle_and_dawdling_connections) {
    options_.idle_timeout = milliseconds(60);
    options_.header_timeout = milliseconds(60);
    options_.body_timeout = milliseconds(60);
    start();
    RawClient idle(server_->port());
    RawClient half_head(server_->port());
    half_head.send("GET / HT");
    RawClient half_body(server_->port());
    half_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_TRUE(idle.ended());
    EXPECT_TRUE(half_head.ended());
    EXPECT_TRUE(half_body.ended());
}

TEST_F(HttpServer, beyond_its_limit_of_requests_it_answers_429_with_retry_after) {
    options_.requests_max = 1;
    start();
    RawClient busy(server_->port());
    busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    echo_.wait_for_slow(1);
    RawClient client(server_->port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto refused = client.receive();
    EXPECT_EQ(refused.status, 429);
    EXPECT_TRUE(refused.has("Retry-After: 1"));
    echo_.release();
    EXPECT_EQ(busy.receive().status, 200);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
}

TEST_F(HttpServer, turns_connections_away_beyond_the_limit) {
    options_.connections_max = 1;
    start();
    RawClient first(server_->port());
    first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(first.receive().status, 200);
    RawClient second(server_->port());
    EXPECT_EQ(second.receive().status, 503);
}

TEST_F(HttpServer, answers_500_when_a_handler_drops_the_request) {
    start();
    RawClient client(server_->port());
    client.send("GET /dropped HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.receive().status, 500);
}

TEST_F(HttpServer, stopping_lets_running_requests_finish_and_closes_idle_connections) {
    start();
    RawClient idle(server_->port());
    idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(idle.receive().status, 200);
    RawClient running(server_->port());
    running.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    echo_.wait_for_slow(1);
    std::thread stopping([&] { server_->stop(milliseconds(20'000)); });
    EXPECT_TRUE(idle.ended());
    echo_.release();
    const auto answer = running.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.has("Connection: close"));
    stopping.join();
    EXPECT_THROW(RawClient(server_->port()), std::runtime_error);
}

TEST_F(HttpServer, believes_forwarded_addresses_of_trusted_proxies_only) {
    start();
    RawClient stranger(server_->port());
    stranger.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n");
    EXPECT_NE(stranger.receive().body.find("from=127.0.0.1"), std::string::npos);
    server_->stop(milliseconds(1000));
    options_.trusted_proxies = {"127.0.0.1"};
    start();
    RawClient proxy(server_->port());
    proxy.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6, 9.9.9.9\r\n"
               "X-Forwarded-Proto: https\r\n\r\n");
    EXPECT_NE(proxy.receive().body.find("from=9.9.9.9 tls"), std::string::npos);
    RawClient adder(server_->port());
    adder.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6\r\n"
               "X-Forwarded-For: 9.9.9.9\r\n\r\n");
    EXPECT_NE(adder.receive().body.find("from=9.9.9.9"), std::string::npos);
}

TEST_F(HttpServer, names_what_is_wrong_with_its_options) {
    options_.address = "not an address";
    EXPECT_EQ(Server::create(options_, echo_).error().code(), ErrorCode::invalid_argument);
    options_.address = "127.0.0.1";
    start();
    ServerOptions same = options_;
    same.port = server_->port();
    const auto second = Server::create(same, echo_);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message().find(std::to_string(same.port)), std::string::npos);
    ServerOptions tls;
    tls.tls_certificate_file = "/nowhere.pem";
    tls.tls_key_file = "/nowhere.key";
    EXPECT_EQ(Server::create(tls, echo_).error().context(), "/nowhere.pem");
}

} // namespace
} // namespace tombolo::http
