#pragma once

// What a condition reads of the object it is asked about.

#include <cstdint>

#include "query/bound.hpp"

namespace tombolo::query {

struct FieldsRead {
    std::uint64_t slots = 0;   ///< bits of Step::slot; those from 64 on set `needs_object`
    bool needs_object = false; ///< backlinks, the object itself
};

FieldsRead read_fields(const Condition& condition) noexcept;

} // namespace tombolo::query
