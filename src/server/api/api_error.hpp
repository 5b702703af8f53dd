#pragma once

// Errors as clients of App Services read them: {"error": text, "error_code": name, "link": log
// entry} (client-http-api.md section 9).

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "server/http/message.hpp"

namespace tombolo::api {

/// `code` is a name of client-http-api.md 9.2, e.g. "InvalidSession"; other names reach SDKs as
/// AppServerError.
struct ApiError {
    int status = 500;
    std::string code;
    std::string text;
};

// The ones that many routes need. Statuses are those of the chapter's table.
ApiError bad_request(std::string text);
ApiError missing_parameter(std::string text);
/// 401: only ever about the session or its token (R3-9: anything else makes clients refresh for
/// ever).
ApiError invalid_session(std::string text = "invalid session");
ApiError forbidden(std::string code, std::string text);
ApiError not_found(std::string code, std::string text);
ApiError conflict(std::string code, std::string text);
/// 429 or 503: try again later.
ApiError too_busy(int status, std::string text);
/// What a failure of ours looks like from outside: no detail leaves the server.
ApiError internal_error();

/// `base_url` and `request_id` make the link to the log.
http::Response to_response(const ApiError& error, std::string_view base_url,
                           std::string_view request_id);

/// An ApiError is thrown by route code and becomes the response in the dispatcher.
class ApiException : public std::exception {
  public:
    explicit ApiException(ApiError error) : error_(std::move(error)) {}
    const ApiError& error() const noexcept { return error_; }
    const char* what() const noexcept override { return error_.text.c_str(); }

  private:
    ApiError error_;
};

} // namespace tombolo::api
