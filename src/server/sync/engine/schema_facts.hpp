#pragma once

// Schema instructions and the facts they state.

#include <optional>

#include "changeset/builder.hpp"
#include "changeset/changeset.hpp"
#include "schema/facts.hpp"

namespace tombolo::server::sync {

changeset::PayloadType payload_type(schema::PropertyType type) noexcept;

/// The fact that a schema instruction states; nothing for EraseTable and EraseColumn.
std::optional<schema::SchemaFact> fact_of(const changeset::Changeset& changeset,
                                          const changeset::Instruction& instruction);
void append_fact(changeset::ChangesetBuilder& out, const schema::SchemaFact& fact);

} // namespace tombolo::server::sync
