#include "reference/fixed_reply.hpp"

#include <unistd.h>

#include "server/http/server.hpp"

namespace tombolo::bench {

namespace {

class FixedReply final : public http::Handler {
  public:
    explicit FixedReply(std::string body) : body_(std::move(body)) {}

    std::size_t body_bytes_max(http::Method /*method*/, std::string_view /*path*/) const override {
        return 0;
    }
    void handle(http::Request /*request*/, http::Responder respond) override {
        respond(http::Response::json(200, body_));
    }
    http::Response refuse(int status, std::string_view reason,
                          const http::Request& /*request*/) const override {
        return http::Response::text(status, std::string(reason));
    }
    void served(const http::Request& /*request*/, int /*status*/, std::size_t /*bytes*/,
                std::int64_t /*micros*/) const override {}

  private:
    std::string body_;
};

} // namespace

void serve_fixed_reply(int port_pipe, const std::string& body) {
    FixedReply handler(body);
    const auto server = http::Server::create(http::ServerOptions(), handler);
    if (!server) {
        return;
    }
    (*server)->start();
    const std::uint16_t port = (*server)->port();
    if (::write(port_pipe, &port, sizeof port) != sizeof port) {
        return;
    }
    for (;;) {
        ::pause();
    }
}

} // namespace tombolo::bench
