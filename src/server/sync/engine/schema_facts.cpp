#include "server/sync/engine/schema_facts.hpp"

#include "schema/validation.hpp"

namespace tombolo::server::sync {

using changeset::ColumnDefinition;
using changeset::PayloadType;
using changeset::TableKind;

PayloadType payload_type(schema::PropertyType type) noexcept {
    return static_cast<PayloadType>(type);
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
        schema::is_foreign_field(changeset.field(instruction)) ||
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

} // namespace tombolo::server::sync
