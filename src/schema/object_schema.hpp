#pragma once

// The object schema: classes, their properties, and what each property holds. What the device
// database, the query language, the rules and the sync server all mean by "schema"
// (database-and-sdk.md 1 and 6).
//
// Plain values: copy, compare, build in any order. Nothing here is checked; validate()
// (schema/validation.hpp) says what is wrong with a schema, all at once. Names are stored names; an
// alias is the name used in code. Immutable use from several threads is safe. Pointers returned by
// find() live until the next add() to the same object.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace tombolo::schema {

/// Numbers are the codes of AddColumn (changesets-and-merge.md 1.8), except linking_objects, which
/// is never stored.
enum class PropertyType : std::uint8_t {
    mixed = 0,
    integer = 1,
    boolean = 2,
    string = 3,
    binary = 4,
    timestamp = 5,
    float32 = 6,
    float64 = 7,
    decimal128 = 8,
    link = 9, ///< to a top-level class, or the place of an embedded object when the target class is
              ///< embedded
    object_id = 10,
    uuid = 11,
    linking_objects = 12, ///< backlinks: computed, always a list
};

/// "Int", "ObjectId", "Mixed", "Object", ... as messages and documentation name types.
std::string_view type_name(PropertyType type) noexcept;

/// The type of a scalar value as it fits a property; mixed for null and for collections.
PropertyType property_type_of(ValueType type) noexcept;

/// Numbers are the collection codes of AddColumn.
enum class CollectionKind : std::uint8_t {
    none = 0,
    list = 1,
    dictionary = 2,
    set = 3,
};

/// "", "List", "Dictionary", "Set".
std::string_view collection_name(CollectionKind kind) noexcept;

/// Numbers are the table types of AddTable.
enum class ClassKind : std::uint8_t {
    top_level = 0,
    embedded = 1,
    asymmetric = 2, ///< write-only: uploaded, never read back
};

/// "top-level", "embedded", "asymmetric".
std::string_view kind_name(ClassKind kind) noexcept;

struct Property {
    std::string name;
    PropertyType type = PropertyType::mixed;
    CollectionKind collection = CollectionKind::none;
    /// Of the elements when the property is a collection; a collection itself is never null.
    bool nullable = false;
    bool primary_key = false;
    bool indexed = false;
    bool full_text = false;
    /// Integers only: stored in documents as BSON int32 where they fit (bsonType "int"), else as
    /// int64.
    bool int32_in_documents = false;
    /// Another schema version has another type for it: what documents hold of that type counts as
    /// missing (device-sync-server.md 2.5).
    bool was_retyped = false;
    /// Target class of a link; source class of linking objects; else empty.
    std::string target;
    /// Linking objects: the link property of `target` that is followed backwards.
    std::string origin;
    /// The name used in code, when it is another than the stored one.
    std::string alias;
    /// Value for objects that come without one; null when the schema gives none.
    Value default_value;

    bool is_collection() const noexcept { return collection != CollectionKind::none; }
    bool is_link() const noexcept { return type == PropertyType::link; }
    bool is_computed() const noexcept { return type == PropertyType::linking_objects; }

    friend bool operator==(const Property& left, const Property& right) noexcept;
};

/// "Int", "String?", "List<Dog>", "Dictionary<Mixed>", "LinkingObjects<Person.dogs>": how messages
/// print a property's type.
std::string type_text(const Property& property);

class ClassSchema {
  public:
    ClassSchema() = default;
    explicit ClassSchema(std::string name, ClassKind kind = ClassKind::top_level);
    ClassSchema(std::string name, ClassKind kind, std::vector<Property> properties);

    const std::string& name() const noexcept { return name_; }
    ClassKind kind() const noexcept { return kind_; }
    bool is_embedded() const noexcept { return kind_ == ClassKind::embedded; }
    bool is_asymmetric() const noexcept { return kind_ == ClassKind::asymmetric; }
    void set_kind(ClassKind kind) noexcept { kind_ = kind; }

    /// In the order they were added. A second property of one name is kept (validate() reports it),
    /// find() returns the first.
    const std::vector<Property>& properties() const noexcept { return properties_; }

    /// Logarithmic. Null when there is none.
    const Property* find(std::string_view property_name) const noexcept;
    /// By alias where there is one, else by name: what a user types in a local query.
    const Property* find_in_code(std::string_view name_in_code) const noexcept;
    /// The first property marked so, or null.
    const Property* primary_key() const noexcept;

    ClassSchema& add(Property property);
    /// Replaces the property of that name, or adds it.
    ClassSchema& put(Property property);
    bool remove(std::string_view property_name);

    /// Same name, kind and properties in the same order.
    friend bool operator==(const ClassSchema& left, const ClassSchema& right) noexcept {
        return left.name_ == right.name_ && left.kind_ == right.kind_ &&
               left.properties_ == right.properties_;
    }

  private:
    void reindex();

    std::string name_;
    ClassKind kind_ = ClassKind::top_level;
    std::vector<Property> properties_;
    std::vector<std::uint32_t> by_name_; ///< positions in properties_, ordered by (name, position)
};

class Schema {
  public:
    Schema() = default;
    explicit Schema(std::vector<ClassSchema> classes);

    /// In the order they were added. A second class of one name is kept (validate() reports it),
    /// find() returns the first.
    const std::vector<ClassSchema>& classes() const noexcept { return classes_; }

    /// Logarithmic. Null when there is none.
    const ClassSchema* find(std::string_view class_name) const noexcept;
    ClassSchema* find(std::string_view class_name) noexcept;
    /// Null when the class or the property does not exist.
    const Property* find(std::string_view class_name,
                         std::string_view property_name) const noexcept;

    /// True when the property is the place of an embedded object (or of a collection of them).
    bool is_embedded_place(const Property& property) const noexcept;

    Schema& add(ClassSchema class_schema);
    /// Replaces the class of that name, or adds it.
    Schema& put(ClassSchema class_schema);
    bool remove(std::string_view class_name);

    bool empty() const noexcept { return classes_.empty(); }

    friend bool operator==(const Schema& left, const Schema& right) noexcept {
        return left.classes_ == right.classes_;
    }

  private:
    void reindex();

    std::vector<ClassSchema> classes_;
    std::vector<std::uint32_t> by_name_;
};

/// The fields that subscriptions and document filters may name (device-sync-server.md 3.2). Kept
/// apart from the schema, since it belongs to the sync configuration. Which of them take effect:
/// queryable_problem() in schema/validation.hpp.
struct QueryableFields {
    /// Of every class that has such a field.
    std::set<std::string, std::less<>> global;
    /// By class name.
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> by_class;

    /// `_id` always is.
    bool contains(std::string_view class_name, std::string_view field) const noexcept;

    friend bool operator==(const QueryableFields&, const QueryableFields&) = default;
};

} // namespace tombolo::schema
