#pragma once

// Where everything lies in RocksDB. Integers in keys are big-endian, in values little-endian.
//
//   column family   key                                          value
//   doc             collection 4 | id key                        created 8 | modified 8 | BSON
//   past            collection 4 | id key | version 8            the doc value before that version
//   index           collection 4 | index 4 | field keys | id key   nothing
//   feed            version 8 | position 4                       unix ms 8 | operation 1 |
//   collection 4 | id key catalog         "format" "version" "floor" ...               see
//   catalog.hpp meta hist part file recip   the caller's                     the caller's
//
// A document that did not exist before a version has no `past` entry there: `created` in the next
// newer image tells. Id keys and field keys are value_key.hpp encodings: self-terminating, so the
// parts of a key can be told apart.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/types.hpp"

namespace tombolo::store::embedded {

/// Refuses to open newer ones; older ones are migrated when there are any.
inline constexpr std::uint64_t format_version = 1;

enum class Family : std::uint8_t { doc, past, index, feed, catalog, meta, hist, part, file, recip };
inline constexpr std::size_t family_count = 10;
inline constexpr std::array<const char*, family_count> family_names = {
    "doc", "past", "index", "feed", "catalog", "meta", "hist", "part", "file", "recip"};

constexpr Family family_of(Space space) noexcept {
    switch (space) {
    case Space::meta:
        return Family::meta;
    case Space::history:
        return Family::hist;
    case Space::part:
        return Family::part;
    case Space::file:
        return Family::file;
    case Space::reciprocal:
        return Family::recip;
    }
    return Family::meta;
}

void append_u32(std::string& out, std::uint32_t value);
void append_u64(std::string& out, std::uint64_t value);
/// REQUIRES: at least 4 (8) bytes from `at`.
std::uint32_t read_u32(std::string_view bytes, std::size_t at = 0) noexcept;
std::uint64_t read_u64(std::string_view bytes, std::size_t at = 0) noexcept;

std::string collection_prefix(CollectionId collection);
std::string doc_key(CollectionId collection, std::string_view id_key);
std::string past_key(std::string_view doc_key, Version version);
std::string index_prefix(CollectionId collection, std::uint32_t index);
std::string feed_key(Version version, std::uint32_t position);
/// The smallest key that is greater than every key with this prefix; empty when there is none.
std::string prefix_end(std::string prefix);

/// A decoded doc or past value. Borrows.
struct Image {
    Version created{};
    Version modified{};
    std::string_view bson;

    mql::BsonDocumentView body() const noexcept {
        return mql::BsonDocumentView::from_trusted(as_bytes(bson));
    }
};

std::string encode_image(Version created, Version modified, ByteView bson);
/// nullopt when the bytes cannot be an image (corruption).
std::optional<Image> decode_image(std::string_view value) noexcept;

} // namespace tombolo::store::embedded
