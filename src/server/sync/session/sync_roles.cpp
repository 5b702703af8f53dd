#include "server/sync/session/sync_roles.hpp"

#include <optional>

#include <boost/json/object.hpp>

#include "server/sync/session/sync_model.hpp"

namespace tombolo::server::sync {

namespace {

namespace json = boost::json;

// A literal, or nothing when it is anything else.
std::optional<bool> literal(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || !value->is_bool()) {
        return std::nullopt;
    }
    return value->get_bool();
}

bool always_applies(const json::object& role) {
    const json::value* when = role.if_contains("apply_when");
    return when != nullptr && ((when->is_object() && when->get_object().empty()) ||
                               (when->is_bool() && when->get_bool()));
}

std::string predicate(bool value) {
    return value ? "TRUEPREDICATE" : "FALSEPREDICATE";
}

// Nothing when the role says something that is not a literal.
std::optional<ClassPermissions> permissions_of(const json::object& role) {
    const json::value* filters = role.if_contains("document_filters");
    if (filters == nullptr || !filters->is_object()) {
        return std::nullopt;
    }
    const auto filter_read = literal(filters->get_object(), "read");
    const auto filter_write = literal(filters->get_object(), "write");
    const bool write = literal(role, "write").value_or(false);
    const bool read = literal(role, "read").value_or(false) || write;
    if (!filter_read || !filter_write || !always_applies(role) || role.contains("fields") ||
        role.contains("additional_fields")) {
        return std::nullopt;
    }
    ClassPermissions out;
    out.read = predicate(read && (*filter_read || *filter_write));
    out.write = predicate(write && *filter_write);
    for (const auto& [key, target] : {std::pair("insert", &out.insert), {"delete", &out.erase}}) {
        const json::value* value = role.if_contains(key);
        if (value != nullptr && !value->is_bool()) {
            return std::nullopt;
        }
        *target = predicate(value == nullptr || value->get_bool());
    }
    return out;
}

ClassPermissions permissions_of(const RuleConfig* rule, std::string& problem) {
    if (rule == nullptr || rule->roles.empty()) {
        return ClassPermissions::deny_all();
    }
    const json::value& first = rule->roles.front();
    const auto out = first.is_object() ? permissions_of(first.get_object()) : std::nullopt;
    if (!out) {
        problem = "the first role is not one of literals only";
        return ClassPermissions::deny_all();
    }
    return *out;
}

} // namespace

Result<Role> AppRoles::role_of(std::string_view user_id) {
    const std::shared_ptr<const App> app = app_();
    if (app == nullptr) {
        return Error(ErrorCode::not_found, "the app is gone");
    }
    const AppConfig& config = app->config;
    const DataSourceConfig* source = config.data_source(config.sync.service_name);
    if (source == nullptr) {
        return Role::deny_all();
    }
    Role role = Role::deny_all();
    std::string problem;
    const RuleConfig* fallback = source->default_rule ? &*source->default_rule : nullptr;
    role.others = permissions_of(fallback, problem);
    TOMBOLO_TRY(const AppModel model, make_app_model(config));
    for (const auto& [class_name, place] : model.model.documents.places) {
        const RuleConfig* rule = source->rule(place.database, place.collection);
        role.classes[class_name] =
            permissions_of(rule != nullptr && !rule->roles.empty() ? rule : fallback, problem);
    }
    if (!problem.empty()) {
        log_.warning(
            "a sync role denies access",
            {{"app", app->client_app_id}, {"user", std::string(user_id)}, {"reason", problem}});
    }
    return role;
}

} // namespace tombolo::server::sync
