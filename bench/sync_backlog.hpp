#pragma once

// A device that was offline and has much to upload.

#include <cstddef>
#include <functional>
#include <vector>

#include "sync_fleet.hpp"

namespace tombolo::bench {

/// Packs changesets into UPLOADs as a published client does, before the time starts; sends them;
/// seconds until the last is durable and acknowledged. The fleet has one device, which is ready.
double upload_backlog(Fleet& fleet, std::size_t count,
                      const std::function<std::vector<std::byte>()>& next);

} // namespace tombolo::bench
