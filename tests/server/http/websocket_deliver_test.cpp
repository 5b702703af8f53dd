// WebSocket::deliver(): what another thread writes.

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "server/http/server.hpp"
#include "server/http/websocket.hpp"
#include "support/websocket_client.hpp"

namespace tombolo::http {
namespace {

using tombolo::testing::WebSocketClient;

class Receiver final : public WebSocketHandler {
  public:
    void opened(std::shared_ptr<WebSocket> socket) override {
        socket_.set_value(std::move(socket));
    }
    void received(BinaryMessage /*message*/) override {}
    void written(std::size_t bytes) override { written_ += bytes; }
    void stopping() override {}
    void closed() override {}

    std::shared_ptr<WebSocket> socket() { return socket_.get_future().get(); }
    std::size_t written() const { return written_; }

  private:
    std::promise<std::shared_ptr<WebSocket>> socket_;
    std::atomic<std::size_t> written_{0};
};

class Acceptor final : public Handler {
  public:
    std::size_t body_bytes_max(Method /*method*/, std::string_view /*path*/) const override {
        return 0;
    }
    void handle(Request request, Responder respond) override {
        respond(websocket_response(request, "", {receiver, {}}).value());
    }
    Response refuse(int status, std::string_view reason,
                    const Request& /*request*/) const override {
        return Response::text(status, std::string(reason));
    }
    void served(const Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}

    std::shared_ptr<Receiver> receiver = std::make_shared<Receiver>();
};

class Deliver : public ::testing::Test {
  protected:
    Deliver() : server_(Server::create({}, acceptor_).value()) { server_->start(); }
    ~Deliver() override { server_->stop(std::chrono::milliseconds(0)); }

    WebSocketClient connect(int receive_buffer_bytes = 0) {
        tombolo::testing::WebSocketClientOptions options;
        options.port = server_->port();
        options.receive_buffer_bytes = receive_buffer_bytes;
        return WebSocketClient(options);
    }

    Acceptor acceptor_;
    std::unique_ptr<Server> server_;
};

// Its number, and as much more as asked for.
BinaryMessage message_of(int number, std::size_t bytes) {
    const std::string text = std::to_string(number) + " " + std::string(bytes, 'x');
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

TEST_F(Deliver, small_messages_are_written_at_once) {
    WebSocketClient client = connect();
    const auto socket = acceptor_.receiver->socket();
    std::vector<BinaryMessage> messages;
    std::size_t bytes = 0;
    for (int i = 0; i < 40; ++i) {
        messages.push_back(message_of(i, 100));
        bytes += messages.back().size();
    }
    EXPECT_EQ(socket->deliver(std::move(messages)), bytes);
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(std::atoi(client.receive().payload.c_str()), i);
    }
}

TEST_F(Deliver, a_slow_reader_gets_everything_in_order_and_the_bytes_are_counted_once) {
    constexpr int rounds = 200;
    WebSocketClient client = connect(4096);
    const auto socket = acceptor_.receiver->socket();
    std::size_t at_once = 0;
    std::size_t bytes = 0;
    std::thread writer([&] {
        for (int i = 0; i < rounds; ++i) {
            std::vector<BinaryMessage> messages;
            messages.push_back(message_of(2 * i, 50'000));
            messages.push_back(message_of(2 * i + 1, 10));
            bytes += messages[0].size() + messages[1].size();
            at_once += socket->deliver(std::move(messages));
        }
    });
    for (int i = 0; i < 2 * rounds; ++i) {
        if (i % 50 == 0) {
            client.send_frame(0x89, "p"); // a PONG is written on the connection's own thread
        }
        WebSocketClient::Received received = client.receive();
        while (received.kind == WebSocketClient::Kind::pong) {
            received = client.receive();
        }
        ASSERT_EQ(received.kind, WebSocketClient::Kind::binary);
        ASSERT_EQ(std::atoi(received.payload.c_str()), i);
        ASSERT_GE(received.payload.size(), i % 2 == 0 ? 50'000U : 10U);
    }
    writer.join();
    while (at_once + acceptor_.receiver->written() < bytes) {
        std::this_thread::yield();
    }
    EXPECT_EQ(at_once + acceptor_.receiver->written(), bytes);
}

TEST_F(Deliver, what_is_delivered_before_a_close_goes_before_it) {
    WebSocketClient client = connect(4096);
    const auto socket = acceptor_.receiver->socket();
    std::vector<BinaryMessage> messages;
    for (int i = 0; i < 20; ++i) {
        messages.push_back(message_of(i, 100'000));
    }
    socket->deliver(std::move(messages));
    socket->post([socket] { socket->close(4001, "enough"); });
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(std::atoi(client.receive().payload.c_str()), i);
    }
    const auto last = client.receive();
    EXPECT_EQ(last.kind, WebSocketClient::Kind::close);
    EXPECT_EQ(last.code, 4001);
    std::vector<BinaryMessage> late;
    late.push_back(message_of(0, 1));
    EXPECT_EQ(socket->deliver(std::move(late)), 0U);
}

} // namespace
} // namespace tombolo::http
