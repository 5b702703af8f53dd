#include "server/http/message.hpp"

#include <algorithm>

namespace tombolo::http {

namespace {

bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

} // namespace

std::string_view method_name(Method method) noexcept {
    switch (method) {
    case Method::get:
        return "GET";
    case Method::head:
        return "HEAD";
    case Method::post:
        return "POST";
    case Method::put:
        return "PUT";
    case Method::patch:
        return "PATCH";
    case Method::delete_:
        return "DELETE";
    case Method::options:
        return "OPTIONS";
    case Method::other:
        break;
    }
    return "OTHER";
}

void Headers::add(std::string name, std::string value) {
    all_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
    std::erase_if(all_, [&](const auto& one) { return equal_ignoring_case(one.first, name); });
    add(std::move(name), std::move(value));
}

std::string_view Headers::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : all_) {
        if (equal_ignoring_case(key, name)) {
            return value;
        }
    }
    return {};
}

bool Headers::contains(std::string_view name) const noexcept {
    return std::any_of(all_.begin(), all_.end(),
                       [&](const auto& one) { return equal_ignoring_case(one.first, name); });
}

std::string Request::query_value(std::string_view name) const {
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::size_t end = rest.find('&');
        const std::string_view pair = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        const std::size_t equals = pair.find('=');
        std::string key;
        std::string value;
        if (percent_decode(pair.substr(0, equals), true, key) && key == name) {
            if (equals != std::string_view::npos) {
                static_cast<void>(percent_decode(pair.substr(equals + 1), true, value));
            }
            return value;
        }
    }
    return {};
}

std::string_view Request::bearer_token() const noexcept {
    const std::string_view value = headers.find("authorization");
    constexpr std::string_view scheme = "Bearer ";
    return value.size() > scheme.size() && equal_ignoring_case(value.substr(0, 7), scheme)
               ? value.substr(scheme.size())
               : std::string_view();
}

Response Response::json(int status, std::string body) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", "application/json");
    response.body = std::move(body);
    return response;
}

Response Response::text(int status, std::string body) {
    Response response;
    response.status = status;
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(body);
    return response;
}

Response Response::empty(int status) {
    Response response;
    response.status = status;
    return response;
}

Responder::Responder(Send send) : send_(std::move(send)) {}

Responder::~Responder() {
    if (send_) {
        send_(Response::json(
            500, R"({"error":"the request was dropped","error_code":"InternalServerError"})"));
    }
}

void Responder::operator()(Response response) {
    if (send_) {
        const Send send = std::exchange(send_, nullptr);
        send(std::move(response));
    }
}

bool percent_decode(std::string_view text, bool plus_is_space, std::string& out) {
    out.clear();
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size()) {
                return false;
            }
            const int high = hex_digit(text[i + 1]);
            const int low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0) {
                return false;
            }
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
        }
    }
    return true;
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
    case 101:
        return "Switching Protocols";
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 301:
        return "Moved Permanently";
    case 302:
        return "Found";
    case 304:
        return "Not Modified";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 409:
        return "Conflict";
    case 411:
        return "Length Required";
    case 413:
        return "Payload Too Large";
    case 414:
        return "URI Too Long";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "Unknown";
    }
}

} // namespace tombolo::http
