#pragma once

#include <cstddef>

namespace tombolo::query::test {

/// Calls of operator new by this thread so far.
std::size_t allocation_count() noexcept;

} // namespace tombolo::query::test
