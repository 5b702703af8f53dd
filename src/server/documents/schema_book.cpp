#include "server/documents/schema_book.hpp"

#include <boost/json/serialize.hpp>

#include "core/ejson.hpp"

namespace tombolo::documents {

namespace {

Result<DocumentSchema> compile(const server::SchemaConfig& config) {
    TOMBOLO_TRY(BsonBuffer bytes, ejson_to_bson(boost::json::serialize(config.schema)));
    TOMBOLO_TRY(const auto document, mql::BsonDocument::validate(std::move(bytes)));
    return DocumentSchema::compile(document);
}

} // namespace

std::shared_ptr<const SchemaBook::Schemas> SchemaBook::schemas(const server::App& app) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(app.id);
        if (found != entries_.end() && found->second.deployment == app.deployment) {
            return found->second.schemas;
        }
    }
    auto compiled = std::make_shared<Schemas>();
    for (const server::SchemaConfig& config : app.config.schemas) {
        // A schema that deploying let through but that makes no sense as a check is none.
        auto schema = compile(config);
        if (schema) {
            compiled->emplace(
                store::CollectionName{config.data_source, config.database, config.collection},
                *std::move(schema));
        }
    }
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[app.id];
    if (entry.schemas == nullptr || entry.deployment < app.deployment) {
        entry = {app.deployment, compiled};
    }
    return compiled;
}

std::optional<DocumentSchema> SchemaBook::find(const server::App& app,
                                               const store::CollectionName& collection) {
    if (app.config.schemas.empty()) {
        return std::nullopt;
    }
    const auto all = schemas(app);
    const auto found = all->find(collection);
    return found == all->end() ? std::nullopt : std::optional(found->second);
}

} // namespace tombolo::documents
