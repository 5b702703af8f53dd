#pragma once

// What programs write to the collection of class T past the devices: changes, deletions, documents
// that fit no class and their repair.

#include <string>

#include "server/sync/engine/engine.hpp"
#include "sim/view_documents.hpp"

namespace tombolo::sim {

store::Transaction random_outside_write(const server::sync::SyncModel& model,
                                        const std::string& database, Choices& choices);

} // namespace tombolo::sim
