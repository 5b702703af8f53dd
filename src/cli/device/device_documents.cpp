#include "cli/device/device_documents.hpp"

#include <algorithm>
#include <utility>

#include <boost/json/serialize.hpp>

#include "changeset/content_writer.hpp"
#include "changeset/difference.hpp"
#include "changeset/state_classes.hpp"
#include "cli/device/number_fit.hpp"
#include "core/ejson.hpp"
#include "mql/update.hpp"
#include "schema/document.hpp"
#include "schema/facts.hpp"
#include "server/runtime/json.hpp"

namespace tombolo::cli {

using changeset::ChangesetBuilder;
using changeset::ClassInfo;
using changeset::ColumnInfo;
using changeset::MemoryState;
using changeset::PayloadType;

namespace {

constexpr const char* id_field = "_id";

schema::ClassSchema class_schema(const ClassInfo& info) {
    schema::ClassSchema out(info.name, static_cast<schema::ClassKind>(info.kind));
    if (!info.primary_key.empty()) {
        schema::Property key;
        key.name = info.primary_key;
        key.type = static_cast<schema::PropertyType>(info.key_type);
        key.nullable = info.key_nullable;
        key.primary_key = true;
        out.add(std::move(key));
    }
    for (const ColumnInfo& column : info.columns) {
        schema::Property property;
        property.name = column.name;
        property.type = static_cast<schema::PropertyType>(column.type);
        property.collection = static_cast<schema::CollectionKind>(column.collection);
        property.nullable = column.nullable;
        property.target = column.target;
        out.add(std::move(property));
    }
    return out;
}

Value value_of(const PrimaryKey& key) {
    return std::visit(
        [](const auto& value) -> Value {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::monostate> || std::is_same_v<T, GlobalKey>) {
                return {};
            } else {
                return Value(value);
            }
        },
        key);
}

Result<PrimaryKey> key_of(const ClassInfo& info, const Value& value) {
    const auto fits = static_cast<ValueType>(info.key_type) == value.type() ||
                      (value.is_null() && info.key_nullable);
    if (!fits) {
        return Error(ErrorCode::type_mismatch,
                     "the key of " + info.name + " is " +
                         std::string(type_name(static_cast<ValueType>(info.key_type))) + ", not " +
                         std::string(type_name(value.type())));
    }
    if (const auto* number = value.get_if<std::int64_t>()) {
        return PrimaryKey(*number);
    }
    if (const auto* text = value.get_if<std::string>()) {
        return PrimaryKey(*text);
    }
    if (const auto* id = value.get_if<ObjectId>()) {
        return PrimaryKey(*id);
    }
    if (const auto* uuid = value.get_if<Uuid>()) {
        return PrimaryKey(*uuid);
    }
    return PrimaryKey();
}

void append_fact(ChangesetBuilder& out, const schema::SchemaFact& fact) {
    if (const auto* added = std::get_if<schema::ClassFact>(&fact)) {
        if (added->kind == schema::ClassKind::embedded) {
            out.add_embedded_table(added->name);
        } else {
            out.add_table(added->name, static_cast<changeset::TableKind>(added->kind),
                          added->key_name, static_cast<PayloadType>(added->key_type),
                          added->key_nullable);
        }
        return;
    }
    const auto& column = std::get<schema::PropertyFact>(fact);
    changeset::ColumnDefinition definition;
    definition.type = static_cast<PayloadType>(column.type);
    definition.nullable = column.nullable;
    definition.collection = static_cast<changeset::CollectionKind>(column.collection);
    definition.link_target = column.target;
    out.add_column(column.class_name, column.name, definition);
}

} // namespace

schema::DocumentSchema device_schema(const MemoryState& state) {
    schema::DocumentSchema out;
    for (const auto& [name, holder] : state.classes) {
        out.schema.add(class_schema(holder.info));
        if (holder.info.kind != changeset::TableKind::embedded) {
            out.places[name] = {"", "", name};
        }
    }
    return out;
}

Result<changeset::Changeset> schema_changeset(const MemoryState& state,
                                              const schema::Schema& wanted) {
    schema::Schema known = device_schema(state).schema;
    ChangesetBuilder out;
    for (const schema::SchemaFact& fact : schema::facts_beyond(known, wanted)) {
        TOMBOLO_TRY(const bool is_new, schema::apply_fact(known, fact));
        if (is_new) {
            append_fact(out, fact);
        }
    }
    return out.finish();
}

DeviceDocuments::DeviceDocuments(const MemoryState& state)
    : state_(state), documents_(device_schema(state)) {}

Result<const ClassInfo*> DeviceDocuments::class_named(std::string_view name) const {
    const changeset::MemoryClass* found = state_.find_class(name);
    if (found != nullptr && found->info.kind != changeset::TableKind::embedded) {
        return &found->info;
    }
    std::string known;
    for (const auto& [each, holder] : state_.classes) {
        if (holder.info.kind != changeset::TableKind::embedded) {
            known += (known.empty() ? "" : ", ") + each;
        }
    }
    return Error(ErrorCode::not_found,
                 "the device knows no class " + std::string(name) +
                     (known.empty() ? ", nor any other" : "; it knows " + known));
}

Result<BsonBuffer> DeviceDocuments::document(std::string_view class_name,
                                             const PrimaryKey& key) const {
    TOMBOLO_TRY(const ClassInfo* info, class_named(class_name));
    const Object* object = state_.find_object(class_name, key);
    if (object == nullptr) {
        return Error(ErrorCode::not_found, "the device holds no " + std::string(class_name) + " " +
                                               tombolo::to_text(to_view(key)));
    }
    Object whole = *object;
    if (!info->primary_key.empty()) {
        whole.fields.set(info->primary_key, value_of(key));
    }
    TOMBOLO_TRY(schema::WrittenDocument written,
                schema::object_to_document(documents_, class_name, whole));
    return std::move(written.bson);
}

Result<std::string> DeviceDocuments::json(std::string_view class_name,
                                          const PrimaryKey& key) const {
    TOMBOLO_TRY(const BsonBuffer bson, document(class_name, key));
    return bson_to_ejson(bson, EjsonForm::relaxed);
}

Result<PrimaryKey> DeviceDocuments::parse_key(std::string_view class_name,
                                              std::string_view text) const {
    TOMBOLO_TRY(const ClassInfo* info, class_named(class_name));
    switch (info->key_type) {
    case PayloadType::string:
        if (!text.starts_with('"')) {
            return PrimaryKey(std::string(text));
        }
        break;
    case PayloadType::object_id:
        if (!text.starts_with('{')) {
            TOMBOLO_TRY(const ObjectId id, ObjectId::parse(text));
            return PrimaryKey(id);
        }
        break;
    case PayloadType::uuid:
        if (!text.starts_with('{')) {
            TOMBOLO_TRY(const Uuid id, Uuid::parse(text));
            return PrimaryKey(id);
        }
        break;
    default:
        break;
    }
    TOMBOLO_TRY(const Value value, ejson_to_value(text));
    return key_of(*info, value);
}

Result<Object> DeviceDocuments::read(std::string_view class_name, ByteView document) const {
    TOMBOLO_TRY(const ClassInfo* info, class_named(class_name));
    const mql::BsonDocument fitted = fit_numbers(mql::BsonDocumentView::from_trusted(document),
                                                 *info, changeset::StateClasses(state_));
    schema::ReadDocument read = schema::document_to_object(documents_, class_name, fitted.bytes());
    if (!read.ok()) {
        return Error(ErrorCode::invalid_document, "this does not fit class " +
                                                      std::string(class_name) + ": " +
                                                      schema::to_text(read.problems.front()));
    }
    return std::move(read.object);
}

Result<ObjectName> DeviceDocuments::insert(ChangesetBuilder& out, std::string_view class_name,
                                           std::string_view json, Random& random,
                                           std::uint32_t unix_seconds) const {
    TOMBOLO_TRY(const ClassInfo* info, class_named(class_name));
    TOMBOLO_TRY(BsonBuffer given, ejson_to_bson(json));
    const auto view = mql::BsonDocumentView::from_trusted(given);
    for (const mql::BsonElement& element : view) {
        const bool is_known =
            element.key == info->primary_key || info->find_column(element.key) != nullptr;
        if (!is_known) {
            return Error(ErrorCode::invalid_document,
                         "class " + info->name + " has no field " + std::string(element.key));
        }
    }
    const bool makes_key =
        info->primary_key == id_field && view.find(id_field).is_missing() &&
        (info->key_type == PayloadType::object_id || info->key_type == PayloadType::uuid);
    mql::BsonWriter writer;
    if (makes_key && info->key_type == PayloadType::object_id) {
        const ObjectId id = ObjectIdGenerator(random).next(unix_seconds);
        writer.append(id_field, mql::BsonView(mql::BsonType::object_id, id.bytes));
    } else if (makes_key) {
        writer.append(id_field, mql::BsonValue::from_binary(4, random.uuid().bytes).view());
    }
    for (const mql::BsonElement& element : view) {
        writer.append(element.key, element.value);
    }
    const mql::BsonDocument whole = std::move(writer).finish();
    TOMBOLO_TRY(Object object, read(class_name, whole.bytes()));
    const Value* id = object.fields.find(info->primary_key);
    TOMBOLO_TRY(PrimaryKey key, key_of(*info, id != nullptr ? *id : Value()));
    if (state_.find_object(class_name, key) != nullptr) {
        return Error(ErrorCode::already_exists, "the device holds " + info->name + " " +
                                                    tombolo::to_text(to_view(key)) + " already");
    }
    out.create_object(class_name, to_view(key));
    changeset::Place place{class_name, to_view(key), "", {}};
    changeset::ContentWriter(out, changeset::StateClasses(state_))
        .fields(place, *info, object, true);
    return ObjectName{info->name, std::move(key)};
}

Result<std::string> DeviceDocuments::take_increments(ChangesetBuilder& out,
                                                     const ObjectName& object,
                                                     const Object& current,
                                                     std::string_view change) const {
    TOMBOLO_TRY(const auto members, server::json_members(change));
    const bool has_operators = std::any_of(members.begin(), members.end(), [](const auto& each) {
        return each.first.starts_with('$');
    });
    if (!has_operators) {
        return "{\"$set\":" + std::string(change) + "}";
    }
    std::string rest;
    const auto add = [](std::string& to, const std::string& name, std::string_view value) {
        to += (to.empty() ? "" : ",") + boost::json::serialize(boost::json::value(name)) + ":" +
              std::string(value);
    };
    for (const auto& [name, value] : members) {
        if (name != "$inc") {
            add(rest, name, value);
            continue;
        }
        TOMBOLO_TRY(const auto fields, server::json_members(value));
        std::string others;
        for (const auto& [field, by] : fields) {
            const Value* old = current.fields.find(field);
            TOMBOLO_TRY(const Value addend, ejson_to_value(by));
            if (old != nullptr && old->type() == ValueType::integer &&
                addend.type() == ValueType::integer) {
                out.add_integer({object.class_name, to_view(object.key), field, {}},
                                *addend.get_if<std::int64_t>());
            } else {
                add(others, field, by);
            }
        }
        if (!others.empty()) {
            add(rest, name, "{" + others + "}");
        }
    }
    return rest.empty() ? rest : "{" + rest + "}";
}

Result<void> DeviceDocuments::update(ChangesetBuilder& out, const ObjectName& object,
                                     std::string_view change) const {
    TOMBOLO_TRY(const ClassInfo* info, class_named(object.class_name));
    TOMBOLO_TRY(const BsonBuffer bson, document(object.class_name, object.key));
    const Object& current = *state_.find_object(object.class_name, object.key);
    TOMBOLO_TRY(const std::string rest, take_increments(out, object, current, change));
    if (rest.empty()) {
        return {};
    }
    TOMBOLO_TRY(const BsonBuffer spec, ejson_to_bson(rest));
    TOMBOLO_TRY(const mql::Update compiled,
                mql::Update::compile(mql::BsonView(mql::BsonType::document, spec)));
    TOMBOLO_TRY(const mql::BsonDocument after,
                compiled.apply(mql::BsonDocumentView::from_trusted(bson), {}));
    for (const mql::BsonElement& element : after.view()) {
        if (element.key != info->primary_key && info->find_column(element.key) == nullptr) {
            return Error(ErrorCode::invalid_document,
                         "class " + info->name + " has no field " + std::string(element.key));
        }
    }
    // Both as documents say them: what a document cannot hold exactly is no change.
    TOMBOLO_TRY(const Object before, read(object.class_name, bson));
    TOMBOLO_TRY(const Object changed, read(object.class_name, after.bytes()));
    changeset::append_difference(out, changeset::StateClasses(state_), *info, to_view(object.key),
                                 before, changed);
    return {};
}

Result<void> DeviceDocuments::erase(ChangesetBuilder& out, const ObjectName& object) const {
    TOMBOLO_TRY_VOID(document(object.class_name, object.key));
    out.erase_object(object.class_name, to_view(object.key));
    return {};
}

} // namespace tombolo::cli
