#include "server/sync/engine/model.hpp"

namespace tombolo::server::sync {

using changeset::ClassInfo;
using changeset::ColumnDefinition;
using changeset::ColumnInfo;
using changeset::PayloadType;
using changeset::TableKind;

namespace {

PayloadType payload_type(schema::PropertyType type) {
    return static_cast<PayloadType>(type);
}

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

Value zero_of(schema::PropertyType type) {
    switch (type) {
    case schema::PropertyType::integer:
        return 0;
    case schema::PropertyType::boolean:
        return false;
    case schema::PropertyType::string:
        return "";
    case schema::PropertyType::binary:
        return Binary();
    case schema::PropertyType::timestamp:
        return Timestamp();
    case schema::PropertyType::float32:
        return 0.0F;
    case schema::PropertyType::float64:
        return 0.0;
    case schema::PropertyType::decimal128:
        return Decimal128();
    case schema::PropertyType::object_id:
        return ObjectId();
    case schema::PropertyType::uuid:
        return Uuid();
    default:
        return {};
    }
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
    filled.default_value = zero_of(filled.type);
    owner->put(std::move(filled));
}

Result<std::shared_ptr<const Model>> Model::make(SyncModel config, store::Store& store) {
    auto model = std::make_shared<Model>();
    model->config_ = std::move(config);
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
        storage.sidecar_name = {at.data_source, "__tombolo_exact",
                                at.database + "." + at.collection};
        model->by_collection_[storage.documents] = each.name();
        model->storage_[each.name()] = std::move(storage);
    }
    return std::shared_ptr<const Model>(std::move(model));
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

void Model::append_schema(changeset::ChangesetBuilder& out) const {
    for (const schema::SchemaFact& fact : schema::facts_of(schema())) {
        append_fact(out, fact);
    }
}

std::optional<schema::SchemaFact> fact_of(const changeset::Changeset& changeset,
                                          const changeset::Instruction& instruction) {
    if (instruction.op == changeset::Opcode::add_table) {
        schema::ClassFact fact;
        fact.name = changeset.table(instruction);
        fact.kind = static_cast<schema::ClassKind>(instruction.table_kind());
        if (fact.kind != schema::ClassKind::embedded) {
            fact.key_name = changeset.field(instruction);
            fact.key_type = static_cast<schema::PropertyType>(instruction.type);
            fact.key_nullable = instruction.nullable();
        }
        return fact;
    }
    if (instruction.op != changeset::Opcode::add_column ||
        !changeset::is_scalar(instruction.type)) {
        return std::nullopt;
    }
    schema::PropertyFact fact;
    fact.class_name = changeset.table(instruction);
    fact.name = changeset.field(instruction);
    fact.type = static_cast<schema::PropertyType>(instruction.type);
    fact.collection = static_cast<schema::CollectionKind>(instruction.collection());
    fact.nullable = instruction.nullable();
    if (instruction.type == PayloadType::link) {
        fact.target = changeset.link_target(instruction);
    }
    return fact;
}

void append_fact(changeset::ChangesetBuilder& out, const schema::SchemaFact& fact) {
    if (const auto* of_class = std::get_if<schema::ClassFact>(&fact)) {
        if (of_class->kind == schema::ClassKind::embedded) {
            out.add_embedded_table(of_class->name);
        } else {
            out.add_table(of_class->name, static_cast<TableKind>(of_class->kind),
                          of_class->key_name, payload_type(of_class->key_type),
                          of_class->key_nullable);
        }
        return;
    }
    const auto& property = std::get<schema::PropertyFact>(fact);
    ColumnDefinition definition;
    definition.type = payload_type(property.type);
    definition.nullable = property.nullable;
    definition.collection = static_cast<changeset::CollectionKind>(property.collection);
    definition.link_target = property.target;
    out.add_column(property.class_name, property.name, definition);
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
