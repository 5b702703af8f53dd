#include "server/sync/engine/schema_versions.hpp"

#include "schema/default_value.hpp"
#include "schema/facts.hpp"
#include "server/sync/engine/schema_facts.hpp"

namespace tombolo::server::sync {

using changeset::Changeset;
using changeset::ChangesetBuilder;
using changeset::Instruction;
using changeset::PayloadType;
using schema::ClassSchema;
using schema::DocumentSchema;
using schema::Property;
using schema::PropertyType;

namespace {

bool is_plain(const Property& property) noexcept {
    return !property.is_collection() && !property.is_link() && !property.is_computed() &&
           !property.primary_key && property.type != PropertyType::mixed;
}

bool have_same_shape(const Property& one, const Property& other) noexcept {
    return one.type == other.type && one.collection == other.collection &&
           one.target == other.target && one.primary_key == other.primary_key &&
           one.origin == other.origin && (!one.primary_key || one.nullable == other.nullable);
}

bool have_same_key(const ClassSchema& one, const ClassSchema& other) noexcept {
    const Property* key = one.primary_key();
    const Property* other_key = other.primary_key();
    return one.kind() == other.kind() && (key == nullptr) == (other_key == nullptr) &&
           (key == nullptr || (key->name == other_key->name && have_same_shape(*key, *other_key)));
}

void let_be_null(ClassSchema& owner, const Property& property) {
    if (is_plain(property) && !property.nullable) {
        Property changed = property;
        changed.nullable = true;
        changed.default_value = {};
        owner.put(std::move(changed));
    }
}

void unite_class(ClassSchema& whole, const ClassSchema& older) {
    const std::vector<Property> known = whole.properties();
    for (const Property& property : known) {
        const Property* other = older.find(property.name);
        const bool is_same = other != nullptr && have_same_shape(property, *other);
        if (other != nullptr && !is_same) {
            Property retyped = property;
            retyped.was_retyped = true;
            whole.put(std::move(retyped));
        }
        if (!is_same || other->nullable) {
            let_be_null(whole, *whole.find(property.name));
        }
    }
    for (const Property& property : older.properties()) {
        if (whole.find(property.name) == nullptr) {
            whole.put(property);
            let_be_null(whole, property);
        }
    }
}

/// Links to classes that cannot be shown.
void remove_dangling(schema::Schema& schema) {
    for (const ClassSchema& each : std::vector<ClassSchema>(schema.classes())) {
        for (const Property& property : each.properties()) {
            if (!property.target.empty() && schema.find(property.target) == nullptr) {
                schema.find(each.name())->remove(property.name);
            }
        }
    }
}

} // namespace

void unite(DocumentSchema& whole, const DocumentSchema& older) {
    for (const ClassSchema& each : older.schema.classes()) {
        const auto place = older.places.find(each.name());
        if (ClassSchema* known = whole.schema.find(each.name())) {
            const auto known_place = whole.places.find(each.name());
            const bool is_same_place =
                (place == older.places.end()) == (known_place == whole.places.end()) &&
                (place == older.places.end() || place->second == known_place->second);
            if (is_same_place && have_same_key(*known, each)) {
                unite_class(*known, each);
            }
            continue;
        }
        // A collection that has another class now is that class's.
        if (place != older.places.end() &&
            whole.class_at(place->second.database, place->second.collection) != nullptr) {
            continue;
        }
        whole.schema.add(each);
        if (place != older.places.end()) {
            whole.places.insert(*place);
        }
    }
}

DocumentSchema narrow(const DocumentSchema& version, const DocumentSchema& whole) {
    DocumentSchema out;
    for (const ClassSchema& each : version.schema.classes()) {
        const ClassSchema* kept = whole.schema.find(each.name());
        const auto place = version.places.find(each.name());
        const auto kept_place = whole.places.find(each.name());
        if (kept == nullptr || !have_same_key(*kept, each) ||
            (place != version.places.end() &&
             (kept_place == whole.places.end() || place->second != kept_place->second))) {
            continue;
        }
        ClassSchema seen(each.name(), each.kind());
        for (const Property& property : each.properties()) {
            const Property* other = kept->find(property.name);
            if (other == nullptr || !have_same_shape(property, *other)) {
                continue;
            }
            Property shown = property;
            shown.was_retyped = other->was_retyped;
            if (is_plain(shown) && !shown.nullable && other->nullable &&
                shown.default_value.is_null()) {
                shown.default_value = schema::zero_value(shown);
            }
            seen.add(std::move(shown));
        }
        out.schema.add(std::move(seen));
        if (place != version.places.end()) {
            out.places.insert(*place);
        }
    }
    remove_dangling(out.schema);
    return out;
}

namespace {

/// What an instruction acts on, as far as the schema tells.
struct Leaf {
    const Property* property = nullptr; ///< null: not in the schema
    bool is_value = false;              ///< the property's own value or an element, no collection
};

Leaf leaf_of(const schema::Schema& schema, const Changeset& source,
             const Instruction& instruction) {
    const ClassSchema* owner = schema.find(source.table(instruction));
    const Property* property = owner ? owner->find(source.field(instruction)) : nullptr;
    const auto path = source.path(instruction);
    std::size_t at = 0;
    while (property != nullptr && property->type != PropertyType::mixed) {
        const bool is_inside = property->is_collection() && at < path.size();
        at += is_inside ? 1 : 0;
        if (at >= path.size() || !schema.is_embedded_place(*property) || path[at].is_index()) {
            return {property, is_inside || !property->is_collection()};
        }
        const ClassSchema* embedded = schema.find(property->target);
        property = embedded ? embedded->find(source.string(path[at].name())) : nullptr;
        ++at;
    }
    return {property, true};
}

Instruction with_zero(const Instruction& instruction, const Property& property) {
    Instruction changed = instruction;
    changed.type = static_cast<PayloadType>(property.type);
    changed.body = {};
    if (property.type == PropertyType::decimal128) {
        const Value zero = schema::zero_value(property);
        const auto& decimal = *zero.get_if<Decimal128>();
        changed.body.words = {decimal.high, decimal.low};
    }
    return changed;
}

Instruction with_null(const Instruction& instruction) {
    Instruction changed = instruction;
    changed.type = PayloadType::null;
    changed.body = {};
    return changed;
}

} // namespace

void Projection::append(ChangesetBuilder& out, const Changeset& source,
                        const Instruction& instruction) const {
    if (changeset::is_schema_instruction(instruction.op)) {
        const auto fact = fact_of(source, instruction);
        if (fact && schema::check_fact(schema_, *fact).verdict == schema::FactVerdict::equal) {
            out.append(source, instruction);
        }
        return;
    }
    if (schema_.find(source.table(instruction)) == nullptr) {
        return;
    }
    if (!changeset::is_path_instruction(instruction.op)) {
        out.append(source, instruction);
        return;
    }
    const Leaf leaf = leaf_of(schema_, source, instruction);
    if (leaf.property == nullptr) {
        return;
    }
    const bool has_payload = changeset::has_payload(instruction.op);
    const Property& property = *leaf.property;
    if (has_payload && instruction.type == PayloadType::null && leaf.is_value &&
        !property.nullable && !property.is_link() && property.type != PropertyType::mixed) {
        out.append(source, with_zero(instruction, property));
        return;
    }
    if (has_payload && instruction.type == PayloadType::link) {
        const ScalarView link = source.scalar(instruction);
        if (schema_.find(std::get<LinkView>(link).class_name) == nullptr) {
            out.append(source, with_null(instruction));
            return;
        }
    }
    out.append(source, instruction);
}

} // namespace tombolo::server::sync
