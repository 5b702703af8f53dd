#pragma once

// Valid changesets made from arbitrary bytes: for fuzzers and for random tests.
//
// The universe is small, so that two changesets collide often: two classes, three keys, four
// fields, paths of at most three steps, lists of three elements to begin with. Most sizes are kept
// up with the edits before, so that the list rules are reached; some are wrong on purpose.

#include <cstddef>
#include <cstdint>
#include <span>

#include "changeset/changeset.hpp"

namespace tombolo::changeset::test {

/// A stream of bytes that ends in zeros.
class ByteSource {
  public:
    explicit ByteSource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    bool at_end() const noexcept { return bytes_.empty(); }
    std::uint8_t next() noexcept {
        if (bytes_.empty()) {
            return 0;
        }
        std::uint8_t byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }
    /// REQUIRES: 0 < bound <= 256
    std::uint32_t below(std::uint32_t bound) noexcept { return next() % bound; }

  private:
    std::span<const std::uint8_t> bytes_;
};

struct GeneratorOptions {
    std::size_t instructions_max = 12;
    bool schema_erasure = true; ///< EraseTable and EraseColumn may occur
    bool wrong_sizes = true;    ///< some prior_size values are wrong
};

Changeset make_changeset(ByteSource& source, const GeneratorOptions& options = {});

} // namespace tombolo::changeset::test
