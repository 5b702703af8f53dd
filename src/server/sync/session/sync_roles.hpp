#pragma once

// The rules of an app as the sync engine takes them: for a user, each class's filters as query
// texts (device-sync-server.md 4.2 to 4.5).

#include <functional>
#include <memory>
#include <string>

#include "server/app/app_repository.hpp"
#include "server/runtime/log.hpp"
#include "server/sync/engine/roles.hpp"

namespace tombolo::server::sync {

/// Asks for the app's deployment of the moment whenever a role is wanted. Thread-safety: as
/// RoleProvider.
class AppRoles final : public RoleProvider {
  public:
    using CurrentApp = std::function<std::shared_ptr<const App>()>;

    AppRoles(CurrentApp app, const Log& log) : app_(std::move(app)), log_(log) {}
    Result<Role> role_of(std::string_view user_id) override;

  private:
    CurrentApp app_;
    const Log& log_;
};

} // namespace tombolo::server::sync
