#pragma once

// The interned strings of a changeset or of a merge: each content once, ids in order of arrival.
//
// The table does not own the text: every entry is a range of a byte buffer that the caller passes
// to each call and that may grow or move between calls. The hash is keyed once a process, so that
// an uploader cannot choose colliding strings; nothing visible depends on it. Not thread-safe;
// memory is at most 40 bytes a string beside the text.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "changeset/instruction.hpp"

namespace tombolo::changeset {

/// Keyed hash of a text; differs from process to process.
std::uint64_t keyed_hash(std::string_view text) noexcept;

/// Spreads a 64-bit number over all bits, keyed likewise.
std::uint64_t keyed_hash(std::uint64_t number) noexcept;

/// A range of a byte buffer below 4 GiB.
struct TextRange {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
};

class StringTable {
  public:
    std::size_t size() const noexcept { return ranges_.size(); }

    /// REQUIRES: id < size()
    TextRange range(StringId id) const noexcept { return ranges_[to_index(id)]; }

    std::string_view text(StringId id, const std::byte* buffer) const noexcept {
        TextRange place = ranges_[to_index(id)];
        return {reinterpret_cast<const char*>(buffer) + place.offset, place.size};
    }

    std::optional<StringId> find(std::string_view text, const std::byte* buffer) const noexcept;

    /// Adds the text that stands at `place` of the buffer. False, and no change, when an equal one
    /// is there.
    bool add(TextRange place, const std::byte* buffer);

    /// Room for this many strings without another allocation.
    void reserve(std::size_t count);

    /// Memory held, beside the text.
    std::size_t memory_bytes() const noexcept {
        return ranges_.capacity() * sizeof(TextRange) + slots_.capacity() * sizeof(Slot);
    }

  private:
    /// The slot where the text stands or would stand. REQUIRES: a free slot.
    std::size_t probe(std::string_view text, std::uint32_t tag,
                      const std::byte* buffer) const noexcept;
    void rehash(std::size_t slot_count);

    struct Slot {
        std::uint32_t tag = 0;       ///< upper half of the hash
        std::uint32_t id_plus_1 = 0; ///< 0: free
    };

    std::vector<TextRange> ranges_;
    std::vector<Slot> slots_; ///< a power of two, at most two thirds full
};

} // namespace tombolo::changeset
