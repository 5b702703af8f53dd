#include "server/rules/rule_book.hpp"

namespace tombolo::rules {

std::shared_ptr<const AppRules> RuleBook::rules(const server::App& app) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(app.id);
        if (found != entries_.end() && found->second.deployment == app.deployment) {
            return found->second.rules;
        }
    }
    // Two requests may both do this after a deployment; the results are the same.
    std::shared_ptr<const AppRules> parsed = AppRules::parse(app.config);
    for (const Problem& problem : parsed->problems()) {
        log_.warning(
            "rule not understood, access is denied",
            {{"app", app.client_app_id}, {"path", problem.path}, {"problem", problem.message}});
    }
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[app.id];
    // A request that began before a deployment must not bring the old rules back.
    if (entry.rules == nullptr || entry.deployment < app.deployment) {
        entry = {app.deployment, parsed};
    }
    return parsed;
}

} // namespace tombolo::rules
