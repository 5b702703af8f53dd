#pragma once

// A whole database in memory, in its simplest form: the reference model that tests compare
// everything else with.
//
// It holds exactly what two replicas must agree on (changesets-and-merge.md 6.2): classes by name,
// columns by name, live objects by key, and values. Links name their target by key, so there are no
// tombstones: a link is unresolved when its target is not among the live objects, and resolves
// again when one with that key is created (2.2).
//
// A plain value: copying is deep, so a copy is a snapshot and a rollback is an assignment.

#include <map>
#include <string>
#include <string_view>

#include "changeset/applier.hpp"
#include "core/primary_key.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

namespace tombolo::changeset {

struct MemoryClass {
    ClassInfo info;
    /// Live objects; every field of the class is present in each. Embedded objects live inside
    /// their owners' values.
    std::map<PrimaryKey, Object> objects;
};

struct MemoryState {
    std::map<std::string, MemoryClass, std::less<>> classes;

    const MemoryClass* find_class(std::string_view name) const noexcept;
    /// nullptr when the object is not live.
    const Object* find_object(std::string_view class_name, const PrimaryKey& key) const noexcept;
    bool is_live(const Link& link) const noexcept;
};

/// Same schema (columns in any order) and same content, bit for bit.
bool identical(const MemoryState& left, const MemoryState& right);

/// One line per class and object, for messages.
std::string to_text(const MemoryState& state);

/// Applies the changeset to the state; on failure the state is what it was.
Result<ApplyReport> apply(const Changeset& changeset, MemoryState& state);

} // namespace tombolo::changeset
