#pragma once

// Mixing of hash values. Process-local: never stored, never sent.

#include <cstddef>
#include <cstdint>

namespace tombolo {

/// Spreads every input bit over the whole word.
constexpr std::uint64_t mix_hash(std::uint64_t value) noexcept {
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93;
    value ^= value >> 32;
    value *= 0xd6e8feb86659fd93;
    value ^= value >> 32;
    return value;
}

/// The hash of a sequence so far, extended by one more element's hash; order matters.
constexpr std::uint64_t combine_hash(std::uint64_t seed, std::uint64_t next) noexcept {
    return mix_hash(seed * 31 + next + 0x9e3779b97f4a7c15);
}

} // namespace tombolo
