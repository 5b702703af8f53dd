#pragma once

// The Admin API as the commands use it: a session that renews its access token, and errors that a
// person can act on.
//
// Every member throws Failure: refused for 401 and 403, not_found for 404, failure for the rest.
// Thread-safety: one thread at a time; clone() makes another client of the same session.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "cli/failure.hpp"
#include "client/http_client.hpp"

namespace tombolo::cli {

using client::HttpClient;
using client::HttpRequest;
using client::HttpResponse;
using client::percent_encode;

/// What the server said about one file or field of an import.
struct ErrorDetail {
    std::string path;
    std::string message;
};

/// An answer that is an error.
class ServerFailure : public Failure {
  public:
    ServerFailure(ExitCode exit, int status, std::string error_code, const std::string& message,
                  std::vector<ErrorDetail> details, const std::string& hint)
        : Failure(exit, message, hint), status_(status), error_code_(std::move(error_code)),
          details_(std::move(details)) {}

    int status() const noexcept { return status_; }
    const std::string& error_code() const noexcept { return error_code_; }
    const std::vector<ErrorDetail>& details() const noexcept { return details_; }

  private:
    int status_;
    std::string error_code_;
    std::vector<ErrorDetail> details_;
};

struct SessionTokens {
    std::string access_token;
    std::string refresh_token;
};

using Query = std::vector<std::pair<std::string, std::string>>;

class AdminClient {
  public:
    AdminClient(std::string base_url, std::string ca_file);

    const std::string& base_url() const noexcept { return base_url_; }

    /// POST /auth/providers/<provider>/login.
    void log_in(const std::string& provider, const boost::json::object& credentials);
    void use(SessionTokens tokens) { tokens_ = std::move(tokens); }
    const SessionTokens& tokens() const noexcept { return tokens_; }
    /// Told of a renewed access token, to keep it.
    void on_renewed(std::function<void(const SessionTokens&)> keep) { keep_ = std::move(keep); }
    /// DELETE /auth/session.
    void log_out();

    /// Paths are below /api/admin/v3.0. An empty answer is null.
    boost::json::value get(const std::string& path, const Query& query = {});
    boost::json::value post(const std::string& path, const boost::json::value& body,
                            const Query& query = {});
    boost::json::value put(const std::string& path, const boost::json::value& body);
    boost::json::value patch(const std::string& path, const boost::json::value& body);
    void erase(const std::string& path);

    /// Any request with the session; answers of 400 and above are thrown.
    HttpResponse request(const std::string& method, const std::string& path, const Query& query,
                         std::string_view body, const std::string& content_type,
                         const std::string& accept = {});

    /// The one group that this account has a role in.
    const std::string& group();
    AdminClient clone() const;

  private:
    HttpResponse send(const std::string& method, const std::string& url, std::string_view body,
                      const std::string& content_type, const std::string& accept,
                      const std::string& token);
    bool renew();
    boost::json::value call(const std::string& method, const std::string& path, const Query& query,
                            const boost::json::value* body);

    std::string base_url_;
    std::string ca_file_;
    HttpClient http_;
    SessionTokens tokens_;
    std::function<void(const SessionTokens&)> keep_;
    std::string group_;
};

/// The failure that an answer of 400 or above means. `what` is the method and path.
ServerFailure failure_of(const HttpResponse& response, const std::string& what);

} // namespace tombolo::cli
