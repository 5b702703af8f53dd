#pragma once

// tombolod put together: store, apps, users, listeners, and the chores that run by the clock.

#include <memory>
#include <string>

#include "core/result.hpp"
#include "server/daemon/config.hpp"
#include "server/runtime/log.hpp"

namespace tombolo::server {

class Daemon {
  public:
    /// Opens the store, deploys the apps, starts to listen. `log` must outlive the daemon.
    static Result<std::unique_ptr<Daemon>> start(const Config& config, const Log& log);
    /// Stops if stop() was not called.
    ~Daemon();

    /// Lets running requests finish for at most the configured time.
    void stop();
    /// Certificates and app directories, from the files as they are now. On an error what was in
    /// use stays in use.
    Result<void> reload(const Config& config);

    /// "http://127.0.0.1:9090": the address that is really bound.
    std::string url() const;
    std::string metrics_url() const;

    struct FirstAdministrator {
        std::string user;
        /// To be shown once; empty when the operator chose it.
        std::string password;
    };
    /// Set when this start created the administrator.
    const FirstAdministrator* first_administrator() const noexcept;

    struct DeployedApp {
        std::string client_app_id;
        std::string name;
    };
    std::vector<DeployedApp> apps() const;

    class Impl;

  private:
    explicit Daemon(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace tombolo::server
