#include "schema/app_mapping.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "core/limits.hpp"
#include "schema/default_value.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {

namespace {

struct TypeName {
    std::string_view name;
    PropertyType type;
};

// The first name of a type is the one that is printed.
constexpr std::array type_names = {
    TypeName{"long", PropertyType::integer},       TypeName{"int", PropertyType::integer},
    TypeName{"bool", PropertyType::boolean},       TypeName{"boolean", PropertyType::boolean},
    TypeName{"double", PropertyType::float64},     TypeName{"float", PropertyType::float32},
    TypeName{"decimal", PropertyType::decimal128}, TypeName{"string", PropertyType::string},
    TypeName{"binData", PropertyType::binary},     TypeName{"binary", PropertyType::binary},
    TypeName{"date", PropertyType::timestamp},     TypeName{"objectId", PropertyType::object_id},
    TypeName{"uuid", PropertyType::uuid},          TypeName{"mixed", PropertyType::mixed},
};

// Names that a schema may have, but nothing on a device can hold.
constexpr std::array<std::string_view, 8> unsyncable_names = {
    "null", "regex", "timestamp", "number", "javascript", "minKey", "maxKey", "linkingObjects",
};

std::optional<PropertyType> find_type(std::string_view name) noexcept {
    for (const TypeName& known : type_names) {
        if (known.name == name) {
            return known.type;
        }
    }
    return std::nullopt;
}

struct NodeType {
    std::string name; ///< one type name; empty when there is none or more than one
    bool nullable = false;
    std::size_t count = 0; ///< without "null"
};

NodeType node_type(const JsonSchema& node) {
    NodeType result;
    for (const std::string& name : node.types) {
        if (name == "null" && node.types.size() > 1) {
            result.nullable = true;
        } else {
            ++result.count;
            result.name = name;
        }
    }
    if (result.count != 1) {
        result.name.clear();
    }
    if (node.types.empty()) {
        const bool object =
            node.has_properties || node.additional == JsonSchema::Additional::schema;
        const bool array = node.items != JsonSchema::Items::unset;
        if (object || array) {
            result.name = object ? "object" : "array";
            result.count = 1;
        }
    }
    return result;
}

// Objects with properties of their own are embedded; free keys make a dictionary.
bool is_dictionary(const JsonSchema& node) noexcept {
    return node.properties.empty() && (node.additional == JsonSchema::Additional::schema ||
                                       node.additional == JsonSchema::Additional::yes);
}

class Mapper {
  public:
    explicit Mapper(const AppSchema& app) : app_(app) {}

    MappedSchema run() {
        for (const CollectionSchema& collection : app_.collections) {
            map_collection(collection);
        }
        result_.documents.schema = Schema(std::move(classes_));
        SchemaProblems more = validate(result_.documents.schema, {SchemaUse::flexible_sync, false});
        for (SchemaProblem& problem : more) {
            if (!already_said(problem)) {
                result_.problems.push_back(std::move(problem));
            }
        }
        return std::move(result_);
    }

  private:
    // Where in a collection's schema the mapping stands.
    struct Place {
        std::string class_name; ///< of the class that gets the property
        std::string path;       ///< "address.street", for messages
        std::string relation;   ///< "address.street" or "pets.[].brand", as relationships name it
        std::string field;
        std::size_t depth = 0;
    };

    void map_collection(const CollectionSchema& collection);
    void check_namespace(const CollectionSchema& collection);
    void check_title(const CollectionSchema& collection);
    void map_fields(ClassSchema& target, const JsonSchema& node, const Place& place);
    std::optional<Property> map_field(const JsonSchema& node, const Place& place, bool required);
    bool map_type(Property& property, const JsonSchema& node, const Place& place, bool element);
    bool map_array(Property& property, const JsonSchema& node, const Place& place);
    bool map_dictionary(Property& property, const JsonSchema& node, const Place& place);
    bool map_embedded(Property& property, const JsonSchema& node, const Place& place);
    bool map_scalar(Property& property, const NodeType& type, const Place& place, bool element);
    bool map_relationship(Property& property, const JsonSchema& node, const Place& place,
                          bool required);
    void apply_default(Property& property, const JsonSchema& node, const Place& place);
    void check_required(const JsonSchema& node, const Place& place);
    void check_keywords(const JsonSchema& node, const Place& place);
    void check_relationships_used(const CollectionSchema& collection);
    const Relationship* relationship_of(const Place& place) const noexcept;
    std::size_t add_class(ClassSchema class_schema);
    void add_embedded(ClassSchema class_schema, const Place& place);

    void report(ProblemCode code, const Place& place, std::string_view text, bool warning = false) {
        std::string subject = place.path.empty() ? "class '" + root_name_ + "' "
                                                 : "field '" + root_name_ + "." + place.path + "' ";
        result_.problems.push_back(
            {code, root_name_, place.path, subject + std::string(text), warning});
    }

    // The rules of any schema would repeat what was said in the terms of this one.
    bool already_said(const SchemaProblem& problem) const {
        switch (problem.code) {
        case ProblemCode::duplicate_class:
        case ProblemCode::missing_primary_key:
            return has_errors(result_.problems);
        case ProblemCode::unknown_target:
        case ProblemCode::bad_primary_key_type:
            return std::any_of(result_.problems.begin(), result_.problems.end(),
                               [&](const SchemaProblem& said) {
                                   return !said.warning && said.class_name == problem.class_name &&
                                          said.property == problem.property;
                               });
        default:
            return false;
        }
    }

    const AppSchema& app_;
    const CollectionSchema* collection_ = nullptr;
    std::string root_name_;
    std::set<const Relationship*> used_;
    std::vector<ClassSchema> classes_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    MappedSchema result_;
};

void Mapper::map_collection(const CollectionSchema& collection) {
    collection_ = &collection;
    used_.clear();
    root_name_ =
        collection.schema.title.empty() ? collection.place.collection : collection.schema.title;
    Place root;
    root.class_name = root_name_;
    check_namespace(collection);
    check_title(collection);
    const NodeType type = node_type(collection.schema);
    if (!collection.schema.types.empty() && type.name != "object") {
        report(ProblemCode::root_not_object, root, "has another type than \"object\" at its root");
        return;
    }
    ClassSchema target(root_name_,
                       collection.asymmetric ? ClassKind::asymmetric : ClassKind::top_level);
    // The class stands before the embedded ones that its fields bring.
    const std::size_t position = add_class(target);
    map_fields(target, collection.schema, root);
    if (collection.schema.find("_id") == nullptr) {
        report(ProblemCode::missing_id, root,
               "has no field \"_id\"; add it to \"properties\" and to \"required\"");
    }
    check_relationships_used(collection);
    classes_[position] = std::move(target);
    result_.documents.places.emplace(root_name_, collection.place);
}

std::size_t Mapper::add_class(ClassSchema class_schema) {
    const std::size_t position = classes_.size();
    by_name_.emplace(class_schema.name(), position);
    classes_.push_back(std::move(class_schema));
    return position;
}

void Mapper::check_namespace(const CollectionSchema& collection) {
    const Namespace& place = collection.place;
    const bool bad_database =
        place.database.empty() || place.database.size() > limits::property_name_bytes_max ||
        place.database.find_first_of(std::string_view("/\\. \"$*<>:|?\0", 13)) != std::string::npos;
    const bool bad_collection =
        place.collection.empty() || place.collection.size() > 255 ||
        place.collection.find_first_of(std::string_view("$\0", 2)) != std::string::npos ||
        place.collection.substr(0, 7) == "system.";
    if (bad_database || bad_collection || place.data_source.empty()) {
        report(ProblemCode::bad_namespace, {},
               "is stored at " + to_text(place) + ", which is no valid " +
                   (bad_database     ? "database name"
                    : bad_collection ? "collection name"
                                     : "data source name"));
    }
    if (app_.find(place) != &collection) {
        report(ProblemCode::duplicate_namespace, {},
               "is the second schema of the collection " + to_text(place) + "; keep one");
    }
}

void Mapper::check_title(const CollectionSchema& collection) {
    const std::string& title = collection.schema.title;
    if (title.empty()) {
        report(ProblemCode::missing_title, {},
               "has no title; a synced collection needs one, it is the class name on devices");
        return;
    }
    for (const CollectionSchema& other : app_.collections) {
        if (&other == &collection) {
            return;
        }
        if (other.schema.title == title &&
            other.place.data_source == collection.place.data_source) {
            report(ProblemCode::duplicate_title, {},
                   "has the title of the schema of " + to_text(other.place) +
                       "; titles are unique in a data source, across its databases");
            return;
        }
    }
}

void Mapper::map_fields(ClassSchema& target, const JsonSchema& node, const Place& place) {
    for (const JsonProperty& field : node.properties) {
        Place inner;
        inner.class_name = target.name();
        inner.field = field.name;
        inner.path = place.path.empty() ? field.name : place.path + "." + field.name;
        inner.relation = place.relation.empty() ? field.name : place.relation + "." + field.name;
        inner.depth = place.depth;
        if (field.name.find('.') != std::string::npos || field.name.substr(0, 1) == "$") {
            report(ProblemCode::invalid_property_name, inner,
                   "has a name with a dot or a leading dollar sign, which a stored field cannot "
                   "have");
            continue;
        }
        if (is_foreign_field(field.name)) {
            report(ProblemCode::reserved_name, inner,
                   "is a field that App Services uses by itself: it is not synced", true);
            continue;
        }
        if (is_reserved_name(field.name)) {
            report(ProblemCode::reserved_name, inner,
                   "is named like a word of the query language: no query can ask for it", true);
        }
        check_keywords(field.schema, inner);
        std::optional<Property> property =
            map_field(field.schema, inner, node.requires_field(field.name));
        if (property) {
            target.add(*std::move(property));
        }
    }
    check_required(node, place);
}

std::optional<Property> Mapper::map_field(const JsonSchema& node, const Place& place,
                                          bool required) {
    Property property;
    property.name = place.field;
    if (!map_type(property, node, place, false)) {
        return std::nullopt;
    }
    const bool said_null = property.nullable;
    if (!property.is_collection()) {
        property.nullable = !required || property.type == PropertyType::mixed || property.is_link();
    }
    if (place.path == "_id") {
        property.primary_key = true;
    }
    if (!map_relationship(property, node, place, required)) {
        return std::nullopt;
    }
    if (required &&
        (property.is_collection() || property.is_link() || property.type == PropertyType::mixed)) {
        report(ProblemCode::cannot_be_required, place,
               "is of type " + type_text(property) +
                   ", which is always optional; it is taken out of \"required\"",
               true);
    } else if (required && said_null) {
        report(ProblemCode::conflicting_types, place,
               "is required and may be null; remove \"null\" or the entry in \"required\"");
    }
    apply_default(property, node, place);
    return property;
}

bool Mapper::map_type(Property& property, const JsonSchema& node, const Place& place,
                      bool element) {
    const NodeType type = node_type(node);
    if (type.count > 1) {
        report(ProblemCode::conflicting_types, place,
               "has several types; name one, or \"mixed\" for any");
        return false;
    }
    if (type.name.empty()) {
        const bool only_null = !node.types.empty();
        report(only_null ? ProblemCode::type_not_syncable : ProblemCode::unknown_type, place,
               only_null ? "is of type \"null\", which devices cannot hold"
                         : "has no bsonType; name one");
        return false;
    }
    property.nullable = type.nullable;
    if (type.name != "array" && type.name != "object") {
        return map_scalar(property, type, place, element);
    }
    if (type.name == "object" && !is_dictionary(node)) {
        return map_embedded(property, node, place);
    }
    if (element) {
        report(ProblemCode::unsupported_form, place,
               "is a collection of collections; use \"mixed\" for nested ones");
        return false;
    }
    return type.name == "array" ? map_array(property, node, place)
                                : map_dictionary(property, node, place);
}

bool Mapper::map_scalar(Property& property, const NodeType& type, const Place& place,
                        bool element) {
    const std::optional<PropertyType> found = find_type(type.name);
    if (!found) {
        const bool known = std::find(unsyncable_names.begin(), unsyncable_names.end(), type.name) !=
                           unsyncable_names.end();
        report(known ? ProblemCode::type_not_syncable : ProblemCode::unknown_type, place,
               known ? "is of type \"" + type.name + "\", which devices cannot hold"
                     : "is of type \"" + type.name + "\", which does not exist");
        return false;
    }
    property.type = *found;
    property.int32_in_documents = type.name == "int";
    if (element && property.type == PropertyType::mixed) {
        property.nullable = true;
    }
    return true;
}

bool Mapper::map_array(Property& property, const JsonSchema& node, const Place& place) {
    if (node.items != JsonSchema::Items::one) {
        report(ProblemCode::unsupported_form, place,
               node.items == JsonSchema::Items::tuple
                   ? "is an array with one schema a position; devices need one schema for all "
                     "elements"
                   : "is an array without \"items\"; say what its elements are");
        return false;
    }
    Place inner = place;
    inner.relation += ".[]";
    if (!map_type(property, node.item_schemas[0], inner, true)) {
        return false;
    }
    property.collection = node.unique_items ? CollectionKind::set : CollectionKind::list;
    if (property.is_link()) {
        property.nullable = false;
    }
    return true;
}

bool Mapper::map_dictionary(Property& property, const JsonSchema& node, const Place& place) {
    property.nullable = false;
    if (node.additional == JsonSchema::Additional::yes) {
        property.type = PropertyType::mixed;
        property.nullable = true;
    } else {
        Place inner = place;
        inner.relation += ".[]";
        if (!map_type(property, node.additional_schema[0], inner, true)) {
            return false;
        }
    }
    property.collection = CollectionKind::dictionary;
    if (property.is_link()) {
        property.nullable = true;
    }
    return true;
}

bool Mapper::map_embedded(Property& property, const JsonSchema& node, const Place& place) {
    if (place.depth >= limits::document_depth_max) {
        report(ProblemCode::nested_too_deep, place,
               "is embedded deeper than " + std::to_string(limits::document_depth_max) + " levels");
        return false;
    }
    if (node.properties.empty() && node.title.empty()) {
        report(ProblemCode::unsupported_form, place,
               "is an object without \"properties\" or \"additionalProperties\": give the fields "
               "of an embedded object (with a title) or the type of a dictionary's values");
        return false;
    }
    Place inner = place;
    inner.class_name = node.title.empty() ? place.class_name + "_" + place.field : node.title;
    ++inner.depth;
    ClassSchema class_schema(inner.class_name, ClassKind::embedded);
    property.type = PropertyType::link;
    property.target = inner.class_name;
    property.nullable = true;
    map_fields(class_schema, node, inner);
    add_embedded(std::move(class_schema), place);
    return true;
}

// One class may be held in several places; it has to be the same everywhere.
void Mapper::add_embedded(ClassSchema class_schema, const Place& place) {
    const auto found = by_name_.find(class_schema.name());
    if (found == by_name_.end()) {
        add_class(std::move(class_schema));
        return;
    }
    const ClassSchema* known = &classes_[found->second];
    const auto by_name = [](std::vector<Property> properties) {
        std::sort(
            properties.begin(), properties.end(),
            [](const Property& left, const Property& right) { return left.name < right.name; });
        return properties;
    };
    if (known->kind() != ClassKind::embedded ||
        by_name(known->properties()) != by_name(class_schema.properties())) {
        report(ProblemCode::embedded_title_conflict, place,
               "has the title \"" + class_schema.name() + "\", which " +
                   (known->is_embedded() ? "an embedded object with other fields has too"
                                         : "is the title of a collection's schema") +
                   "; give it another one");
    }
}

const Relationship* Mapper::relationship_of(const Place& place) const noexcept {
    for (const Relationship& relationship : collection_->relationships) {
        if (relationship.path == place.relation || relationship.path == place.relation + ".[]") {
            return &relationship;
        }
    }
    return nullptr;
}

// False when the field has a relationship that cannot be used.
bool Mapper::map_relationship(Property& property, const JsonSchema& node, const Place& place,
                              bool required) {
    const Relationship* relationship = relationship_of(place);
    if (relationship == nullptr) {
        return true;
    }
    used_.insert(relationship);
    const auto refuse = [&](ProblemCode code, std::string_view text) {
        report(code, place, text);
        return false;
    };
    if (place.path == "_id") {
        return refuse(ProblemCode::relationship_on_id, "is the key and cannot be a link");
    }
    if (required) {
        return refuse(ProblemCode::relationship_required,
                      "is a link and cannot be required; remove it from \"required\"");
    }
    if (relationship->foreign_key != "_id") {
        return refuse(ProblemCode::relationship_foreign_key, "links by the foreign key \"" +
                                                                 relationship->foreign_key +
                                                                 "\"; sync links by \"_id\" only");
    }
    const CollectionSchema* target = app_.find(relationship->target);
    if (target == nullptr) {
        return refuse(ProblemCode::relationship_unknown_target,
                      "links to " + to_text(relationship->target) + ", which has no schema");
    }
    if (target->place.data_source != collection_->place.data_source) {
        return refuse(ProblemCode::relationship_unknown_target,
                      "links to " + to_text(relationship->target) + ", another data source");
    }
    if (property.is_link()) {
        return refuse(ProblemCode::bad_relationship,
                      "is an embedded object and cannot be a link as well");
    }
    if (relationship->is_list != property.is_collection()) {
        return refuse(ProblemCode::relationship_is_list_mismatch,
                      property.is_collection()
                          ? "is a collection, but its relationship says \"is_list\": false"
                          : "is a single value, but its relationship says \"is_list\": true");
    }
    const JsonSchema* key = target->schema.find("_id");
    const NodeType key_type = key == nullptr ? NodeType{} : node_type(*key);
    const std::optional<PropertyType> type = find_type(key_type.name);
    if (!type || *type != property.type) {
        return refuse(ProblemCode::relationship_type_mismatch,
                      "is of type " + type_text(property) + ", but \"_id\" of " +
                          to_text(relationship->target) + " is \"" + key_type.name +
                          "\"; both must be the same");
    }
    static_cast<void>(node);
    property.type = PropertyType::link;
    property.int32_in_documents = false;
    property.target =
        target->schema.title.empty() ? target->place.collection : target->schema.title;
    property.nullable = property.collection == CollectionKind::none ||
                        property.collection == CollectionKind::dictionary;
    return true;
}

void Mapper::apply_default(Property& property, const JsonSchema& node, const Place& place) {
    if (node.default_json.empty()) {
        return;
    }
    std::optional<Value> value;
    if (!property.is_link()) {
        value = parse_default(node.default_json, property);
    }
    if (!value) {
        report(ProblemCode::ignored_default, place,
               "has a default that is no " + type_text(property) + "; it has no effect", true);
        return;
    }
    property.default_value = *std::move(value);
}

void Mapper::check_required(const JsonSchema& node, const Place& place) {
    for (const std::string& name : node.required) {
        if (node.find(name) == nullptr) {
            Place inner = place;
            inner.path = place.path.empty() ? name : place.path + "." + name;
            report(ProblemCode::unknown_required, inner,
                   "stands in \"required\" but not in \"properties\"");
        }
    }
}

void Mapper::check_keywords(const JsonSchema& node, const Place& place) {
    for (const auto& [keyword, text] : node.other) {
        if (!is_known_keyword(keyword)) {
            report(ProblemCode::unknown_keyword, place,
                   "has the unknown keyword \"" + keyword + "\"; it has no effect", true);
        }
    }
}

void Mapper::check_relationships_used(const CollectionSchema& collection) {
    for (const Relationship& relationship : collection.relationships) {
        if (used_.count(&relationship) == 0) {
            Place place;
            place.path = relationship.path;
            report(ProblemCode::relationship_without_field, place,
                   "has a relationship, but the schema has no such field of a scalar type");
        }
    }
}

} // namespace

const ClassSchema* DocumentSchema::class_at(std::string_view database,
                                            std::string_view collection) const noexcept {
    for (const auto& [class_name, place] : places) {
        if (place.collection == collection && place.database == database) {
            return schema.find(class_name);
        }
    }
    return nullptr;
}

MappedSchema to_object_schema(const AppSchema& app) {
    return Mapper(app).run();
}

std::string_view bson_type_name(PropertyType type) noexcept {
    for (const TypeName& known : type_names) {
        if (known.type == type) {
            return known.name;
        }
    }
    return "";
}

} // namespace tombolo::schema
