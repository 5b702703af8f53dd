#pragma once

// MongoDB Extended JSON, version 2: text to BSON or Values and back.
//
// canonical   every type survives: {"$numberInt":"1"}, {"$date":{"$numberLong":"0"}}
// relaxed     numbers and dates of the years 1970 to 9999 as people write them: 1,
// {"$date":"1970-01-01T00:00:00Z"}
//
// Reading takes both forms at once, and {"$uuid": "..."} and the version 1 form {"$binary": "...",
// "$type": "00"}, and, as realm-web writes them, numbers inside $timestamp, $minKey and $maxKey as
// {"$numberInt": "1"}; a UUID is written as $binary of subtype 04, as MongoDB's tools do. A whole
// number without point or exponent is read as int32 if it fits, else int64, else double. An object
// whose first key is one of the type keys ($oid, $date, ...) must be that type's form and nothing
// else; other keys with a dollar ($regex, $in, ...) are ordinary fields. Between text and BSON the
// order of fields is kept.
//
// Errors: bad_json when the text is not JSON (RFC 8259, strict: no comments, no trailing commas, no
// lone surrogates), bad_ejson when a type's form is wrong, limit_exceeded beyond
// limits::ejson_bytes_max of text, limits::document_bytes_max of BSON or limits::document_depth_max
// levels below the top; context is "line L, column C" (bytes, from 1). Values go by way of BSON and
// keep or lose what bson.hpp says.

#include <string>
#include <string_view>

#include "core/bson.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

namespace tombolo {

enum class EjsonForm { canonical, relaxed };

/// A JSON object to the document it stands for.
Result<BsonBuffer> ejson_to_bson(std::string_view text);
/// A JSON array to a BSON array.
Result<BsonBuffer> ejson_array_to_bson(std::string_view text);
/// Any JSON value, wrapped: a document whose only field, under the empty key, is the value.
Result<BsonBuffer> ejson_to_wrapped_bson(std::string_view text);

/// Inverses. bad_bson when the bytes are not BSON; text that is not UTF-8 is bad_utf8.
Result<std::string> bson_to_ejson(ByteView document, EjsonForm form);
Result<std::string> bson_array_to_ejson(ByteView array, EjsonForm form);
/// The value of the document's only field.
Result<std::string> wrapped_bson_to_ejson(ByteView document, EjsonForm form);

/// Any JSON value; types of BSON that have no Value are unsupported.
Result<Value> ejson_to_value(std::string_view text);
Result<std::string> value_to_ejson(const Value& value, EjsonForm form);

} // namespace tombolo
