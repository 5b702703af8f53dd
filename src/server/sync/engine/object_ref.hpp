#pragma once

// The name of a top-level object: class and primary key. What history, merges and views are cut by.

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/primary_key.hpp"
#include "core/result.hpp"
#include "mql/bson_value.hpp"

namespace tombolo::server::sync {

struct ObjectRef {
    std::string class_name;
    PrimaryKey key;

    friend auto operator<=>(const ObjectRef&, const ObjectRef&) = default;
};

struct ObjectRefHash {
    std::size_t operator()(const ObjectRef& object) const noexcept;
};

/// Bytes that order and end themselves: the class name, a NUL, the key. Part of record keys.
std::string encode_object(const ObjectRef& object);
/// Reads what encode_object wrote, off the front of `bytes`.
Result<ObjectRef> decode_object(std::string_view& bytes);

/// The key as `_id` of a document.
mql::BsonValue to_bson(const PrimaryKeyView& key);
/// The object's key in a document's `_id`; nothing for types that no class can have. A whole double
/// is an integer: the store takes the two for one `_id`.
std::optional<PrimaryKey> key_of(mql::BsonView id);
/// The store's key of the object's document.
Result<std::string> document_key_of(const PrimaryKeyView& key);

/// `Item[7]`, for messages.
std::string to_text(const ObjectRef& object);

} // namespace tombolo::server::sync
