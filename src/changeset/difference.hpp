#pragma once

// The least that has to be said to make one object into another: how writes that are not made of
// instructions become changesets (device-sync-server.md 6.3).
//
// Scalars are updated; in lists the common beginning and end stay and what lies between is erased
// and inserted, or updated in place when it is as long; sets, dictionaries and embedded objects are
// compared by element, key and field. Applying the result to `before` gives `after`, with every
// prior_size right.

#include "changeset/applier.hpp"
#include "changeset/builder.hpp"
#include "core/primary_key.hpp"
#include "core/value.hpp"

namespace tombolo::changeset {

/// Both objects are of that class, without their key, and hold every field of it.
void append_difference(ChangesetBuilder& out, const ClassSource& classes, const ClassInfo& info,
                       const PrimaryKeyView& key, const Object& before, const Object& after);

} // namespace tombolo::changeset
