// What a server answers that is asked for more than it can do.

#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server/api/dispatcher.hpp"

namespace tombolo::api {
namespace {

class Overload : public ::testing::Test {
  protected:
    Overload() : log_(server::Log::none()) {
        DispatcherOptions options;
        options.password_threads = 1;
        options.password_queue_max = 2;
        options.store_threads = 1;
        options.store_queue_max = 2;
        dispatcher_ = std::make_unique<Dispatcher>(std::move(options), *log_);
        add("/login", Pool::password);
        add("/profile", Pool::store);
    }
    ~Overload() override {
        dispatcher_->stop(); // before what its routes wait for
    }

    /// A request with the query "slow=1" runs until the others may be served.
    void add(const std::string& path, Pool pool) {
        Route route;
        route.pattern = path;
        route.pool = pool;
        route.run = [this](Call& call) {
            if (!call.request.query_value("slow").empty()) {
                running_.set_value();
                go_.wait();
            }
            return http::Response::json(200, "{}");
        };
        dispatcher_->add(std::move(route));
    }
    std::future<http::Response> ask(const std::string& path, const std::string& query = {}) {
        http::Request request;
        request.method = http::Method::get;
        request.path = path;
        request.query = query;
        auto answer = std::make_shared<std::promise<http::Response>>();
        dispatcher_->handle(std::move(request), http::Responder([answer](http::Response response) {
                                answer->set_value(std::move(response));
                            }));
        return answer->get_future();
    }
    /// One runs, two wait: no room for another.
    std::vector<std::future<http::Response>> fill(const std::string& path) {
        std::vector<std::future<http::Response>> out;
        out.push_back(ask(path, "slow=1"));
        running_.get_future().wait();
        out.push_back(ask(path));
        out.push_back(ask(path));
        return out;
    }
    void expect_refused(const std::string& path, int status) {
        const http::Response refused = ask(path).get();
        EXPECT_EQ(refused.status, status);
        EXPECT_TRUE(refused.headers.contains("retry-after"));
    }
    void expect_all_served(std::vector<std::future<http::Response>>& asked) {
        let_go_.set_value();
        for (auto& one : asked) {
            EXPECT_EQ(one.get().status, 200);
        }
    }

    std::unique_ptr<server::Log> log_;
    std::promise<void> running_;
    std::promise<void> let_go_;
    std::shared_future<void> go_{let_go_.get_future()};
    std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(Overload, beyond_the_queue_of_sign_ins_the_answer_is_429_and_the_rest_is_served) {
    auto asked = fill("/login");
    expect_refused("/login", 429);
    EXPECT_EQ(ask("/profile").get().status, 200);
    expect_all_served(asked);
    EXPECT_EQ(ask("/login").get().status, 200);
}

TEST_F(Overload, beyond_the_queue_of_the_store_the_answer_is_503_and_sign_ins_go_on) {
    auto asked = fill("/profile");
    expect_refused("/profile", 503);
    EXPECT_EQ(ask("/login").get().status, 200);
    expect_all_served(asked);
    EXPECT_EQ(ask("/profile").get().status, 200);
}

} // namespace
} // namespace tombolo::api
