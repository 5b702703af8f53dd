// Why a user's devices have a document, or not.

#include "server/sync/engine/model.hpp"
#include "server/sync/session/service.hpp"

namespace tombolo::server::sync {

Result<SyncService::Explanation> SyncService::explain(const ObjectId& app, const std::string& user,
                                                      const std::string& class_name,
                                                      const std::string& key) {
    TOMBOLO_TRY(const std::shared_ptr<Engine> engine, engine_of(app));
    TOMBOLO_TRY(const std::shared_ptr<const Model> model, Model::make(engine->model(), store_));
    Explanation out;
    TOMBOLO_TRY(out.object, parse_object(*model, class_name, key));
    AppRoles roles([&apps = apps_, app] { return apps.find(app); }, log_, options_.facts);
    TOMBOLO_TRY(const Role role, roles.role_of(user));
    TOMBOLO_TRY(out.choice, roles.choice_of(user, class_name));
    out.permissions = role.of(class_name);
    TOMBOLO_TRY(out.standing, explain_object(model, store_, app, user, role, out.object));
    for (const auto& connection : connections(app)) {
        if (connection->user_id == user) {
            for (const auto& [session, file] : connection->files()) {
                out.connected.push_back(file.file);
            }
        }
    }
    return out;
}

} // namespace tombolo::server::sync
