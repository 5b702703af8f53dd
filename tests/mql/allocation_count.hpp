#pragma once

// Counts calls of the global operator new in this test program.

#include <cstddef>

namespace tombolo::mql::test {

/// Allocations of this thread so far.
std::size_t allocation_count() noexcept;

} // namespace tombolo::mql::test
