// Behind a reverse proxy: WebSockets pass, and the server knows whom it talks to.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <list>
#include <thread>

#include <gtest/gtest.h>

#include "server/http/raw_client.hpp"
#include "server/runtime/json.hpp"
#include "server/sync_session/operator.hpp"
#include "server/sync_session/script.hpp"

namespace tombolo::server {
namespace {

const char* const all_items = R"q({"Item":"(TRUEPREDICATE)"})q";

/// Passes connections on as reverse proxies do: reads the first request's head, says in it whom it
/// comes from, and copies bytes both ways from then on.
class ReverseProxy {
  public:
    ReverseProxy(std::uint16_t target, std::string client)
        : target_(target), client_(std::move(client)),
          listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
            ::listen(listener_, 16) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("the proxy cannot listen");
        }
        port_ = ntohs(address.sin_port);
        accepting_ = std::thread([this] { accept(); });
    }
    ~ReverseProxy() {
        ::shutdown(listener_, SHUT_RDWR);
        accepting_.join();
        ::close(listener_);
        for (std::thread& each : connections_) {
            each.join();
        }
    }
    ReverseProxy(const ReverseProxy&) = delete;
    ReverseProxy& operator=(const ReverseProxy&) = delete;

    std::uint16_t port() const { return port_; }

  private:
    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

    void accept() {
        for (;;) {
            const int client = ::accept(listener_, nullptr, nullptr);
            if (client < 0) {
                return;
            }
            connections_.emplace_back([this, client] {
                pass_on(client);
                ::close(client);
            });
        }
    }

    static bool send_all(int to, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    /// False at the end of `from`.
    static bool copy(int from, int to) {
        char buffer[16384];
        const ssize_t size = ::recv(from, buffer, sizeof buffer, 0);
        return size > 0 && send_all(to, {buffer, static_cast<std::size_t>(size)});
    }

    void pass_on(int client) const {
        std::string head;
        char one = 0;
        while (!head.ends_with("\r\n\r\n")) {
            if (::recv(client, &one, 1, 0) != 1) {
                return;
            }
            head.push_back(one);
        }
        head.resize(head.size() - 2);
        head += "X-Forwarded-For: " + client_ + "\r\nX-Forwarded-Proto: https\r\n\r\n";
        const int server = ::socket(AF_INET, SOCK_STREAM, 0);
        const sockaddr_in address = loopback(target_);
        if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            send_all(server, head)) {
            pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
            while (::poll(both, 2, -1) > 0) {
                if ((both[0].revents != 0 && !copy(client, server)) ||
                    (both[1].revents != 0 && !copy(server, client))) {
                    break;
                }
            }
        }
        ::close(server);
    }

    const std::uint16_t target_;
    const std::string client_;
    const int listener_;
    std::uint16_t port_ = 0;
    std::list<std::thread> connections_;
    std::thread accepting_;
};

class BehindProxy : public ::testing::Test {
  protected:
    BehindProxy()
        : server_([](Config& config) {
              Operator::configure(config);
              config.trusted_proxies = {"127.0.0.0/8"};
              config.public_url = "https://sync.example.com";
              config.requests_per_minute = 1;
              config.request_burst = 3;
          }) {}

    IslandsServer server_;
};

TEST_F(BehindProxy, devices_sync_and_are_known_by_their_own_address) {
    const Operator admin(server_.port(), islands_app);
    const ReverseProxy proxy(server_.port(), "203.0.113.7");
    const Login login = log_in_anonymously(proxy.port(), islands_app);
    WireOptions options = server_.wire(login);
    options.port = proxy.port();
    // What a device says of itself counts for nothing.
    options.headers.emplace_back("X-Forwarded-For", "198.51.100.1");
    Script script(options);
    ASSERT_EQ(script.status(), 101);
    script.open_file(all_items);

    const boost::json::value listed = admin.ask("GET", "sync/sessions");
    ASSERT_EQ(listed.as_array().size(), 1u);
    EXPECT_EQ(string_or(listed.at(0).as_object(), "remote_ip_address"), "203.0.113.7");
    script.unbind();
    script.expect_unbound();
}

TEST_F(BehindProxy, each_address_has_a_throttle_of_its_own) {
    const auto sign_in = [](const ReverseProxy& proxy) {
        http::RawClient client(proxy.port());
        client.send(std::string("POST /api/client/v2.0/app/") + islands_app +
                    "/auth/providers/anon-user/login HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        return client.receive().status;
    };
    const ReverseProxy one(server_.port(), "203.0.113.7");
    const ReverseProxy other(server_.port(), "203.0.113.8");
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(sign_in(one), 200);
    }
    EXPECT_EQ(sign_in(one), 429);
    EXPECT_EQ(sign_in(other), 200);
}

TEST_F(BehindProxy, apps_are_told_the_public_address) {
    const ReverseProxy proxy(server_.port(), "203.0.113.7");
    http::RawClient client(proxy.port());
    client.send(std::string("GET /api/client/v2.0/app/") + islands_app +
                "/location HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n"
                "Connection: close\r\n\r\n");
    const std::string told = client.receive().body;
    EXPECT_NE(told.find(R"("hostname":"https://sync.example.com")"), std::string::npos) << told;
    EXPECT_NE(told.find(R"("ws_hostname":"wss://sync.example.com")"), std::string::npos) << told;
}

} // namespace
} // namespace tombolo::server
