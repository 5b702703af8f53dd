#include "server/sync/session/sync_roles.hpp"

#include "server/rules/sync_access.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/session/filter_text.hpp"
#include "server/sync/session/sync_model.hpp"

namespace tombolo::server::sync {

namespace {

// NOLINTNEXTLINE(misc-no-recursion): as deep as rules are, which limits bound
FieldPermissions to_fields(const rules::FieldAccess& access) {
    FieldPermissions out{access.read, access.write, {}};
    for (const auto& [name, inside] : access.fields) {
        out.fields.emplace(name, to_fields(inside));
    }
    return out;
}

Result<ClassPermissions> to_permissions(const rules::SyncAccess& access,
                                        const schema::ClassSchema& class_schema) {
    ClassPermissions out;
    TOMBOLO_TRY(out.read, filter_text(access.read, class_schema));
    TOMBOLO_TRY(out.write, filter_text(access.write, class_schema));
    TOMBOLO_TRY(out.insert, filter_text(access.insert, class_schema));
    TOMBOLO_TRY(out.erase, filter_text(access.erase, class_schema));
    out.fields = to_fields(access.fields);
    return out;
}

std::set<std::string> queryable_fields(const schema::ClassSchema& class_schema,
                                       const schema::QueryableFields& queryable) {
    std::set<std::string> out;
    for (const schema::Property& property : class_schema.properties()) {
        if (queryable.contains(class_schema.name(), property.name)) {
            out.insert(property.name);
        }
    }
    return out;
}

std::shared_ptr<const rules::Facts> nobody(std::string_view user_id) {
    auto facts = std::make_shared<rules::Facts>();
    facts->user_id = user_id;
    mql::BsonWriter writer;
    writer.append_string("id", user_id);
    facts->user = std::move(writer).finish();
    return facts;
}

} // namespace

Result<Role> AppRoles::role_of(std::string_view user_id) {
    const std::shared_ptr<const App> app = app_();
    if (app == nullptr) {
        return Error(ErrorCode::not_found, "the app is gone");
    }
    const auto facts = facts_ ? facts_(*app, std::string(user_id)) : nobody(user_id);
    if (facts == nullptr) {
        return Role::deny_all();
    }
    const auto rules = rules_.rules(*app);
    const auto deny = [&](const std::string& class_name, const std::string& role,
                          const std::string& reason) {
        log_.info("a sync role denies access", {{"app", app->client_app_id},
                                                {"user", std::string(user_id)},
                                                {"class", class_name},
                                                {"role", role},
                                                {"reason", reason}});
        return ClassPermissions::deny_all();
    };
    Role out = Role::deny_all();
    TOMBOLO_TRY(const AppModel model, make_app_model(app->config, app->schema_versions));
    const schema::DocumentSchema documents = documents_of_all(model.model);
    for (const auto& [class_name, place] : documents.places) {
        const schema::ClassSchema* class_schema = documents.schema.find(class_name);
        if (class_schema == nullptr) {
            continue;
        }
        const rules::SyncAccess access =
            rules::sync_access(*rules, {place.data_source, place.database, place.collection},
                               *facts, queryable_fields(*class_schema, model.model.queryable));
        if (!access.denied.empty()) {
            out.classes[class_name] = deny(class_name, access.role, access.denied);
            continue;
        }
        const auto permissions = to_permissions(access, *class_schema);
        out.classes[class_name] =
            permissions ? *permissions
                        : deny(class_name, access.role, permissions.error().message());
    }
    // Classes that are not there yet (development mode) have the defaults of their data source,
    // which can only be asked for fields that are known: a literal is all that holds for them.
    const rules::SyncAccess others = rules::sync_access(
        *rules, {app->config.sync.service_name, model.model.database, {}}, *facts, {});
    if (others.denied.empty()) {
        const auto permissions = to_permissions(others, schema::ClassSchema());
        if (permissions) {
            out.others = *permissions;
        }
    }
    return out;
}

Result<AppRoles::Choice> AppRoles::choice_of(std::string_view user_id,
                                             const std::string& class_name) const {
    const std::shared_ptr<const App> app = app_();
    if (app == nullptr) {
        return Error(ErrorCode::not_found, "the app is gone");
    }
    TOMBOLO_TRY(const AppModel model, make_app_model(app->config, app->schema_versions));
    const schema::DocumentSchema documents = documents_of_all(model.model);
    const schema::ClassSchema* class_schema = documents.schema.find(class_name);
    const auto place = documents.places.find(class_name);
    if (class_schema == nullptr || place == documents.places.end()) {
        return Error(ErrorCode::not_found, "no class '" + class_name + "' is synced");
    }
    Choice out;
    const auto facts = facts_ ? facts_(*app, std::string(user_id)) : nobody(user_id);
    if (facts == nullptr) {
        out.is_known_user = false;
        return out;
    }
    const auto rules = rules_.rules(*app);
    rules::SyncAccess access = rules::sync_access(
        *rules, {place->second.data_source, place->second.database, place->second.collection},
        *facts, queryable_fields(*class_schema, model.model.queryable));
    out.role = std::move(access.role);
    out.passed_over = std::move(access.passed_over);
    out.denied = std::move(access.denied);
    if (out.denied.empty()) {
        if (const auto permissions = to_permissions(access, *class_schema); !permissions) {
            out.denied = permissions.error().message();
        }
    }
    return out;
}

} // namespace tombolo::server::sync
