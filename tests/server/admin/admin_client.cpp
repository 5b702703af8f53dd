#include "server/admin/admin_client.hpp"

#include "server/http/raw_client.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::server {

std::string AdminAnswer::operator[](std::string_view key) const {
    return body.is_object() ? string_or(body.get_object(), key) : std::string();
}

AdminServer::AdminServer() {
    process_ = std::make_unique<Tombolod>(
        std::vector<std::string>{"--data", folder_.file("data"), "--listen", "127.0.0.1:0",
                                 "--admin-user", "unique_user@domain.com", "--admin-password",
                                 "password", "--requests-per-minute", "0"},
        folder_.file("output"));
    EXPECT_TRUE(process_->wait_ready()) << process_->output();
    port_ = process_->port();
}

AdminAnswer AdminServer::call(const std::string& method, const std::string& path,
                              const std::string& token, const std::string& body) const {
    http::RawClient client(port_);
    client.send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" +
                (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") +
                "Content-Type: application/json;charset=utf-8\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const auto received = client.receive();
    AdminAnswer answer{received.status, received.head, received.body, nullptr};
    if (const auto parsed = parse_json(answer.text)) {
        answer.body = *parsed;
    }
    return answer;
}

void AdminServer::log_in() {
    const AdminAnswer session =
        call("POST", "/api/admin/v3.0/auth/providers/local-userpass/login", {},
             R"({"provider": "userpass", "username": "unique_user@domain.com",
                 "password": "password"})");
    EXPECT_EQ(session.status, 200) << session.text;
    token_ = session["access_token"];
    refresh_ = session["refresh_token"];
    const AdminAnswer profile = call("GET", "/api/admin/v3.0/auth/profile", token_);
    EXPECT_EQ(profile.status, 200) << profile.text;
    group_ = string_or(profile.object().at("roles").as_array().at(0).as_object(), "group_id");
}

const std::string& AdminServer::token() {
    if (token_.empty()) {
        log_in();
    }
    return token_;
}

const std::string& AdminServer::refresh_token() {
    static_cast<void>(token());
    return refresh_;
}

const std::string& AdminServer::group() {
    static_cast<void>(token());
    return group_;
}

AdminApp::AdminApp(AdminServer& server, const std::string& body) : server_(server) {
    const AdminAnswer made = server.call(
        "POST", "/api/admin/v3.0/groups/" + server.group() + "/apps", server.token(), body);
    EXPECT_EQ(made.status, 201) << made.text;
    id_ = made["_id"];
    client_app_id_ = made["client_app_id"];
}

AdminApp::~AdminApp() {
    static_cast<void>(call("DELETE", "")); // a test may have done it
}

std::string AdminApp::path() const {
    return "/api/admin/v3.0/groups/" + server_.group() + "/apps/" + id_;
}

AdminAnswer AdminApp::call(const std::string& method, const std::string& path,
                           const std::string& body) {
    const bool asks = path.find('?') != std::string::npos;
    return server_.call(method,
                        this->path() + (path.empty() ? "" : "/") + path + (asks ? "" : query),
                        server_.token(), body);
}

AdminAnswer AdminApp::private_call(const std::string& method, const std::string& path,
                                   const std::string& body) {
    return server_.call(method,
                        "/api/private/v1.0/groups/" + server_.group() + "/apps/" + id_ + "/" + path,
                        server_.token(), body);
}

AdminAnswer AdminApp::client(const std::string& method, const std::string& path,
                             const std::string& body, const std::string& token) {
    return server_.call(method, "/api/client/v2.0/app/" + client_app_id_ + "/" + path, token, body);
}

AdminServer& shared_server() {
    static AdminServer server;
    return server;
}

} // namespace tombolo::server
