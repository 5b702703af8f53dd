#include "server/sync_session/operator.hpp"

#include <stdexcept>

#include <boost/json/parse.hpp>

#include "server/http/raw_client.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

namespace {

namespace json = boost::json;

constexpr const char* base = "/api/admin/v3.0";

} // namespace

void Operator::configure(Config& config) {
    config.admin_user = "operator@example.com";
    config.admin_password = "password";
}

Operator::Operator(std::uint16_t port, const std::string& client_app_id) : port_(port) {
    const Answer session = send("POST", std::string(base) + "/auth/providers/local-userpass/login",
                                R"({"username": "operator@example.com", "password": "password"})");
    if (session.status != 200) {
        throw std::runtime_error("the operator's login was answered with " + session.text);
    }
    token_ = string_or(session.body.as_object(), "access_token");
    const Answer profile = send("GET", std::string(base) + "/auth/profile", {});
    const std::string group =
        string_or(profile.body.at("roles").as_array().at(0).as_object(), "group_id");
    const std::string apps = std::string(base) + "/groups/" + group + "/apps";
    const Answer listed = send("GET", apps, {});
    for (const json::value& app : listed.body.as_array()) {
        if (string_or(app.as_object(), "client_app_id") == client_app_id) {
            app_path_ = apps + "/" + string_or(app.as_object(), "_id");
        }
    }
    if (app_path_.empty()) {
        throw std::runtime_error("there is no app " + client_app_id);
    }
}

Operator::Answer Operator::send(const std::string& method, const std::string& path,
                                const std::string& body) const {
    http::RawClient client(port_);
    client.send(method + " " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" +
                (token_.empty() ? "" : "Authorization: Bearer " + token_ + "\r\n") +
                "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    const auto received = client.receive();
    Answer answer{received.status, received.body, nullptr};
    if (const auto parsed = parse_json(answer.text)) {
        answer.body = *parsed;
    }
    return answer;
}

Operator::Answer Operator::call(const std::string& method, const std::string& path,
                                const std::string& body) const {
    return send(method, app_path_ + "/" + path, body);
}

json::value Operator::ask(const std::string& method, const std::string& path,
                          const std::string& body) const {
    Answer answer = call(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
        throw std::runtime_error(method + " " + path + " was answered with " +
                                 std::to_string(answer.status) + " " + answer.text);
    }
    return std::move(answer.body);
}

std::string Operator::service(const std::string& name) const {
    const json::value services = ask("GET", "services");
    for (const json::value& one : services.as_array()) {
        if (string_or(one.as_object(), "name") == name) {
            return string_or(one.as_object(), "_id");
        }
    }
    throw std::runtime_error("there is no service " + name);
}

json::value Operator::import(const std::string& collection, const std::string& mode,
                             const std::string& lines) const {
    return ask("POST",
               "services/" + service() + "/import?database=app&collection=" + collection +
                   "&mode=" + mode,
               lines);
}

} // namespace tombolo::server
