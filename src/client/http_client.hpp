#pragma once

// HTTP requests over libcurl: one connection, kept open between requests.
//
// Thread-safety: one thread at a time for each client. Errors: io or unavailable, with a message
// that says which server and why; an answer of any status is no error.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace tombolo::client {

struct HttpRequest {
    std::string method = "GET";
    std::string url = {};
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string_view body = {}; ///< borrowed for the call
    bool has_body = false;      ///< sends a body even when it is empty
};

struct HttpResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers; ///< names in lower case
    std::string body;

    /// The first header of that lower-case name; empty when there is none.
    std::string header(std::string_view name) const;
};

class HttpClient {
  public:
    /// `ca_file` empty: the system's authorities.
    explicit HttpClient(std::string ca_file);
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;

    Result<HttpResponse> send(const HttpRequest& request);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// What libcurl's error code means for the server of that URL, in words.
Error transport_error(int code, const std::string& url, const char* detail);

/// Percent-encodes everything but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);

} // namespace tombolo::client
