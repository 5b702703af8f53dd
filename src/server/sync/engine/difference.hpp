#pragma once

// The least that has to be said to make one object into another: how writes that no device made
// become changesets (device-sync-server.md 6.3).
//
// Scalars are updated; in lists the common beginning and end stay and what lies between is erased
// and inserted, or updated in place when it is as long; sets, dictionaries and embedded objects are
// compared by element, key and field. Applying the result to `before` gives `after`, with every
// prior_size right.

#include "changeset/builder.hpp"
#include "core/value.hpp"
#include "server/sync/engine/model.hpp"
#include "server/sync/engine/object_ref.hpp"

namespace tombolo::server::sync {

/// Both objects are without their key and hold every field of the class.
void append_difference(changeset::ChangesetBuilder& out, const Model& model,
                       const ObjectRef& object, const Object& before, const Object& after);

} // namespace tombolo::server::sync
