#include "server/api/admin/sync_model.hpp"

#include <algorithm>

#include "schema/app_mapping.hpp"
#include "server/api/admin/parts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::api::admin {

namespace {

namespace json = boost::json;
using server::App;
using server::AppTree;
using server::object_or_empty;
using server::sync::SyncModel;

/// Adds the text to the array; false when it is there.
bool add_text(json::value& array, std::string_view text) {
    if (!array.is_array()) {
        array = json::array();
    }
    json::array& all = array.get_array();
    const bool is_there = std::any_of(all.begin(), all.end(), [&](const json::value& each) {
        return each.is_string() && std::string_view(each.get_string()) == text;
    });
    if (!is_there) {
        all.emplace_back(text);
    }
    return !is_there;
}

bool lists(const json::object& schema, std::string_view key, std::string_view text) {
    const json::value* found = schema.if_contains(key);
    return found != nullptr && found->is_array() &&
           std::any_of(found->get_array().begin(), found->get_array().end(),
                       [&](const json::value& each) {
                           return each.is_string() && std::string_view(each.get_string()) == text;
                       });
}

bool merge_schema(json::object& known, const json::object& wanted);

// NOLINTNEXTLINE(misc-no-recursion): as deep as the model's embedded classes, which are limited
bool merge_member(json::object& known, const json::object& wanted, std::string_view key) {
    json::value* ours = known.if_contains(key);
    const json::value* theirs = wanted.if_contains(key);
    return ours != nullptr && theirs != nullptr && ours->is_object() && theirs->is_object() &&
           merge_schema(ours->get_object(), theirs->get_object());
}

/// Properties and defaults that `known` lacks; what it says stays.
// NOLINTNEXTLINE(misc-no-recursion): as above
bool merge_schema(json::object& known, const json::object& wanted) {
    bool changed = merge_member(known, wanted, "items");
    changed = merge_member(known, wanted, "additionalProperties") || changed;
    if (wanted.contains("default") && !known.contains("default")) {
        known["default"] = wanted.at("default");
        changed = true;
    }
    for (const auto& [name, property] : object_or_empty(wanted, "properties")) {
        json::value& properties = known["properties"];
        if (!properties.is_object()) {
            properties = json::object();
        }
        json::value* ours = properties.get_object().if_contains(name);
        if (ours == nullptr) {
            properties.get_object()[name] = property;
            if (lists(wanted, "required", name)) {
                add_text(known["required"], name);
            }
            changed = true;
        } else if (ours->is_object() && property.is_object()) {
            changed = merge_schema(ours->get_object(), property.get_object()) || changed;
        }
    }
    return changed;
}

bool merge_relationships(json::object& known, const json::object& wanted) {
    bool changed = false;
    for (const auto& [path, relationship] : wanted) {
        if (!known.contains(path)) {
            known[path] = relationship;
            changed = true;
        }
    }
    return changed;
}

Result<void> put_schemas(AppTree& tree, const App& app, const SyncModel& model) {
    TOMBOLO_TRY(const schema::AppSchema wanted,
                schema::to_app_schema(model.documents.schema, model.documents.places,
                                      {model.data_source, model.database, {}}));
    for (const schema::CollectionSchema& each : wanted.collections) {
        const schema::Namespace& at = each.place;
        const auto parsed = server::parse_json(schema::print_collection_schema(each));
        if (!parsed || !parsed->is_object()) {
            return Error(ErrorCode::internal, "a schema cannot be printed", schema::to_text(at));
        }
        const json::object& form = parsed->get_object();
        json::value whole = object_or_empty(form, "schema");
        json::value links = object_or_empty(form, "relationships");
        const server::SchemaConfig* known =
            app.config.schema(at.data_source, at.database, at.collection);
        bool changed = known == nullptr;
        if (known != nullptr) {
            json::object ours = known->schema;
            json::object our_links = known->relationships;
            changed = merge_schema(ours, whole.get_object());
            changed = merge_relationships(our_links, links.get_object()) || changed;
            whole = std::move(ours);
            links = std::move(our_links);
        }
        if (changed) {
            put_schema(tree, at.data_source, at.database, at.collection, &whole, &links);
        }
    }
    return {};
}

void put_settings(AppTree& tree, const App& app, const SyncModel& model) {
    std::optional<SyncBlock> block = sync_block(tree, model.data_source);
    if (!block) {
        return;
    }
    const server::SyncConfig& known = app.config.sync;
    bool changed = false;
    for (const auto& [class_name, fields] : model.queryable.by_class) {
        const auto place = model.documents.places.find(class_name);
        if (place == model.documents.places.end()) {
            continue;
        }
        const std::string& collection = place->second.collection;
        const auto of = known.collection_queryable_fields_names.find(collection);
        for (const std::string& field : fields) {
            const bool is_there =
                of != known.collection_queryable_fields_names.end() &&
                std::find(of->second.begin(), of->second.end(), field) != of->second.end();
            if (!is_there) {
                json::value& all = block->settings["collection_queryable_fields_names"];
                if (!all.is_object()) {
                    all = json::object();
                }
                changed = add_text(all.get_object()[collection], field) || changed;
            }
        }
    }
    for (const schema::ClassSchema& each : model.documents.schema.classes()) {
        if (each.is_asymmetric()) {
            changed = add_text(block->settings["asymmetric_tables"], each.name()) || changed;
        }
    }
    if (changed) {
        put_sync_block(tree, model.data_source, *block);
    }
}

} // namespace

Result<void> store_sync_model(server::AppRepository& apps, const ObjectId& id,
                              const SyncModel& model, std::int64_t now_unix_ms) {
    server::Author author;
    author.origin = "development mode";
    author.now_unix_ms = now_unix_ms;
    const auto change = [&](AppTree& tree, const App& app) -> Result<void> {
        try {
            TOMBOLO_TRY_VOID(put_schemas(tree, app, model));
            put_settings(tree, app, model);
        } catch (const ApiException& exception) {
            return Error(ErrorCode::invalid_argument, exception.what());
        }
        return {};
    };
    TOMBOLO_TRY([[maybe_unused]] const server::DeployResult done, apps.edit(id, author, change));
    return {};
}

Result<void> pause_sync(server::AppRepository& apps, const ObjectId& id, std::int64_t now_unix_ms) {
    server::Author author;
    author.origin = "automatic pause";
    author.now_unix_ms = now_unix_ms;
    const auto change = [](AppTree& tree, const App& app) -> Result<void> {
        const std::string& service = app.config.sync.service_name;
        try {
            std::optional<SyncBlock> block = sync_block(tree, service);
            if (block && server::string_or(block->settings, "state") == "enabled") {
                block->settings["state"] = "disabled";
                put_sync_block(tree, service, *block);
            }
        } catch (const ApiException& exception) {
            return Error(ErrorCode::invalid_argument, exception.what());
        }
        return {};
    };
    TOMBOLO_TRY([[maybe_unused]] const server::DeployResult done, apps.edit(id, author, change));
    return {};
}

} // namespace tombolo::api::admin
