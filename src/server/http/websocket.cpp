#include "server/http/websocket.hpp"

#include "server/http/websocket_frames.hpp"

namespace tombolo::http {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// A comma-separated list holds the (lower-case) token, in any case.
bool has_token(std::string_view list, std::string_view token) noexcept {
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        std::string_view one = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) {
            one.remove_prefix(1);
        }
        while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) {
            one.remove_suffix(1);
        }
        bool equal = one.size() == token.size();
        for (std::size_t i = 0; equal && i < one.size(); ++i) {
            equal = lower(one[i]) == token[i];
        }
        if (equal) {
            return true;
        }
    }
    return false;
}

} // namespace

bool asks_for_websocket(const Request& request) noexcept {
    return has_token(request.headers.find("upgrade"), "websocket");
}

Result<Response> websocket_response(const Request& request, std::string_view subprotocol,
                                    Upgrade upgrade) {
    const auto bad = [](const char* why) { return Error(ErrorCode::invalid_argument, why); };
    if (request.method != Method::get || !asks_for_websocket(request) ||
        !has_token(request.headers.find("connection"), "upgrade")) {
        return bad("the request does not ask for a WebSocket");
    }
    if (request.headers.find("sec-websocket-version") != "13") {
        return bad("the WebSocket version must be 13");
    }
    if (!request.body.empty()) {
        return bad("the request must have no body");
    }
    std::string accept = websocket_accept(request.headers.find("sec-websocket-key"));
    if (accept.empty()) {
        return bad("the Sec-WebSocket-Key is not 16 bytes of base64");
    }
    Response response;
    response.status = 101;
    response.headers.add("Upgrade", "websocket");
    response.headers.add("Connection", "Upgrade");
    response.headers.add("Sec-WebSocket-Accept", std::move(accept));
    if (!subprotocol.empty()) {
        response.headers.add("Sec-WebSocket-Protocol", std::string(subprotocol));
    }
    response.upgrade = std::make_shared<Upgrade>(std::move(upgrade));
    return response;
}

} // namespace tombolo::http
