#pragma once

// Values as BSON and back.
//
//     Value                          BSON
//     null, Int, Bool, String        null, int64 (int32 is read too), bool, string
//     Double, Float                  double                                          a Float comes
//     back as a Double Decimal128, ObjectId           decimal128, objectId Data, UUID binary
//     subtype 0 (any but 4 is read), 4 Date                           date: milliseconds, truncated
//     towards the past Link                           DBRef {"$ref": class, "$id": key}; a "$db" is
//     read and dropped List, Set                      array a Set comes back as a List Dictionary,
//     Object             document; fields in byte order of their keys    an Object comes back as a
//     Dictionary
//
// The remaining types of BSON (regex, code, timestamp, min and max key, symbol, ...) have no Value:
// unsupported. What the right column loses, callers with a schema keep elsewhere.
//
// Errors say where: context is the path of the field ("tags[3].name"). Bytes that are not BSON are
// bad_bson, text that is not UTF-8 bad_utf8, a key that occurs twice in one document bad_bson, a
// key with NUL invalid_argument. Input is at most limits::document_bytes_max long and
// limits::document_depth_max levels deep below the top, else limit_exceeded. Reading takes at most
// 40 bytes of memory a byte of input.

#include <cstddef>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

namespace tombolo {

/// The bytes of one document or array, owned.
using BsonBuffer = std::vector<std::byte>;

/// A Dictionary, or the Link that a DBRef stands for.
Result<Value> bson_to_value(ByteView document);

/// A List; the keys inside an array are not looked at.
Result<Value> bson_array_to_value(ByteView array);

/// REQUIRES: a Dictionary or Object (or Link) gives a document, a List or Set an array; anything
/// else is type_mismatch.
Result<BsonBuffer> value_to_bson(const Value& value);

/// A document with this value as its only field, under the empty key: how a bare value travels as
/// BSON.
Result<BsonBuffer> wrap_in_bson(const Value& value);
/// Inverse: the value of the only field, whatever its key.
Result<Value> unwrap_from_bson(ByteView document);

} // namespace tombolo
