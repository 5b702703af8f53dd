#pragma once

// The rules of an app as the sync engine takes them: for a user, each class's filters as query
// texts (device-sync-server.md 4.2 to 4.5).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/app/app_repository.hpp"
#include "server/rules/facts.hpp"
#include "server/rules/rule_book.hpp"
#include "server/runtime/log.hpp"
#include "server/sync/engine/roles.hpp"

namespace tombolo::server::sync {

/// What rules may ask about a user, as of now; null when there is no such user.
using FactsOf =
    std::function<std::shared_ptr<const rules::Facts>(const App& app, const std::string& user_id)>;

/// Asks for the app's deployment of the moment whenever a role is wanted. A class whose role cannot
/// be had in sync is denied, and the log says why. Thread-safety: as RoleProvider.
class AppRoles final : public RoleProvider {
  public:
    using CurrentApp = std::function<std::shared_ptr<const App>()>;

    /// Without `facts` rules know a user's id only.
    AppRoles(CurrentApp app, const Log& log, FactsOf facts = {})
        : app_(std::move(app)), log_(log), facts_(std::move(facts)), rules_(log) {}
    Result<Role> role_of(std::string_view user_id) override;

    /// How the role in a class was chosen.
    struct Choice {
        bool is_known_user = true;
        std::string role;                     ///< empty: none applies
        std::vector<std::string> passed_over; ///< those before it, whose apply_when does not hold
        std::string denied;                   ///< why everything is denied; empty: it is not
    };
    /// not_found when the app has no such class.
    Result<Choice> choice_of(std::string_view user_id, const std::string& class_name) const;

  private:
    CurrentApp app_;
    const Log& log_;
    const FactsOf facts_;
    mutable rules::RuleBook rules_;
};

} // namespace tombolo::server::sync
