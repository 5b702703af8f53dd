#include "schema/object_schema.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tombolo::schema {

namespace {

// Positions of `items` ordered by (name, position), so that the first of several equal names is
// found.
template <class Item, class NameOf>
std::vector<std::uint32_t> order_by_name(const std::vector<Item>& items, NameOf name_of) {
    std::vector<std::uint32_t> positions(items.size());
    std::iota(positions.begin(), positions.end(), 0U);
    std::stable_sort(positions.begin(), positions.end(),
                     [&](std::uint32_t left, std::uint32_t right) {
                         return name_of(items[left]) < name_of(items[right]);
                     });
    return positions;
}

template <class Item, class NameOf>
std::size_t find_position(const std::vector<Item>& items,
                          const std::vector<std::uint32_t>& positions, std::string_view name,
                          NameOf name_of) noexcept {
    const auto found = std::lower_bound(positions.begin(), positions.end(), name,
                                        [&](std::uint32_t position, std::string_view wanted) {
                                            return name_of(items[position]) < wanted;
                                        });
    if (found == positions.end() || name_of(items[*found]) != name) {
        return items.size();
    }
    return *found;
}

template <class Item, class NameOf>
void index_last(const std::vector<Item>& items, std::vector<std::uint32_t>& positions,
                NameOf name_of) {
    const auto added = static_cast<std::uint32_t>(items.size() - 1);
    const auto place = std::upper_bound(positions.begin(), positions.end(), added,
                                        [&](std::uint32_t left, std::uint32_t right) {
                                            return name_of(items[left]) < name_of(items[right]);
                                        });
    positions.insert(place, added);
}

std::string_view property_name(const Property& property) noexcept {
    return property.name;
}
std::string_view class_name_of(const ClassSchema& schema) noexcept {
    return schema.name();
}

} // namespace

std::string_view type_name(PropertyType type) noexcept {
    switch (type) {
    case PropertyType::mixed:
        return "Mixed";
    case PropertyType::integer:
        return "Int";
    case PropertyType::boolean:
        return "Bool";
    case PropertyType::string:
        return "String";
    case PropertyType::binary:
        return "Data";
    case PropertyType::timestamp:
        return "Date";
    case PropertyType::float32:
        return "Float";
    case PropertyType::float64:
        return "Double";
    case PropertyType::decimal128:
        return "Decimal128";
    case PropertyType::link:
        return "Object";
    case PropertyType::object_id:
        return "ObjectId";
    case PropertyType::uuid:
        return "UUID";
    case PropertyType::linking_objects:
        return "LinkingObjects";
    }
    return "unknown";
}

PropertyType property_type_of(ValueType type) noexcept {
    if (type >= ValueType::list) {
        return type == ValueType::object ? PropertyType::link : PropertyType::mixed;
    }
    return static_cast<PropertyType>(type);
}

std::string_view collection_name(CollectionKind kind) noexcept {
    switch (kind) {
    case CollectionKind::none:
        return "";
    case CollectionKind::list:
        return "List";
    case CollectionKind::dictionary:
        return "Dictionary";
    case CollectionKind::set:
        return "Set";
    }
    return "unknown";
}

std::string_view kind_name(ClassKind kind) noexcept {
    switch (kind) {
    case ClassKind::top_level:
        return "top-level";
    case ClassKind::embedded:
        return "embedded";
    case ClassKind::asymmetric:
        return "asymmetric";
    }
    return "unknown";
}

bool operator==(const Property& left, const Property& right) noexcept {
    return left.name == right.name && left.type == right.type &&
           left.collection == right.collection && left.nullable == right.nullable &&
           left.primary_key == right.primary_key && left.indexed == right.indexed &&
           left.full_text == right.full_text &&
           left.int32_in_documents == right.int32_in_documents && left.target == right.target &&
           left.origin == right.origin && left.alias == right.alias &&
           identical(left.default_value, right.default_value);
}

std::string type_text(const Property& property) {
    if (property.is_computed()) {
        return "LinkingObjects<" + property.target + "." + property.origin + ">";
    }
    std::string element =
        property.is_link() ? property.target : std::string(type_name(property.type));
    // Mixed can always be null and single links too: the mark would say nothing.
    const bool link_in_sequence = property.is_link() && property.is_collection() &&
                                  property.collection != CollectionKind::dictionary;
    if (property.nullable && property.type != PropertyType::mixed &&
        (!property.is_link() || link_in_sequence)) {
        element += '?';
    }
    if (!property.is_collection()) {
        return element;
    }
    return std::string(collection_name(property.collection)) + "<" + element + ">";
}

ClassSchema::ClassSchema(std::string name, ClassKind kind) : name_(std::move(name)), kind_(kind) {}

ClassSchema::ClassSchema(std::string name, ClassKind kind, std::vector<Property> properties)
    : name_(std::move(name)), kind_(kind), properties_(std::move(properties)) {
    reindex();
}

void ClassSchema::reindex() {
    by_name_ = order_by_name(properties_, property_name);
}

const Property* ClassSchema::find(std::string_view property_name_wanted) const noexcept {
    const std::size_t position =
        find_position(properties_, by_name_, property_name_wanted, property_name);
    return position == properties_.size() ? nullptr : &properties_[position];
}

const Property* ClassSchema::find_in_code(std::string_view name_in_code) const noexcept {
    for (const Property& property : properties_) {
        if (!property.alias.empty() && property.alias == name_in_code) {
            return &property;
        }
    }
    return find(name_in_code);
}

const Property* ClassSchema::primary_key() const noexcept {
    for (const Property& property : properties_) {
        if (property.primary_key) {
            return &property;
        }
    }
    return nullptr;
}

ClassSchema& ClassSchema::add(Property property) {
    properties_.push_back(std::move(property));
    index_last(properties_, by_name_, property_name);
    return *this;
}

ClassSchema& ClassSchema::put(Property property) {
    const std::size_t position = find_position(properties_, by_name_, property.name, property_name);
    if (position == properties_.size()) {
        return add(std::move(property));
    }
    properties_[position] = std::move(property);
    return *this;
}

bool ClassSchema::remove(std::string_view property_name_wanted) {
    const std::size_t position =
        find_position(properties_, by_name_, property_name_wanted, property_name);
    if (position == properties_.size()) {
        return false;
    }
    properties_.erase(properties_.begin() + static_cast<std::ptrdiff_t>(position));
    reindex();
    return true;
}

Schema::Schema(std::vector<ClassSchema> classes) : classes_(std::move(classes)) {
    reindex();
}

void Schema::reindex() {
    by_name_ = order_by_name(classes_, class_name_of);
}

const ClassSchema* Schema::find(std::string_view class_name) const noexcept {
    const std::size_t position = find_position(classes_, by_name_, class_name, class_name_of);
    return position == classes_.size() ? nullptr : &classes_[position];
}

ClassSchema* Schema::find(std::string_view class_name) noexcept {
    const std::size_t position = find_position(classes_, by_name_, class_name, class_name_of);
    return position == classes_.size() ? nullptr : &classes_[position];
}

const Property* Schema::find(std::string_view class_name,
                             std::string_view property_name_wanted) const noexcept {
    const ClassSchema* found = find(class_name);
    return found == nullptr ? nullptr : found->find(property_name_wanted);
}

bool Schema::is_embedded_place(const Property& property) const noexcept {
    if (!property.is_link()) {
        return false;
    }
    const ClassSchema* target = find(property.target);
    return target != nullptr && target->is_embedded();
}

Schema& Schema::add(ClassSchema class_schema) {
    classes_.push_back(std::move(class_schema));
    index_last(classes_, by_name_, class_name_of);
    return *this;
}

Schema& Schema::put(ClassSchema class_schema) {
    const std::size_t position =
        find_position(classes_, by_name_, class_schema.name(), class_name_of);
    if (position == classes_.size()) {
        return add(std::move(class_schema));
    }
    classes_[position] = std::move(class_schema);
    return *this;
}

bool Schema::remove(std::string_view class_name) {
    const std::size_t position = find_position(classes_, by_name_, class_name, class_name_of);
    if (position == classes_.size()) {
        return false;
    }
    classes_.erase(classes_.begin() + static_cast<std::ptrdiff_t>(position));
    reindex();
    return true;
}

bool QueryableFields::contains(std::string_view class_name, std::string_view field) const noexcept {
    if (field == "_id" || global.find(field) != global.end()) {
        return true;
    }
    const auto of_class = by_class.find(class_name);
    return of_class != by_class.end() && of_class->second.find(field) != of_class->second.end();
}

} // namespace tombolo::schema
