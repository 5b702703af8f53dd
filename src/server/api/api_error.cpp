#include "server/api/api_error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace tombolo::api {

ApiError bad_request(std::string text) {
    return {400, "BadRequest", std::move(text)};
}
ApiError missing_parameter(std::string text) {
    return {400, "MissingParameter", std::move(text)};
}
ApiError invalid_session(std::string text) {
    return {401, "InvalidSession", std::move(text)};
}

ApiError forbidden(std::string code, std::string text) {
    return {403, std::move(code), std::move(text)};
}
ApiError not_found(std::string code, std::string text) {
    return {404, std::move(code), std::move(text)};
}
ApiError conflict(std::string code, std::string text) {
    return {409, std::move(code), std::move(text)};
}
ApiError too_busy(int status, std::string text) {
    return {status, status == 429 ? "RateLimited" : "ServiceUnavailable", std::move(text)};
}
ApiError internal_error() {
    return {500, "InternalServerError", "an internal error occurred"};
}

http::Response to_response(const ApiError& error, std::string_view base_url,
                           std::string_view request_id) {
    boost::json::object body;
    body["error"] = error.text;
    body["error_code"] = error.code;
    body["link"] = std::string(base_url) + "/logs?co_id=" + std::string(request_id);
    http::Response response = http::Response::json(error.status, boost::json::serialize(body));
    if (error.status == 429 || error.status == 503) {
        response.headers.set("Retry-After", "1");
    }
    return response;
}

} // namespace tombolo::api
