#pragma once

// An administrator's calls to a server of these tests.

#include <cstdint>
#include <string>

#include <boost/json/value.hpp>

#include "server/daemon/config.hpp"

namespace tombolo::server {

class Operator {
  public:
    /// To be done to the configuration of the server.
    static void configure(Config& config);

    /// Signs in and finds the app by its client app id. Throws std::runtime_error on failure.
    Operator(std::uint16_t port, const std::string& client_app_id);

    struct Answer {
        int status = 0;
        std::string text;
        boost::json::value body; ///< null when the text is no JSON
    };
    /// Below the app.
    Answer call(const std::string& method, const std::string& path,
                const std::string& body = {}) const;
    /// The same; throws std::runtime_error unless the status is 2xx.
    boost::json::value ask(const std::string& method, const std::string& path,
                           const std::string& body = {}) const;
    /// The id of a data source of the app.
    std::string service(const std::string& name = "mongodb-atlas") const;
    /// Documents into a collection of the database "app", one a line.
    boost::json::value import(const std::string& collection, const std::string& mode,
                              const std::string& lines) const;

  private:
    Answer send(const std::string& method, const std::string& path, const std::string& body) const;

    std::uint16_t port_;
    std::string token_;
    std::string app_path_;
};

} // namespace tombolo::server
