#include "server/auth/user_data.hpp"

#include "core/ejson.hpp"
#include "core/limits.hpp"

namespace tombolo::auth {

namespace {

constexpr std::string_view index_name = "custom_user_data";

store::CollectionName collection_of(const server::App& app) {
    const server::CustomUserDataConfig& config = app.config.custom_user_data;
    return {config.service_name, config.database_name, config.collection_name};
}

} // namespace

Result<void> prepare_custom_user_data(store::Store& store, const server::App& app) {
    if (!app.config.custom_user_data.enabled) {
        return {};
    }
    TOMBOLO_TRY(const store::CollectionId collection, store.ensure_collection(collection_of(app)));
    const store::IndexSpec spec{
        std::string(index_name), {{app.config.custom_user_data.user_id_field}}, false};
    const Result<void> made = store.ensure_index(collection, spec);
    if (!made && made.error().code() == ErrorCode::already_exists) {
        // The field's name was changed in the configuration.
        TOMBOLO_TRY_VOID(store.drop_index(collection, index_name));
        return store.ensure_index(collection, spec);
    }
    return made;
}

std::string custom_user_data(const Context& context, const server::App& app, const ObjectId& user) {
    if (!app.config.custom_user_data.enabled) {
        return {};
    }
    const auto collection = context.store.find_collection(collection_of(app));
    if (!collection) {
        return {};
    }
    auto snapshot = context.store.snapshot();
    const std::string text = user.to_string();
    for (const mql::BsonValue& id :
         {mql::BsonValue::from_string(text), mql::BsonValue::from_object_id(user)}) {
        store::IndexRange range;
        range.equal.push_back(id);
        auto cursor = snapshot->scan_index(*collection, index_name, range);
        if (!cursor && cursor.error().code() == ErrorCode::not_found) {
            // Custom data was turned on by a deployment since the start.
            if (!prepare_custom_user_data(context.store, app)) {
                return {};
            }
            snapshot = context.store.snapshot();
            cursor = snapshot->scan_index(*collection, index_name, range);
        }
        if (!cursor) {
            return {};
        }
        std::optional<store::StoredDocument> first;
        while ((*cursor)->next()) {
            const auto found = snapshot->find(*collection, (*cursor)->key()).value();
            if (found && (!first || found->created < first->created)) {
                first = found;
            }
        }
        if (!first) {
            continue;
        }
        const auto json = bson_to_ejson(first->body.bytes(), EjsonForm::relaxed);
        if (!json || json->size() > limits::custom_user_data_bytes_max) {
            context.log.warning("custom user data left out of the token: too large or not text",
                                {{"app", app.client_app_id}, {"user", text}});
            return {};
        }
        return *json;
    }
    return {};
}

} // namespace tombolo::auth
