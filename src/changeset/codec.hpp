#pragma once

// The binary form of changesets (changesets-and-merge.md 1).
//
// decode() takes any bytes. It checks everything that can be checked without a schema, reads each
// byte once, never recurses and never reserves from a count found in the input. Memory bound: for
// an input of n bytes all allocations that are alive at one time come to at most
// decode_memory_factor * n + decode_memory_base bytes. Pure and thread-safe.
//
// Errors: bad_changeset with the reason, and "offset N" as context: the place of the field that is
// wrong. limit_exceeded when the input is longer than limits::changeset_bytes_max.

#include <cstddef>
#include <vector>

#include "changeset/changeset.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"

namespace tombolo::changeset {

/// The worst input is a run of two-byte instructions: 48 bytes each, and the array they outgrew
/// beside them.
inline constexpr std::size_t decode_memory_factor = 64;
inline constexpr std::size_t decode_memory_base = 4096;

/// Copies the bytes into the changeset.
Result<Changeset> decode(ByteView bytes);

/// As above without the copy: the changeset keeps the vector.
Result<Changeset> decode(std::vector<std::byte>&& bytes);

/// The table-first form: all strings of the table, then the instructions; nothing at all when there
/// is no instruction.
std::vector<std::byte> encode(const Changeset& changeset);

} // namespace tombolo::changeset
