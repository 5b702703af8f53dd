#pragma once

// A real tombolod and an administrator's calls to it, as SDK test harnesses make them.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include "server/daemon/tombolod_process.hpp"
#include "support/temporary_folder.hpp"

namespace tombolo::server {

struct AdminAnswer {
    int status = 0;
    std::string head;
    std::string text;
    boost::json::value body; ///< null when the text is no JSON

    /// A string member of an object, or empty.
    std::string operator[](std::string_view key) const;
    const boost::json::object& object() const { return body.as_object(); }
    const boost::json::array& array() const { return body.as_array(); }
    bool has_header(std::string_view line) const { return head.find(line) != std::string::npos; }
};

/// One tombolod for all tests of a suite: starting one takes longer than most of what is asked.
class AdminServer {
  public:
    AdminServer();

    AdminAnswer call(const std::string& method, const std::string& path,
                     const std::string& token = {}, const std::string& body = {}) const;
    /// Logs in once, as unique_user@domain.com.
    const std::string& token();
    const std::string& refresh_token();
    const std::string& group();
    std::uint16_t port() const { return port_; }

  private:
    void log_in();

    TemporaryFolder folder_;
    std::unique_ptr<Tombolod> process_;
    std::uint16_t port_ = 0;
    std::string token_;
    std::string refresh_;
    std::string group_;
};

/// Calls below one app, which is deleted at the end.
class AdminApp {
  public:
    explicit AdminApp(AdminServer& server, const std::string& body = R"({"name": "test"})");
    ~AdminApp();
    AdminApp(const AdminApp&) = delete;
    AdminApp& operator=(const AdminApp&) = delete;

    AdminAnswer get(const std::string& path) { return call("GET", path); }
    AdminAnswer post(const std::string& path, const std::string& body = {}) {
        return call("POST", path, body);
    }
    AdminAnswer put(const std::string& path, const std::string& body = {}) {
        return call("PUT", path, body);
    }
    AdminAnswer patch(const std::string& path, const std::string& body) {
        return call("PATCH", path, body);
    }
    AdminAnswer remove(const std::string& path) { return call("DELETE", path); }
    AdminAnswer call(const std::string& method, const std::string& path,
                     const std::string& body = {});
    /// A call of the private family.
    AdminAnswer private_call(const std::string& method, const std::string& path,
                             const std::string& body = {});
    /// A call of the client API, below the app.
    AdminAnswer client(const std::string& method, const std::string& path,
                       const std::string& body = {}, const std::string& token = {});

    const std::string& id() const { return id_; }
    const std::string& client_app_id() const { return client_app_id_; }
    std::string path() const;

    /// Ends the query of every call.
    std::string query = "?bypass_service_change=SyncSchemaVersionIncrease";

  private:
    AdminServer& server_;
    std::string id_;
    std::string client_app_id_;
};

/// For suites that share a server.
AdminServer& shared_server();

} // namespace tombolo::server
