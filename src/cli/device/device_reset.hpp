#pragma once

// Local writes over a client reset: what the server does not have is said again to a replica that
// was fetched anew (database-and-sdk.md, client reset with recovery). Pure.
//
// By object and field: an object that a waiting write made is made again when it is not there; one
// that a waiting write erased is erased; of one that both have, the fields that waiting writes
// named get what the device held. What happened to such a field on the server meanwhile is lost:
// lists are not merged element by element. Objects that are gone on the server stay gone.

#include <set>
#include <string>
#include <vector>

#include "changeset/changeset.hpp"
#include "cli/device/device_documents.hpp"
#include "client/replica.hpp"
#include "core/result.hpp"

namespace tombolo::cli {

struct WaitingObject {
    ObjectName object;
    bool was_created = false;
    bool is_erased = false;
    std::set<std::string> fields;
};

/// What the writes that the server is not known to have are about, in order of first mention.
std::vector<WaitingObject> waiting_objects(const client::Replica& replica);

struct Recovery {
    changeset::Changeset changeset;
    /// One line for each object whose write has no place any more.
    std::vector<std::string> lost;
};

/// `fresh` is the state as the server has it.
Result<Recovery> recover(const client::Replica& old, const changeset::MemoryState& fresh);

} // namespace tombolo::cli
