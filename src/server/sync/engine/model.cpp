#include "server/sync/engine/model.hpp"

#include "schema/default_value.hpp"
#include "server/sync/engine/schema_facts.hpp"
#include "server/sync/engine/schema_versions.hpp"

namespace tombolo::server::sync {

using changeset::ClassInfo;
using changeset::ColumnInfo;
using changeset::TableKind;

namespace {

ClassInfo class_info(const schema::ClassSchema& class_schema) {
    ClassInfo info;
    info.name = class_schema.name();
    info.kind = static_cast<TableKind>(class_schema.kind());
    for (const schema::Property& property : class_schema.properties()) {
        if (property.is_computed()) {
            continue;
        }
        if (property.primary_key && !class_schema.is_embedded()) {
            info.primary_key = property.name;
            info.key_type = payload_type(property.type);
            info.key_nullable = property.nullable;
            continue;
        }
        ColumnInfo column;
        column.name = property.name;
        column.type = payload_type(property.type);
        column.nullable = property.nullable;
        column.collection = static_cast<changeset::CollectionKind>(property.collection);
        column.target = property.is_link() ? property.target : "";
        info.columns.push_back(std::move(column));
    }
    return info;
}

} // namespace

void fill_missing(SyncModel& model, const schema::SchemaFact& fact) {
    const auto* property = std::get_if<schema::PropertyFact>(&fact);
    schema::ClassSchema* owner =
        property ? model.documents.schema.find(property->class_name) : nullptr;
    const schema::Property* added = owner ? owner->find(property->name) : nullptr;
    if (added == nullptr || added->nullable || added->is_collection() || added->is_link() ||
        !added->default_value.is_null()) {
        return;
    }
    schema::Property filled = *added;
    filled.default_value = schema::zero_value(filled);
    owner->put(std::move(filled));
}

schema::DocumentSchema documents_of_all(const SyncModel& model) {
    schema::DocumentSchema whole = model.documents;
    for (auto each = model.older.rbegin(); each != model.older.rend(); ++each) {
        unite(whole, each->documents);
    }
    return whole;
}

Result<std::shared_ptr<const Model>> Model::make(SyncModel config, store::Store& store) {
    const schema::DocumentSchema whole = documents_of_all(config);
    TOMBOLO_TRY(const std::shared_ptr<Model> model, build(config, whole, store));
    if (config.older.empty()) {
        return std::shared_ptr<const Model>(model);
    }
    const auto shared_whole = std::make_shared<const schema::Schema>(whole.schema);
    config.older.push_back({config.schema_version, config.documents});
    for (const SchemaGeneration& each : config.older) {
        SyncModel of_version = config;
        of_version.older.clear();
        of_version.documents = each.documents;
        of_version.schema_version = each.version;
        TOMBOLO_TRY(const std::shared_ptr<Model> version,
                    build(std::move(of_version), narrow(each.documents, whole), store));
        version->is_narrowed_ = true;
        version->whole_ = shared_whole;
        model->versions_[each.version] = version;
    }
    return std::shared_ptr<const Model>(model);
}

std::shared_ptr<const Model> Model::of(std::uint64_t version) const {
    if (versions_.empty()) {
        return version == config_.schema_version ? shared_from_this() : nullptr;
    }
    const auto found = versions_.find(version);
    return found == versions_.end() ? nullptr : found->second;
}

void Model::project(changeset::ChangesetBuilder& out, const changeset::Changeset& source) const {
    const Projection projection(schema());
    for (const changeset::Instruction& instruction : source.instructions()) {
        projection.append(out, source, instruction);
    }
}

Result<std::shared_ptr<Model>> Model::build(SyncModel config, schema::DocumentSchema documents,
                                            store::Store& store) {
    auto model = std::make_shared<Model>();
    model->config_ = std::move(config);
    model->documents_ = std::move(documents);
    for (const schema::ClassSchema& each : model->schema().classes()) {
        model->classes_[each.name()] = class_info(each);
        if (each.is_embedded()) {
            continue;
        }
        const auto place = model->documents().places.find(each.name());
        if (place == model->documents().places.end()) {
            return Error(ErrorCode::invalid_schema,
                         "class \"" + each.name() + "\" has no collection");
        }
        const schema::Namespace& at = place->second;
        ClassStorage storage;
        TOMBOLO_TRY(storage.documents,
                    store.ensure_collection({at.data_source, at.database, at.collection}));
        storage.sidecar_name = sidecar_of({at.data_source, at.database, at.collection});
        model->by_collection_[storage.documents] = each.name();
        model->storage_[each.name()] = std::move(storage);
    }
    return model;
}

const ClassInfo* Model::find_class(std::string_view name) const noexcept {
    const auto found = classes_.find(name);
    return found == classes_.end() ? nullptr : &found->second;
}

const ClassStorage* Model::storage(std::string_view class_name) const noexcept {
    const auto found = storage_.find(class_name);
    return found == storage_.end() ? nullptr : &found->second;
}

const std::string* Model::class_of(store::CollectionId collection) const noexcept {
    const auto found = by_collection_.find(collection);
    return found == by_collection_.end() ? nullptr : &found->second;
}

store::CollectionName sidecar_of(const store::CollectionName& documents) {
    return {documents.data_source, "__tombolo_exact",
            documents.database + "." + documents.collection};
}

void Model::append_schema(changeset::ChangesetBuilder& out) const {
    for (const schema::SchemaFact& fact : schema::facts_of(declared())) {
        append_fact(out, fact);
    }
}

Result<bool> add_fact(SyncModel& model, const schema::SchemaFact& fact) {
    TOMBOLO_TRY(const bool changed, schema::apply_fact(model.documents.schema, fact));
    if (const auto* of_class = std::get_if<schema::ClassFact>(&fact);
        changed && of_class != nullptr && of_class->kind != schema::ClassKind::embedded) {
        model.documents.places.try_emplace(
            of_class->name, schema::Namespace{model.data_source, model.database, of_class->name});
    }
    if (changed) {
        fill_missing(model, fact);
    }
    return changed;
}

} // namespace tombolo::server::sync
