#pragma once

// What the two protocol targets share. The first byte of an input chooses the dialect, the rest is
// a message.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/bytes.hpp"
#include "protocol/codec.hpp"

namespace tombolo::protocol::fuzz {

inline void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

inline Dialect dialect_of(std::uint8_t choice) {
    return {static_cast<ProtocolVersion>(11 + choice % 4),
            (choice / 4) % 2 == 0 ? SyncMode::flexible : SyncMode::partition};
}

/// Small enough that a run stays fast; the limits themselves are part of what is tested.
inline constexpr ParseLimits fuzz_limits{1 << 20, 1 << 22};

/// Entries of a body that opens lie inside it and come back byte for byte.
template <class Reader>
void walk_body(const Body& body) {
    std::vector<std::byte> storage;
    const auto opened = open_body(body, storage);
    require(storage.size() <= body.uncompressed_size);
    if (!opened) {
        return;
    }
    Reader reader(*opened);
    std::vector<std::byte> again;
    for (;;) {
        const auto entry = reader.next();
        if (!entry) {
            return;
        }
        if (!*entry) {
            break;
        }
        append_entry(again, **entry);
    }
    require(as_text(again) == as_text(*opened));
}

} // namespace tombolo::protocol::fuzz
