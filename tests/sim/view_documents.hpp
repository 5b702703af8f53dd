#pragma once

// The documents of the filtered view model: one class, its changesets by object, and what a view
// selects.
//
// Class T: _id int, q int (the queryable field), x int (a counter), l list of int, k link to T, e
// embedded E with y int and ys list of int. Small numbers everywhere, so that clients meet on the
// same objects.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "changeset/builder.hpp"
#include "changeset/changeset.hpp"
#include "changeset/memory_state.hpp"
#include "core/value.hpp"
#include "support/random_schema.hpp"

namespace tombolo::sim {

using testing::Choices;

using ObjectKey = std::int64_t;
inline constexpr ObjectKey object_key_count = 3;
inline constexpr std::uint32_t queryable_value_count = 3;

/// Subscription AND role: a bit for every value of q that is visible.
using View = std::uint32_t;

View random_view(Choices& choices);

/// The object's own copy, or nothing: a document at a version.
using Document = std::optional<Object>;

/// True when the document exists and the view selects it.
bool is_member(const Document& document, View view);
bool same_document(const Document& left, const Document& right);

/// A state with the two classes and no object.
changeset::MemoryState empty_state();
Document document(const changeset::MemoryState& state, ObjectKey key);
/// A state that holds this one document under the key, to try a change on.
changeset::MemoryState state_of(ObjectKey key, const Document& document);

/// Keys of the objects that the changeset names, in order of first mention.
std::vector<ObjectKey> objects_of(const changeset::Changeset& changeset);
/// The instructions on one object.
changeset::Changeset part_of(const changeset::Changeset& changeset, ObjectKey key);
/// All instructions of `added` behind those that the builder holds.
void append(changeset::ChangesetBuilder& builder, const changeset::Changeset& added);

void append_erase(changeset::ChangesetBuilder& builder, ObjectKey key);
/// EraseObject, CreateObject and every field: the object as if it had never been there.
void append_content(changeset::ChangesetBuilder& builder, ObjectKey key, const Object& object);

/// The Erase and Create of a synthetic part, which are all that a merge can see of it.
changeset::Changeset without_fields(const changeset::Changeset& part);

/// A random transaction of a client that sees `view`, executed on the state. Empty when nothing
/// could be done.
changeset::Changeset write_random(changeset::MemoryState& state, View view, Choices& choices);

} // namespace tombolo::sim
