#include "cli/admin_client.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "server/runtime/json.hpp"

namespace tombolo::cli {

namespace json = boost::json;

namespace {

constexpr std::string_view admin_base = "/api/admin/v3.0";
constexpr const char* json_type = "application/json";

std::string url_of(const std::string& base, const std::string& path, const Query& query) {
    std::string url = base;
    // Private routes are named in full.
    url += path.starts_with("/api/") ? path : std::string(admin_base) + path;
    char separator = '?';
    for (const auto& [name, value] : query) {
        url += separator + percent_encode(name) + "=" + percent_encode(value);
        separator = '&';
    }
    return url;
}

std::vector<ErrorDetail> details_of(const json::object& body) {
    std::vector<ErrorDetail> details;
    const json::value* list = body.if_contains("details");
    if (list != nullptr && list->is_array()) {
        for (const json::value& each : list->get_array()) {
            if (each.is_object()) {
                details.push_back({server::string_or(each.get_object(), "path"),
                                   server::string_or(each.get_object(), "message")});
            }
        }
    }
    return details;
}

ExitCode exit_of(int status) {
    switch (status) {
    case 401:
    case 403:
        return ExitCode::refused;
    case 404:
        return ExitCode::not_found;
    default:
        return ExitCode::failure;
    }
}

json::value parse_answer(const HttpResponse& response, const std::string& what) {
    if (response.body.empty()) {
        return nullptr;
    }
    Result<json::value> parsed = server::parse_json(response.body);
    if (!parsed) {
        throw Failure(ExitCode::failure,
                      fmt::format("the answer to {} is not JSON: {}", what, parsed.error().what()),
                      "Is the URL that of a tombolod?");
    }
    return *std::move(parsed);
}

} // namespace

ServerFailure failure_of(const HttpResponse& response, const std::string& what) {
    std::string message;
    std::string code;
    std::vector<ErrorDetail> details;
    const Result<json::object> body = server::parse_json_object(response.body);
    if (body) {
        message = server::string_or(*body, "error");
        code = server::string_or(*body, "error_code");
        details = details_of(*body);
    }
    if (message.empty()) {
        message = fmt::format("{} was answered with status {}", what, response.status);
    }
    std::string hint;
    if (response.status == 401) {
        hint = "Log in again with tombolo login.";
    } else if (response.status == 403) {
        hint = "This account has no role that allows it.";
    } else if (response.status == 429) {
        hint = "Wait a minute, then try again.";
    } else if (response.status >= 500) {
        hint = "The server's log has more, under request " +
               response.header("x-appservices-request-id") + ".";
    } else if (response.status == 404 && !body) {
        hint = "Is the URL that of a tombolod?";
    } else if (code == "SyncNotFound") {
        hint = "Enable it with tombolo sync enable --database NAME.";
    } else if (code == "SyncNotRunning") {
        hint = "tombolo sync progress tells the state of sync, tombolo alerts what happened.";
    }
    return {exit_of(response.status), response.status, code, message, std::move(details), hint};
}

AdminClient::AdminClient(std::string base_url, std::string ca_file)
    : base_url_(std::move(base_url)), ca_file_(std::move(ca_file)), http_(ca_file_) {
    while (base_url_.ends_with('/')) {
        base_url_.pop_back();
    }
}

AdminClient AdminClient::clone() const {
    AdminClient other(base_url_, ca_file_);
    other.tokens_ = tokens_;
    other.group_ = group_;
    return other;
}

HttpResponse AdminClient::send(const std::string& method, const std::string& url,
                               std::string_view body, const std::string& content_type,
                               const std::string& accept, const std::string& token) {
    HttpRequest request;
    request.method = method;
    request.url = url;
    request.body = body;
    request.has_body = method != "GET" && method != "DELETE";
    if (!content_type.empty()) {
        request.headers.emplace_back("Content-Type", content_type);
    }
    if (!accept.empty()) {
        request.headers.emplace_back("Accept", accept);
    }
    if (!token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + token);
    }
    request.headers.emplace_back("X-BAAS-Request-Origin", "mongodb-baas-cli");
    Result<HttpResponse> response = http_.send(request);
    if (!response) {
        throw Failure(response.error());
    }
    return *std::move(response);
}

void AdminClient::log_in(const std::string& provider, const json::object& credentials) {
    const std::string path = "/auth/providers/" + provider + "/login";
    const HttpResponse response =
        send("POST", url_of(base_url_, path, {}), json::serialize(credentials), json_type, {}, {});
    if (response.status == 401) {
        ServerFailure failed = failure_of(response, "login");
        throw Failure(ExitCode::refused, "login refused: " + failed.message(),
                      "Check the user name and password (or the API key and its private part).");
    }
    if (response.status >= 400) {
        throw failure_of(response, "POST " + path);
    }
    const json::value answer = parse_answer(response, "login");
    if (!answer.is_object()) {
        throw Failure(ExitCode::failure, "the answer to the login is not a session",
                      "Is the URL that of a tombolod?");
    }
    tokens_.access_token = server::string_or(answer.get_object(), "access_token");
    tokens_.refresh_token = server::string_or(answer.get_object(), "refresh_token");
    group_.clear();
}

bool AdminClient::renew() {
    if (tokens_.refresh_token.empty()) {
        return false;
    }
    const HttpResponse response = send("POST", url_of(base_url_, "/auth/session", {}), {},
                                       json_type, {}, tokens_.refresh_token);
    if (response.status >= 400) {
        return false;
    }
    const json::value answer = parse_answer(response, "POST /auth/session");
    if (!answer.is_object()) {
        return false;
    }
    tokens_.access_token = server::string_or(answer.get_object(), "access_token");
    if (keep_) {
        keep_(tokens_);
    }
    return true;
}

void AdminClient::log_out() {
    const HttpResponse response =
        send("DELETE", url_of(base_url_, "/auth/session", {}), {}, {}, {}, tokens_.refresh_token);
    // A session that is gone already is as good.
    if (response.status >= 400 && response.status != 401) {
        throw failure_of(response, "DELETE /auth/session");
    }
    tokens_ = {};
}

HttpResponse AdminClient::request(const std::string& method, const std::string& path,
                                  const Query& query, std::string_view body,
                                  const std::string& content_type, const std::string& accept) {
    const std::string url = url_of(base_url_, path, query);
    HttpResponse response = send(method, url, body, content_type, accept, tokens_.access_token);
    if (response.status == 401 && renew()) {
        response = send(method, url, body, content_type, accept, tokens_.access_token);
    }
    if (response.status >= 400) {
        throw failure_of(response, method + " " + path);
    }
    return response;
}

json::value AdminClient::call(const std::string& method, const std::string& path,
                              const Query& query, const json::value* body) {
    const std::string text = body != nullptr ? json::serialize(*body) : std::string();
    return parse_answer(request(method, path, query, text, body != nullptr ? json_type : "", {}),
                        method + " " + path);
}

json::value AdminClient::get(const std::string& path, const Query& query) {
    return call("GET", path, query, nullptr);
}
json::value AdminClient::post(const std::string& path, const json::value& body,
                              const Query& query) {
    return call("POST", path, query, &body);
}
json::value AdminClient::put(const std::string& path, const json::value& body) {
    return call("PUT", path, {}, &body);
}
json::value AdminClient::patch(const std::string& path, const json::value& body) {
    return call("PATCH", path, {}, &body);
}
void AdminClient::erase(const std::string& path) {
    call("DELETE", path, {}, nullptr);
}

const std::string& AdminClient::group() {
    if (group_.empty()) {
        const json::value profile = get("/auth/profile");
        if (profile.is_object() && profile.get_object().contains("roles")) {
            const json::value& roles = profile.get_object().at("roles");
            if (roles.is_array() && !roles.get_array().empty() &&
                roles.get_array()[0].is_object()) {
                group_ = server::string_or(roles.get_array()[0].get_object(), "group_id");
            }
        }
        if (group_.empty()) {
            throw Failure(ExitCode::refused, "this account has no role on this server",
                          "Ask an administrator for one.");
        }
    }
    return group_;
}

} // namespace tombolo::cli
