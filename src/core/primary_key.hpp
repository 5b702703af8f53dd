#pragma once

// The key of an object: null, int, string, ObjectId, UUID, or the legacy GlobalKey of classes
// without a primary key.
//
// PrimaryKey owns its string, PrimaryKeyView borrows it (valid only as long as the bytes it was
// made from).

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "core/object_id.hpp"
#include "core/uuid.hpp"

namespace tombolo {

/// `hi` is the ident of the file that created the object (changesets-and-merge.md 1.7).
struct GlobalKey {
    std::uint64_t hi = 0;
    std::uint64_t lo = 0;
    friend auto operator<=>(const GlobalKey&, const GlobalKey&) = default; // NOLINT
};

using PrimaryKeyView =
    std::variant<std::monostate, std::int64_t, std::string_view, ObjectId, Uuid, GlobalKey>;
using PrimaryKey =
    std::variant<std::monostate, std::int64_t, std::string, ObjectId, Uuid, GlobalKey>;

PrimaryKey to_owned(const PrimaryKeyView& key);
PrimaryKeyView to_view(const PrimaryKey& key) noexcept;

/// As errors and logs print keys: null, 123, "text", ObjectID("..."), UUID(...)
/// (sync-protocol.md 6.4).
std::string to_text(const PrimaryKeyView& key);

std::size_t hash_value(const PrimaryKeyView& key) noexcept;

} // namespace tombolo
