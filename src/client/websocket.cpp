#include "client/websocket.hpp"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "client/frame_reader.hpp"
#include "client/http_client.hpp"
#include "core/random.hpp"

namespace tombolo::client {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr unsigned opcode_binary = 2;
constexpr unsigned opcode_pong = 10;

std::string http_origin(std::string origin) {
    while (origin.ends_with('/')) {
        origin.pop_back();
    }
    if (origin.starts_with("ws://")) {
        return "http" + origin.substr(2);
    }
    if (origin.starts_with("wss://")) {
        return "https" + origin.substr(3);
    }
    return origin;
}

std::string request_text(const WebSocketRequest& request, const std::string& origin) {
    std::array<std::byte, 16> key{};
    SystemRandom().fill(key);
    return "GET " + request.target + " HTTP/1.1\r\nHost: " + origin.substr(origin.find("://") + 3) +
           "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: " +
           to_base64(key) + "\r\nSec-WebSocket-Protocol: " + request.subprotocols +
           "\r\nUser-Agent: tombolo/0.1.0\r\n\r\n";
}

} // namespace

struct WebSocket::Impl {
    explicit Impl(std::size_t message_bytes_max)
        : curl(::curl_easy_init()), frames(message_bytes_max) {}
    ~Impl() { ::curl_easy_cleanup(curl); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// Writes as much as goes. False when the connection has ended.
    bool flush();
    enum class Read : std::uint8_t { some, none, ended };
    Read read(std::string& into);
    /// False after a timeout or a signal.
    bool wait(Clock::time_point until);
    void queue(unsigned opcode, std::string_view payload);
    Result<void> read_head(Clock::time_point until, const std::string& origin);

    CURL* curl;
    int socket = -1;
    FrameReader frames;
    SystemRandom random;
    std::string out;
    std::size_t out_sent = 0;
    int status = 0;
    std::string head;
    std::string body;
    std::string why_ended;
};

bool WebSocket::Impl::flush() {
    while (out_sent < out.size()) {
        std::size_t sent = 0;
        const CURLcode code =
            ::curl_easy_send(curl, out.data() + out_sent, out.size() - out_sent, &sent);
        out_sent += sent;
        if (code == CURLE_AGAIN) {
            return true;
        }
        if (code != CURLE_OK) {
            why_ended = ::curl_easy_strerror(code);
            return false;
        }
    }
    out.clear();
    out_sent = 0;
    return true;
}

WebSocket::Impl::Read WebSocket::Impl::read(std::string& into) {
    char buffer[16 * 1024];
    std::size_t count = 0;
    const CURLcode code = ::curl_easy_recv(curl, buffer, sizeof buffer, &count);
    if (code == CURLE_AGAIN) {
        return Read::none;
    }
    if (code != CURLE_OK || count == 0) {
        why_ended = code != CURLE_OK ? ::curl_easy_strerror(code) : "the server closed it";
        return Read::ended;
    }
    into.append(buffer, count);
    return Read::some;
}

bool WebSocket::Impl::wait(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{socket, static_cast<short>(out.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    return ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left))) > 0;
}

void WebSocket::Impl::queue(unsigned opcode, std::string_view payload) {
    std::array<std::byte, 4> mask{};
    random.fill(mask);
    out += masked_frame(opcode, payload, mask);
    flush(); // an end is met again by receive()
}

Result<void> WebSocket::Impl::read_head(Clock::time_point until, const std::string& origin) {
    std::string bytes;
    std::size_t end = std::string::npos;
    while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
        const Read result = flush() ? read(bytes) : Read::ended;
        if (result == Read::ended || bytes.size() > head_bytes_max) {
            return transport_error(CURLE_GOT_NOTHING, origin, why_ended.c_str());
        }
        if (result == Read::none && !wait(until) && Clock::now() >= until) {
            return transport_error(CURLE_OPERATION_TIMEDOUT, origin, "upgrade");
        }
    }
    head = bytes.substr(0, end + 2);
    status = std::atoi(head.c_str() + std::min<std::size_t>(9, head.size()));
    if (status == 101) {
        frames.feed(std::string_view(bytes).substr(end + 4));
    } else {
        body = bytes.substr(end + 4);
    }
    return {};
}

WebSocket::WebSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::~WebSocket() = default;

Result<std::unique_ptr<WebSocket>> WebSocket::open(const WebSocketRequest& request) {
    auto impl = std::make_unique<Impl>(request.message_bytes_max);
    const std::string origin = http_origin(request.origin);
    char detail[CURL_ERROR_SIZE] = "";
    CURL* curl = impl->curl;
    ::curl_easy_setopt(curl, CURLOPT_URL, origin.c_str());
    ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    ::curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    ::curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    ::curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeout.count()));
    if (!request.ca_file.empty()) {
        ::curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
    }
    const auto until = Clock::now() + request.timeout;
    const CURLcode code = ::curl_easy_perform(curl);
    if (code != CURLE_OK) {
        return transport_error(code, origin, detail);
    }
    ::curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    curl_socket_t socket = CURL_SOCKET_BAD;
    ::curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket);
    impl->socket = socket;
    impl->out = request_text(request, origin);
    TOMBOLO_TRY_VOID(impl->read_head(until, origin));
    return std::unique_ptr<WebSocket>(new WebSocket(std::move(impl)));
}

int WebSocket::status() const noexcept {
    return impl_->status;
}

const std::string& WebSocket::body() const noexcept {
    return impl_->body;
}

std::string WebSocket::header(std::string_view name) const {
    const std::string_view head = impl_->head;
    for (std::size_t at = head.find("\r\n");
         at != std::string_view::npos && at + 2 < head.size();) {
        const std::size_t line = at + 2;
        at = head.find("\r\n", line);
        const std::string_view text = head.substr(line, at - line);
        const std::size_t colon = text.find(':');
        const bool is_it = colon == name.size() &&
                           std::equal(name.begin(), name.end(), text.begin(), [](char a, char b) {
                               return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
                           });
        if (is_it) {
            const std::size_t start = text.find_first_not_of(' ', colon + 1);
            return start == std::string_view::npos ? "" : std::string(text.substr(start));
        }
    }
    return {};
}

void WebSocket::send(ByteView message) {
    impl_->queue(opcode_binary, as_text(message));
}

std::size_t WebSocket::unsent_bytes() const noexcept {
    return impl_->out.size() - impl_->out_sent;
}

WebSocket::Received WebSocket::receive(std::chrono::milliseconds timeout) {
    const auto until = Clock::now() + timeout;
    for (;;) {
        FrameReader::Event event = impl_->frames.next();
        switch (event.kind) {
        case FrameReader::Kind::binary:
            return {Kind::binary, std::move(event.payload), 0};
        case FrameReader::Kind::close:
            return {Kind::close, std::move(event.payload), event.code};
        case FrameReader::Kind::ping:
            impl_->queue(opcode_pong, event.payload);
            continue;
        case FrameReader::Kind::pong:
        case FrameReader::Kind::text:
            continue;
        case FrameReader::Kind::fault:
            return {Kind::ended, "the server sent what is no WebSocket frame", 0};
        case FrameReader::Kind::need_more:
            break;
        }
        std::string bytes;
        const Impl::Read result = impl_->flush() ? impl_->read(bytes) : Impl::Read::ended;
        if (result == Impl::Read::ended) {
            return {Kind::ended, impl_->why_ended, 0};
        }
        if (result == Impl::Read::some) {
            impl_->frames.feed(bytes);
        } else if (!impl_->wait(until)) {
            return {Kind::timeout, {}, 0};
        }
    }
}

} // namespace tombolo::client
