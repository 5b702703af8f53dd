#include "server/http/websocket.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>

#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "server/http/server.hpp"
#include "server/http/websocket_frames.hpp"
#include "support/websocket_client.hpp"

namespace tombolo::http {
namespace {

using std::chrono::milliseconds;
using tombolo::testing::WebSocketClient;
using Kind = WebSocketClient::Kind;

BinaryMessage message_of(std::string_view text) {
    const ByteView bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

// What a connection's handler was told, for the test's thread.
struct Told {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> events;
    std::shared_ptr<WebSocket> socket;

    void add(std::string event) {
        const std::lock_guard lock(mutex);
        events.push_back(std::move(event));
        changed.notify_all();
    }
    bool wait_for(const std::string& event, std::size_t count = 1) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(30), [&] {
            return static_cast<std::size_t>(std::count(events.begin(), events.end(), event)) >=
                   count;
        });
    }
};

// Echoes; some messages are commands.
class Echo final : public WebSocketHandler {
  public:
    explicit Echo(std::shared_ptr<Told> told) : told_(std::move(told)) {}

    void opened(std::shared_ptr<WebSocket> socket) override {
        socket_ = std::move(socket);
        {
            const std::lock_guard lock(told_->mutex);
            told_->socket = socket_;
        }
        told_->add("opened");
    }
    void received(BinaryMessage message) override {
        const std::string text(as_text(message));
        if (text == "close") {
            socket_->send(message_of("last"));
            socket_->close(4001, "token expired");
            socket_->send(message_of("never"));
        } else if (text == "end") {
            socket_->send(message_of("last"));
            socket_->close(0, "");
        } else if (text == "throw") {
            throw Error(ErrorCode::internal, "by request");
        } else if (text == "pause") {
            socket_->pause();
            told_->add("paused");
        } else if (text == "flood") {
            for (int i = 0; i < 64; ++i) {
                socket_->send(BinaryMessage(std::size_t{256} * 1024, std::byte{0x61}));
            }
            socket_->send(message_of("urgent"), SendOrder::first);
            told_->add("flooded");
        } else {
            told_->add(text.size() > 20 ? "large" : text);
            socket_->send(std::move(message));
        }
    }
    void written(std::size_t bytes) override {
        written_ += bytes;
        if (written_ == std::size_t{64} * 256 * 1024 + 6) {
            told_->add("drained");
        }
    }
    void stopping() override {
        socket_->send(message_of("bye"));
        socket_->close(1001, "stopping");
    }
    void closed() override {
        socket_.reset();
        told_->add("closed");
    }

  private:
    std::shared_ptr<Told> told_;
    std::shared_ptr<WebSocket> socket_;
    std::size_t written_ = 0;
};

class Acceptor final : public Handler {
  public:
    std::size_t body_bytes_max(Method /*method*/, std::string_view /*path*/) const override {
        return 100;
    }
    void handle(Request request, Responder respond) override {
        Upgrade upgrade{std::make_shared<Echo>(told), limits};
        Result<Response> response = websocket_response(request, "proto#1", std::move(upgrade));
        respond(response ? *std::move(response) : Response::text(400, response.error().what()));
    }
    Response refuse(int status, std::string_view reason,
                    const Request& /*request*/) const override {
        return Response::text(status, std::string(reason));
    }
    void served(const Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}

    std::shared_ptr<Told> told = std::make_shared<Told>();
    WebSocketLimits limits;
};

class WebSocketServer : public ::testing::Test {
  protected:
    void start() {
        server_ = Server::create(options_, acceptor_).value();
        server_->start();
    }
    WebSocketClient connect(int receive_buffer_bytes = 0) {
        tombolo::testing::WebSocketClientOptions options;
        options.port = server_->port();
        options.receive_buffer_bytes = receive_buffer_bytes;
        return WebSocketClient(options);
    }
    Told& told() { return *acceptor_.told; }
    void TearDown() override {
        if (server_) {
            server_->stop(milliseconds(5000));
        }
        const std::lock_guard lock(told().mutex);
        told().socket.reset();
    }

    ServerOptions options_;
    Acceptor acceptor_;
    std::unique_ptr<Server> server_;
};

TEST_F(WebSocketServer, accepts_the_upgrade_and_carries_binary_messages_both_ways) {
    start();
    auto client = connect();
    ASSERT_EQ(client.status(), 101);
    EXPECT_EQ(client.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    EXPECT_EQ(client.header("sec-websocket-protocol"), "proto#1");
    EXPECT_EQ(client.header("content-length"), "");
    for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 1'000'000U}) {
        const std::string message(size, 'x');
        client.send(message);
        const auto answer = client.receive();
        EXPECT_EQ(answer.kind, Kind::binary);
        EXPECT_EQ(answer.payload, message);
    }
}

TEST(WebSocketUpgrade, is_refused_unless_it_is_proper) {
    Request request;
    request.method = Method::get;
    EXPECT_FALSE(websocket_response(request, "", {}));
    request.headers.add("Upgrade", "h2c, WebSocket");
    request.headers.add("Connection", "keep-alive, Upgrade");
    EXPECT_FALSE(websocket_response(request, "", {}));
    request.headers.add("Sec-WebSocket-Version", "13");
    EXPECT_FALSE(websocket_response(request, "", {}));
    request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=");
    EXPECT_FALSE(websocket_response(request, "", {}));
    request.headers.set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    EXPECT_TRUE(websocket_response(request, "", {}));
    request.method = Method::post;
    EXPECT_FALSE(websocket_response(request, "", {}));
}

TEST_F(WebSocketServer,
       reads_messages_that_came_with_the_upgrade_and_in_fragments_with_pings_between) {
    start();
    auto client = connect();
    client.send_frame(0x02, "ab");
    client.send_frame(0x89, "ping");
    client.send_frame(0x00, "");
    client.send_frame(0x80, "cd");
    const auto pong = client.receive();
    EXPECT_EQ(pong.kind, Kind::pong);
    EXPECT_EQ(pong.payload, "ping");
    EXPECT_EQ(client.receive().payload, "abcd");
    client.send_frame(0x8a, "unasked"); // ignored
    client.send("on");
    EXPECT_EQ(client.receive().payload, "on");
}

TEST_F(WebSocketServer, faults_end_the_connection_with_their_code) {
    start();
    struct Case {
        std::uint8_t first;
        std::string payload;
        bool masked;
        std::uint16_t code;
    };
    for (const Case& one :
         {Case{0x82, "x", false, 1002}, Case{0xc2, "x", true, 1002}, Case{0x83, "x", true, 1002},
          Case{0x80, "x", true, 1002}, Case{0x09, "x", true, 1002},
          Case{0x89, std::string(126, 'x'), true, 1002}, Case{0x81, "text", true, 1003}}) {
        auto client = connect();
        client.send_frame(one.first, one.payload, one.masked);
        const auto answer = client.receive();
        EXPECT_EQ(answer.kind, Kind::close);
        EXPECT_EQ(answer.code, one.code);
        EXPECT_EQ(client.receive().kind, Kind::ended);
    }
}

TEST_F(WebSocketServer, larger_messages_than_the_limit_end_with_1009_before_they_are_read) {
    acceptor_.limits.message_bytes_max = 1000;
    start();
    auto client = connect();
    client.send(std::string(1000, 'x'));
    EXPECT_EQ(client.receive().payload.size(), 1000u);
    client.send_frame(0x02, std::string(600, 'x'));
    client.send_frame(0x80, std::string(401, 'x'));
    EXPECT_EQ(client.receive().code, 1009);
    auto other = connect();
    // The head alone, of 2^62 bytes.
    other.send_bytes(std::string("\x82\xff\x40\0\0\0\0\0\0\0mask", 14));
    EXPECT_EQ(other.receive().code, 1009);
    EXPECT_EQ(other.receive().kind, Kind::ended);
}

TEST_F(WebSocketServer, close_sends_what_is_queued_then_the_code_then_ends_tcp) {
    start();
    auto client = connect();
    client.send("close");
    EXPECT_EQ(client.receive().payload, "last");
    const auto close = client.receive();
    EXPECT_EQ(close.kind, Kind::close);
    EXPECT_EQ(close.code, 4001);
    EXPECT_EQ(close.payload, "token expired");
    EXPECT_EQ(client.receive().kind, Kind::ended);
    client.finish();
    EXPECT_TRUE(told().wait_for("closed"));

    auto second = connect();
    second.send("end");
    EXPECT_EQ(second.receive().payload, "last");
    EXPECT_EQ(second.receive().kind, Kind::ended);
}

TEST_F(WebSocketServer, answers_a_close_with_its_code_and_tells_the_handler) {
    start();
    auto client = connect();
    client.send_frame(0x88, std::string("\x0f\xa1why", 5));
    const auto close = client.receive();
    EXPECT_EQ(close.code, 4001);
    EXPECT_EQ(close.payload, "");
    EXPECT_EQ(client.receive().kind, Kind::ended);
    auto cut = connect();
    cut.send("x");
    EXPECT_EQ(cut.receive().payload, "x");
    cut.abort();
    client.finish();
    EXPECT_TRUE(told().wait_for("closed", 2));
}

TEST_F(WebSocketServer, a_failing_handler_ends_its_own_connection_only) {
    start();
    auto other = connect();
    auto client = connect();
    client.send("throw");
    EXPECT_EQ(client.receive().kind, Kind::ended);
    EXPECT_TRUE(told().wait_for("closed"));
    other.send("still here");
    EXPECT_EQ(other.receive().payload, "still here");
}

TEST_F(WebSocketServer, a_paused_connection_is_read_again_after_resume) {
    start();
    auto client = connect();
    client.send("pause");
    ASSERT_TRUE(told().wait_for("paused"));
    client.send("later");
    EXPECT_EQ(client.receive(milliseconds(50)).kind, Kind::timeout);
    std::shared_ptr<WebSocket> socket;
    {
        const std::lock_guard lock(told().mutex);
        socket = told().socket;
    }
    socket->post([socket] { socket->resume(); });
    EXPECT_EQ(client.receive().payload, "later");
}

TEST_F(WebSocketServer, a_slow_reader_holds_nobody_up_and_gets_everything) {
    options_.io_threads = 1;
    start();
    auto slow = connect(4096);
    slow.send("flood");
    ASSERT_TRUE(told().wait_for("flooded"));
    auto quick = connect();
    for (int i = 0; i < 10; ++i) {
        quick.send("quick");
        EXPECT_EQ(quick.receive().payload, "quick");
    }
    // The urgent message overtakes all but what is being written.
    int urgent_at = -1;
    for (int i = 0; i < 65; ++i) {
        const auto got = slow.receive();
        ASSERT_EQ(got.kind, Kind::binary) << i;
        if (got.payload == "urgent") {
            urgent_at = i;
        } else {
            EXPECT_EQ(got.payload.size(), 256u * 1024);
        }
    }
    EXPECT_GE(urgent_at, 0);
    EXPECT_LE(urgent_at, 1);
    EXPECT_TRUE(told().wait_for("drained"));
}

TEST_F(WebSocketServer, a_reader_that_takes_nothing_is_cut_off) {
    options_.write_timeout = milliseconds(100);
    start();
    auto stuck = connect(4096);
    stuck.send("flood");
    EXPECT_TRUE(told().wait_for("closed"));
}

TEST_F(WebSocketServer, a_silent_client_is_given_up) {
    options_.write_timeout = milliseconds(40);
    acceptor_.limits.silence_seconds = 0;
    start();
    auto silent = connect();
    EXPECT_EQ(silent.receive().kind, Kind::ended);
    EXPECT_TRUE(told().wait_for("closed"));
}

TEST_F(WebSocketServer, stopping_lets_handlers_say_goodbye) {
    start();
    auto client = connect();
    client.send("x");
    EXPECT_EQ(client.receive().payload, "x");
    server_->stop(milliseconds(10'000));
    EXPECT_EQ(client.receive().payload, "bye");
    EXPECT_EQ(client.receive().code, 1001);
    EXPECT_TRUE(told().wait_for("closed"));
}

TEST(WebSocketFrames, read_the_same_however_the_bytes_come) {
    // A fragmented message with a ping inside, a long one, a close.
    const auto frame = [](unsigned first, std::string_view payload) {
        std::string out(1, static_cast<char>(first));
        if (payload.size() < 126) {
            out.push_back(static_cast<char>(0x80 | payload.size()));
        } else {
            out += {static_cast<char>(0xfe), static_cast<char>(payload.size() >> 8),
                    static_cast<char>(payload.size() & 0xff)};
        }
        out += "MASK";
        for (std::size_t i = 0; i < payload.size(); ++i) {
            out.push_back(static_cast<char>(payload[i] ^ "MASK"[i % 4]));
        }
        return out;
    };
    const std::string stream = frame(0x02, "one ") + frame(0x89, "?") + frame(0x80, "message") +
                               frame(0x82, std::string(300, 'y')) + frame(0x82, "") +
                               frame(0x88, "\x03\xe9");
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        FrameReader reader(1000);
        std::string seen;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            ByteView bytes = as_bytes(std::string_view(stream).substr(at, step));
            while (!bytes.empty()) {
                const auto event = reader.read(bytes);
                if (event.kind != FrameReader::Kind::need_more) {
                    seen += std::to_string(static_cast<int>(event.kind)) + ":" +
                            std::string(as_text(event.payload)) + ";";
                }
            }
        }
        EXPECT_EQ(seen, "3:?;1:one message;1:" + std::string(300, 'y') + ";1:;5:\x03\xe9;");
    }
}

TEST(WebSocketFrames, heads_are_as_short_as_possible) {
    EXPECT_EQ(FrameHead(FrameOpcode::binary, 125).bytes().size(), 2u);
    EXPECT_EQ(FrameHead(FrameOpcode::binary, 126).bytes().size(), 4u);
    EXPECT_EQ(FrameHead(FrameOpcode::binary, 65'535).bytes().size(), 4u);
    EXPECT_EQ(FrameHead(FrameOpcode::binary, 65'536).bytes().size(), 10u);
    EXPECT_EQ(close_payload(1011, std::string(200, 'r')).size(), 125u);
    EXPECT_EQ(websocket_accept("short"), "");
}

} // namespace
} // namespace tombolo::http
