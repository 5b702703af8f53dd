#pragma once

// A schema as the facts that changesets carry: "this class exists" (AddTable) and "this property
// exists" (AddColumn), changesets-and-merge.md 1.8 and 2.3. This layer knows nothing of the codec:
// facts are plain values that copy one to one into instructions and back.

#include <string>
#include <variant>
#include <vector>

#include "core/result.hpp"
#include "schema/object_schema.hpp"

namespace tombolo::schema {

struct ClassFact {
    std::string name;
    ClassKind kind = ClassKind::top_level;
    /// Of top-level and asymmetric classes; an empty name means no primary key.
    std::string key_name;
    PropertyType key_type = PropertyType::object_id;
    bool key_nullable = false;

    friend bool operator==(const ClassFact&, const ClassFact&) = default;
};

struct PropertyFact {
    std::string class_name;
    std::string name;
    PropertyType type = PropertyType::mixed;
    CollectionKind collection = CollectionKind::none;
    bool nullable = false; ///< of the elements for collections
    std::string target;    ///< of links

    friend bool operator==(const PropertyFact&, const PropertyFact&) = default;
};

using SchemaFact = std::variant<ClassFact, PropertyFact>;

/// All facts, each after those it needs: embedded classes, other classes, then properties class by
/// class. Primary keys belong to their class's fact; linking objects are no facts.
std::vector<SchemaFact> facts_of(const Schema& schema);

/// The facts of `schema` that `known` does not have: what a client with a larger schema uploads.
std::vector<SchemaFact> facts_beyond(const Schema& known, const Schema& schema);

enum class FactVerdict : std::uint8_t {
    equal,       ///< the schema says so already
    additive,    ///< new and possible
    conflicting, ///< contradicts the schema, or is no valid fact
};

struct FactCheck {
    FactVerdict verdict = FactVerdict::equal;
    /// additive: "adding schema for Realm table \"Dog\"", in the words that published clients know
    /// (device-sync-server.md 2.3); conflicting: why; equal: empty.
    std::string text;
    /// Equal but for the nullability of a collection's elements, which App Services schemas do not
    /// say: the client's word counts (device-sync-server.md 1.3).
    bool declares_element_nullability = false;
};

/// `fact` held against a schema in which all earlier facts of its changeset are in already.
FactCheck check_fact(const Schema& schema, const SchemaFact& fact);

/// Puts an additive fact into the schema, and the element nullability a fact declares; an equal one
/// changes nothing. True when the schema changed. incompatible_schema when it conflicts.
Result<bool> apply_fact(Schema& schema, const SchemaFact& fact);

} // namespace tombolo::schema
