#pragma once

// What a programmer would write with libbson alone: a loop over a document's elements, by hand for
// one query.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tombolo::bench {

/// Documents one behind the other; document i is bytes [offsets[i], offsets[i + 1]).
struct Documents {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> offsets;
    std::size_t count() const noexcept { return offsets.size() - 1; }
};

/// Tasks of a to-do app: eight fields, some 200 bytes.
Documents make_documents(std::size_t count);

/// status == 'open' AND priority > 3
bool reference_scalars(const std::uint8_t* data, std::size_t size);

/// priority > 3 AND ANY tags == 'red'
bool reference_list(const std::uint8_t* data, std::size_t size);

} // namespace tombolo::bench
