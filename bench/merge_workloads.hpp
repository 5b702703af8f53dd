#pragma once

// The changesets that bench_merge decodes and merges. All are reproducible.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

using Bytes = std::vector<std::byte>;

/// A new class and that many new objects of it, with a string, an integer and a double each: what a
/// first import uploads.
Bytes bulk_changeset(std::size_t objects);

/// That many instructions on objects that only this side touches: creations with fields, updates,
/// list edits.
Bytes disjoint_changeset(std::size_t instructions, unsigned side);

/// That many instructions, a quarter of them on objects that the other side edits too.
Bytes overlapping_changeset(std::size_t instructions, unsigned side);

/// Random inserts, erases, updates and moves in one list of `size` elements.
Bytes list_changeset(std::size_t edits, std::uint32_t size, unsigned seed);

} // namespace bench
