#include "server/http/body_stream.hpp"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "server/http/raw_client.hpp"
#include "server/http/server.hpp"

namespace tombolo::http {
namespace {

using std::chrono::milliseconds;

TEST(BodyStream, refuses_what_does_not_fit_but_for_the_last_words) {
    BodyStream body(5);
    EXPECT_TRUE(body.write("abc"));
    EXPECT_FALSE(body.write("def"));
    body.finish("the end");
    EXPECT_FALSE(body.write(""));
    const BodyStream::Taken taken = body.take();
    EXPECT_EQ(taken.bytes, "abcthe end");
    EXPECT_TRUE(taken.end);
}

TEST(BodyStream, tells_its_maker_once_that_the_reader_is_gone) {
    BodyStream body(5);
    int told = 0;
    body.on_close([&] { ++told; });
    body.close();
    body.close();
    EXPECT_EQ(told, 1);
    body.on_close([&] { ++told; });
    EXPECT_EQ(told, 2);
    EXPECT_FALSE(body.write("x"));
}

TEST(BodyStream, wakes_the_connection_when_there_is_something_to_take) {
    BodyStream body(5);
    int woken = 0;
    const auto wake = [&] { ++woken; };
    body.wait(wake);
    EXPECT_EQ(woken, 0);
    EXPECT_TRUE(body.write("a"));
    EXPECT_TRUE(body.write("b"));
    EXPECT_EQ(woken, 1);
    body.wait(wake);
    EXPECT_EQ(woken, 2);
    static_cast<void>(body.take());
    body.wait(wake);
    body.finish();
    EXPECT_EQ(woken, 3);
}

// Every request gets one and the same stream.
class Streaming final : public Handler {
  public:
    std::size_t body_bytes_max(Method /*method*/, std::string_view /*path*/) const override {
        return 100;
    }
    void handle(Request /*request*/, Responder respond) override {
        Response response;
        response.headers.set("Content-Type", "text/event-stream");
        response.stream = stream;
        respond(std::move(response));
    }
    Response refuse(int status, std::string_view reason,
                    const Request& /*request*/) const override {
        return Response::text(status, std::string(reason));
    }
    void served(const Request& /*request*/, int /*status*/, std::size_t bytes,
                std::int64_t /*micros*/) const override {
        const std::lock_guard lock(mutex);
        served_bytes = bytes;
        changed.notify_all();
    }

    std::shared_ptr<BodyStream> stream = std::make_shared<BodyStream>(1000);
    mutable std::mutex mutex;
    mutable std::condition_variable changed;
    mutable std::optional<std::size_t> served_bytes; // guarded by mutex
};

class StreamedResponse : public testing::Test {
  protected:
    StreamedResponse() : server_(Server::create({}, handler_).value()) { server_->start(); }
    ~StreamedResponse() override { server_->stop(milliseconds(5000)); }

    Streaming handler_;
    std::unique_ptr<Server> server_;
};

TEST_F(StreamedResponse, comes_in_chunks_while_it_is_made_and_then_closes) {
    RawClient client(server_->port());
    ASSERT_TRUE(handler_.stream->write("data: 1\n\n"));
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto answer = client.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.has("Transfer-Encoding: chunked"));
    EXPECT_FALSE(answer.has("Content-Length"));
    EXPECT_EQ(client.receive_bytes(14), "9\r\ndata: 1\n\n\r\n");
    ASSERT_TRUE(handler_.stream->write("data: 2\n\n"));
    EXPECT_EQ(client.receive_bytes(14), "9\r\ndata: 2\n\n\r\n");
    handler_.stream->finish("bye");
    EXPECT_EQ(client.receive_bytes(13), "3\r\nbye\r\n0\r\n\r\n");
    EXPECT_TRUE(client.ended());
    std::unique_lock lock(handler_.mutex);
    handler_.changed.wait(lock, [&] { return handler_.served_bytes.has_value(); });
    EXPECT_EQ(handler_.served_bytes, 21U);
}

TEST_F(StreamedResponse, ends_for_its_maker_when_the_client_goes_away) {
    bool gone = false;
    handler_.stream->on_close([&] {
        const std::lock_guard lock(handler_.mutex);
        gone = true;
        handler_.changed.notify_all();
    });
    {
        RawClient client(server_->port());
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        EXPECT_EQ(client.receive().status, 200);
    }
    std::unique_lock lock(handler_.mutex);
    handler_.changed.wait(lock, [&] { return gone; });
}

TEST_F(StreamedResponse, is_cut_off_when_the_server_stops) {
    RawClient client(server_->port());
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.receive().status, 200);
    server_->stop(milliseconds(20'000));
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(handler_.stream->closed());
}

} // namespace
} // namespace tombolo::http
