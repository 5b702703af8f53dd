#include "client/http_client.hpp"

#include <curl/curl.h>

#include <algorithm>

#include <fmt/format.h>

namespace tombolo::client {

namespace {

constexpr long connect_timeout_s = 10;
/// Without a byte for so long the server is taken for dead; large imports and exports take longer
/// in all.
constexpr long silence_timeout_s = 120;

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* to) {
    static_cast<HttpResponse*>(to)->body.append(data, size * count);
    return size * count;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* to) {
    auto& response = *static_cast<HttpResponse*>(to);
    std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) {
        response.headers.clear(); // of an interim answer
        return size * count;
    }
    while (line.ends_with('\n') || line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
        std::string_view value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        response.headers.emplace_back(lower(line.substr(0, colon)), std::string(value));
    }
    return size * count;
}

struct FreeHeaders {
    void operator()(curl_slist* list) const { ::curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeHeaders>;

HeaderList header_list(const HttpRequest& request) {
    HeaderList list(::curl_slist_append(nullptr, "Expect:"));
    for (const auto& [name, value] : request.headers) {
        curl_slist* longer = ::curl_slist_append(list.get(), (name + ": " + value).c_str());
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

} // namespace

Error transport_error(int number, const std::string& url, const char* detail) {
    const auto code = static_cast<CURLcode>(number);
    const std::string server = url.substr(0, url.find('/', url.find("://") + 3));
    const std::string reason = detail[0] != '\0' ? detail : ::curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return Error(
            ErrorCode::unavailable,
            fmt::format("nothing answers at {}; is tombolod running there? ({})", server, reason));
    case CURLE_COULDNT_RESOLVE_HOST:
        return Error(ErrorCode::unavailable,
                     fmt::format("there is no host of that name: {} ({})", server, reason));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return Error(ErrorCode::io,
                     fmt::format("the certificate of {} is not trusted ({}); name the authority "
                                 "that signed it with --ca-file",
                                 server, reason));
    case CURLE_SSL_CONNECT_ERROR:
        return Error(ErrorCode::io,
                     fmt::format("{} does not speak TLS; try http:// ({})", server, reason));
    case CURLE_OPERATION_TIMEDOUT:
        return Error(ErrorCode::unavailable,
                     fmt::format("{} does not answer in time ({})", server, reason));
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return Error(ErrorCode::unavailable,
                     fmt::format("{} closed the connection without an answer; it may be stopping, "
                                 "or it expects https:// ({})",
                                 server, reason));
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return Error(ErrorCode::invalid_argument,
                     fmt::format("'{}' is not a URL like https://tombolo.example.com", server));
    default:
        return Error(ErrorCode::io, fmt::format("the request to {} failed: {}", server, reason));
    }
}

struct HttpClient::Impl {
    Impl() : curl(::curl_easy_init()) {}
    ~Impl() { ::curl_easy_cleanup(curl); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    CURL* curl;
    std::string ca_file;
};

HttpClient::HttpClient(std::string ca_file) : impl_(std::make_unique<Impl>()) {
    impl_->ca_file = std::move(ca_file);
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
    CURL* curl = impl_->curl;
    HttpResponse response;
    char detail[CURL_ERROR_SIZE] = "";
    const HeaderList headers = header_list(request);
    ::curl_easy_reset(curl); // keeps the connection
    ::curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    ::curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    ::curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    ::curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    ::curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_timeout_s);
    ::curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    ::curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, silence_timeout_s);
    ::curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    ::curl_easy_setopt(curl, CURLOPT_USERAGENT, "tombolo/0.1.0");
    ::curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    ::curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response);
    ::curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    ::curl_easy_setopt(curl, CURLOPT_HEADERDATA, &response);
    if (!impl_->ca_file.empty()) {
        ::curl_easy_setopt(curl, CURLOPT_CAINFO, impl_->ca_file.c_str());
    }
    if (request.has_body || !request.body.empty()) {
        ::curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                           static_cast<curl_off_t>(request.body.size()));
        ::curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                           request.body.empty() ? "" : request.body.data());
    }
    ::curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    const CURLcode code = ::curl_easy_perform(curl);
    if (code != CURLE_OK) {
        return transport_error(code, request.url, detail);
    }
    long status = 0;
    ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    return response;
}

std::string HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

} // namespace tombolo::client
