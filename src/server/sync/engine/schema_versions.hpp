#pragma once

// Several generations of clients at once (device-sync-server.md 2.5): history and documents are
// kept by a schema in which every version finds its classes and properties; each file sees both
// through the version it was made with.
//
// All functions are pure.

#include "changeset/builder.hpp"
#include "changeset/changeset.hpp"
#include "schema/app_mapping.hpp"

namespace tombolo::server::sync {

/// Adds the classes and properties of an older version. Where they disagree `whole` counts, except
/// that what one of them lets be null may be null, and what one of them lacks too.
void unite(schema::DocumentSchema& whole, const schema::DocumentSchema& older);

/// What files of the version can be shown: its classes and properties as far as they have the same
/// type in `whole`; what may be null there and not here reads as zero.
schema::DocumentSchema narrow(const schema::DocumentSchema& version,
                              const schema::DocumentSchema& whole);

/// Instructions on the whole as files of one version see them: what the version does not have is
/// left out, null where it allows none becomes zero, links to classes it does not know become null.
class Projection {
  public:
    /// `narrowed` must outlive the projection.
    explicit Projection(const schema::Schema& narrowed) : schema_(narrowed) {}

    void append(changeset::ChangesetBuilder& out, const changeset::Changeset& source,
                const changeset::Instruction& instruction) const;

  private:
    const schema::Schema& schema_;
};

} // namespace tombolo::server::sync
