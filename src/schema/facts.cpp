#include "schema/facts.hpp"

#include <set>
#include <utility>

#include "core/limits.hpp"
#include "schema/validation.hpp"

namespace tombolo::schema {

namespace {

constexpr std::size_t properties_max = 65'535;

ClassFact class_fact(const ClassSchema& class_schema) {
    ClassFact fact;
    fact.name = class_schema.name();
    fact.kind = class_schema.kind();
    if (const Property* key = class_schema.primary_key();
        key != nullptr && !class_schema.is_embedded()) {
        fact.key_name = key->name;
        fact.key_type = key->type;
        fact.key_nullable = key->nullable;
    }
    return fact;
}

PropertyFact property_fact(const ClassSchema& class_schema, const Property& property) {
    PropertyFact fact;
    fact.class_name = class_schema.name();
    fact.name = property.name;
    fact.type = property.type;
    fact.collection = property.collection;
    fact.nullable = property.nullable;
    fact.target = property.target;
    return fact;
}

Property to_property(const PropertyFact& fact) {
    Property property;
    property.name = fact.name;
    property.type = fact.type;
    property.collection = fact.collection;
    property.nullable = fact.nullable;
    property.target = fact.target;
    return property;
}

// Type names in messages that client tests look for.
std::string_view message_type(PropertyType type) noexcept {
    return type == PropertyType::object_id ? "ObjectID" : type_name(type);
}

FactCheck conflict(std::string text) {
    return {FactVerdict::conflicting, std::move(text), false};
}

bool is_name(std::string_view name, std::size_t bytes_max) noexcept {
    return !name.empty() && name.size() <= bytes_max && is_utf8(name) &&
           name.find('\0') == std::string_view::npos;
}

FactCheck check_known_class(const ClassSchema& known, const ClassFact& fact) {
    const std::string subject = "class '" + fact.name + "' ";
    if (known.kind() != fact.kind) {
        return conflict(subject + "is " + std::string(kind_name(known.kind())) + ", not " +
                        std::string(kind_name(fact.kind)));
    }
    if (known.is_embedded()) {
        return {};
    }
    const Property* key = known.primary_key();
    if ((key == nullptr) != fact.key_name.empty()) {
        return conflict(subject + (key == nullptr ? "has no primary key"
                                                  : "has the primary key '" + key->name + "'"));
    }
    if (key == nullptr) {
        return {};
    }
    if (key->name != fact.key_name) {
        return conflict(subject + "has the primary key '" + key->name + "', not '" + fact.key_name +
                        "'");
    }
    if (key->type != fact.key_type || key->nullable != fact.key_nullable) {
        Property other = *key;
        other.type = fact.key_type;
        other.nullable = fact.key_nullable;
        return conflict(subject + "has a primary key of type " + type_text(*key) + ", not " +
                        type_text(other));
    }
    return {};
}

FactCheck check_class(const Schema& schema, const ClassFact& fact) {
    if (const ClassSchema* known = schema.find(fact.name)) {
        return check_known_class(*known, fact);
    }
    const std::string subject = "class '" + fact.name + "' ";
    if (!is_name(fact.name, limits::class_name_bytes_max)) {
        return conflict(subject + "has no valid name: 1 to 57 bytes of UTF-8");
    }
    if (fact.kind != ClassKind::embedded && !fact.key_name.empty()) {
        Property key;
        key.name = fact.key_name;
        key.type = fact.key_type;
        const bool key_type =
            fact.key_type == PropertyType::integer || fact.key_type == PropertyType::string ||
            fact.key_type == PropertyType::object_id || fact.key_type == PropertyType::uuid;
        if (!key_type || !is_name(fact.key_name, limits::property_name_bytes_max)) {
            return conflict(subject + "has the primary key '" + fact.key_name + "' of type " +
                            type_text(key) + "; a primary key is an Int, String, ObjectId or UUID");
        }
    }
    return {FactVerdict::additive, "adding schema for Realm table \"" + fact.name + "\"", false};
}

FactCheck check_known_property(const Property& known, const PropertyFact& fact) {
    const Property wanted = to_property(fact);
    const std::string subject = "property '" + fact.class_name + "." + fact.name + "' ";
    if (known.primary_key) {
        return conflict(subject + "is the primary key, which comes with its class");
    }
    if (known.type != fact.type || known.collection != fact.collection ||
        known.target != fact.target) {
        return conflict(subject + "is of type " + type_text(known) + ", not " + type_text(wanted));
    }
    if (known.nullable == fact.nullable || known.type == PropertyType::mixed) {
        return {};
    }
    if (known.is_collection() && !known.is_link()) {
        return {FactVerdict::equal, "", true};
    }
    return conflict(subject + "is " + (known.nullable ? "optional" : "required") + ", not " +
                    (fact.nullable ? "optional" : "required"));
}

// Does an embedded object of class `holder` hold one of class `wanted`, directly or further down?
bool holds_embedded(const Schema& schema, const ClassSchema& holder, const ClassSchema& wanted) {
    std::set<const ClassSchema*> seen;
    std::vector<const ClassSchema*> open{&holder};
    while (!open.empty()) {
        const ClassSchema* at = open.back();
        open.pop_back();
        if (!at->is_embedded() || !seen.insert(at).second) {
            continue;
        }
        if (at == &wanted) {
            return true;
        }
        for (const Property& property : at->properties()) {
            if (schema.is_embedded_place(property)) {
                open.push_back(schema.find(property.target));
            }
        }
    }
    return false;
}

FactCheck check_new_property(const Schema& schema, const PropertyFact& fact) {
    const std::string subject = "property '" + fact.class_name + "." + fact.name + "' ";
    if (!is_name(fact.name, limits::property_name_bytes_max)) {
        return conflict(subject + "has no valid name: 1 to 63 bytes of UTF-8");
    }
    const ClassSchema& owner = *schema.find(fact.class_name);
    if (owner.properties().size() >= properties_max) {
        return conflict(subject + "is one too many: a class has at most 65535");
    }
    // The general rules, on a schema of the property and its target alone: the cost must not grow
    // with the schema.
    Schema alone;
    alone.add(ClassSchema(owner.name(), owner.kind(), {to_property(fact)}));
    const ClassSchema* target = fact.target.empty() ? nullptr : schema.find(fact.target);
    if (target != nullptr && target != &owner) {
        alone.add(ClassSchema(target->name(), target->kind()));
    }
    for (const SchemaProblem& problem : validate(alone, {SchemaUse::flexible_sync, false})) {
        if (problem.class_name == fact.class_name && problem.property == fact.name) {
            return conflict(problem.text);
        }
    }
    if (target != nullptr && owner.is_embedded() && holds_embedded(schema, *target, owner)) {
        return conflict(subject + "makes the embedded class '" + owner.name() +
                        "' hold itself through class '" + target->name() + "'");
    }
    return {FactVerdict::additive,
            "adding \"" + std::string(message_type(fact.type)) + "\" column at field \"" +
                fact.name + "\" in schema \"" + fact.class_name + "\"",
            false};
}

FactCheck check_property(const Schema& schema, const PropertyFact& fact) {
    const ClassSchema* owner = schema.find(fact.class_name);
    if (owner == nullptr) {
        return conflict("property '" + fact.class_name + "." + fact.name +
                        "' belongs to a class that does not exist; add the class first");
    }
    const Property* known = owner->find(fact.name);
    return known == nullptr ? check_new_property(schema, fact) : check_known_property(*known, fact);
}

} // namespace

std::vector<SchemaFact> facts_of(const Schema& schema) {
    std::vector<SchemaFact> facts;
    for (const bool embedded : {true, false}) {
        for (const ClassSchema& class_schema : schema.classes()) {
            if (class_schema.is_embedded() == embedded) {
                facts.emplace_back(class_fact(class_schema));
            }
        }
    }
    for (const ClassSchema& class_schema : schema.classes()) {
        for (const Property& property : class_schema.properties()) {
            if (!property.primary_key && !property.is_computed()) {
                facts.emplace_back(property_fact(class_schema, property));
            }
        }
    }
    return facts;
}

std::vector<SchemaFact> facts_beyond(const Schema& known, const Schema& schema) {
    std::vector<SchemaFact> beyond;
    for (SchemaFact& fact : facts_of(schema)) {
        bool has = false;
        if (const ClassFact* of_class = std::get_if<ClassFact>(&fact)) {
            const ClassSchema* found = known.find(of_class->name);
            has = found != nullptr && class_fact(*found) == *of_class;
        } else {
            const auto& of_property = std::get<PropertyFact>(fact);
            const ClassSchema* owner = known.find(of_property.class_name);
            const Property* found = owner == nullptr ? nullptr : owner->find(of_property.name);
            has = found != nullptr && property_fact(*owner, *found) == of_property;
        }
        if (!has) {
            beyond.push_back(std::move(fact));
        }
    }
    return beyond;
}

FactCheck check_fact(const Schema& schema, const SchemaFact& fact) {
    if (const ClassFact* of_class = std::get_if<ClassFact>(&fact)) {
        return check_class(schema, *of_class);
    }
    return check_property(schema, std::get<PropertyFact>(fact));
}

Result<bool> apply_fact(Schema& schema, const SchemaFact& fact) {
    const FactCheck check = check_fact(schema, fact);
    if (check.verdict == FactVerdict::conflicting) {
        return Error(ErrorCode::incompatible_schema, check.text);
    }
    if (const ClassFact* of_class = std::get_if<ClassFact>(&fact)) {
        if (check.verdict == FactVerdict::equal) {
            return false;
        }
        ClassSchema added(of_class->name, of_class->kind);
        if (of_class->kind != ClassKind::embedded && !of_class->key_name.empty()) {
            Property key;
            key.name = of_class->key_name;
            key.type = of_class->key_type;
            key.nullable = of_class->key_nullable;
            key.primary_key = true;
            added.add(std::move(key));
        }
        schema.add(std::move(added));
        return true;
    }
    const auto& of_property = std::get<PropertyFact>(fact);
    ClassSchema* owner = schema.find(of_property.class_name);
    if (check.verdict == FactVerdict::additive) {
        owner->add(to_property(of_property));
        return true;
    }
    if (check.declares_element_nullability) {
        Property declared = *owner->find(of_property.name);
        declared.nullable = of_property.nullable;
        owner->put(std::move(declared));
        return true;
    }
    return false;
}

} // namespace tombolo::schema
