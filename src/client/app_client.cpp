#include "client/app_client.hpp"

#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace tombolo::client {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* member = object.if_contains(key);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : "";
}

json::object parse_object(const std::string& text) {
    json::error_code failed;
    json::value value = json::parse(text, failed);
    return !failed && value.is_object() ? std::move(value.get_object()) : json::object();
}

} // namespace

AppClient::AppClient(AppAddress address) : address_(std::move(address)), http_(address_.ca_file) {
    while (address_.base_url.ends_with('/')) {
        address_.base_url.pop_back();
    }
}

Result<json::object> AppClient::call(const std::string& method, const std::string& path,
                                     const json::object* body, const std::string& token) {
    HttpRequest request;
    request.method = method;
    request.url = address_.base_url + "/api/client/v2.0" + path;
    request.headers = {{"Accept", "application/json"}};
    if (!token.empty()) {
        request.headers.emplace_back("Authorization", "Bearer " + token);
    }
    const std::string text = body != nullptr ? json::serialize(*body) : "";
    request.has_body = method == "POST";
    if (request.has_body) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = text;
    }
    TOMBOLO_TRY(const HttpResponse response, http_.send(request));
    json::object answer = parse_object(response.body);
    if (response.status >= 200 && response.status < 300) {
        return answer;
    }
    std::string why = text_of(answer, "error");
    if (why.empty()) {
        why = "status " + std::to_string(response.status);
    }
    if (response.status >= 500 || response.status == 429) {
        return Error(ErrorCode::unavailable, why);
    }
    return Error(response.status == 401 || response.status == 403 ? ErrorCode::access_denied
                                                                  : ErrorCode::invalid_argument,
                 why);
}

Result<std::string> AppClient::socket_origin() {
    if (socket_origin_.empty()) {
        TOMBOLO_TRY(
            const json::object answer,
            call("GET", "/app/" + percent_encode(address_.app_id) + "/location", nullptr, ""));
        socket_origin_ = text_of(answer, "ws_hostname");
        if (socket_origin_.empty()) {
            return Error(ErrorCode::invalid_argument,
                         "the server does not say where the app syncs (ws_hostname)");
        }
    }
    return socket_origin_;
}

Result<UserTokens> AppClient::log_in(std::string_view provider, const json::object& credentials) {
    TOMBOLO_TRY(const json::object answer,
                call("POST",
                     "/app/" + percent_encode(address_.app_id) + "/auth/providers/" +
                         std::string(provider) + "/login",
                     &credentials, ""));
    UserTokens tokens{text_of(answer, "user_id"), text_of(answer, "access_token"),
                      text_of(answer, "refresh_token")};
    if (tokens.access_token.empty()) {
        return Error(ErrorCode::invalid_argument, "the answer to the sign-in has no token");
    }
    return tokens;
}

Result<void> AppClient::register_user(std::string_view email, std::string_view password) {
    const json::object body{{"email", email}, {"password", password}};
    TOMBOLO_TRY_VOID(
        call("POST",
             "/app/" + percent_encode(address_.app_id) + "/auth/providers/local-userpass/register",
             &body, ""));
    return {};
}

Result<std::string> AppClient::renew(const std::string& refresh_token) {
    TOMBOLO_TRY(const json::object answer, call("POST", "/auth/session", nullptr, refresh_token));
    return text_of(answer, "access_token");
}

} // namespace tombolo::client
