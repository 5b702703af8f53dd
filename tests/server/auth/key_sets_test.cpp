// Key sets against a listener in this process, on a clock of the test's own.

#include "server/auth/key_sets.hpp"

#include <atomic>

#include <gtest/gtest.h>

#include "server/http/server.hpp"

namespace tombolo::auth {
namespace {

// Answers every request with the text of the moment, or 503 when there is none.
class SetServer final : public http::Handler {
  public:
    std::size_t body_bytes_max(http::Method /*method*/, std::string_view /*path*/) const override {
        return 0;
    }
    void handle(http::Request /*request*/, http::Responder respond) override {
        ++fetches;
        const std::lock_guard lock(mutex_);
        respond(text_.empty() ? http::Response::empty(503) : http::Response::json(200, text_));
    }
    http::Response refuse(int status, std::string_view /*reason*/,
                          const http::Request& /*request*/) const override {
        return http::Response::empty(status);
    }
    void served(const http::Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}

    void set(std::string text) {
        const std::lock_guard lock(mutex_);
        text_ = std::move(text);
    }
    std::atomic<int> fetches{0};

  private:
    std::mutex mutex_;
    std::string text_ = "first";
};

class KeySetsTest : public testing::Test {
  protected:
    KeySetsTest() {
        http::ServerOptions options;
        options.address = "127.0.0.1";
        options.port = 0;
        server_ = http::Server::create(options, handler_).value();
        server_->start();
        url_ = "http://127.0.0.1:" + std::to_string(server_->port()) + "/keys";
    }
    ~KeySetsTest() override { server_->stop(std::chrono::milliseconds(1000)); }

    std::string fetch(bool refetch = false) {
        const auto text = sets_.fetch(url_, refetch);
        return text ? *text : "error";
    }

    std::int64_t now_ms_ = 1'700'000'000'000;
    SetServer handler_;
    std::unique_ptr<http::Server> server_;
    std::string url_;
    KeySets sets_{KeySetOptions{true}, [this] { return now_ms_; }};
};

TEST_F(KeySetsTest, a_set_is_kept_for_five_minutes) {
    EXPECT_EQ(fetch(), "first");
    handler_.set("second");
    now_ms_ += 300'000;
    EXPECT_EQ(fetch(), "first");
    EXPECT_EQ(handler_.fetches, 1);
    now_ms_ += 1;
    EXPECT_EQ(fetch(), "second");
    EXPECT_EQ(handler_.fetches, 2);
}

TEST_F(KeySetsTest, early_fetches_happen_once_in_ten_seconds) {
    EXPECT_EQ(fetch(), "first");
    handler_.set("second");
    EXPECT_EQ(fetch(true), "first");
    now_ms_ += 10'000;
    EXPECT_EQ(fetch(true), "second");
    EXPECT_EQ(fetch(true), "second");
    EXPECT_EQ(handler_.fetches, 2);
}

TEST_F(KeySetsTest, the_last_good_set_serves_for_a_day_while_the_url_fails) {
    EXPECT_EQ(fetch(), "first");
    handler_.set("");
    now_ms_ += 600'000;
    EXPECT_EQ(fetch(), "first");
    now_ms_ += std::int64_t{24} * 3'600'000;
    EXPECT_EQ(fetch(), "error");
    handler_.set("second");
    now_ms_ += 10'000;
    EXPECT_EQ(fetch(), "second");
}

TEST_F(KeySetsTest, sets_beyond_256_kilobytes_are_not_taken) {
    handler_.set(std::string(std::size_t{257} * 1024, 'x'));
    EXPECT_EQ(fetch(), "error");
}

TEST_F(KeySetsTest, private_addresses_and_http_are_refused_by_default) {
    KeySets strict(KeySetOptions{}, [this] { return now_ms_; });
    EXPECT_FALSE(strict.fetch(url_, false));
    EXPECT_FALSE(strict.fetch("https://127.0.0.1:" + std::to_string(server_->port()) + "/", false));
    EXPECT_FALSE(strict.fetch("https://localhost:" + std::to_string(server_->port()) + "/", false));
    EXPECT_FALSE(strict.fetch("file:///etc/hostname", false));
    EXPECT_EQ(handler_.fetches, 0);
}

} // namespace
} // namespace tombolo::auth
