#include "server/rules/rule_check.hpp"

#include "server/rules/rule_set.hpp"

namespace tombolo::rules {

namespace {

template <class Wanted>
Result<void> check(const server::AppConfig& config, Wanted wanted) {
    std::string text;
    const std::shared_ptr<const AppRules> rules = AppRules::parse(config);
    for (const Problem& problem : rules->problems()) {
        if (wanted(problem.path)) {
            text += (text.empty() ? "" : "\n") + problem.path + ": " + problem.message;
        }
    }
    if (!text.empty()) {
        return Error(ErrorCode::invalid_argument, std::move(text));
    }
    return {};
}

} // namespace

Result<void> check_rules(const server::AppConfig& config) {
    return check(config, [](const std::string&) { return true; });
}

Result<void> check_changed_rules(const server::AppConfig& config, const server::AppTree& before,
                                 const server::AppTree& after) {
    return check(config, [&](const std::string& path) {
        const std::string file = path.substr(0, path.find(": "));
        const auto now = after.find(file);
        const auto old = before.find(file);
        return now == after.end() || old == before.end() || now->second != old->second;
    });
}

} // namespace tombolo::rules
