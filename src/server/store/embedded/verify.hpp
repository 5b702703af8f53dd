#pragma once

#include "server/store/embedded/catalog.hpp"
#include "server/store/embedded/database.hpp"

namespace tombolo::store::embedded {

/// Store::verify: block checksums, every document and past image parses and belongs to a known
/// collection, every index holds exactly the entries its documents have.
Result<VerifyReport> verify(const Database& database, const Catalog& catalog);

} // namespace tombolo::store::embedded
