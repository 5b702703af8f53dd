#include "server/http/connection.hpp"

#include <algorithm>
#include <ctime>
#include <random>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "core/bytes.hpp"
#include "server/http/body_stream.hpp"

namespace tombolo::http {

namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;

constexpr std::size_t head_read_bytes = 4096;
constexpr std::size_t body_read_bytes = std::size_t{64} * 1024;

Method to_method(beast_http::verb verb) noexcept {
    switch (verb) {
    case beast_http::verb::get:
        return Method::get;
    case beast_http::verb::head:
        return Method::head;
    case beast_http::verb::post:
        return Method::post;
    case beast_http::verb::put:
        return Method::put;
    case beast_http::verb::patch:
        return Method::patch;
    case beast_http::verb::delete_:
        return Method::delete_;
    case beast_http::verb::options:
        return Method::options;
    default:
        return Method::other;
    }
}

// 4 bytes time, 8 bytes random of this thread: unique enough to find a line in a log, not a secret.
std::string new_request_id() {
    thread_local std::mt19937_64 random{std::random_device{}()};
    const auto seconds = static_cast<std::uint32_t>(std::time(nullptr));
    const std::uint64_t bits = random();
    std::array<std::byte, 12> bytes{};
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<std::byte>((seconds >> (24 - 8 * i)) & 0xff);
    }
    for (std::size_t i = 0; i < 8; ++i) {
        bytes[4 + i] = static_cast<std::byte>((bits >> (8 * i)) & 0xff);
    }
    return to_hex(bytes);
}

// RFC 9110 section 5.6.7; made once a second for each thread.
const std::string& http_date() {
    thread_local std::time_t made_for = 0;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != made_for) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        char buffer[64];
        const std::size_t size =
            std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        text.assign(buffer, size);
        made_for = now;
    }
    return text;
}

// True when a path segment is "..", which no route of ours has and no file may be reached by.
bool climbs(std::string_view path) noexcept {
    std::size_t from = 0;
    while (from <= path.size()) {
        const std::size_t end = std::min(path.find('/', from), path.size());
        if (path.substr(from, end - from) == "..") {
            return true;
        }
        from = end + 1;
    }
    return false;
}

} // namespace

struct Connection::Incoming {
    beast_http::request_parser<beast_http::string_body> parser;
    Request request;
    bool keep_alive = false;
    int refused_status = 0;
    const char* refused_reason = "";
    std::string read; ///< bytes not yet parsed

    ReadEnd refuse(int status, const char* reason) {
        refused_status = status;
        refused_reason = reason;
        return ReadEnd::refused;
    }
};

Connection::Connection(Shared& shared, SocketPoller& poller, std::unique_ptr<Stream> stream)
    : shared_(shared), poller_(poller), stream_(std::move(stream)),
      remote_address_(stream_->remote_address()) {
    allow(shared_.options.header_timeout);
}

void Connection::stop() {
    if (websocket_ != nullptr) {
        websocket_->stop();
    } else if (idle_ || streamed_ != nullptr) {
        close();
    }
}

void Connection::close() noexcept {
    if (websocket_ != nullptr) {
        websocket_->close_now();
    } else {
        stream_->close();
    }
}

void Connection::abandon() {
    if (websocket_ != nullptr) {
        websocket_->abandon();
    } else if (streamed_ != nullptr) {
        streamed_->abandon();
    }
}

awaitable<void> Connection::run() {
    if (co_await stream_->handshake()) {
        co_return;
    }
    for (;;) {
        if (pending_.empty()) {
            std::string().swap(pending_);
            allow(shared_.options.idle_timeout);
            idle_ = true;
            const error_code error = co_await stream_->wait_readable();
            idle_ = false;
            if (error || shared_.stopping) {
                co_return;
            }
        }
        allow(shared_.options.header_timeout);
        if (!co_await serve_one()) {
            break;
        }
    }
    if (upgrade_ != nullptr) {
        co_await run_websocket();
        co_return;
    }
    allow(std::chrono::milliseconds(1000));
    co_await stream_->shutdown();
}

awaitable<void> Connection::run_websocket() {
    std::string().swap(remote_address_);
    websocket_ = std::make_shared<WebSocketConnection>(co_await asio::this_coro::executor, poller_,
                                                       std::move(stream_), std::move(*upgrade_),
                                                       shared_.options.write_timeout);
    upgrade_.reset();
    if (shared_.stopping) {
        websocket_->close_now();
    }
    co_await websocket_->run(std::exchange(pending_, {}));
}

awaitable<bool> Connection::serve_one() {
    // On the heap and gone before the connection is idle again.
    const auto incoming = std::make_unique<Incoming>();
    incoming->request.id = new_request_id();
    const ReadEnd end = co_await read_request(*incoming);
    if (end == ReadEnd::closed) {
        co_return false;
    }
    if (end == ReadEnd::refused) {
        co_await write(shared_.handler.refuse(incoming->refused_status, incoming->refused_reason,
                                              incoming->request),
                       false, false, incoming->request.id);
        co_return false;
    }
    pending_ = std::move(incoming->read);

    const auto received = Clock::now();
    const bool head_only = incoming->request.method == Method::head;
    Request shown; // what served() is told of; the body and headers go to the handler
    shown.method = incoming->request.method;
    shown.path = incoming->request.path;
    shown.remote_address = incoming->request.remote_address;
    shown.id = incoming->request.id;

    deadline_ = Clock::time_point::max(); // the handler has its own limits
    Response response;
    if (shared_.requests_running.fetch_add(1) >= shared_.options.requests_max) {
        ++shared_.requests_refused;
        response = shared_.handler.refuse(429, "the server is busy; try again", incoming->request);
        response.headers.set("Retry-After", "1");
    } else {
        response = co_await handle(std::move(incoming->request));
    }
    --shared_.requests_running;
    ++shared_.requests_served;
    std::shared_ptr<Upgrade> upgrade = std::move(response.upgrade);
    const std::shared_ptr<BodyStream> stream = response.stream;
    const bool keep_alive =
        upgrade != nullptr || (incoming->keep_alive && !shared_.stopping && stream == nullptr);
    const int status = response.status;
    std::size_t bytes = response.body.size();
    const bool written = co_await write(std::move(response), keep_alive, head_only, shown.id);
    if (stream && written && !head_only) {
        bytes = co_await write_stream(stream);
    } else if (stream) {
        stream->close();
    }
    shared_.handler.served(
        shown, status, bytes,
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - received).count());
    if (written && upgrade != nullptr) {
        upgrade_ = std::move(upgrade);
        co_return false;
    }
    co_return (written && keep_alive);
}

awaitable<Connection::ReadEnd> Connection::read_request(Incoming& incoming) {
    incoming.parser.header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes_max));
    incoming.parser.body_limit(boost::none); // judged by path once the head is there
    incoming.read = std::move(pending_);
    pending_.clear();
    const ReadEnd head = co_await read_head(incoming);
    if (head != ReadEnd::complete) {
        co_return head;
    }
    if (!take_head(incoming)) {
        co_return incoming.refuse(400, "the request target is not a path");
    }
    co_return co_await read_body(incoming);
}

// Reads some and adds it to what is unparsed; false when the connection is gone.
awaitable<bool> Connection::feed(Incoming& incoming, std::size_t read_bytes) {
    const std::size_t before = incoming.read.size();
    incoming.read.resize(before + read_bytes);
    const auto [error, count] =
        co_await stream_->read_some(asio::buffer(incoming.read.data() + before, read_bytes));
    incoming.read.resize(before + (error ? 0 : count));
    co_return !error && count > 0;
}

awaitable<Connection::ReadEnd> Connection::read_head(Incoming& incoming) {
    auto& parser = incoming.parser;
    while (!parser.is_header_done()) {
        if (!incoming.read.empty()) {
            error_code error;
            const std::size_t used =
                parser.put(asio::const_buffer(incoming.read.data(), incoming.read.size()), error);
            incoming.read.erase(0, used);
            if (error == beast_http::error::header_limit) {
                co_return incoming.refuse(431, "the request's headers are too large");
            }
            if (error && error != beast_http::error::need_more) {
                co_return incoming.refuse(400, "the request is not HTTP/1.1");
            }
            if (!error) {
                continue;
            }
        }
        if (incoming.read.size() > shared_.options.header_bytes_max) {
            co_return incoming.refuse(431, "the request's headers are too large");
        }
        if (!co_await feed(incoming, head_read_bytes)) {
            co_return ReadEnd::closed;
        }
    }
    co_return ReadEnd::complete;
}

bool Connection::take_head(Incoming& incoming) {
    const auto& message = incoming.parser.get();
    Request& request = incoming.request;
    request.method = to_method(message.method());
    request.secure = stream_->secure();
    request.remote_address = remote_address_;
    for (const auto& field : message) {
        request.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    if (shared_.trusted_proxies.contains(remote_address_)) {
        // Some proxies add to the header that came, some add one of their own.
        std::string forwarded;
        for (const auto& [name, value] : request.headers.all()) {
            if (boost::beast::iequals(name, "x-forwarded-for")) {
                forwarded += (forwarded.empty() ? "" : ",") + value;
            }
        }
        request.remote_address =
            client_address(shared_.trusted_proxies, remote_address_, forwarded);
        request.secure = request.secure || request.headers.find("x-forwarded-proto") == "https";
    }
    incoming.keep_alive = message.keep_alive();

    const std::string_view target(message.target().data(), message.target().size());
    const std::size_t question = target.find('?');
    if (question != std::string_view::npos) {
        request.query = target.substr(question + 1);
    }
    return target.starts_with('/') &&
           percent_decode(target.substr(0, question), false, request.path) &&
           request.path.find('\0') == std::string::npos && !climbs(request.path);
}

awaitable<Connection::ReadEnd> Connection::read_body(Incoming& incoming) {
    auto& parser = incoming.parser;
    const std::size_t bytes_max =
        shared_.handler.body_bytes_max(incoming.request.method, incoming.request.path);
    const auto declared = parser.content_length();
    if (declared && *declared > bytes_max) {
        co_return incoming.refuse(413, "the request's body is too large");
    }
    parser.body_limit(bytes_max);
    if (!parser.is_done()) {
        allow(shared_.options.body_timeout);
        if (parser.get()[beast_http::field::expect] == "100-continue") {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            if (co_await stream_->write({asio::const_buffer(go_on.data(), go_on.size()), {}})) {
                co_return ReadEnd::closed;
            }
        }
    }
    while (!parser.is_done()) {
        error_code error = beast_http::error::need_more;
        if (!incoming.read.empty()) {
            error.clear();
            const std::size_t used =
                parser.put(asio::const_buffer(incoming.read.data(), incoming.read.size()), error);
            incoming.read.erase(0, used);
        }
        if (error == beast_http::error::body_limit) {
            co_return incoming.refuse(413, "the request's body is too large");
        }
        if (error && error != beast_http::error::need_more) {
            co_return incoming.refuse(400, "the request's body is not what its headers say");
        }
        if (parser.is_done()) {
            break;
        }
        if (error == beast_http::error::need_more || incoming.read.empty()) {
            if (!co_await feed(incoming, body_read_bytes)) {
                co_return ReadEnd::closed;
            }
        }
    }
    incoming.request.body = std::move(parser.get().body());
    co_return ReadEnd::complete;
}

awaitable<Response> Connection::handle(Request request) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto initiate = [this, &executor, &request](auto completion) {
        auto shared = std::make_shared<decltype(completion)>(std::move(completion));
        Responder respond([shared, executor](Response response) {
            asio::post(executor, [shared, response = std::move(response)]() mutable {
                (*shared)(std::move(response));
            });
        });
        shared_.handler.handle(std::move(request), std::move(respond));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Response)>(
        std::move(initiate), asio::use_awaitable);
}

awaitable<bool> Connection::write(Response response, bool keep_alive, bool head_only,
                                  std::string_view request_id) {
    std::string head;
    head.reserve(256);
    head += "HTTP/1.1 ";
    head += std::to_string(response.status);
    head += ' ';
    head += reason_phrase(response.status);
    head += "\r\nDate: ";
    head += http_date();
    for (const auto& [name, value] : response.headers.all()) {
        head += "\r\n";
        head += name;
        head += ": ";
        head += value;
    }
    head += "\r\nx-appservices-request-id: ";
    head += request_id;
    const bool bodiless =
        response.status == 101 || response.status == 204 || response.status == 304;
    if (response.stream != nullptr) {
        head += "\r\nTransfer-Encoding: chunked";
    } else if (!bodiless) {
        head += "\r\nContent-Length: ";
        head += std::to_string(response.body.size());
    }
    head += keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
    const bool body = !head_only && !bodiless;
    allow(shared_.options.write_timeout);
    const error_code error = co_await stream_->write(
        {asio::const_buffer(head.data(), head.size()),
         asio::const_buffer(response.body.data(), body ? response.body.size() : 0)});
    co_return !error;
}

} // namespace tombolo::http
