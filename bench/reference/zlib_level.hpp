#pragma once

// Bare zlib over the same bytes, cut in the same way.

#include <cstddef>
#include <vector>

namespace tombolo::bench {

/// Seconds to compress every piece by itself.
double compress_pieces(const std::vector<std::vector<std::byte>>& pieces, int level);

} // namespace tombolo::bench
